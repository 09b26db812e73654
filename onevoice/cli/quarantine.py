"""Commands about what was set aside: records that could not be mapped, and values that were refused or go round."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from onevoice.cli.session import Actor, Whole, operator, session_of
from onevoice.cli.sync import AsJson
from onevoice.cli.terminal import out, print_json, table
from onevoice.errors import ConfigError

if TYPE_CHECKING:
    from onevoice.cli.masks import Masks
    from onevoice.pipeline import Hub
    from onevoice.pipeline.delivery.quarantine import Entry, Shown
    from onevoice.store.acts import Act
    from onevoice.store.amendments import Amendment

quarantine = typer.Typer(help="What was refused or could not be mapped: look at it, put it right, try again, give up.")

Record = Annotated[str, typer.Argument(metavar="REF", help="The record as system/stream/key.")]
System = Annotated[str | None, typer.Option(help="Only of this system.")]
Stage = Annotated[str | None, typer.Option(help="Only of this stage: mapping, planning, delivery or loop.")]
Why = Annotated[str, typer.Option(help="Why, for whoever reads it later.")]

FAULT = "_fault"
"""Where a connector says what it could not read: shown as the reason, and no field of the record."""


@quarantine.command("list")
def list_entries(
    context: typer.Context,
    system: System = None,
    stage: Stage = None,
    limit: Annotated[int, typer.Option(min=0, help="Entries to show; the JSON document has all.")] = 50,
    amended: Annotated[
        bool, typer.Option("--amended", help="List the edits and drops that still hold instead.")
    ] = False,
    whole: Whole = False,
    as_json: AsJson = False,
) -> None:
    """Show what is held, by system, stage and code, and record by record."""
    from onevoice.pipeline.delivery.quarantine import entries

    hub = session_of(context).hub()
    masks = _masks(hub, whole=whole)
    if amended:
        _list_amended(hub, masks, as_json=as_json)
        return
    found = entries(hub, system=system, stage=stage)
    if as_json:
        print_json([_entry_json(entry, masks) for entry in found])
        return
    if not found:
        out.print("Nothing is held.")
        return
    counts = table(f"{len(found):,} held", "system", "stage", "code", "#records")
    for (name, at, code), count in sorted(_counted(found).items()):
        counts.add_row(name, at, code, f"{count:,}")
    rows = table("Record by record", "record", "stage", "code", "#tries", "since (UTC)", "tried again", "because")
    for entry in found[:limit]:
        since = f"{entry.first_at:%Y-%m-%d %H:%M}"
        ref, reason = masks.text(entry.ref), masks.text(entry.reason)
        rows.add_row(ref, entry.stage, entry.code, str(entry.attempts), since, _next(entry), reason)
    out.print(counts, "", rows)
    if len(found) > limit:
        out.print(f"... and {len(found) - limit:,} more (--limit, --json)")
    out.print("`onevoice quarantine show REF` shows one with what was refused; edit, retry and drop put it right.")


@quarantine.command()
def show(context: typer.Context, ref: Record, whole: Whole = False, as_json: AsJson = False) -> None:
    """Show what was refused of one record, exactly, and what people did about it. Personal data is masked."""
    from onevoice.pipeline.delivery.quarantine import show as held_of

    hub = session_of(context).hub()
    found, masks = held_of(hub, ref), _masks(hub, whole=whole)
    if as_json:
        print_json(_shown_json(hub, found, masks))
    else:
        _print_shown(hub, found, masks)


@quarantine.command()
def edit(
    context: typer.Context,
    ref: Record,
    values: Annotated[
        list[str] | None, typer.Argument(metavar="FIELD=VALUE...", help="Vendor fields; nothing after = empties.")
    ] = None,
    file: Annotated[Path | None, typer.Option(help="A JSON object with fields and values, beside or instead.")] = None,
    stage: Stage = None,
    reason: Why = "",
    actor: Actor = None,
) -> None:
    """Put other values in place of refused ones: of a delivery, or of a vendor's record that could not be mapped.

    They are tried with the next sync, and hold until another value is wanted or the vendor's own value changes.
    """
    from onevoice.pipeline.delivery.quarantine import edit as put_right

    given = {**(_from_file(file) if file else {}), **dict(map(_pair, values or ()))}
    if not given:
        raise ConfigError("quarantine edit: nothing to put in place (write FIELD=VALUE, or --file)")
    entry = put_right(session_of(context).hub(), ref, given, operator(actor), stage=stage, reason=reason)
    out.print(f"{', '.join(sorted(given))}: noted at {entry.stage}; the next sync tries it")


@quarantine.command()
def retry(
    context: typer.Context,
    refs: Annotated[list[str] | None, typer.Argument(metavar="REF...", help="Records as system/stream/key.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that is held.")] = False,
    code: Annotated[str | None, typer.Option(help="All that was refused with this code.")] = None,
    system: System = None,
    stage: Stage = None,
    actor: Actor = None,
) -> None:
    """Have the next sync try entries again, whatever their back-off."""
    from onevoice.pipeline.delivery import quarantine as held

    if bool(refs) == bool(everything or code or system or stage):
        raise ConfigError("quarantine retry: say which (REF..., or --all, --code, --system, --stage)")
    hub = session_of(context).hub()
    chosen = held.named(hub, refs) if refs else held.entries(hub, system=system, stage=stage, code=code)
    out.print(f"{held.retry(hub, chosen, operator(actor)):,} entries are tried again with the next sync")


@quarantine.command()
def drop(
    context: typer.Context,
    ref: Record,
    reason: Annotated[str, typer.Option(help="Why, for whoever reads it later.")],
    stage: Stage = None,
    actor: Actor = None,
) -> None:
    """Give up what is held of one record. A refused write is not planned again until another value is wanted."""
    from onevoice.pipeline.delivery.quarantine import drop as give_up

    dropped = give_up(session_of(context).hub(), ref, reason, operator(actor), stage=stage)
    out.print(f"Dropped at {', '.join(entry.stage for entry in dropped)}")


@quarantine.command()
def lift(
    context: typer.Context,
    ref: Record,
    reason: Annotated[str, typer.Option(help="Why, for whoever reads it later.")],
    actor: Actor = None,
) -> None:
    """Take back the edits and drops of one record: its own values count again with the next sync."""
    from onevoice.pipeline.delivery.quarantine import lift as take_back

    lifted = take_back(session_of(context).hub(), ref, reason, operator(actor))
    out.print(f"{lifted:,} fields count as they are again")


def _list_amended(hub: Hub, masks: Masks, *, as_json: bool) -> None:
    from onevoice.pipeline.delivery.quarantine import amended

    found: list[dict[str, Any]] = [
        {"ref": masks.text(ref), "stage": stage, "field": name, "dropped": dropped}
        for ref, stage, name, dropped in amended(hub)
    ]
    if as_json:
        print_json(found)
        return
    rows = table("Edits and drops that hold", "record", "stage", "field", "")
    for one in found:
        rows.add_row(one["ref"], one["stage"], one["field"], "dropped" if one["dropped"] else "edited")
    out.print(rows if found else "Nothing is edited or dropped.")


def _counted(found: Sequence[Entry]) -> Counter[tuple[str, str, str]]:
    return Counter((entry.ref.partition("/")[0], entry.stage, entry.code) for entry in found)


def _next(entry: Entry) -> str:
    if entry.next_at is None:
        return "when it is mended"
    return "next sync" if entry.next_at <= entry.last_at else f"{entry.next_at:%Y-%m-%d %H:%M}"


def _pair(text: str) -> tuple[str, str | None]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise ConfigError("quarantine edit: a value is written FIELD=VALUE (nothing after = empties the field)")
    return name, value or None


def _from_file(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ConfigError(f"{path}: no JSON object (write fields and their values)")
    return found


def _masks(hub: Hub, *, whole: bool) -> Masks:
    from onevoice.cli.masks import Masks

    return Masks(hub.config.mappings, whole=whole)


def _payload(hub: Hub, entry: Entry, payload: Mapping[str, Any], masks: Masks) -> Mapping[str, Any]:
    """What was refused, with personal data masked."""
    system, stream, _ = entry.ref.split("/", 2)
    if entry.stage == "mapping":
        return masks.unmapped(system, stream, {n: value for n, value in payload.items() if n != FAULT})
    sources = {f.name: f.source for t in hub.targets if (t.system, t.stream) == (system, stream) for f in t.fields}
    return {name: _pushed(masks, sources.get(name, ""), value) for name, value in sorted(payload.items())}


def _pushed(masks: Masks, source: str, value: Any) -> Any:
    if isinstance(value, dict):  # what goes round: the hub's value, and that of the system
        return {side: masks.pushed(source, inner) for side, inner in value.items()}
    return masks.pushed(source, value)


def _entry_json(entry: Entry, masks: Masks) -> dict[str, Any]:
    return {**asdict(entry), "ref": masks.text(entry.ref), "reason": masks.text(entry.reason)}


def _shown_json(hub: Hub, shown: Shown, masks: Masks) -> dict[str, Any]:
    def told(amended: Mapping[str, Amendment]) -> Any:
        return {n: asdict(one) for n, one in amended.items()} if masks.whole else sorted(amended)

    return {
        "ref": masks.text(shown.ref),
        "held": [
            {**_entry_json(entry, masks), "payload": _payload(hub, entry, payload, masks)}
            for entry, payload in shown.held
        ],
        "amended": {stage: told(amended) for stage, amended in shown.amended.items()},
        "acts": [_act_json(act, masks) for act in shown.acts],
    }


def _act_json(act: Act, masks: Masks) -> dict[str, Any]:
    told = {"act": act.act, "actor": act.actor, "at": act.at, "reason": act.reason}
    return {**told, "detail": act.detail} if masks.whole else told


def _print_shown(hub: Hub, shown: Shown, masks: Masks) -> None:
    if not shown.held:
        out.print("Nothing is held of this record now.")
    for entry, payload in shown.held:
        out.print(f"{masks.text(entry.ref)}, held at {entry.stage}: {entry.code}", markup=False, style="bold")
        out.print(f"  because: {masks.text(entry.reason)}", markup=False)
        out.print(f"  tried {entry.attempts} times since {entry.first_at:%Y-%m-%d %H:%M} UTC; again: {_next(entry)}")
        rows = table("What was refused", "field", "value")
        for name, value in _payload(hub, entry, payload, masks).items():
            rows.add_row(name, escape(_words(value)))
        out.print(rows)
    for stage, amended in shown.amended.items():
        for name, one in sorted(amended.items()):
            value = "***" if not masks.whole else _words(one.value)
            what = "not written" if one.dropped else f"replaced by {value}"
            out.print(f"{name} ({stage}): {what} until another value is wanted", markup=False)
    for act in shown.acts:
        out.print(f"{act.at:%Y-%m-%d %H:%M} UTC, {act.actor}: {act.act}: {act.reason}".rstrip(": "), markup=False)


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{side}: {_words(inner)}" for side, inner in value.items())
    return "nothing" if value is None else str(value)
