"""Commands that stop the hub and let it go on: hold, release."""

from __future__ import annotations

from typing import Annotated

import typer

from onevoice.cli.session import session_of
from onevoice.cli.terminal import out

System = Annotated[str | None, typer.Argument(help="The system; all of them when left out.")]


def hold(
    context: typer.Context,
    system: System = None,
    reason: Annotated[str, typer.Option(help="Why, for whoever finds it held.")] = "held by hand",
) -> None:
    """Stop every write to a system, or to all, at once: also those of a sync that runs now."""
    from onevoice.pipeline import holding

    for standing in holding.hold(session_of(context).hub(), system, reason):
        out.print(_words(standing.system, standing.reason))


def release(context: typer.Context, system: System = None) -> None:
    """Let the hub write again to a system, or to all. What was held is written by the next sync."""
    from onevoice.pipeline import holding

    left = holding.release(session_of(context).hub(), system)
    for standing in left:
        out.print(_words(standing.system, standing.reason))
    if not left:
        out.print("Nothing is held.")


def _words(system: str, reason: str) -> str:
    from onevoice.store.holds import EVERYTHING

    return f"{'Every system' if system == EVERYTHING else system} is held: {reason}"
