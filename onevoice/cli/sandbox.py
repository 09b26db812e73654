"""`onevoice sandbox`: local vendors to try the hub on."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from onevoice.errors import ConfigError

sandbox = typer.Typer(help="Local servers that behave as the vendors do.", no_args_is_help=True)


class Switch(StrEnum):
    """On or off."""

    ON = "on"
    OFF = "off"


@sandbox.callback()
def _group() -> None:
    """Keeps `up` a command of its own, so that more can join it."""


@sandbox.command()
def up(
    seed: Annotated[int, typer.Option(help="Same seed, same people.")] = 7,
    people: Annotated[int, typer.Option(min=1, help="How many people there are.")] = 2000,
    limits: Annotated[Switch, typer.Option(help="Rate limits and quotas of the vendors.")] = Switch.ON,
    faults: Annotated[str, typer.Option(help="Name of a fault that the vendors show from the start.")] = "none",
    state: Annotated[Path | None, typer.Option(help="Keep the vendors' data in this folder.")] = None,
    env: Annotated[
        Path | None, typer.Option(help="Also write what the hub needs to this file, for the shell (`. FILE`).")
    ] = None,
) -> None:
    """Start the vendors, print one JSON line with every address and credential, run until stopped."""
    from onevoice.sandbox.main import up as serve

    try:
        serve(seed, people, limits is Switch.ON, faults, state, env)
    except ValueError as exc:
        raise ConfigError(f"sandbox: {str(exc).removeprefix('sandbox: ')}") from exc
