"""Child processes: a sandbox that cannot start says why, a stubborn child is ended, memory is counted by tree."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from onevoice.cli import processes
from onevoice.cli.demo.memory import PeakMemory
from onevoice.cli.sandbox_process import running_sandbox
from onevoice.errors import OnevoiceError

STUBBORN = """
import signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(600)
"""
HUNGRY = """
import time
held = bytearray(b"x" * 150_000_000)
print("ready", flush=True)
time.sleep(600)
"""


def child(program: str) -> subprocess.Popen[bytes]:
    """A child that has said that it is ready."""
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    return process


def test_a_child_that_will_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "POLITE", 0.3)
    with child(STUBBORN) as process:
        processes.stop(process)
        assert process.returncode == -9


def test_a_sandbox_runs_and_ends_with_its_block(tmp_path: Path) -> None:
    with running_sandbox(seed=1, people=50, log=tmp_path / "log") as sandbox:
        assert httpx.get(f"{sandbox.admin}/clock").json()["as_of"].startswith(sandbox.as_of[:10])
        assert {"ONEVOICE_SALESFORCE_URL", "ONEVOICE_HUBSPOT_URL"} <= sandbox.environment.keys()
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{sandbox.admin}/clock")


def test_a_sandbox_that_cannot_start_says_why(tmp_path: Path) -> None:
    with (
        pytest.raises(OnevoiceError, match="no fault is named 'earthquake'"),
        running_sandbox(seed=1, people=50, faults="earthquake", log=tmp_path / "log"),
    ):
        pass


def test_memory_counts_children_and_leaves_one_out() -> None:
    with child(HUNGRY) as counted, child(HUNGRY) as left_out:
        try:
            with PeakMemory(without=left_out.pid) as memory:
                time.sleep(0.6)
            with PeakMemory(without=0) as everything:
                time.sleep(0.6)
        finally:
            counted.kill()
            left_out.kill()
    assert 150 < memory.megabytes < everything.megabytes - 140
