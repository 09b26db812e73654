"""What a vendor does not take now waits by the kind of its failure, and is shown when it waits too long."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from onevoice.errors import Ambiguous, ContractBroken
from onevoice.pipeline.delivery.outcomes import A_DAY, PUT_OFF, REFUSED
from onevoice.protocols import DeferReason, Outcome, WriteResult
from onevoice.store import outboxes, quarantines

REF = "hubspot/contacts/1"


def deferring(reason: DeferReason) -> Any:
    def answer(stream: str, write: Any) -> WriteResult | None:
        return WriteResult(write.key, Outcome.DEFERRED, "BUSY", "later", reason) if stream == "contacts" else None

    return answer


def waiting(bench: Any) -> Any:
    with bench.hubs[-1].store.read() as connection:
        return outboxes.load_outbox(connection, [REF]).get(REF)


def held(bench: Any) -> Any:
    with bench.hubs[-1].store.read() as connection:
        return quarantines.load(connection, quarantines.DELIVERY, [REF]).get(REF)


def one(bench: Any) -> None:
    bench.shop.put("contacts", "1", lastname="Ash", email="b@x.org")


@pytest.mark.parametrize("reason", sorted(PUT_OFF))
def test_a_pause_grows_by_the_kind_of_failure_and_then_it_is_shown(bench: Any, reason: DeferReason) -> None:
    one(bench)
    bench.shop.answer = deferring(reason)
    patience = PUT_OFF[reason]
    bench.cycle()
    assert waiting(bench).attempts == 1
    assert waiting(bench).next_at == bench.now + patience.first
    asked: list[int] = []
    bench.shop.before_write = lambda _stream, writes: asked.append(len(writes))
    bench.cycle(minutes=patience.first.total_seconds() / 60 - 0.5)
    assert asked == [], "it waits its time"
    bench.cycle(minutes=1)
    assert waiting(bench).attempts == 2
    assert waiting(bench).next_at == bench.now + 2 * patience.first
    with bench.hubs[-1].store.begin() as connection:
        outboxes.put_off(connection, {REF: bench.now}, {REF: patience.most - 1})
    bench.cycle(minutes=1)
    assert (held(bench).code, held(bench).attempts, held(bench).next_at) == ("BUSY", patience.most, bench.now + A_DAY)
    assert (waiting(bench) is not None) == (reason is DeferReason.AMBIGUOUS)
    bench.shop.answer = lambda _stream, _write: None
    bench.cycle(minutes=60)
    assert "onevoice_profile_id" not in bench.shop.held("contacts", "1")
    bench.cycle(minutes=24 * 60)
    assert "onevoice_profile_id" in bench.shop.held("contacts", "1")
    assert held(bench) is None
    assert bench.quiet()


def test_another_value_does_not_wait_for_the_pause_of_the_one_before(bench: Any) -> None:
    one(bench)
    bench.crm.put("Contact", "c1", FirstName="Ann", LastName="Ash", Email="a@x.org")
    bench.people.person = {"salesforce/Contact/c1": "ann", REF: "ann"}
    bench.shop.answer = deferring(DeferReason.RETRYABLE)
    bench.cycle()
    assert waiting(bench).next_at is not None
    bench.shop.answer = lambda _stream, _write: None
    bench.crm.put("Contact", "c1", HasOptedOutOfEmail=True)
    bench.cycle(minutes=0.1)
    assert bench.shop.held("contacts", "1")["onevoice_no_newsletter_until"] == "9999-12-31"


def test_a_refused_write_is_not_tried_for_ever(bench: Any) -> None:
    one(bench)
    bench.shop.refuse = lambda stream, _write: stream == "contacts"
    bench.cycle()
    with bench.hubs[-1].store.begin() as connection:
        known = quarantines.load(connection, quarantines.DELIVERY, [REF])
        last = {REF: quarantines.Held("NO", "refused", known[REF].payload, REFUSED.most - 1, bench.now)}
        quarantines.note(connection, quarantines.DELIVERY, last, bench.now)
    bench.cycle()
    assert (held(bench).attempts, held(bench).next_at) == (REFUSED.most, None)
    bench.shop.refuse = lambda _stream, _write: False
    bench.cycle(minutes=60 * 24 * 30)
    assert held(bench) is not None, "now it takes a new value, or a person"


def test_one_poisonous_batch_does_not_end_the_day_of_the_others(bench: Any) -> None:
    """Its answer is lost whenever it is sent: the batches behind it leave, and it waits."""
    for number in range(250):
        bench.shop.put("contacts", f"{number:03}", lastname=f"N{number}", email=f"{number}@x.org")

    def lost(stream: str, writes: Any) -> None:
        if any(write.key == "000" for write in writes):
            raise Ambiguous("hubspot.contacts: the answer was lost")

    bench.shop.before_write = lost
    bench.cycle()
    done = sum("onevoice_profile_id" in data for _, data, _ in bench.shop.records["contacts"].values())
    assert done >= 240, "and what travelled with it leaves in smaller batches"
    bench.cycle()
    done = sum("onevoice_profile_id" in data for _, data, _ in bench.shop.records["contacts"].values())
    assert done == 249, "until it is alone"
    bench.shop.before_write = lambda _stream, _writes: None
    bench.cycle()
    assert all("onevoice_profile_id" in data for _, data, _ in bench.shop.records["contacts"].values())
    assert bench.quiet()


def test_one_stream_that_takes_nothing_leaves_the_others_of_its_system_going(bench: Any) -> None:
    bench.shop.put("contacts", "1", lastname="Ash", email="a@x.org")
    bench.crm.put("Contact", "c1", LastName="Ash", Email="a@x.org", HasOptedOutOfEmail=True)

    def refused(stream: str, _writes: Any) -> None:
        if stream == "contacts":
            raise ContractBroken("hubspot.contacts: refused with status 404")

    bench.shop.before_write = refused
    report = bench.cycle()
    assert "contacts" in report.stages["push"]["push hubspot"].failed
    assert "subscriptions" in {stream for stream, _, _ in bench.written()}
    assert held(bench) is None, "the record is not at fault"


def test_the_only_record_left_waits_and_is_shown_although_its_stream_takes_nothing(bench: Any) -> None:
    """It alone refuses every batch that it is in: whether it is the record or the stream, nobody can tell."""
    one(bench)
    patience = PUT_OFF[DeferReason.AMBIGUOUS]
    asked: list[str] = []

    def refused(stream: str, _writes: Any) -> None:
        if stream == "contacts":
            asked.append(stream)
            raise ContractBroken("hubspot.contacts: refused with status 400")

    bench.shop.before_write = refused
    bench.cycle()
    assert (waiting(bench).attempts, waiting(bench).next_at) == (1, bench.now + patience.first)
    asked.clear()
    bench.cycle(minutes=0.5)
    assert asked == [], "it waits its time"
    with bench.hubs[-1].store.begin() as connection:
        outboxes.put_off(connection, {REF: bench.now}, {REF: patience.most - 1})
    bench.cycle()
    assert (held(bench).code, held(bench).attempts) == ("ContractBroken", patience.most)
    bench.shop.before_write = lambda _stream, _writes: None
    bench.cycle(minutes=24 * 60)
    assert "onevoice_profile_id" in bench.shop.held("contacts", "1")
    assert held(bench) is None
    assert bench.quiet()


def test_pauses_double_and_end() -> None:
    for patience in (REFUSED, *PUT_OFF.values()):
        assert patience.wait(1) == patience.first
        assert patience.wait(2) == 2 * patience.first
        assert patience.wait(10_000) == patience.longest
        assert timedelta() < patience.longest <= A_DAY
