"""One cycle: the stages in their order. The CLI runs a stage's jobs in turn, the flows run them as Prefect tasks."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from onevoice.errors import OnevoiceError
from onevoice.pipeline.decide import decide
from onevoice.pipeline.delivery.guard import guarded
from onevoice.pipeline.delivery.plan import plan
from onevoice.pipeline.delivery.push import push_system
from onevoice.pipeline.delivery.verify import verify_system
from onevoice.pipeline.hub import Hub
from onevoice.pipeline.pull import pull_stream
from onevoice.pipeline.report import FAILED, CycleReport, Job, Report, Stage
from onevoice.pipeline.rereading import reread_stream
from onevoice.pipeline.resolution.resolve import resolve
from onevoice.pipeline.unify import unify
from onevoice.store import runs

RunStage = Callable[[Stage], Mapping[str, Report]]

PUSH = "push"
PULLS = (pull_stream, reread_stream)
"""What is done for each stream: what changed is asked for, and then some records by their ids."""
CYCLE = "cycle"
"""Lock under which stages run: two processes on one store would plan over each other's heads."""


def stages(hub: Hub) -> tuple[Stage, ...]:
    """The stages of a cycle; each begins when the one before has ended."""
    systems = sorted(name for name, system in hub.config.hub.systems.items() if system.read)
    written = sorted({target.system for target in hub.targets_written})
    return (
        Stage("pull", tuple(Job(f"pull {name}", name, partial(pull_system, hub, name)) for name in systems)),
        Stage("resolve", (Job("resolve", None, partial(resolve, hub)),)),
        Stage("unify", (Job("unify", None, partial(unify, hub)),)),
        Stage("decide", (Job("decide", None, partial(decide, hub)),)),
        Stage("plan", (Job("plan", None, partial(plan, hub)),)),
        Stage(PUSH, tuple(Job(f"push {name}", name, partial(push_system, hub, name)) for name in written)),
        Stage("verify", tuple(Job(f"verify {name}", name, partial(verify_system, hub, name)) for name in written)),
    )


def pull_system(hub: Hub, system: str) -> Report:
    """Pull every stream of a system, in a fixed order, and read some records again."""
    counts: dict[str, int] = {}
    notes: list[str] = []
    rejected = 0
    failed: list[str] = []
    again = False
    pulls = (partial(pull, hub, system, stream) for stream in hub.streams_read(system) for pull in PULLS)
    for report in (pull() for pull in pulls):
        for name, number in report.counts.items():
            counts[name] = counts.get(name, 0) + number
        notes.extend(report.notes)
        rejected += report.rejected
        if report.failed:
            failed.append(report.failed)
            again = again or report.again
        if report.failed and not report.alone:  # a system that is down for one stream is down for the next
            break
    return Report(counts, tuple(notes), rejected, failed="; ".join(failed) or None, again=again)


def run_in_turn(stage: Stage) -> Mapping[str, Report]:
    """Run a stage's jobs one after another."""
    return {job.name: job.run() for job in stage.jobs}


def run_cycle(
    hub: Hub, run_stage: RunStage = run_in_turn, only: Sequence[str] = (), skip: Sequence[str] = ()
) -> CycleReport:
    """Run the stages in order and store what became of them.

    `only` names the stages to run (all when empty), `skip` those to leave out.
    """
    reports: dict[str, Mapping[str, Report]] = {}
    seconds: dict[str, float] = {}
    if not runs.acquire(hub.store, CYCLE):
        raise OnevoiceError("cycle: another process is running one on this store (wait for it to end, or stop it)")
    try:
        runs.begin_run(hub.store, hub.run_id, hub.as_of)
        for stage in stages(hub):
            if (only and stage.name not in only) or stage.name in skip:
                continue
            started = time.perf_counter()
            reports[stage.name] = run_stage(guarded(hub, stage) if stage.name == PUSH else stage)
            seconds[stage.name] = round(time.perf_counter() - started, 3)
    except OnevoiceError as exc:
        runs.end_run(hub.store, hub.run_id, FAILED, {"error": str(exc), "seconds": seconds})
        raise
    finally:
        runs.give_back(hub.store, CYCLE)
    report = CycleReport(hub.run_id, reports, seconds)
    runs.end_run(hub.store, hub.run_id, report.exit_code, report.as_dict())
    return report
