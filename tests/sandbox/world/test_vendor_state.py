"""Tables with their lag, the log of API writes, the call count."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from onevoice.sandbox.calls import READ, THROTTLED, WRITE, CallLog
from onevoice.sandbox.state import Clock, Faults, salesforce_id
from onevoice.sandbox.tables import hubspot_state, salesforce_state

START = datetime(2026, 11, 22, 9, tzinfo=UTC)


def test_a_change_shows_at_once_by_id_and_after_the_lag_in_searches() -> None:
    clock = Clock(START)
    table = hubspot_state(clock).tables["contacts"]
    key = table.insert({"email": "a@x.org"}, stamp=START, actor="seed")
    before = table.seen_changes
    table.update(key, {"email": "b@x.org"})
    clock.advance(2)
    table.update(key, {"email": "c@x.org"})
    assert (table.rows[key]["email"], table.seen()[key]["email"], table.seen_changes) == ("c@x.org", "a@x.org", before)
    clock.advance(3.5)
    assert table.seen()[key]["email"] == "b@x.org"
    clock.advance(5)
    assert table.seen()[key]["email"] == "c@x.org"
    table.delete(key)
    assert key not in table
    assert key in table.seen()
    clock.advance(6)
    assert key not in table.seen()


def test_stamps_take_the_vendors_form() -> None:
    table = salesforce_state(Clock(START)).tables["Contact"]
    row = table.rows[table.insert({"LastName": "Lund"}, stamp=START, actor="seed")]
    assert row["SystemModstamp"] == row["CreatedDate"] == "2026-11-22T09:00:00.000+0000"


def test_identical_resends_are_counted_and_changes_by_hand_are_not() -> None:
    state = salesforce_state(Clock(START))
    table = state.tables["Contact"]
    key = table.insert({"LastName": "Lund"}, stamp=START, actor="seed")
    place = ("Contact", key)
    table.update(key, {"Title": "Dr"})
    table.update(key, {"Title": "Dr"})
    table.update(key, {"Title": "Ms"}, actor="hand")
    table.update(key, {"Title": "Dr"})
    assert (state.api_writes.writes[place], state.api_writes.identical[place]) == (3, 1)


def test_logged_fields_leave_an_event() -> None:
    state = salesforce_state(Clock(START))
    table = state.tables["Contact"]
    key = table.insert({"LastName": "Lund", "HasOptedOutOfEmail": False}, stamp=START, actor="seed")
    table.update(key, {"HasOptedOutOfEmail": True, "Title": "Dr"})
    assert [(e["field"], e["old"], e["new"], e["actor"]) for e in state.events] == [
        ("HasOptedOutOfEmail", False, True, "api")
    ]


def test_a_dump_brings_everything_back() -> None:
    clock = Clock(START)
    state = hubspot_state(clock)
    state.tables["lists"].insert({"name": "l", "members": {"2", "1"}})
    state.tables["contacts"].insert({"email": "a@x.org"}, stamp=START, actor="seed")
    again = hubspot_state(clock)
    again.load(state.dump())
    assert again.dump() == state.dump()
    assert again.tables["lists"].rows["1"]["members"] == {"1", "2"}
    assert again.tables["contacts"].insert({}) not in state.tables["contacts"]


def test_minimum_calls_are_per_operation() -> None:
    calls = CallLog()
    calls.record("update", WRITE, units=100, batch_limit=100)
    calls.record("update", WRITE, units=1, batch_limit=100)
    calls.record("update", WRITE, batch_limit=100, outcome=THROTTLED)
    calls.record("unsubscribe", WRITE, units=1)
    calls.record("search", READ, units=0)
    told = calls.summary()
    assert (told["calls"], told["write_calls"], told["records_written"]) == (5, 3, 102)
    assert (told["minimum_calls"], told["throttled"]) == (3, 1)


def test_time_runs_forward_only() -> None:
    clock = Clock(START)
    clock.advance(3600)
    assert (clock.now() - START).total_seconds() >= 3600
    with pytest.raises(ValueError, match="cannot go back"):
        clock.advance(-1)


def test_faults_by_name() -> None:
    faults = Faults()
    faults.use("hubspot_down", "hubspot")
    assert faults.down
    faults.use("hubspot_down", "salesforce")
    assert not faults.down
    with pytest.raises(ValueError, match="no fault is named 'rain'"):
        faults.use("rain", "hubspot")


def test_salesforce_ids_tell_capitals_in_their_tail() -> None:
    first, second = salesforce_id("003", 10), salesforce_id("003", 36)
    assert len(first) == len(second) == 18
    assert first.lower() != second.lower()
