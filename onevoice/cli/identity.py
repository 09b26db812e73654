"""`onevoice identity`: the matching model, its versions, and how good it is. Nothing here runs inside a sync."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onevoice.cli.session import session_of
from onevoice.cli.sync import AsJson
from onevoice.cli.terminal import err, out, print_json, step, table

if TYPE_CHECKING:
    from identity.calibrate import Band
    from identity.versions import Kept
    from onevoice.pipeline import Hub
    from onevoice.pipeline.resolution.models import Calibrated, Comparison, Made

SHOWN = 12
"""Weights that are printed of those that changed; the JSON has all."""

identity = typer.Typer(help="The matching model: train, judge, compare, switch.", no_args_is_help=True)
Labels = Annotated[
    Path | None, typer.Option("--labels", help="CSV with the columns ref (system/stream/key) and person.")
]
Version = Annotated[str, typer.Argument(help="Model version, as `onevoice identity models` names it, or its hash.")]


@identity.command()
def train(context: typer.Context, as_json: AsJson = False) -> None:
    """Estimate a model from all customer records of the store, without labels, and keep it as a new version."""
    from onevoice.pipeline.resolution.models import train as make

    hub = _hub(context)
    with step("train"):
        made = make(hub)
    if as_json:
        print_json(_made(made))
        return
    _print_made(made)
    _say_next(made)


@identity.command()
def calibrate(context: typer.Context, as_json: AsJson = False) -> None:
    """Fit the model's probabilities to what stewards decided, and keep that as a new version if it helps."""
    from onevoice.pipeline.resolution.models import calibrate_model

    found = calibrate_model(_hub(context))
    if as_json:
        print_json(
            {
                "slope": found.fit.calibration.slope,
                "offset": found.fit.calibration.offset,
                "labels": found.fit.calibration.labels,
                "left_out": found.left_out,
                "loss_before": found.fit.loss_before,
                "loss_after": found.fit.loss_after,
                "before": [asdict(band) for band in found.before],
                "after": [asdict(band) for band in found.after],
                "made": _made(found.made) if found.made else None,
            }
        )
        return
    _print_calibrated(found)


@identity.command()
def models(context: typer.Context, as_json: AsJson = False) -> None:
    """Show every kept version: its hash, what it was trained on and when, and which one is in use."""
    from identity.records import NORMALISER_VERSION
    from onevoice.pipeline.resolution.models import versions

    found = versions(_hub(context))
    if as_json:
        print_json([{**_version(one.version), "in_use": one.in_use, "doubts": list(one.doubts)} for one in found])
        return
    rows = table("Models", "", "version", "hash", "normaliser", "#records", "trained (UTC)", "on")
    for one in found:
        model = one.version.model
        if model is None:
            rows.add_row("in use" if one.in_use else "", one.version.name, "unreadable", "", "", "", "")
            continue
        old = "" if model.normaliser == NORMALISER_VERSION else " (old: train again)"
        rows.add_row(
            "in use" if one.in_use else "",
            one.version.name,
            model.version,
            f"{model.normaliser}{old}",
            f"{model.records:,}" if model.records else "",
            f"{model.trained_at:%Y-%m-%d %H:%M}" if model.trained_at else "",
            model.trained_on + (f"; calibrated on {model.calibration.labels} decisions" if model.calibration else ""),
        )
    out.print(rows)


@identity.command()
def compare(context: typer.Context, before: Version, after: Version, as_json: AsJson = False) -> None:
    """Resolve the store's records under two versions, and show what would differ. Nothing is changed."""
    from onevoice.pipeline.resolution.models import compare_versions

    hub = _hub(context)
    with step(f"compare {before} with {after}"):
        found = compare_versions(hub, before, after)
    if as_json:
        verdicts = [{"before": b, "after": a, "pairs": n} for (b, a), n in found.verdicts.items()]
        told = {"before": _version(found.before), "after": _version(found.after), "verdicts": verdicts}
        print_json({**asdict(found), **told})
        return
    _print_comparison(found)


