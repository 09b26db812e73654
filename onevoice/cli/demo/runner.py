"""The demo's course: sandbox and Prefect server up, three cycles of the hub, the judge asked before and after each."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from onevoice.cli.demo.judge import Judge, RecordKey, Verdict
from onevoice.cli.demo.memory import PeakMemory
from onevoice.cli.demo.stories import Story, stories
from onevoice.cli.prefect_server import prefect_server
from onevoice.cli.sandbox_process import Sandbox, running_sandbox
from onevoice.cli.terminal import err, step
from onevoice.errors import OnevoiceError
from onevoice.pipeline import Hub, open_hub
from onevoice.pipeline.accounts import provision, systems_written
from onevoice.pipeline.views import contradictions_now, customers_written, partition, reported
from onevoice.project import copy_template

BETWEEN_RUNS = 900
"""Virtual seconds between two cycles: a schedule of every fifteen minutes, and far more than the vendors' lags."""
EDITS = 25


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for on the command line; `folder` keeps everything the demo makes."""

    people: int
    seed: int
    limits: bool
    folder: Path
    database: str | None = None

    @property
    def project(self) -> Path:
        """A copy of the shipped project, so that the store stands beside files that belong to it."""
        return self.folder / "project"


@dataclass(frozen=True, slots=True)
class Cycle:
    """One run of the flow and how things stood after it."""

    summary: Mapping[str, Any]
    """The run's own report, as the flow returned it."""
    seconds: float
    verdict: Verdict
    calls: Mapping[str, Mapping[str, Any]]
    """Per system, since the end of the cycle before."""
    written: frozenset[RecordKey]
    """Customer records whose fields, lists or subscriptions the run changed, as the hub logged them."""
    reported: frozenset[RecordKey]
    """Records on which the run found a contradiction, or a value changed by hand."""
    contradictions: Mapping[str, int]
    """The hub's own read-back view, by class."""


@dataclass(slots=True)
class Course:
    """Everything that was measured, in the order in which it happened."""

    as_of: str
    before: Verdict
    cycles: list[Cycle] = field(default_factory=list)
    edits: Mapping[str, Any] = field(default_factory=dict)
    stories: Sequence[Story] = ()
    partition: Mapping[RecordKey, str] = field(default_factory=dict)
    """Customer record -> profile id, after the first cycle."""
    truth: Mapping[RecordKey, str] = field(default_factory=dict)
    wrong_native_opt_outs: int = 0
    peak_memory_mb: float = 0.0

    def contradicting_edits(self) -> frozenset[RecordKey]:
        """Where an edit by hand let a wrong message out."""
        return frozenset(
            (said["system"], said["stream"], said["key"]) for said in self.edits["edits"] if said["contradicts"]
        )


@contextmanager
def course(options: Options) -> Iterator[tuple[Course, Hub]]:
    """Run the whole demo; what was measured, and the hub as it stands at the end, for who wants to ask it more."""
    with _stage(options) as (sandbox, judge):
        with PeakMemory(without=sandbox.pid) as memory:
            run = _run(options, judge)
        run.peak_memory_mb = memory.megabytes
        with _hub(options, run.as_of) as hub:
            yield run, hub


@contextmanager
def _stage(options: Options) -> Iterator[tuple[Sandbox, Judge]]:
    """A sandbox, a Prefect server and a project, and the environment that leads to them."""
    options.folder.mkdir(parents=True, exist_ok=True)
    copy_template(options.project)
    with ExitStack() as stack, ThreadPoolExecutor(1) as side:
        coming = side.submit(stack.enter_context, prefect_server(options.folder / "prefect"))
        with step(f"sandbox with {options.people:,} people"):
            sandbox = stack.enter_context(
                running_sandbox(
                    seed=options.seed,
                    people=options.people,
                    limits=options.limits,
                    log=options.folder / "sandbox.log",
                )
            )
        with step("Prefect server"):
            server = coming.result()
        os.environ.update(
            {**sandbox.environment, **server.environment, "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "ERROR"}
        )
        yield sandbox, stack.enter_context(closing(Judge(sandbox.admin)))


@contextmanager
def _hub(options: Options, as_of: str) -> Iterator[Hub]:
    hub = open_hub(options.project, database=options.database, as_of=datetime.fromisoformat(as_of))
    try:
        yield hub
    finally:
        hub.store.close()


def _run(options: Options, judge: Judge) -> Course:
    as_of = judge.now().isoformat()
    with step("what the campaigns would send before"):
        run = Course(as_of, judge.verdict(), truth=judge.truth())
    with step("fields, properties and lists made at the vendors"), _hub(options, as_of) as hub:
        for system in systems_written(hub):
            provision(hub, system, dry_run=False)
    judge.reset_calls()
    run.cycles.append(_cycle("first cycle", options, judge, first=True))
    with _hub(options, as_of) as hub:
        run.partition = {(system, stream, key): profile_id for system, stream, key, profile_id in partition(hub)}
        run.stories = stories(run.before, run.cycles[0].verdict, run.truth, run.partition, hub)
    judge.advance(BETWEEN_RUNS)
    run.cycles.append(_cycle("second cycle, nothing changed", options, judge))
    with step(f"{EDITS} edits by hand in the systems"):
        run.edits = judge.edit_by_hand(EDITS, options.seed)
    judge.advance(BETWEEN_RUNS)
    run.cycles.append(_cycle("third cycle, after the edits", options, judge))
    run.wrong_native_opt_outs = judge.wrong_native_opt_outs()
    return run


def _cycle(title: str, options: Options, judge: Judge, *, first: bool = False) -> Cycle:
    """Run the flow once, as a schedule would, and ask the judge."""
    from flows.sync_customers import sync_customers  # not before the environment names our server

    as_of = judge.now().isoformat()
    started = time.monotonic()
    with step(title), _telling_jobs():
        state: Any = sync_customers(
            str(options.project), as_of=as_of, database=options.database, first=first, return_state=True
        )
    seconds = time.monotonic() - started
    if not state.is_completed():
        raise OnevoiceError(f"{title}: {state.message}")
    if state.message:
        err.print(f"  {state.message}", style="yellow")
    summary: Mapping[str, Any] = state.result()
    calls = judge.calls()
    judge.reset_calls()
    with _hub(options, as_of) as hub:
        verdict = judge.verdict(partition(hub))
        return Cycle(
            summary=summary,
            seconds=seconds,
            verdict=verdict,
            calls=calls,
            written=frozenset(customers_written(hub, summary["run"])),
            reported=frozenset(reported(hub)),
            contradictions=contradictions_now(hub)["by_class"],
        )


@contextmanager
def _telling_jobs() -> Iterator[None]:
    """Print what each job of the flow logs when it is done."""
    logger, handler = logging.getLogger("prefect.task_runs"), _Telling(logging.INFO)
    handler.addFilter(lambda record: not record.getMessage().startswith("Finished in state"))
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


class _Telling(logging.Handler):
    """Prints messages beside whatever spinner is on the screen."""

    def emit(self, record: logging.LogRecord) -> None:
        err.print(f"  {record.getMessage()}", style="dim", markup=False)
