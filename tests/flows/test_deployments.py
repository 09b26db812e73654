"""prefect.yaml: what it says can be deployed, by module, and a worker finds the project."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from ruamel.yaml import YAML

from onevoice.cli.prefect_server import PrefectServer

FLOWS = {"sync_customers", "pull_records", "resolve_identities", "decide_suppressions", "push_profiles"}


@pytest.fixture(scope="module")
def written(checkout: Path) -> dict[str, Any]:
    """The file as Prefect reads it."""
    return dict(YAML(typ="safe").load(checkout / "prefect.yaml"))


def test_every_flow_is_deployed_by_its_module(written: dict[str, Any], checkout: Path) -> None:
    entrypoints = {deployment["entrypoint"] for deployment in written["deployments"]}
    assert entrypoints == {f"flows.{name}:{name}" for name in FLOWS}
    assert {path.stem for path in (checkout / "flows").glob("[a-z]*.py")} == FLOWS


def test_no_deployment_runs_beside_itself(written: dict[str, Any]) -> None:
    assert all(deployment["concurrency_limit"]["limit"] == 1 for deployment in written["deployments"])


@pytest.mark.slow
def test_a_worker_runs_what_was_deployed(
    server: PrefectServer, shop: Path, environment: dict[str, str], checkout: Path, tmp_path: Path
) -> None:
    environment = {**environment, "ONEVOICE_PROJECT_DIR": str(shop)}

    def prefect(*arguments: str) -> str:
        command = [sys.executable, "-m", "prefect", "--no-prompt", *arguments]
        said = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert said.returncode == 0, said.stdout + said.stderr
        return said.stdout

    prefect("work-pool", "create", "onevoice", "--type", "process")
    prefect("deploy", "--all", "--prefect-file", str(checkout / "prefect.yaml"))
    prefect("deployment", "schedule", "clear", "--accept-yes", "sync-customers/every-15-minutes")
    prefect("deployment", "run", "pull-records/pull")
    prefect("worker", "start", "--pool", "onevoice", "--run-once")
    wanted = {"deployments": {"name": {"any_": ["pull"]}}}
    said = httpx.post(f"{server.url}/api/flow_runs/filter", json=wanted, timeout=10).raise_for_status()
    assert [run["state"]["name"] for run in said.json()] == ["Completed"]
    assert (shop / ".onevoice/hub.sqlite").is_file()
