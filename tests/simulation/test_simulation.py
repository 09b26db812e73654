"""Schedules of the simulated world; `make simulate` runs more of them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulated.schedule import Simulator

SCHEDULES = 400
PARTS = 8
"""Tests into which they are cut, for the workers to share."""
RUN = Path(__file__).with_name("run.py")


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    made = Simulator()
    yield made
    made.close()


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_everything_holds_once_the_world_is_quiet(simulator, part):
    size = SCHEDULES // PARTS
    verdicts = [simulator.run(seed) for seed in range(part * size, (part + 1) * size)]
    assert {verdict.seed: verdict.broken for verdict in verdicts if verdict.broken} == {}
    assert sum(verdict.kills for verdict in verdicts) > 0


def test_the_same_seed_gives_the_same_run_in_another_process():
    """Operation by operation: nothing may hang on the order of a set or on the time of day."""

    def replayed(hashes: str) -> str:
        environment = {**os.environ, "PYTHONHASHSEED": hashes}
        command = [sys.executable, str(RUN), "--replay", "3"]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False).stdout

    one, other = replayed("1"), replayed("2")
    assert len(one.splitlines()) > 500
    assert _without_times_of_day(one) == _without_times_of_day(other)


def _without_times_of_day(trace: str) -> list[str]:
    """Runs and locks are noted by the clock of the machine, which decides nothing."""
    return [line for line in trace.splitlines() if " lock " not in line and " run " not in line]
