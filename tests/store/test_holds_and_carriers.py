"""Holds, what is carried elsewhere, and what a destination adopted, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from onevoice.store import Store, carriers, holds, pages
from onevoice.store.pages import DestinationState

AT = datetime(2026, 11, 22, 9, tzinfo=UTC)


def test_a_hold_keeps_its_reason_and_is_lifted_by_name(store: Store) -> None:
    with store.begin() as connection:
        holds.place(connection, ["b", "a", "b"], "first", AT)
        holds.place(connection, ["a", holds.EVERYTHING], "second", AT + timedelta(hours=1))
    with store.read() as connection:
        found = holds.standing(connection)
    assert [(name, found[name].reason) for name in found] == [("*", "second"), ("a", "first"), ("b", "first")]
    assert found["a"].since == AT
    with store.begin() as connection:
        holds.lift(connection, ["a", "nobody"])
        assert list(holds.standing(connection)) == ["*", "b"]


def test_what_is_carried_elsewhere_is_replaced_for_the_records_that_were_looked_at(store: Store) -> None:
    with store.begin() as connection:
        carriers.replace(connection, ["x/c/1", "x/c/2"], {"x/c/1": {"birthday", "welcome"}, "x/c/2": {"birthday"}})
        carriers.replace(connection, ["x/c/1", "x/c/3"], {"x/c/3": {"birthday"}})
    with store.read() as connection:
        found = carriers.load(connection, ["x/c/1", "x/c/2", "x/c/3"])
    assert found == {"x/c/2": {"birthday"}, "x/c/3": {"birthday"}}


def test_what_was_adopted_is_told_from_what_the_hub_writes(store: Store) -> None:
    state = DestinationState({"a": "1"}, {"a": "1", "b": None}, (), {"a": "", "b": None})
    with store.begin() as connection:
        pages.save_destinations(connection, {"x/c/1": state})
        pages.move_cursor(connection, "x", "c", {}, ["b", "a"], AT)
    with store.read() as connection:
        assert pages.load_destinations(connection, ["x/c/1"]) == {"x/c/1": state}
        assert set(pages.fields_read(connection, "x", "c")) == {"a", "b"}
        assert pages.fields_read(connection, "x", "other") == ()
