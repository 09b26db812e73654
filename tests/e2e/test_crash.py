"""SIGKILL at a drawn call of a cycle, before or after its effect, then run again: the same end as without, and no
second effect at a vendor."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from onevoice.model import Ref
from onevoice.store import outboxes
from onevoice.store.schema import PENDING

pytestmark = pytest.mark.slow

PEOPLE = 200
SYNC = ("sync", "--first", "--as-of", "2026-11-22T09:30:00+00:00")
"""As of the same moment each time, so that what is sent again is identical and counted as such."""
SYSTEMS = ("hubspot", "klaviyo", "salesforce", "shopify", "square")
"""In the order in which a sync pushes to them: each is killed once in a storm, wherever its writes had come to."""
ROUNDS = -(-int(os.environ.get("ONEVOICE_KILLS", "5")) // len(SYSTEMS))
PAGES = {"hubspot": "search", "klaviyo": "list profiles", "salesforce": "query", "square": "search customers"}
"""Operations that only pulling needs."""
POINTS = {"hubspot": "read batch", "salesforce": "retrieve batch", "square": "read customers", "shopify": "nodes"}
"""Operations by which a written record is read back, or looked at before it is written again."""


@dataclass(frozen=True)
class Strike:
    """A call at which the process is killed."""

    system: str
    kind: str
    nth: int
    moment: str
    operation: str = ""


@dataclass(frozen=True)
class Killed:
    """What a kill left behind."""

    strike: Strike
    held: str
    """The operation that was under way."""
    unheard: int
    """Writes of which the hub did not know what had become."""


def calls(here: Any) -> int:
    """API calls that all systems have seen."""
    return sum(int(system["calls"]) for system in here.get("/calls").values())


def sent_twice(here: Any) -> dict[str, dict[str, int]]:
    """Writes that only repeated an earlier one, by system and record."""
    return {system: log["identical_resends"] for system, log in here.get("/log").items() if log["identical_resends"]}


def events(here: Any) -> Counter[tuple[str, str, str]]:
    """How often what happened at the vendors besides plain writes; Klaviyo's jobs are a way of writing."""
    return Counter(
        (system, event["table"], event["field"])
        for system, log in here.get("/log").items()
        for event in log["events"]
        if event["table"] != "jobs"
    )


def in_the_air(here: Any, system: str) -> int:
    """Writes to a system that the hub had sent, and of which it had heard nothing when it died."""
    with here.hub().store.read() as connection:
        rows = outboxes.open_writes(connection)
    return sum(Ref.parse(row.ref).system == system and row.state != PENDING for row in rows)


def at_writes(chance: random.Random, passed: Mapping[str, Any]) -> list[Strike]:
    """A kill at one of the writes of each system."""
    return [
        Strike(system, "write", chance.randint(1, sum(passed[system]["passed"]["write"].values())), _moment(chance))
        for system in SYSTEMS
    ]


def at_read(chance: random.Random, passed: Mapping[str, Any], operations: Mapping[str, str]) -> Strike:
    """A kill at one of the reads of these kinds."""
    system = chance.choice(sorted(operations))
    operation = operations[system]
    return Strike(system, "read", chance.randint(1, passed[system]["passed"]["read"][operation]), "after", operation)


def _moment(chance: random.Random) -> str:
    return chance.choice(("before", "after"))


def killed_at(here: Any, strike: Strike) -> Killed | None:
    """Sync, and kill it while that call is held; None when it ended before."""
    said = {name: value for name, value in vars(strike).items() if value}
    here.post("/trap", said)
    process = here.start(*SYNC)
    held = None
    while process.poll() is None and held is None:
        time.sleep(0.01)
        held = here.get("/trap")[strike.system]["caught"]
    process.kill()
    process.communicate()
    here.post("/trap/release")
    here.post("/clock", {"advance_seconds": 10})  # whoever starts it again takes a moment
    if held is None or process.returncode != -signal.SIGKILL:
        return None
    return Killed(strike, held, in_the_air(here, strike.system))


def tell(killed: Iterable[Killed | None], here: Any) -> None:
    """Write down what happened; `make test-kills` shows it."""
    for one in filter(None, killed):
        strike, held = one.strike, one.held
        sys.stdout.write(
            f"{strike.system}: {strike.kind} {strike.nth} ({held}), {strike.moment}; unheard of: {one.unheard}\n"
        )
    again = sum(sum(records.values()) for records in sent_twice(here).values())
    sys.stdout.write(f"identical re-sends: {again}\n")


def calm_and_stormy(world: Callable[..., Any], seed: int) -> tuple[Any, Any]:
    """Two equal worlds; the hub of the first has made its sync in peace."""
    calm, stormy = (world(PEOPLE, seed=seed, limits=False) for _ in range(2))
    for here in (calm, stormy):
        here.provision()
        here.post("/clock", {"advance_seconds": 1800})
        here.post("/calls/reset")
    calm.onevoice(*SYNC)
    return calm, stormy


def assert_ended_alike(calm: Any, stormy: Any) -> None:
    """The same state, no second record, membership or consent event, and nothing that had arrived was sent again."""
    assert calm.differs(stormy) == []
    assert events(stormy) == events(calm)
    assert sent_twice(stormy) == {}  # what was in the air is looked at first
    assert calls(stormy) > calls(calm)


@pytest.mark.parametrize("storm", range(ROUNDS))
def test_killed_at_a_write_of_each_system(world: Callable[..., Any], storm: int) -> None:
    calm, stormy = calm_and_stormy(world, 11 + storm)
    strikes = at_writes(random.Random(storm), calm.get("/trap"))
    killed = [killed_at(stormy, strike) for strike in strikes]
    stormy.onevoice(*SYNC)
    tell(killed, stormy)
    assert all(one and one.unheard for one in killed), ("a kill came where nothing was in the air", strikes, killed)
    assert_ended_alike(calm, stormy)


@pytest.mark.long
@pytest.mark.parametrize("storm", range(-(-ROUNDS // 2)))
def test_killed_between_pages_and_in_the_verification(world: Callable[..., Any], storm: int) -> None:
    calm, stormy = calm_and_stormy(world, 11 + storm)
    chance, passed = random.Random(storm), calm.get("/trap")
    killed = [killed_at(stormy, at_read(chance, passed, operations)) for operations in (PAGES, POINTS)]
    stormy.onevoice(*SYNC)
    tell(killed, stormy)
    assert all(killed)
    assert_ended_alike(calm, stormy)


@pytest.mark.parametrize("store", ["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def test_a_second_process_on_the_same_store_is_refused(
    world: Callable[..., Any], store: str, request: pytest.FixtureRequest
) -> None:
    database = request.getfixturevalue("postgres_url") if store == "postgresql" else None
    here = world(200, seed=12, limits=False, database=database)
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
    assert sent_twice(here) == {}


@pytest.mark.long
def test_a_process_that_was_killed_holds_nobody_up_on_postgresql(world: Callable[..., Any], postgres_url: str) -> None:
    """Its lock and its leases end with it: the next one begins at once, and takes up what was in the air."""
    here = world(150, seed=13, limits=False, database=postgres_url)
    here.provision()
    killed = killed_at(here, Strike("salesforce", "write", 1, "after"))
    assert killed is not None
    assert killed.unheard
    here.onevoice(*SYNC)
    assert in_the_air(here, "salesforce") == 0
    assert sent_twice(here) == {}
