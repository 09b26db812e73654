"""`onevoice plan`: what a sync would write, what it costs, and what of it nobody could take back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onevoice.cli.session import Whole, session_of
from onevoice.cli.sync import WRITING, AsJson, AsOf, run_showing
from onevoice.cli.terminal import err, out, print_json, table

if TYPE_CHECKING:
    from onevoice.cli.masks import Masks
    from onevoice.pipeline.delivery.costs import SystemCost
    from onevoice.pipeline.delivery.summary import PlanSummary, Sample


def plan(
    context: typer.Context,
    write_to: Annotated[
        Path | None, typer.Option("--out", help="Write the plan to this file, for `onevoice sync --plan`.")
    ] = None,
    samples: Annotated[int, typer.Option(min=0, help="Records of each stream that are shown in full.")] = 1,
    whole: Whole = False,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """Pull, resolve and decide, and show what a sync would write and what it costs. Writes to no system."""
    from onevoice.cli.masks import Masks
    from onevoice.pipeline.delivery.planfile import write_plan
    from onevoice.pipeline.delivery.summary import summarise

    hub = session_of(context).hub(as_of)
    cycle = run_showing(hub, skip=WRITING)
    summary, masks = summarise(hub, samples), Masks(hub.config.mappings, whole=whole)
    if write_to is not None:
        write_plan(hub, write_to)
        err.print(
            f"Plan {summary.hash} written to {write_to}: `onevoice sync --plan {write_to}` does exactly this or nothing"
        )
    if as_json:
        print_json({"cycle": cycle.as_dict(), **_json(summary, masks)})
    elif summary.writes:
        _print(summary, masks)
    elif cycle.exit_code:
        out.print("Nothing, as far as could be read.")
    else:
        out.print("Nothing: every system holds what it should.")
    raise typer.Exit(cycle.exit_code)


def _print(summary: PlanSummary, masks: Masks) -> None:
    rows = table("What a sync would write", "system", "stream", "field", "", "#records")
    apart = table("Nobody but the customer can take these back", "system", "stream", "field", "", "#records")
    for row in _planned(summary):
        place = (row["system"], row["stream"], row["field"])
        if row["irreversible"]:
            state = row["operation"] if row["sent"] else "switched off"
            apart.add_row(*place, f"[red]{state}[/red]", f"{row['records']:,}")
        else:
            mode = "" if row["mode"] == "push" else f" ({row['mode']})"
            rows.add_row(*place, row["operation"] + mode, f"{row['records']:,}")
    out.print(rows, "")
    if apart.rows:
        out.print(apart, "")
    _print_samples(summary.samples, masks)
    if summary.costs:
        _print_costs(summary.costs)
    if summary.contradictions:
        found = table("Contradictions that are open", "what", "#open", "#on records to be written")
        for sentence, (count, touched) in summary.contradictions.items():
            found.add_row(sentence, f"{count:,}", f"{touched:,}")
        out.print(found, "")
    sent = sum(cost.records for cost in summary.costs)
    off = f", {summary.writes - sent:,} of them only shown (irreversible, and switched off)"
    out.print(f"Plan {summary.hash}: {summary.writes:,} records{off * (sent < summary.writes)}")
    for excess in summary.over:
        out.print(f"{excess}: more than the guard lets through", style="red")
    if summary.over:
        out.print(f"If that is right: `onevoice sync --approve {summary.hash}`")


def _print_samples(samples: list[Sample], masks: Masks) -> None:
    if not samples:
        return
    rows = table("For example", "record", "field", "holds", "would hold")
    for sample in samples:
        record = masks.text(sample.ref)
        for change in sample.changes:
            values = (masks.pushed(change.source, value) for value in (change.before, change.after))
            rows.add_row(record, change.field, *("nothing" if value is None else str(value) for value in values))
            record = ""
    out.print(rows, "")


def _print_costs(costs: list[SystemCost]) -> None:
    rows = table("What it costs, without reading back", "system", "#records", "#calls", "takes at least", "quotas")
    for cost in costs:
        quotas = ", ".join(
            f"{quota.name}: {quota.needed / quota.of:.2%} of {quota.of:,}"
            if quota.of
            else f"{quota.name}: {quota.needed:,} calls of what the account has"
            for quota in cost.quotas
        )
        rows.add_row(cost.system, f"{cost.records:,}", f"{cost.calls:,}", _duration(cost.seconds), quotas)
    out.print(rows, "")


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _planned(summary: PlanSummary) -> list[dict[str, Any]]:
    rows = [{**asdict(planned), "records": count} for planned, count in summary.counts.items()]
    return sorted(rows, key=lambda row: (row["system"], row["stream"], row["field"], row["operation"]))


def _json(summary: PlanSummary, masks: Masks) -> Mapping[str, Any]:
    return {
        "hash": summary.hash,
        "writes": summary.writes,
        "planned": _planned(summary),
        "samples": [
            {
                "record": masks.text(sample.ref),
                "changes": [
                    {
                        "field": change.field,
                        "before": masks.pushed(change.source, change.before),
                        "after": masks.pushed(change.source, change.after),
                    }
                    for change in sample.changes
                ],
            }
            for sample in summary.samples
        ],
        "costs": [asdict(cost) for cost in summary.costs],
        "over_the_guard": [asdict(excess) for excess in summary.over],
        "contradictions": [
            {"sentence": sentence, "open": count, "on_records_to_be_written": touched}
            for sentence, (count, touched) in summary.contradictions.items()
        ],
    }
