"""SIGKILL at random moments of a cycle, then run again: the same end as without, and no second effect at a vendor."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from onevoice.model import Ref
from onevoice.store import outboxes
from onevoice.store.schema import PENDING

pytestmark = pytest.mark.slow

PEOPLE = 400
KILLS = 5
SYNC = ("sync", "--first", "--as-of", "2026-11-22T09:30:00+00:00")
"""As of the same moment each time, so that what is sent again is identical and counted as such."""


def calls(here: Any) -> int:
    """API calls that all systems have seen."""
    return sum(int(system["calls"]) for system in here.get("/calls").values())


def sent_twice(here: Any) -> dict[str, dict[str, int]]:
    """Writes that only repeated an earlier one, by system and record."""
    return {system: log["identical_resends"] for system, log in here.get("/log").items() if log["identical_resends"]}


def in_the_air(here: Any) -> Counter[tuple[str, str]]:
    """Writes that the hub had sent, and of which it had heard nothing when it died, by system and stream."""
    with here.hub().store.read() as connection:
        rows = outboxes.open_writes(connection)
    return Counter((ref.system, ref.stream) for row in rows if row.state != PENDING for ref in (Ref.parse(row.ref),))


def events(here: Any) -> Counter[tuple[str, str, str]]:
    """How often what happened at the vendors besides plain writes; Klaviyo's jobs are a way of writing."""
    return Counter(
        (system, event["table"], event["field"])
        for system, log in here.get("/log").items()
        for event in log["events"]
        if event["table"] != "jobs"
    )


def killed_when(here: Any, now: Callable[[], bool], linger: float) -> bool:
    """Start a sync and kill it soon after `now` holds; False when it had ended before."""
    process = here.start(*SYNC)
    while process.poll() is None and not now():
        time.sleep(0.01)
    time.sleep(linger)
    process.kill()
    process.communicate()
    here.post("/clock", {"advance_seconds": 10})  # whoever starts it again takes a moment
    return bool(process.returncode == -signal.SIGKILL)


def test_killed_five_times(world: Callable[..., Any]) -> None:
    calm, stormy = (world(PEOPLE, seed=11, limits=False) for _ in range(2))
    for here in (calm, stormy):
        here.provision()
        here.post("/clock", {"advance_seconds": 1800})
        here.post("/calls/reset")
    calm.onevoice(*SYNC)
    total = calm.records_written()

    chance = random.Random(11)
    assert killed_when(stormy, lambda: calls(stormy) > 0, chance.uniform(0, 1))  # while it reads
    unheard = []
    for moment in sorted(chance.uniform(0.02, 0.75) for _ in range(KILLS - 1)):  # while it writes
        least = max(moment * total, stormy.records_written())
        if killed_when(stormy, lambda least=least: stormy.records_written() > least, chance.uniform(0, 0.1)):
            unheard.append(in_the_air(stormy))
    stormy.onevoice(*SYNC)

    assert sum(map(bool, unheard)) >= 2, ("the kills came at moments that prove nothing", unheard)
    assert calm.differs(stormy) == []
    assert events(stormy) == events(calm)  # no second record, membership or consent event
    # What was in the air is looked at first, so nothing of a batch is sent again that had arrived.
    assert sent_twice(stormy) == {}, unheard
    assert calls(stormy) > calls(calm)


def test_a_second_process_on_the_same_store_is_refused(world: Callable[..., Any]) -> None:
    here = world(200, seed=12, limits=False)
    here.provision()
    before = calls(here)
    first = here.start(*SYNC)
    while first.poll() is None and calls(here) == before:
        time.sleep(0.05)
    second = here.start(*SYNC)
    _, complained = second.communicate(timeout=120)
    assert second.returncode == 1, complained
    assert "another process is running one" in complained
    _, complained = first.communicate(timeout=240)
    assert first.returncode == 0, complained
