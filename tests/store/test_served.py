"""What the API reads and writes, on both databases: one moment per reading, an ordered feed, keys, events."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text

from onevoice.errors import StoreError
from onevoice.model import Item, Ref
from onevoice.store import Store, api_keys, changes, events, lookups
from onevoice.store.changes import ChangeRow
from onevoice.store.events import EventRow
from onevoice.store.identities import LineageRow, save_links
from onevoice.store.schema import item

AT = datetime(2026, 11, 22, 9, tzinfo=UTC)


def link(store: Store, ref: str, profile_id: str) -> None:
    with store.begin() as connection:
        save_links(connection, {ref: profile_id}, (), [LineageRow(profile_id, None, "created", ref)], AT)


def test_a_snapshot_sees_one_moment_and_keeps_no_writer_waiting(store: Store) -> None:
    link(store, "crm/Contact/1", "p1")
    with store.snapshot() as connection:
        assert lookups.redirects(connection, "p2") == (False, None)
        link(store, "crm/Contact/2", "p2")
        assert lookups.redirects(connection, "p2") == (False, None)
    with store.snapshot() as connection:
        assert lookups.redirects(connection, "p2") == (True, "p2")


def test_a_failing_statement_is_a_store_error_without_its_parameters(store: Store) -> None:
    with pytest.raises(StoreError) as caught, store.snapshot() as connection:
        connection.execute(text("SELECT * FROM nothing WHERE x = :x"), {"x": "anna@example.org"})
    assert "anna" not in str(caught.value)
    with store.snapshot() as connection:
        assert lookups.read_times(connection) == {}


def test_numbers_of_the_feed_become_visible_in_their_order(store: Store) -> None:
    """The first writer takes a number and ends last; the second must not be seen before it."""
    begun, seen = threading.Event(), list[int]()

    def second() -> None:
        begun.wait()
        with store.begin() as connection:
            changes.note_changes(connection, [ChangeRow("second", changes.CHANGED)], AT)

    other = threading.Thread(target=second)
    other.start()
    with store.begin() as connection:
        changes.note_changes(connection, [ChangeRow("first", changes.CHANGED)], AT)
        begun.set()
        time.sleep(0.3)
        with store.snapshot() as reader:
            seen = [row.seq for row in changes.changes_after(reader, 0, 10)]
    other.join()
    with store.snapshot() as reader:
        rows = changes.changes_after(reader, 0, 10)
        assert changes.last_change(reader) == rows[-1].seq
    assert seen == []
    assert [row.profile_id for row in rows] == ["first", "second"]


def test_links_write_the_feed_in_their_own_transaction(store: Store) -> None:
    link(store, "crm/Contact/1", "p1")
    with store.engine.connect() as connection:  # never committed
        save_links(connection, {"crm/Contact/2": "p2"}, (), [LineageRow("p2", None, "created", "x")], AT)
    with store.snapshot() as connection:
        assert [(r.profile_id, r.kind) for r in changes.changes_after(connection, 0, 10)] == [("p1", "created")]


def test_keys_open_end_and_are_revoked(store: Store) -> None:
    with store.begin() as connection:
        sent = api_keys.create_key(connection, "x", {"profiles:read"}, AT, AT + timedelta(days=1))
    with store.begin() as connection:
        key = api_keys.find_key(connection, sent)
        assert key is not None
        assert key.is_open(AT)
        assert not key.is_open(AT + timedelta(days=1))
        for wrong in ("", "ovk_", sent[:-1], sent + "x", sent.upper(), "ovk_\0_x", "ovk_ü_x", sent.replace("ovk_", "")):
            assert api_keys.find_key(connection, wrong) is None, wrong
        assert api_keys.revoke_key(connection, key.key_id, AT)
        assert not api_keys.revoke_key(connection, "nobody", AT)
        assert [k.is_open(AT) for k in api_keys.all_keys(connection)] == [False]


def test_an_event_waits_for_an_owner_and_again_when_it_loses_him(store: Store) -> None:
    row = EventRow("e1", "check_in", AT, "Leeds", "email", "a@b.example", "d", None, AT)
    with store.begin() as connection:
        events.save_event(connection, row, None)
    with store.snapshot() as connection:
        assert [e.event_id for e in events.unowned_events(connection, AT)] == ["e1"]
        assert events.unowned_events(connection, AT + timedelta(seconds=1)) == []
    link(store, "crm/Contact/1", "p1")
    owned = EventRow("e1", "check_in", AT, "Leeds", "email", "a@b.example", "d", "crm/Contact/1", AT)
    made = Item(Ref("onevoice", "check_in", "e1"), "visit", {"at": AT.isoformat()}, Ref("crm", "Contact", "1"))
    with store.begin() as connection:
        events.save_event(connection, owned, made)
        events.save_event(connection, owned, made)
    with store.begin() as connection:
        assert events.unowned_events(connection, AT) == []
        assert len(connection.execute(select(item)).all()) == 1
        save_links(connection, {}, ["crm/Contact/1"], [], AT)
        assert [e.event_id for e in events.unowned_events(connection, AT)] == ["e1"]
