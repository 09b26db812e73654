"""`onevoice backfill`: write again what a system should hold, without touching the rest."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from onevoice.cli.session import Actor, operator, session_of
from onevoice.cli.sync import AsJson
from onevoice.cli.terminal import out, print_json


def backfill(
    context: typer.Context,
    system: Annotated[str, typer.Option(help="The system that is written to again.")],
    stream: Annotated[str | None, typer.Option(help="Only this stream of it.")] = None,
    field: Annotated[str | None, typer.Option(help="Only this vendor field.")] = None,
    reason: Annotated[str, typer.Option(help="Why, for whoever reads it later.")] = "",
    actor: Actor = None,
    as_json: AsJson = False,
) -> None:
    """Have the next sync write again what a system was sent before, as after a restored backup. Writes nothing now."""
    from onevoice.pipeline.delivery.backfill import backfill as mark

    hub = session_of(context).hub()
    marked = mark(hub, system, operator(actor), stream=stream, field=field, reason=reason)
    if as_json:
        print_json([asdict(one) for one in marked])
        return
    for one in marked:
        out.print(f"{one.system}.{one.stream}: {one.records:,} records will be written again: {', '.join(one.fields)}")
        for name, why in one.left_out.items():
            out.print(f"  not {name}: {why}")
    out.print("`onevoice plan` shows it, the next sync writes it.")
