"""Who has a write in flight has it alone: nobody else sends it, plans over it or settles it, until its lease ends."""

from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from onevoice.model import Ref
from onevoice.pipeline.delivery.plan import plan
from onevoice.pipeline.delivery.push import push_system
from onevoice.store import Store, open_store, outboxes, pages, runs
from onevoice.store.outboxes import Due, OutboxRow
from onevoice.store.schema import AMBIGUOUS, IN_FLIGHT

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
LATER = NOW + timedelta(minutes=10)
PLACE = ("shop", "contacts")
DUE = Due(NOW)


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    url = f"sqlite:///{tmp_path / 'hub.sqlite'}"
    opened = open_store(url if request.param == "sqlite" else request.getfixturevalue("postgres_url"))
    yield opened
    opened.close()


def planned(store: Store, count: int) -> list[str]:
    rows = [OutboxRow(f"shop/contacts/{n:04}", {"tier": "gold"}, 2, irreversible=False) for n in range(count)]
    with store.begin() as connection:
        outboxes.replace_outbox(connection, (), rows, NOW)
    return [row.ref for row in rows]


def mine(run: str) -> str:
    return f"{run}:{runs.process_name()}"


def taken(store: Store, owner: str, limit: int, until: datetime = LATER) -> list[OutboxRow]:
    with store.begin() as connection:
        return outboxes.take(connection, PLACE, DUE, (owner, until), limit)


def states(store: Store, refs: list[str]) -> dict[str, str]:
    with store.read() as connection:
        return {ref: row.state for ref, row in outboxes.load_outbox(connection, refs).items()}


def test_workers_that_take_at_the_same_time_never_get_the_same_write(store: Store) -> None:
    refs = planned(store, 300)
    found: dict[str, list[str]] = {"a": [], "b": [], "c": []}
    ready = threading.Barrier(len(found))

    def work(name: str) -> None:
        ready.wait()
        while rows := taken(store, mine(name), 7):
            found[name] += [row.ref for row in rows]

    workers = [threading.Thread(target=work, args=(name,)) for name in found]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(ref for refs in found.values() for ref in refs) == refs


def test_a_worker_that_takes_does_not_wait_for_another_that_is_taking(store: Store) -> None:
    if store.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    planned(store, 4)
    with store.begin() as connection:
        first = outboxes.take(connection, PLACE, DUE, (mine("a"), LATER), 2)
        second = taken(store, mine("b"), 2)
    assert len(first) == len(second) == 2
    assert {row.ref for row in first}.isdisjoint(row.ref for row in second)


def test_a_lease_is_taken_over_when_it_ends_and_not_before(store: Store) -> None:
    refs = planned(store, 2)
    taken(store, mine("a"), 2)
    with store.begin() as connection:
        assert outboxes.reclaim(connection, LATER - timedelta(seconds=1)) == 0
    assert set(states(store, refs).values()) == {IN_FLIGHT}
    with store.begin() as connection:
        assert outboxes.reclaim(connection, LATER) == 2
    assert set(states(store, refs).values()) == {AMBIGUOUS}


def test_a_process_of_this_machine_that_is_gone_is_not_waited_for(store: Store) -> None:
    refs = planned(store, 1)
    host, pid, _ = runs.process_name().rsplit(":", 2)
    taken(store, f"run:{host}:{pid}:1.00", 1)
    with store.begin() as connection:
        assert outboxes.reclaim(connection, NOW) == 1
    assert states(store, refs) == {refs[0]: AMBIGUOUS}


def test_a_process_of_another_machine_is_believed_until_its_lease_ends(store: Store) -> None:
    planned(store, 1)
    taken(store, "run:elsewhere:1:1.00", 1)
    with store.begin() as connection:
        assert outboxes.reclaim(connection, NOW) == 0


def test_who_comes_back_too_late_settles_nothing(store: Store) -> None:
    refs = planned(store, 2)
    taken(store, mine("slow"), 2)
    with store.begin() as connection:
        outboxes.reclaim(connection, LATER)
    taken(store, mine("quick"), 1)
    with store.begin() as connection:
        assert outboxes.own(connection, refs, mine("slow")) == set()
        assert outboxes.own(connection, refs, mine("quick")) == {refs[0]}
        outboxes.release(connection, refs, mine("slow"), ambiguous=False)
    assert states(store, refs) == {refs[0]: IN_FLIGHT, refs[1]: AMBIGUOUS}


