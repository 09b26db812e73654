"""A scheduled run completes on a real server. Nothing weaker notices that the scheduler is broken (decision 0003)."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from onevoice.cli.prefect_server import PrefectServer

pytestmark = pytest.mark.slow

SERVE = """
import sys
from prefect.deployments.runner import EntrypointType
from flows.sync_customers import sync_customers
sync_customers.serve(
    name="every-five-seconds",
    interval=5,
    parameters={"project": sys.argv[1], "as_of": "2026-11-22T09:00:00+00:00"},
    entrypoint_type=EntrypointType.MODULE_PATH,
    pause_on_shutdown=False,
    limit=1,
)
"""


@contextmanager
def served(project: Path, environment: dict[str, str], log: Path) -> Iterator[None]:
    """Serve the deployment while the block runs."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", SERVE, str(project)],
            env=environment,
            cwd=project,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait(30)


def finished_runs(server: PrefectServer, deployment: str) -> list[dict[str, Any]]:
    """Flow runs of a deployment that have ended."""
    wanted = {
        "deployments": {"name": {"any_": [deployment]}},
        "flow_runs": {"state": {"type": {"any_": ["COMPLETED", "FAILED", "CRASHED"]}}},
    }
    said = httpx.post(f"{server.url}/api/flow_runs/filter", json=wanted, timeout=10).raise_for_status()
    return list(said.json())


def artifacts(server: PrefectServer, key: str) -> list[dict[str, Any]]:
    wanted = {"artifacts": {"key": {"any_": [key]}}}
    return list(httpx.post(f"{server.url}/api/artifacts/filter", json=wanted, timeout=10).raise_for_status().json())


def test_a_scheduled_run_completes(
    server: PrefectServer, shop: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    log = tmp_path / "serve.log"
    with served(shop, environment, log):
        deadline = time.monotonic() + 180
        while not (runs := finished_runs(server, "every-five-seconds")) and time.monotonic() < deadline:
            time.sleep(1)
    assert runs, log.read_text("utf-8")[-3000:] + (server.home / "server.log").read_text("utf-8")[-3000:]
    [run] = runs[:1]
    assert run["auto_scheduled"]
    assert run["state"]["name"] == "Completed", log.read_text("utf-8")[-3000:]
    assert any(row["flow_run_id"] == run["id"] for row in artifacts(server, "onevoice-sync-customers"))
