"""Commands that stop the hub, let it go on, and take back what it wrote: approve, hold, release, undo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from onevoice.cli.session import Actor, operator, session_of
from onevoice.cli.sync import DONE_WITH_FAULTS, AsJson
from onevoice.cli.terminal import err, out, print_json, step

if TYPE_CHECKING:
    from onevoice.pipeline.delivery.undo import Undone

SHOWN = 10
"""Places that are printed of each kind."""

System = Annotated[str | None, typer.Argument(help="The system; all of them when left out.")]


def approve(
    context: typer.Context,
    plan: Annotated[str, typer.Argument(help="The hash of the plan, as `onevoice plan` printed it.")],
    reason: Annotated[str, typer.Option(help="Why, for whoever reads it later.")] = "",
    actor: Actor = None,
) -> None:
    """Let the next syncs, scheduled ones too, write a plan that the guard stops: its very writes, and no others."""
    from onevoice.pipeline.delivery import guard

    writes = guard.approve(session_of(context).hub(), plan, operator(actor), reason)
    out.print(f"Plan {plan} is approved: {writes:,} writes (the next sync carries it out)")


def hold(
    context: typer.Context,
    system: System = None,
    reason: Annotated[str, typer.Option(help="Why, for whoever finds it held.")] = "held by hand",
) -> None:
    """Stop every write to a system, or to all, at once: also those of a sync that runs now."""
    from onevoice.pipeline.delivery import holding

    for standing in holding.hold(session_of(context).hub(), system, reason):
        out.print(_words(standing.system, standing.reason))


def release(context: typer.Context, system: System = None) -> None:
    """Let the hub write again to a system, or to all. What was held is written by the next sync."""
    from onevoice.pipeline.delivery import holding

    left = holding.release(session_of(context).hub(), system)
    for standing in left:
        out.print(_words(standing.system, standing.reason))
    if not left:
        out.print("Nothing is held.")


def undo(
    context: typer.Context,
    run: Annotated[str, typer.Argument(help="The run, as `onevoice status` names it.")],
    as_json: AsJson = False,
) -> None:
    """Put back what a run wrote, where nobody has changed it since; name what cannot be put back; hold the systems."""
    from onevoice.pipeline.delivery.undo import undo as put_back

    with step(f"undo {run}"):
        done = put_back(session_of(context).hub(), run)
    if as_json:
        print_json(asdict(done))
    else:
        _print_undone(done)
    raise typer.Exit(DONE_WITH_FAULTS if done.failed or done.refused else 0)


def _print_undone(done: Undone) -> None:
    out.print(f"{done.put_back:,} records hold again what they held before.")
    for what, places in (
        ("were changed by somebody else since and are left alone", done.changed_since),
        ("cannot be taken back by anyone but the customer", done.irreversible),
        ("were refused by the vendor", done.refused),
    ):
        _print_places(f"{len(places):,} values {what}", [f"{record} {name}" for record, name in places])
    _print_places(f"{len(done.gone):,} records are gone", done.gone)
    for sentence in done.failed:
        err.print(f"{sentence} (run the undo again)", style="red")
    if done.held:
        out.print(f"Held from now on: {', '.join(done.held)} (`onevoice release` lets the next sync write again)")


def _print_places(title: str, places: Sequence[str]) -> None:
    if places:
        out.print(f"{title}:")
    for place in places[:SHOWN]:
        out.print(f"  {place}")
    if len(places) > SHOWN:
        out.print(f"  ... and {len(places) - SHOWN:,} more (--json has all)")


def _words(system: str, reason: str) -> str:
    from onevoice.store.holds import EVERYTHING

    return f"{'Every system' if system == EVERYTHING else system} is held: {reason}"