def test_what_waits_is_not_taken_before_its_time(store: Store) -> None:
    refs = planned(store, 2)
    with store.begin() as connection:
        outboxes.put_off(connection, {refs[0]: LATER}, {refs[0]: 3})
    assert [row.ref for row in taken(store, mine("a"), 5)] == [refs[1]]
    with store.begin() as connection:
        rows = outboxes.take(connection, PLACE, Due(LATER), (mine("a"), LATER), 5)
    assert [(row.ref, row.attempts) for row in rows] == [(refs[0], 3)]


def test_a_plan_leaves_what_is_in_flight_and_comes_back_to_it(bench: Any) -> None:
    bench.crm.put("Contact", "c1", FirstName="Ann", LastName="Ash", Email="a@x.org")
    bench.shop.put("contacts", "1", firstname="Ann", lastname="Ash", email="b@x.org")
    bench.people.person = {"salesforce/Contact/c1": "ann", "hubspot/contacts/1": "ann"}
    seen: list[Any] = []

    def meanwhile(stream: str, _writes: Any) -> None:
        if stream != "contacts" or seen:
            return
        hub = bench.hubs[-1]
        with hub.store.begin() as connection:
            before = outboxes.load_outbox(connection, ["hubspot/contacts/1"])
            pages.mark_work(connection, {("drift", "hubspot/contacts/1")})
        plan(hub)
        with hub.store.read() as connection:
            seen.extend([before, outboxes.load_outbox(connection, ["hubspot/contacts/1"])])
            seen.append(pages.load_work(connection, "plan"))

    bench.shop.before_write = meanwhile
    bench.cycle()
    before, after, waiting = seen
    assert before == after
    assert before["hubspot/contacts/1"].state == IN_FLIGHT
    assert len(waiting) == 1
    bench.written()
    bench.cycle()
    assert bench.written() == [], "what was in flight had arrived, so there is nothing to say"
    with bench.hubs[-1].store.read() as connection:
        assert pages.load_work(connection, "plan") == []


def test_a_worker_whose_batch_was_taken_over_stores_nothing_of_it(bench: Any) -> None:
    bench.shop.put("contacts", "1", lastname="Ash", email="b@x.org")
    ref = str(Ref("hubspot", "contacts", "1"))

    def stolen(stream: str, _writes: Any) -> None:
        if stream == "contacts":
            with bench.hubs[-1].store.begin() as connection:
                outboxes.reclaim(connection, datetime.now(UTC) + timedelta(days=1), "hubspot")

    bench.shop.after_write = stolen
    report = bench.cycle(skip=("verify",))
    bench.shop.after_write = lambda _stream, _writes: None
    assert report.stages["push"]["push hubspot"].counts["accepted"] == 1, "settled once: by whoever looked first"
    assert [key for _, key, _ in bench.written()] == ["1"]
    with bench.hubs[-1].store.read() as connection:
        assert outboxes.load_outbox(connection, [ref]) == {}
    assert bench.quiet()


def test_two_workers_on_one_store_send_every_write_once(bench: Any, postgres_url: str) -> None:
    bench.database = postgres_url
    for number in range(450):
        bench.shop.put("contacts", f"{number:03}", lastname=f"N{number}", email=f"{number}@x.org")
    bench.cycle(skip=("push", "verify"))
    bench.shop.before_write = lambda _stream, _writes: time.sleep(0.05)
    hubs = [bench.hub(), bench.hub()]
    with ThreadPoolExecutor(len(hubs)) as workers:
        reports = list(workers.map(lambda hub: push_system(hub, "hubspot"), hubs))
    assert all(report.counts["accepted"] for report in reports), "both had their part"
    sent = Counter((stream, key) for stream, key, _ in bench.written())
    assert len(sent) >= 450
    assert set(sent.values()) == {1}
    bench.shop.before_write = lambda _stream, _writes: None
    assert bench.quiet()
