"""Commands that only look at the hub's own store: status, explain, contradictions."""

from __future__ import annotations

from collections.abc import Mapping
from math import log2
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onevoice.cli.session import session_of
from onevoice.cli.sync import AsJson
from onevoice.cli.terminal import out, print_json, table, until_words
from onevoice.errors import OnevoiceError

if TYPE_CHECKING:
    from onevoice.pipeline import Hub


def status(context: typer.Context, as_json: AsJson = False) -> None:
    """Show the last runs, how fresh each stream is, what is held, what waits to be written, what was refused."""
    from onevoice.pipeline.overview import status as status_of
    from onevoice.store.holds import EVERYTHING

    found = status_of(session_of(context).hub())
    if as_json:
        print_json(found)
        return
    runs = table("Last runs", "run", "as of (UTC)", "#exit code")
    for run in found["runs"]:
        code = "running or cut short" if run["exit_code"] is None else str(run["exit_code"])
        runs.add_row(run["run"], f"{run['as_of']:%Y-%m-%d %H:%M}", code)
    streams = table("Streams", "system", "stream", "read at (UTC)")
    for stream in found["streams"]:
        streams.add_row(stream["system"], stream["stream"], f"{stream['read_at']:%Y-%m-%d %H:%M}")
    out.print(runs, "", streams, "")
    for held in found["held"]:
        name = "every system" if held["system"] == EVERYTHING else held["system"]
        out.print(f"{name}: held since {held['since']:%Y-%m-%d %H:%M} UTC: {held['reason']}", style="red")
    for system, count in found["waiting"].items():
        out.print(f"{system}: {count:,} records wait to be written")
    for row in found["refused"]:
        out.print(f"{row['system']}: {row['records']:,} records refused at {row['stage']}: {row['code']}")
    if found["refused"]:
        out.print("`onevoice quarantine list` says which and why")


def explain(
    context: typer.Context,
    who: Annotated[str, typer.Argument(help="A profile id, or a record as system/stream/key.")],
    other: Annotated[
        str | None, typer.Argument(help="Another record: why the two are one customer, or are not.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show one customer's whole way: records, merged values, decisions with reasons, what the systems hold.

    With two records: both side by side, what each field weighs, and by way of which matches they are one customer.
    """
    from onevoice.pipeline.overview import held_by, profile_behind
    from onevoice.pipeline.views import story

    hub = session_of(context).hub()
    if other is not None:
        _explain_pair(hub, who, other, as_json=as_json)
        return
    profile_id = profile_behind(hub, who)
    told = story(hub, profile_id) if profile_id else None
    if told is None:
        raise OnevoiceError(f"{who}: no such profile or record (write a profile id, or system/stream/key)")
    told["held"] = held_by(hub, told["profile_id"])
    if as_json:
        print_json(told)
    else:
        _print_story(told)


def _explain_pair(hub: Hub, left: str, right: str, *, as_json: bool) -> None:
    from onevoice.cli.masks import Masks
    from onevoice.cli.review import pair_json, print_pair
    from onevoice.pipeline.resolution.review import compare

    pair, masks = compare(hub, left, right), Masks(hub.config.mappings, whole=True)
    if as_json:
        print_json(pair_json(pair, masks))
    else:
        print_pair(pair, masks)
        limits = hub.config.identity.thresholds
        out.print(
            "Each bit doubles the odds that they are one person; 0 is even. "
            f"Two records are merged from {_bits(limits.match)} bits; a steward is asked from {_bits(limits.review)}."
        )


def _bits(chance: float) -> str:
    """The weight that a probability stands for."""
    return f"{log2(chance / (1 - chance)):+.1f}"


def _plain(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _print_story(told: Mapping[str, Any]) -> None:
    out.print(f"[bold]Profile {told['profile_id']}[/bold]")
    out.print("Records: " + ", ".join(told["records"]))
    values = table("Known", "field", "value", "from", "chosen by", "instead of")
    for name, origin in sorted(told["provenance"].items()):
        losing = dict.fromkeys(str(loser["value"]) for loser in origin["losing"])
        shown = _plain(told["golden"].get(name, "(none)"))
        values.add_row(name, shown, origin["source"], origin["rule"], ", ".join(losing))
    for programme, state in sorted(told["status"].items()):
        values.add_row(f"status in {programme}", f"{state['status']}, tier {state['tier'] or 'none'}", "", "", "")
    decided = table("Must not reach them", "offer", "channel", "until", "because")
    for denial in told["denials"]:
        decided.add_row(denial["family"], denial["channel"], until_words(denial["until"]), denial["because"])
    out.print("", values, "", decided if told["denials"] else "Everything may reach them.", "")
    for held in told["held"]:
        out.print(f"{held['record']} holds " + (", ".join(f"{k} = {v}" for k, v in held["holds"].items()) or "nothing"))
        if held["waiting"]:
            out.print("  waits to be written: " + ", ".join(f"{k} = {v}" for k, v in held["waiting"].items()))


def contradictions(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=0, help="Rows to show.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Show what the systems, with the values they hold, would send that was decided against."""
    from onevoice.pipeline.views import contradictions_now

    found = contradictions_now(session_of(context).hub())
    if as_json:
        print_json(found)
        return
    if not found["rows"]:
        out.print("None: no system would send what was decided against.")
        return
    counts = table("Open contradictions", "what", "#records")
    sentences = {row["class"]: row["sentence"] for row in found["rows"]}
    for name, count in found["by_class"].items():
        counts.add_row(sentences[name], f"{count:,}")
    rows = table(f"The oldest {min(limit, len(found['rows']))}", "record", "offer", "channel", "since (UTC)")
    for row in found["rows"][:limit]:
        rows.add_row(row["ref"], row["family"], row["channel"], f"{row['opened_at']:%Y-%m-%d %H:%M}")
    out.print(counts, "", rows)
