"""What no read of changes shows is met by reading records again, in turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from onevoice.store import contradictions, pages

ID = "onevoice_profile_id__c"
CONTACTS = [f"c{number:02d}" for number in range(5)]


def contacts(bench: Any, keys: list[str], reread: int) -> dict[str, Any]:
    """Contacts in step with the hub; the profile id of each."""
    bench.crm.streams["Contact"] = replace(bench.crm.streams["Contact"], reread=reread)
    for key in keys:
        bench.crm.put("Contact", key, FirstName="Ann", LastName=key, Email=f"{key}@x.org")
    bench.cycle()
    assert bench.quiet()
    return {key: bench.crm.held("Contact", key)[ID] for key in keys}


def edit_unseen(bench: Any, key: str, **fields: Any) -> None:
    """Change a record, and not its stamp: a read of changes never shows it."""
    number, data, deleted = bench.crm.records["Contact"][key]
    bench.crm.records["Contact"][key] = (number, {**data, **fields}, deleted)


def test_records_come_round_in_turn(bench: Any) -> None:
    known = contacts(bench, CONTACTS, reread=2)
    bench.cycle()  # the first two have had their turn: it goes on behind them
    for key in CONTACTS:
        edit_unseen(bench, key, **{ID: "somebody"})
    left = []
    for _ in range(3):
        bench.cycle()
        left.append([key for key in CONTACTS if bench.crm.held("Contact", key)[ID] != known[key]])
    assert left == [["c00", "c01", "c04"], ["c01"], []]


def test_all_are_seen_in_one_cycle_where_they_are_few(bench: Any) -> None:
    known = contacts(bench, CONTACTS, reread=len(CONTACTS))
    edit_unseen(bench, "c03", **{ID: "somebody"})
    report = bench.cycle()
    assert report.stages["pull"]["pull salesforce"].counts["reread"] == len(CONTACTS)
    assert bench.crm.held("Contact", "c03")[ID] == known["c03"]
    with bench.hubs[-1].store.read() as connection:
        [told] = contradictions.drift_at(connection, bench.now)
    assert (told["ref"], told["field"], told["held"]) == ("salesforce/Contact/c03", ID, "somebody")
    assert bench.quiet()


def test_what_was_read_just_now_is_not_read_again(bench: Any) -> None:
    bench.crm.streams["Contact"] = replace(bench.crm.streams["Contact"], reread=5)
    bench.crm.put("Contact", "c1", FirstName="Ann", LastName="Ash", Email="a@x.org")
    assert "reread" not in bench.cycle(only=("pull",)).stages["pull"]["pull salesforce"].counts


def deleted(bench: Any, keys: list[str]) -> list[str]:
    """Of these, the contacts that the hub holds for deleted."""
    refs = [f"salesforce/Contact/{key}" for key in keys]
    with bench.hubs[-1].store.read() as connection:
        found = pages.load_before(connection, refs, ()).records
    return [key for key, ref in zip(keys, refs, strict=True) if found[ref].deleted]


@pytest.mark.parametrize(("gone", "believed"), [(1, 1), (10, 10), (11, 0)])
def test_a_record_that_is_gone_is_noted_and_many_at_once_are_not_believed(bench: Any, gone: int, believed: int) -> None:
    keys = [f"c{number:02d}" for number in range(20)]
    contacts(bench, keys, reread=len(keys))
    for key in keys[:gone]:
        del bench.crm.records["Contact"][key]
    report = bench.cycle().stages["pull"]["pull salesforce"]
    assert deleted(bench, keys) == keys[:believed]
    assert [note for note in report.notes if "not believed" in note] == (
        [] if believed else ["salesforce.Contact: 11 of 20 records seem to be gone; that many are not believed"]
    )


@pytest.mark.parametrize("edit", [lambda _: "somebody", str.upper, lambda value: f"{value} "])
def test_what_somebody_changes_between_writing_and_reading_back_is_put_right(
    bench: Any, edit: Callable[[str], str]
) -> None:
    """The value that was sent once does not answer for what stands there now."""
    known = contacts(bench, CONTACTS, reread=0)
    other = edit(known["c02"])

    def meanwhile(_stream: str, _writes: Any) -> None:
        bench.crm.put("Contact", "c02", **{ID: other})

    bench.crm.after_write = meanwhile
    bench.crm.put("Case", "k1", ContactId="c02", Type="Complaint", IsClosed=False)
    bench.cycle()
    assert bench.crm.held("Contact", "c02")[ID] == other
    bench.crm.after_write = lambda _stream, _writes: None
    with bench.hubs[-1].store.read() as connection:
        assert [row["held"] for row in contradictions.drift_at(connection, bench.now)] == [other]
    bench.cycle()
    assert bench.crm.held("Contact", "c02")[ID] == known["c02"]
    assert bench.quiet()
