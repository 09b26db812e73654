"""How the stages of a cycle run under Prefect: one task run per job, side by side, one job per system at a time.

Nothing that could hold personal data leaves the process: results are not persisted, and an error that is not one of
ours is replaced by its type and place before Prefect writes it down.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import urlsplit

from prefect import Task, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State, TaskRun
from prefect.concurrency.sync import concurrency
from prefect.futures import PrefectFuture
from prefect.logging import get_run_logger
from prefect.states import Completed
from prefect.tasks import exponential_backoff

from onevoice.errors import ConfigError, GuardStopped, OnevoiceError
from onevoice.pipeline import CycleReport, Job, PushLimits, Report, Stage, open_hub, run_cycle, stages
from onevoice.project import find_project

TIMEOUT = 6 * 3600.0
"""Seconds a flow run may take: longer than a first pull of a million records at the slowest documented vendor limit.

It stands at the flow, since Prefect cannot interrupt a task in a worker thread; a single call to a vendor has the
connector's own, far shorter, timeout.
"""
RETRIES = 2
"""On top of the connectors' own: these wait out an outage of minutes, those a lost call."""
WITH_FAULTS = "CompletedWithFaults"
"""Name of the final state of a run that left something undone (exit code 3 of the command line)."""

_one_asks_at_a_time = threading.Lock()


def run_stages(
    flow: str, only: Sequence[str], project: str, as_of: str | None, database: str | None, *, first: bool = False
) -> State[dict[str, Any]]:
    """Run some stages of the cycle, or all when `only` is empty, and leave a table artifact of what every job did."""
    _refuse_password(database)
    root, limits = find_project(Path(project)), PushLimits(first=first)
    hub = open_hub(root, as_of=_moment(as_of), database=database, limits=limits)
    try:
        ensure_limits({job.system for stage in stages(hub) for job in stage.jobs if job.system})
        cycle = run_cycle(hub, run_stage, only=only)
    finally:
        hub.store.close()
    create_table_artifact(table=rows_of(cycle), key=f"onevoice-{flow}", description=f"What each job of {flow} did.")
    return final_state(cycle)


def run_stage(stage: Stage) -> Mapping[str, Report]:
    """Run every job of a stage as a task of this flow run; one that fails at a vendor leaves the others going."""
    futures = {job.name: _run_job.submit(name=job.name, job=job) for job in stage.jobs}
    return {name: _report(name, future) for name, future in futures.items()}


class _TryAgainError(OnevoiceError):
    """Carries the report of a job that failed at something that may pass."""

    def __init__(self, report: Report) -> None:
        super().__init__(report.failed or "")
        self.report = report


def _worth_retrying(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    return isinstance(state.result(raise_on_failure=False), _TryAgainError)


@task(
    task_run_name="{name}",
    retries=RETRIES,
    retry_delay_seconds=exponential_backoff(backoff_factor=15),
    retry_jitter_factor=0.5,
    retry_condition_fn=_worth_retrying,
    cache_policy=NO_CACHE,
    persist_result=False,
)
def _run_job(name: str, job: Job) -> Report:
    with _only_one_at(job.system):
        report = _without_quotations(name, job)
    logger = get_run_logger()
    logger.info("%s: %s", name, in_words(report.counts))
    for sentence in (*report.notes, *filter(None, (report.failed, report.stopped))):
        logger.warning("%s: %s", name, sentence)
    if report.again:
        raise _TryAgainError(report)
    return report


@contextmanager
def _only_one_at(system: str | None) -> Iterator[None]:
    """Hold the one slot of a system while the block runs.

    Slots are asked for one after another: two requests at once make a Prefect server on SQLite answer one of them with
    503, which costs its client two seconds and more (measured with Prefect 3.8.8).
    """
    if system is None:
        yield
        return
    slot = concurrency(limit_name(system), occupy=1, strict=True)
    with _one_asks_at_a_time:
        slot.__enter__()
    try:
        yield
    finally:
        slot.__exit__(None, None, None)


def _without_quotations(name: str, job: Job) -> Report:
    """Run a job; an unforeseen error is told by its type and place only, because its text could quote a customer."""
    try:
        return job.run()
    except OnevoiceError:
        raise
    except Exception as exc:  # noqa: BLE001 - raised again below, without its text and its chain
        trouble = _type_and_place(exc)
    raise OnevoiceError(f"{name}: {trouble} (report this)")


def _type_and_place(exc: Exception) -> str:
    frame = exc.__traceback__
    while frame and frame.tb_next:
        frame = frame.tb_next
    where = f" at {PurePath(frame.tb_frame.f_code.co_filename).name}:{frame.tb_lineno}" if frame else ""
    return f"{type(exc).__name__}{where}"


def _report(name: str, future: PrefectFuture[Report]) -> Report:
    result: Any = future.result(raise_on_failure=False)
    if isinstance(result, _TryAgainError):
        return result.report
    if isinstance(result, BaseException):
        raise result
    if not isinstance(result, Report):
        raise OnevoiceError(f"{name}: ended as {future.state.name} without a report (see the run's log)")
    return result


def limit_name(system: str) -> str:
    """Name of the global concurrency limit that lets one job at a time talk to a system."""
    return f"onevoice-{system}"


def ensure_limits(systems: set[str]) -> None:
    """Create the one-slot concurrency limit of every system that has none yet."""
    with get_client(sync_client=True) as client:
        for system in sorted(systems):
            client.upsert_global_concurrency_limit_by_name(limit_name(system), limit=1)


def in_words(counts: Mapping[str, int]) -> str:
    """Counts as one line: `records 2,310, changed 12`; "nothing to do" when all are zero."""
    said = [f"{name.replace('_', ' ')} {count:,}" for name, count in counts.items() if count]
    return ", ".join(said) or "nothing to do"


def rows_of(cycle: CycleReport) -> list[dict[str, Any]]:
    """The table of a run: a row per job, with counts and sentences only."""
    return [
        {
            "job": name,
            "what it did": in_words(report.counts),
            "rejected": report.rejected,
            "undone": report.failed or report.stopped or "",
        }
        for reports in cycle.stages.values()
        for name, report in reports.items()
    ]


def final_state(cycle: CycleReport) -> State[dict[str, Any]]:
    """Completed; named CompletedWithFaults, and saying what is undone, when the next run has something to heal.

    Raises GuardStopped, which fails the run, when a guard stopped a push.
    """
    reports = [(name, report) for jobs in cycle.stages.values() for name, report in jobs.items()]
    if stopped := [report.stopped for _, report in reports if report.stopped]:
        raise GuardStopped("; ".join(stopped))
    faults = [f"{name}: {r.failed or f'{r.rejected:,} rejected'}" for name, r in reports if r.failed or r.rejected]
    if not faults:
        return Completed(data=cycle.as_dict())
    return Completed(name=WITH_FAULTS, message="; ".join(faults), data=cycle.as_dict())


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"as_of: {text!r} is not an ISO time (write 2026-11-22T09:00:00+00:00)") from None
    if found.tzinfo is None:
        raise ConfigError(f"as_of: {text!r} has no zone (write 2026-11-22T09:00:00+00:00)")
    return found


def _refuse_password(database: str | None) -> None:
    """Prefect stores the parameters of a run where everybody who sees its UI can read them."""
    if database and urlsplit(database).password:
        raise ConfigError("database: Prefect would store this password (use ONEVOICE_DATABASE_URL)")
