"""From what was measured to the report: quality of identity, and the counts of each cycle."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Mapping

from identity import normalise
from identity.baselines import exact_keys, splink_default
from identity.evaluate import evaluate
from onevoice.cli.demo import report as shape
from onevoice.cli.demo.judge import RecordKey
from onevoice.cli.demo.runner import Course, Cycle, Options
from onevoice.model import Ref
from onevoice.pipeline import Hub
from onevoice.pipeline.views import identity_records


def report_of(options: Options, run: Course, hub: Hub) -> shape.Report:
    """The whole report."""
    first, second, third = run.cycles
    seconds = {stage: round(spent, 2) for stage, spent in first.summary["seconds"].items()}
    return shape.Report(
        seed=options.seed,
        people=options.people,
        as_of=run.as_of,
        records=shape.records_by_system(run.partition),
        profiles=len(set(run.partition.values())),
        identity=identity_quality(run, hub),
        messages=shape.messages(run.before, first.verdict),
        over_suppressed=shape.over_suppressed(run.before, first.verdict),
        contradictions=shape.changes(_contradictions_before(first), first.contradictions),
        writes=_writes(first),
        second_run=shape.SecondRun(
            writes=records_written(second), messages_contradictory=shape.wrong_messages(second.verdict)
        ),
        third_run=shape.ThirdRun(
            edits=len(run.edits["edits"]),
            records_written=len(third.written),
            records_expected=len(run.edits["expected_records"]),
            contradicting=len(run.contradicting_edits()),
            reported=len(run.contradicting_edits() & third.reported),
        ),
        seconds={**seconds, "total": round(first.seconds, 2)},
        peak_memory_mb=run.peak_memory_mb,
    )


def identity_quality(run: Course, hub: Hub) -> shape.Identity:
    """The hub's partition, and two usual ways on the same records, against the planted truth."""
    logging.getLogger("splink").setLevel(logging.ERROR)  # it warns of every level it cannot train with stock settings
    quality = evaluate(run.partition, run.truth)
    records = [normalise(record, hub.config.identity) for record in identity_records(hub)]
    return shape.Identity(
        precision=round(quality.precision, 4),
        recall=round(quality.recall, 4),
        f1=round(quality.f1, 4),
        b_cubed_f1=round(quality.b_cubed_f1, 4),
        exact_key_f1=round(evaluate(_by_key(exact_keys(records)), run.truth).f1, 4),
        splink_default_f1=round(evaluate(_by_key(splink_default(records)), run.truth).f1, 4),
    )


def _by_key(clusters: Mapping[Ref, int]) -> dict[RecordKey, Hashable]:
    return {(ref.system, ref.stream, ref.key): cluster for ref, cluster in clusters.items()}


def _contradictions_before(first: Cycle) -> Mapping[str, int]:
    """As the plan of the first cycle found the systems, before anything was pushed."""
    found: Mapping[str, int] = first.summary["stages"]["plan"]["plan"]["contradictions"]
    return found


def _writes(first: Cycle) -> dict[str, shape.Writes]:
    """Calls as the systems counted them; records refused for good as the hub settled them."""
    rejected = {name.removeprefix("push "): said["rejected"] for name, said in first.summary["stages"]["push"].items()}
    return {
        system: shape.Writes(
            records=said["records_written"],
            calls=said["write_calls"],
            minimum_calls=said["minimum_calls"],
            rejected=rejected.get(system, 0),
        )
        for system, said in sorted(first.calls.items())
    }


def records_written(cycle: Cycle) -> int:
    """Records changed through any system's API in a cycle, as the systems count them."""
    return sum(int(said["records_written"]) for said in cycle.calls.values())
