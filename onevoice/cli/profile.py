"""Commands about one profile id: what happened to it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from onevoice.cli.session import Whole, session_of
from onevoice.cli.sync import AsJson
from onevoice.cli.terminal import out, print_json, table
from onevoice.errors import OnevoiceError

if TYPE_CHECKING:
    from onevoice.cli.masks import Masks
    from onevoice.pipeline.resolution.history import History

profile = typer.Typer(help="What happened to a profile id. `onevoice explain` shows the customer behind it.")


@profile.command("history")
def show_history(
    context: typer.Context,
    who: Annotated[str, typer.Argument(help="A profile id, also a retired one, or a record as system/stream/key.")],
    whole: Whole = False,
    as_json: AsJson = False,
) -> None:
    """Show every event in the life of a profile id with its cause, where a retired id leads now, and its records."""
    from onevoice.cli.masks import Masks
    from onevoice.pipeline.overview import profile_behind
    from onevoice.pipeline.resolution.history import history

    hub = session_of(context).hub()
    profile_id = profile_behind(hub, who)
    told = history(hub, profile_id) if profile_id else None
    if told is None:
        raise OnevoiceError(f"{who}: no such profile or record (write a profile id, or system/stream/key)")
    masks = Masks(hub.config.mappings, whole=whole)
    if as_json:
        print_json(_masked(told, masks))
    else:
        _print_history(told, masks)


def _masked(told: History, masks: Masks) -> dict[str, object]:
    return {
        "profile_id": told.profile_id,
        "current": told.current,
        "events": [{**asdict(event), "cause": masks.text(event.cause)} for event in told.events],
        "decisions": [
            {**asdict(one), "left": masks.text(one.left), "right": masks.text(one.right)} for one in told.decisions
        ],
        "records": [{**asdict(one), "ref": masks.text(one.ref), "name": masks.name(one.name)} for one in told.records],
    }


def _print_history(told: History, masks: Masks) -> None:
    state = "no record is left"
    if told.current is not None:
        state = "live" if told.current == told.profile_id else f"retired, leads to {told.current}"
    out.print(f"[bold]Profile {told.profile_id}[/bold]: {state}")
    events = table("What happened", "at (UTC)", "profile", "", "other profile", "because of")
    for event in told.events:
        at = f"{event.at:%Y-%m-%d %H:%M}"
        events.add_row(at, event.profile_id, _WORDS[event.kind], event.other_id or "", masks.text(event.cause))
    records = table("Records", "record", "name", "profile now", "since (UTC)")
    for one in told.records:
        since = f"{one.since:%Y-%m-%d %H:%M}" if one.since else ""
        records.add_row(masks.text(one.ref), masks.name(one.name), one.profile_id or "gone", since)
    out.print("", events, "", records)
    for said in told.decisions:
        verdict = "one customer" if said.same else "two customers"
        pair = f"{masks.text(said.left)} and {masks.text(said.right)} are {verdict}"
        out.print(f"Decision {said.id}, {said.at:%Y-%m-%d %H:%M} UTC, {said.actor}: {pair}: {said.reason}")
        if said.withdrawn_at is not None:
            out.print(
                f"  withdrawn {said.withdrawn_at:%Y-%m-%d %H:%M} UTC by {said.withdrawn_by}: {said.withdrawn_reason}"
            )


_WORDS = {
    "created": "was created",
    "merged": "was merged into",
    "split": "was split off",
    "moved": "got a record from",
    "retired": "was retired",
    "restored": "came back, out of",
}
"""What became of a profile id, by kind of event; the other profile completes the sentence."""
