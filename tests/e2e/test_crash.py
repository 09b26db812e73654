"""SIGKILL at random moments of a cycle, then run again: the same end as without, and no second effect at a vendor."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

PEOPLE = 600
KILLS = 5
BATCH = {"salesforce": 200, "hubspot": 100}
"""The largest batch of each destination: what may have been in the air when the hub died."""


def command(here: Any, as_of: str, *words: str) -> list[str]:
    options = ["--project", str(here.project), "--database", here.database]
    return [sys.executable, "-m", "onevoice.cli.app", *options, *words, "--as-of", as_of]


def start(here: Any, as_of: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command(here, as_of, "sync", "--first"),
        env={**os.environ, **here.sandbox.environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def finish(here: Any, as_of: str) -> None:
    """Run one sync to its end."""
    process = start(here, as_of)
    _, errors = process.communicate(timeout=240)
    assert process.returncode == 0, errors.decode()[-2000:]


def calls(here: Any) -> int:
    """API calls that both systems have seen."""
    return sum(int(system["calls"]) for system in here.get("/calls").values())


def differences(calm: Any, stormy: Any, path: str = "") -> list[str]:
    """Where two states differ, as paths with both values."""
    if isinstance(calm, dict) and isinstance(stormy, dict):
        keys = sorted(calm.keys() | stormy.keys())
        return [line for key in keys for line in differences(calm.get(key), stormy.get(key), f"{path}/{key}")]
    return [] if calm == stormy else [f"{path}: {calm!r} without a crash, {stormy!r} with"]


@pytest.mark.slow
def test_killed_five_times(world: Callable[..., Any]) -> None:
    calm, stormy = (world(PEOPLE, seed=11, limits=False) for _ in range(2))
    as_of = "2026-11-22T09:30:00+00:00"
    for here in (calm, stormy):
        here.provision()
        here.post("/clock", {"advance_seconds": 1800})
    finish(calm, as_of)
    total = calls(calm)

    chance = random.Random(11)
    killed = 0
    for moment in sorted(chance.uniform(0.02, 0.95) for _ in range(KILLS)):
        process = start(stormy, as_of)
        while process.poll() is None and calls(stormy) < moment * total:
            time.sleep(0.02)
        time.sleep(chance.uniform(0, 0.5))
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            killed += 1
        process.communicate()
    finish(stormy, as_of)
    finish(calm, as_of)
    assert killed >= 3, "the kills came too late to prove anything"
    assert differences(calm.get("/state"), stormy.get("/state")) == []

    log = stormy.get("/log")
    for system, batch in BATCH.items():
        twice = log[system]["identical_resends"]
        by_table = Counter(place.split("/", 1)[0] for place in twice)
        assert all(count <= batch * killed for count in by_table.values()), (system, by_table)
    quiet = calm.get("/log")
    for system in BATCH:
        assert len(log[system]["events"]) == len(quiet[system]["events"]), system


@pytest.mark.slow
def test_a_second_process_on_the_same_store_is_refused(world: Callable[..., Any]) -> None:
    here = world(PEOPLE, seed=12, limits=False)
    here.provision()
    here.post("/clock", {"advance_seconds": 1800})
    first = start(here, "2026-11-22T09:30:00+00:00")
    time.sleep(3)
    second = subprocess.run(
        command(here, "2026-11-22T09:30:00+00:00", "sync", "--first"),
        env={**os.environ, **here.sandbox.environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    first.communicate(timeout=240)
    assert first.returncode == 0
    assert second.returncode == 1, second.stderr
    assert "another process is running one" in second.stderr
