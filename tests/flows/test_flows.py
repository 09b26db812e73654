"""What the flows add to the pipeline: side by side, one at a time per system, retries, states, artifacts."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
    PREFECT_HOME,
    temporary_settings,
)
from prefect.states import State

from flows import _stages
from flows.decide_suppressions import decide_suppressions
from flows.pull_records import pull_records
from flows.push_profiles import push_profiles
from flows.resolve_identities import resolve_identities
from flows.sync_customers import sync_customers
from onevoice.cli.prefect_server import PrefectServer
from onevoice.errors import ConfigError, GuardStopped, StoreError
from onevoice.pipeline import CycleReport, Job, Report, Stage

pytestmark = pytest.mark.slow

AS_OF = "2026-11-22T09:00:00+00:00"
CANARY = "anna.kowalska@example.org"  # personal data that an unforeseen error quotes


@pytest.fixture(autouse=True)
def _client(server: PrefectServer, shop: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Flows of this process use the server, and do not wait a second each for their heartbeat to end."""
    monkeypatch.setenv("ONEVOICE_SHOP_FOLDER", str(shop / "data"))
    monkeypatch.setattr(_stages, "_run_job", _stages._run_job.with_options(retry_delay_seconds=0))
    with temporary_settings(
        {PREFECT_API_URL: f"{server.url}/api", PREFECT_HOME: server.home, PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}
    ):
        yield


def run(*jobs: tuple[str | None, Callable[[], Report]]) -> Mapping[str, Report]:
    """Run jobs as one stage inside a flow run."""
    stage = Stage("stage", [Job(f"job {number}", system, made) for number, (system, made) in enumerate(jobs)])
    _stages.ensure_limits({job.system for job in stage.jobs if job.system})

    @flow
    def one_stage() -> dict[str, Report]:
        return dict(_stages.run_stage(stage))

    return one_stage()


def test_jobs_of_different_systems_run_side_by_side() -> None:
    together = threading.Barrier(2, timeout=30)

    def meets_the_other() -> Report:
        together.wait()
        return Report({"records": 1})

    reports = run(("one", meets_the_other), ("two", meets_the_other))
    assert [report.counts for report in reports.values()] == [{"records": 1}, {"records": 1}]


def test_a_system_hears_one_job_at_a_time() -> None:
    inside: list[int] = []
    most: list[int] = []

    def counts_itself() -> Report:
        inside.append(1)
        most.append(len(inside))
        time.sleep(0.3)
        inside.pop()
        return Report()

    run(("same", counts_itself), ("same", counts_itself))
    assert most == [1, 1]


def test_what_may_pass_is_tried_again_and_what_may_not_is_not() -> None:
    tries = {"passing": 0, "lasting": 0}

    def fails_twice() -> Report:
        tries["passing"] += 1
        return Report({"records": 1}) if tries["passing"] == 3 else Report(failed="down", again=True)

    def fails_for_good() -> Report:
        tries["lasting"] += 1
        return Report(failed="refused")

    reports = run(("one", fails_twice), ("two", fails_for_good))
    assert tries == {"passing": 3, "lasting": 1}
    assert [report.failed for report in reports.values()] == [None, "refused"]


def test_what_never_passes_is_reported_with_its_counts_and_leaves_the_others_going() -> None:
    reports = run(
        ("one", lambda: Report({"records": 7}, failed="down", again=True)), ("two", lambda: Report({"records": 2}))
    )
    assert reports["job 0"].failed == "down"
    assert reports["job 0"].counts == {"records": 7}
    assert reports["job 1"] == Report({"records": 2})


def test_an_unforeseen_error_tells_its_place_and_quotes_nobody(server: PrefectServer) -> None:
    def quotes_a_customer() -> Report:
        raise KeyError(CANARY)

    with pytest.raises(Exception, match=r"KeyError at test_flows\.py:\d+") as caught:
        run((None, quotes_a_customer))
    assert caught.value.__context__ is None
    quoted = CANARY in _everything_kept(server)
    assert not quoted


def test_an_error_of_ours_passes_as_it_is() -> None:
    def says_why() -> Report:
        raise StoreError("store: the disk is full (make room)")

    with pytest.raises(StoreError, match="the disk is full"):
        run((None, says_why))


def test_the_whole_cycle(server: PrefectServer, shop: Path) -> None:
    state: Any = sync_customers(str(shop), as_of=AS_OF, first=True, return_state=True)
    assert (state.name, state.message) == ("Completed", None)
    summary = state.result()
    assert list(summary["stages"]) == ["pull", "resolve", "unify", "decide", "plan", "push", "verify"]
    assert summary["stages"]["pull"]["pull shop"]["counts"]["records"] == 5
    kept = _everything_kept(server).lower()
    assert [
        personal for personal in ("silva", "okafor", "example.org", "07700 900", "447700900") if personal in kept
    ] == []
    [row] = _artifact(server, "onevoice-sync-customers", "pull shop")
    assert row["what it did"].startswith("records 5")


def test_the_parts_make_the_whole(shop: Path) -> None:
    parts = (pull_records, resolve_identities, decide_suppressions, push_profiles)
    done = [stage for part in parts for stage in part(str(shop), as_of=AS_OF)["stages"]]
    assert done == ["pull", "resolve", "unify", "decide", "plan", "push", "verify"]


def test_a_system_that_is_away_is_told_in_the_final_state(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONEVOICE_SHOP_FOLDER", str(shop / "nowhere"))
    state: State[Any] = sync_customers(str(shop), as_of=AS_OF, return_state=True)
    assert (state.type, state.name) == ("COMPLETED", "CompletedWithFaults")
    assert "pull shop" in (state.message or "")
    assert state.result()["exit_code"] == 3  # type: ignore[index]


def test_a_guard_fails_the_run() -> None:
    cycle = CycleReport("run", {"push": {"push one": Report(stopped="one: 90 of 100 records would change")}}, {})
    with pytest.raises(GuardStopped, match="90 of 100"):
        _stages.final_state(cycle)


def test_a_password_in_the_parameters_is_refused(shop: Path) -> None:
    with pytest.raises(ConfigError, match="ONEVOICE_DATABASE_URL"):
        pull_records(str(shop), database="postgresql+psycopg://hub:secret@127.0.0.1/hub")


def test_limits_are_made_once() -> None:
    for _ in range(2):
        _stages.ensure_limits({"one"})
    with get_client(sync_client=True) as client:
        assert client.read_global_concurrency_limit_by_name(_stages.limit_name("one")).limit == 1


def _everything_kept(server: PrefectServer) -> str:
    """Whatever Prefect wrote to disk: its database with parameters, logs, states and artifacts, and its storage."""
    time.sleep(3)  # logs and events are sent and stored in batches
    return "".join(
        path.read_bytes().decode("utf-8", "replace") for path in sorted(server.home.rglob("*")) if path.is_file()
    )


def _artifact(server: PrefectServer, key: str, job: str) -> list[dict[str, Any]]:
    wanted = {"artifacts": {"key": {"any_": [key]}}, "sort": "CREATED_DESC"}
    said = httpx.post(f"{server.url}/api/artifacts/filter", json=wanted, timeout=10).raise_for_status().json()
    return [row for row in json.loads(said[0]["data"]) if row["job"] == job]
