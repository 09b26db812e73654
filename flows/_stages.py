"""How the jobs of a stage run under Prefect: one task run per job, side by side, one job per system at a time.

Nothing that could hold personal data leaves the process: results are not persisted, and an error that is not one of
ours is replaced by its type and place before Prefect writes it down.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from datetime import timedelta
from pathlib import PurePath
from typing import Any

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

from onevoice.errors import ConnectorError, OnevoiceError, RetryableError
from onevoice.pipeline import CycleReport, Job, Report, Stage

JOB_TIMEOUT = timedelta(hours=4)
"""Longer than a first pull of a million records at the slowest documented vendor limit; a hang ends here."""
RETRIES = 2
"""On top of the connectors' own: these wait out an outage of minutes, those a lost call."""
WITH_FAULTS = "CompletedWithFaults"
"""Name of the final state of a run that left something undone (exit code 3 of the command line)."""


def limit_name(system: str) -> str:
    """Name of the global concurrency limit that lets one job at a time talk to a system."""
    return f"onevoice-{system}"


def ensure_limits(systems: set[str]) -> None:
    """Create the one-slot concurrency limit of every system that has none yet."""
    with get_client(sync_client=True) as client:
        for system in sorted(systems):
            client.upsert_global_concurrency_limit_by_name(limit_name(system), limit=1)


def run_stage(stage: Stage) -> Mapping[str, Report]:
    """Run every job of a stage as a task of this flow run; one that fails at a vendor leaves the others going."""
    futures = {job.name: _run_job.submit(stage=stage.name, name=job.name, job=job) for job in stage.jobs}
    return {name: _report(future) for name, future in futures.items()}


def _worth_retrying(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    return isinstance(state.result(raise_on_failure=False), RetryableError)


@task(
    task_run_name="{stage}: {name}",
    retries=RETRIES,
    retry_delay_seconds=exponential_backoff(backoff_factor=15),
    retry_jitter_factor=0.5,
    retry_condition_fn=_worth_retrying,
    timeout_seconds=JOB_TIMEOUT.total_seconds(),
    cache_policy=NO_CACHE,
    persist_result=False,
)
def _run_job(stage: str, name: str, job: Job) -> Report:
    slot = concurrency(limit_name(job.system), occupy=1, strict=True) if job.system else nullcontext()
    with slot:
        try:
            report = job.run()
        except OnevoiceError:
            raise
        except Exception as exc:  # noqa: BLE001 - whatever it says could quote a customer; its type and place cannot
            raise OnevoiceError(f"{stage} {name}: {_type_and_place(exc)} (report this)") from None
    logger = get_run_logger()
    logger.info("%s %s: %s", stage, name, in_words(report.counts))
    if report.failed:
        logger.warning("%s %s: %s", stage, name, report.failed)
    return report


def _type_and_place(exc: Exception) -> str:
    frame = exc.__traceback__
    while frame and frame.tb_next:
        frame = frame.tb_next
    where = f" at {PurePath(frame.tb_frame.f_code.co_filename).name}:{frame.tb_lineno}" if frame else ""
    return f"{type(exc).__name__}{where}"


def _report(future: PrefectFuture[Report]) -> Report:
    result = future.result(raise_on_failure=False)
    if isinstance(result, Report):
        return result
    if isinstance(result, ConnectorError):
        return Report(counts={}, notes=(), rejected=0, failed=str(result))
    if isinstance(result, BaseException):
        raise result
    raise OnevoiceError(f"a job ended as {future.state.name} without a report (see the run's log)")


def in_words(counts: Mapping[str, int]) -> str:
    """Counts as one line: `read 2,310, changed 12`; "nothing to do" when all are zero."""
    return (
        ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in counts.items() if count) or "nothing to do"
    )


def publish(flow: str, cycle: CycleReport) -> None:
    """Leave a table artifact of what every job did, with counts only."""
    rows = [
        {
            "step": stage,
            "job": name,
            "what it did": in_words(report.counts),
            "rejected": report.rejected,
            "failed": report.failed or "",
        }
        for stage, reports in cycle.stages.items()
        for name, report in reports.items()
    ]
    create_table_artifact(table=rows, key=f"onevoice-{flow}", description=f"What each job of {flow} did.")


def summarise(cycle: CycleReport) -> dict[str, Any]:
    """The JSON result of a run: counts per stage and job, seconds per stage, and the exit code."""
    return {
        "exit_code": cycle.exit_code,
        "seconds": {stage: round(seconds, 3) for stage, seconds in cycle.seconds.items()},
        "stages": {
            stage: {name: {**report.counts, "rejected": report.rejected} for name, report in reports.items()}
            for stage, reports in cycle.stages.items()
        },
    }


def final_state(cycle: CycleReport) -> State[dict[str, Any]]:
    """Completed; named CompletedWithFaults, and saying what is undone, when the next run has something to heal."""
    summary = summarise(cycle)
    if cycle.exit_code == 0:
        return Completed(data=summary)
    faults = [
        f"{stage} {name}: {report.failed or f'{report.rejected:,} rejected'}"
        for stage, reports in cycle.stages.items()
        for name, report in reports.items()
        if report.failed or report.rejected
    ]
    return Completed(name=WITH_FAULTS, message="; ".join(faults), data=summary)