@identity.command()
def use(context: typer.Context, version: Version, as_json: AsJson = False) -> None:
    """Switch to a kept version; to go back, use the one before. The next sync resolves everybody with it."""
    from onevoice.pipeline.resolution.models import use as switch

    before, after = switch(_hub(context), version)
    if as_json:
        print_json({"before": before, "after": after})
    elif before == after:
        out.print(f"{after} is in use already.")
    else:
        out.print(f"config/identity.yaml: model: {after} (was {before}).")
        out.print(f"The next sync resolves everybody with it. To go back: onevoice identity use {before}")


@identity.command()
def evaluate(
    context: typer.Context,
    labels: Labels = None,
    version: Annotated[
        str | None, typer.Option("--model", help="Judge this version instead of the one in use.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure precision and recall: on a labelled file, or on the pairs that stewards decided."""
    from onevoice.pipeline.resolution.quality import evaluate_decisions, evaluate_labels, read_labels

    hub = _hub(context)
    if labels is None:
        found = evaluate_decisions(hub, version)
        if as_json:
            print_json(asdict(found))
            return
        _print_shares(
            f"On {found.labels:,} pairs that stewards decided, {found.same:,} of them one person",
            {
                "precision": (found.precision, found.precision_between),
                "recall": (found.recall, found.recall_between),
                "F1": (found.f1, None),
            },
        )
        out.print("Stewards are asked about doubtful pairs only: this is how the model does where it is unsure.")
        return
    judged = evaluate_labels(hub, read_labels(labels), version)
    if as_json:
        print_json(asdict(judged))
        return
    quality, sure = judged.quality, judged.uncertainty
    _print_shares(
        f"On {sure.records:,} labelled records",
        {
            "precision": (quality.precision, sure.precision),
            "recall": (quality.recall, sure.recall),
            "F1": (quality.f1, None),
            "B-cubed precision": (quality.b_cubed_precision, None),
            "B-cubed recall": (quality.b_cubed_recall, None),
            "B-cubed F1": (quality.b_cubed_f1, None),
        },
    )
    out.print(
        f"Counted in pairs. The intervals (Wilson) count {sure.precision_on:,} customers and {sure.recall_on:,} people "
        "with two labelled records or more, since pairs of one customer are right or wrong together."
    )
    if judged.unknown:
        out.print(f"{judged.unknown:,} labelled records are not in the store, and were left out.")


@identity.command()
def report(
    context: typer.Context,
    folder: Annotated[Path, typer.Option("--out", help="Folder for report.html and its pictures.")],
    labels: Labels = None,
    as_json: AsJson = False,
) -> None:
    """Write a page with pictures: match weights, precision and recall by threshold, customers, what was left out."""
    from identity.report import draw, page_of
    from onevoice.pipeline.resolution.identity_report import report_figures
    from onevoice.pipeline.resolution.quality import read_labels

    hub = _hub(context)
    with step("report"):
        figures = report_figures(hub, read_labels(labels) if labels else None)
        pictures = draw(figures)
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in pictures.items():
            (folder / name).write_bytes(content)
        (folder / "report.html").write_text(page_of(figures, pictures), "utf-8")
    written = [str(folder / name) for name in ("report.html", *pictures)]
    if as_json:
        print_json({"written": written})
    else:
        for path in written:
            out.print(f"Written: {path}")


def _hub(context: typer.Context) -> Hub:
    """The hub, also when its model is out of date or missing: a new one is made here."""
    from onevoice.pipeline.resolution.models import NoResolver

    return session_of(context).hub(people=NoResolver())


def _version(version: Kept) -> dict[str, Any]:
    model = version.model
    return {
        "name": version.name,
        "shipped": version.shipped,
        "fault": version.fault,
        "hash": model.version if model else None,
        "normaliser": model.normaliser if model else None,
        "records": model.records if model else None,
        "trained_at": model.trained_at if model else None,
        "trained_on": model.trained_on if model else None,
        "calibration": model.calibration.model_dump() if model and model.calibration else None,
    }


def _made(made: Made) -> dict[str, Any]:
    return {
        "version": _version(made.version),
        "in_use": made.in_use,
        "new": made.new,
        "moved": [asdict(one) for one in made.moved],
        "doubts": list(made.doubts),
    }


def _print_made(made: Made) -> None:
    model = made.version.model
    if not made.new:
        out.print(f"Nothing new: {made.version.name} scores exactly so already.")
        return
    out.print(f"Written: config/{made.version.name}, version {model.version if model else ''}")
    if made.moved:
        moved = table(f"Weights that changed from {made.in_use}, in bits", "comparison", "level", "#before", "#after")
        for one in made.moved[:SHOWN]:
            moved.add_row(one.comparison, one.level.replace("_", " "), _bits(one.before), _bits(one.after))
        out.print("", moved)
        if len(made.moved) > SHOWN:
            out.print(f"... and {len(made.moved) - SHOWN} more that changed less.")
    for doubt in made.doubts:
        err.print(f"Look: {doubt}", style="yellow")


def _say_next(made: Made) -> None:
    if made.new:
        name = made.version.name
        out.print("\nIt is not in use yet. What it would change, and how to switch:")
        out.print(f"  onevoice identity compare {made.in_use} {name}")
        out.print(f"  onevoice identity use {name}")


def _print_calibrated(found: Calibrated) -> None:
    fit = found.fit
    out.print(
        f"On {fit.calibration.labels:,} pairs that stewards decided and that a weight decides "
        f"({found.left_out:,} others left out):"
    )
    for title, bands in (("As it is", found.before), ("Calibrated", found.after)):
        out.print("", _bands(title, bands))
    out.print(f"\nSurprise per decision: {fit.loss_before:.3f} bits as it is, {fit.loss_after:.3f} calibrated.")
    if found.made is None:
        out.print("The model tells these decisions at least as well as it is. Nothing was written.")
        return
    out.print(f"Calibrated weight = {fit.calibration.slope:.3f} x weight {fit.calibration.offset:+.2f} bits.")
    _print_made(found.made)
    _say_next(found.made)


def _bands(title: str, bands: Sequence[Band]) -> Any:
    rows = table(title, "the model says", "#pairs", "#on average", "#one person", "where it lies 95 times of 100")
    for band in bands:
        if band.pairs:
            rows.add_row(
                f"{band.low:.0%} to {band.high:.0%}",
                f"{band.pairs:,}",
                f"{band.expected:.0%}",
                f"{band.seen:.0%}",
                f"{band.between[0]:.0%} to {band.between[1]:.0%}",
            )
    return rows


def _print_comparison(found: Comparison) -> None:
    out.print(f"{found.records:,} records, {found.before.name} and {found.after.name}:")
    pairs = table("Pairs of records", "verdict before", "after", "#pairs")
    for (before, after), count in found.verdicts.items():
        pairs.add_row(before, after, f"{count:,}")
    pairs.add_row("the same", "", f"{found.same_verdict:,}")
    out.print("", pairs, "")
    out.print(
        f"Profiles: {found.profiles_before:,} before, {found.profiles_after:,} after; "
        f"{found.profiles_changed:,} of those before would gain or lose a record."
    )
    if found.examples:
        rows = table("Changed most clearly (onevoice explain REF REF tells why)", "record", "record", "before", "after")
        for row in found.examples:
            rows.add_row(*row)
        out.print("", rows)


def _print_shares(title: str, shares: Mapping[str, tuple[float, tuple[float, float] | None]]) -> None:
    rows = table(title, "", "#", "where it lies 95 times of 100")
    for name, (share, between) in shares.items():
        rows.add_row(name, f"{share:.4f}", f"{between[0]:.3f} to {between[1]:.3f}" if between else "")
    out.print(rows)


def _bits(weight: float | None) -> str:
    return "" if weight is None else f"{weight:+.2f}"
