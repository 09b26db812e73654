"""`onevoice serve` and `onevoice api-key` as their users meet them: processes, output, exit codes, logs."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

PROGRAM = Path(sys.executable).with_name("onevoice")


def run(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PROGRAM, "--project", project, *arguments], capture_output=True, text=True, check=False, env=_environment()
    )


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("ONEVOICE_")}


@contextmanager
def serving(project: Path, *options: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    process = subprocess.Popen(
        [PROGRAM, "--project", project, "serve", "--port", "0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=_environment(),
    )
    try:
        assert process.stdout
        yield process.stdout.readline().strip(), process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def project(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example of a shop with files only."""
    folder = tmp_path_factory.mktemp("process") / "shop"
    shutil.copytree(checkout / "docs/examples/own-csv", folder, ignore=shutil.ignore_patterns(".onevoice"))
    return folder


@pytest.mark.slow
def test_a_key_opens_the_api_until_it_is_revoked_and_the_log_names_nobody(project: Path) -> None:
    made = run(project, "api-key", "create", "--scope", "profiles:read", "--name", "till 3", "--days", "30")
    assert made.returncode == 0, made.stderr
    key = made.stdout.strip()
    listed = json.loads(run(project, "api-key", "list", "--json").stdout)
    assert [(k["name"], k["scopes"], k["open"]) for k in listed] == [("till 3", ["profiles:read"], True)]
    assert key not in json.dumps(listed)
    with serving(project) as (url, process):
        ask = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=30)
        assert ask.get("/v1/health").json()["status"] == "ok"
        assert ask.get("/v1/profiles", params={"email": "anna.kowalska@example.org"}).status_code == 404
        port = url.rpartition(":")[2]
        second = run(project, "serve", "--port", port)
        assert second.returncode == 2
        assert f"cannot listen on 127.0.0.1:{port}" in second.stderr
        revoked = run(project, "api-key", "revoke", key.split("_")[1])
        assert revoked.returncode == 0
        assert ask.get("/v1/profiles", params={"email": "anna.kowalska@example.org"}).status_code == 401
        ask.close()
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=30)
        assert process.returncode == 0
    assert "GET /v1/profiles 404" in said
    assert "kowalska" not in said
    assert key.split("_", 2)[2] not in said
    assert "revoked" in run(project, "api-key", "list").stdout


def test_a_scope_that_is_none_is_named_with_those_that_are(project: Path) -> None:
    made = run(project, "api-key", "create", "--scope", "profiles:write")
    assert made.returncode == 2
    assert "scopes: profiles:read, pii:read, offers:check, changes:read, events:write" in made.stderr
