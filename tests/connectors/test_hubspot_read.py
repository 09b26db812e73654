"""Reading a portal: nothing lost, nothing twice for ever, whatever the index does."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors import open_connector
from onevoice.errors import ContractBroken, Unavailable
from onevoice.protocols import Page

AS_OF = datetime(2026, 11, 22, 9, tzinfo=UTC)
LONG_AGO = AS_OF - timedelta(days=30)


def pages(rig: Any, cursor: Any = None, fields: tuple[str, ...] = ("email",)) -> list[Page]:
    return list(rig.open().read("contacts", cursor, fields, rig.settled()))


def keys(read: list[Page]) -> list[str]:
    return [record.key for page in read for record in page.records if not record.deleted]


def test_more_rows_in_one_millisecond_than_a_search_can_reach(hubspot: Any) -> None:
    """A reader by time alone stops at 10,000 or asks the same for ever."""
    hubspot.contacts(300)
    hubspot.contacts(12_000, stamp=LONG_AGO + timedelta(days=1))
    hubspot.contacts(300, stamp=LONG_AGO + timedelta(days=2))
    read = keys(pages(hubspot))
    assert set(read) == hubspot.keys()
    assert len(read) <= 12_600 + 400
    assert hubspot.calls() < 80


def test_crash_inside_a_millisecond_goes_on_inside_it(hubspot: Any) -> None:
    hubspot.contacts(1_000, stamp=LONG_AGO)
    first = list(itertools.islice(hubspot.open().read("contacts", None, (), hubspot.settled()), 3))
    rest = pages(hubspot, first[-1].cursor)
    assert set(keys(first)) | set(keys(rest)) == hubspot.keys()
    assert len(keys(rest)) <= 1_000 - 400


def test_row_that_is_edited_while_we_read_hides_no_other(hubspot: Any) -> None:
    """By page number every later row would move up by one, and one of them past us."""
    hubspot.contacts(900)
    ordered = sorted(hubspot.keys(), key=int)
    reading = hubspot.open().read("contacts", None, (), hubspot.settled())
    met = [next(reading)]
    for key in ordered[:150]:
        hubspot.edit(key)
    hubspot.state.clock.advance(10)
    met += list(reading)
    assert set(ordered[150:]) <= set(keys(met))
    later = pages(hubspot, met[-1].cursor)
    assert set(ordered[:150]) <= set(keys(later))


def test_row_that_the_index_learns_of_late_is_read_by_the_lookback(hubspot: Any) -> None:
    hubspot.contacts(10)
    cursor = pages(hubspot)[-1].cursor
    through = datetime.fromisoformat(cursor["through"])
    [late] = hubspot.contacts(1, stamp=through - timedelta(minutes=30), lastname="Late")
    assert late in keys(pages(hubspot, cursor))


def test_unsettled_row_waits_for_the_next_read(hubspot: Any) -> None:
    hubspot.contacts(10)
    hubspot.settled()
    now = hubspot.state.clock.now()
    [fresh] = hubspot.contacts(1, stamp=now - timedelta(seconds=3))
    read = list(hubspot.open().read("contacts", None, (), now))
    assert fresh not in keys(read)
    assert fresh in keys(pages(hubspot, read[-1].cursor))


def test_loser_of_a_merge_comes_as_deleted(hubspot: Any) -> None:
    winner, loser = hubspot.contacts(2)
    cursor = pages(hubspot)[-1].cursor
    contacts = hubspot.state.tables["contacts"]
    contacts.delete(loser, actor="hand")
    contacts.update(winner, {"hs_merged_object_ids": loser}, actor="hand")
    gone = [r for page in pages(hubspot, cursor) for r in page.records if r.deleted]
    assert [(r.key, dict(r.data)) for r in gone] == [(loser, {"merged_into": winner})]


def test_contact_archived_during_a_crashed_read_still_surfaces(hubspot: Any) -> None:
    contacts = hubspot.contacts(700)
    done = pages(hubspot)[-1].cursor
    for key in contacts[:500]:
        hubspot.edit(key)
    hubspot.state.clock.advance(600)
    reading = hubspot.open().read("contacts", done, (), hubspot.settled())
    first = next(reading)
    reading.close()
    hubspot.delete(contacts[-1])
    gone = [r.key for page in pages(hubspot, first.cursor) for r in page.records if r.deleted]
    assert gone == [contacts[-1]]


def test_property_the_portal_lacks_is_left_out_and_reported(hubspot: Any) -> None:
    hubspot.contacts(3)
    portal = hubspot.open()
    [*_, last] = portal.read("contacts", None, ("email", "shoe_size"), hubspot.settled())
    assert last.cursor["stamp"] is None
    assert any("shoe_size" in note for note in portal.check().notes)


def test_many_properties_do_not_make_a_long_address(hubspot: Any) -> None:
    hubspot.contacts(3)
    names = tuple(f"property_number_{serial}_with_a_long_name" for serial in range(400))
    assert len(keys(pages(hubspot, None, names))) == 3


def test_cursor_of_somebody_else_is_refused(hubspot: Any) -> None:
    with pytest.raises(ContractBroken, match="cursor"):
        pages(hubspot, {"after": "400"})


def scripted_portal(scripted: Callable[..., Any], budget: Any, search: Callable[[Mapping[str, Any]], Any]) -> Any:
    server = scripted()

    def answer(exchange: Any) -> Any:
        if exchange.path.startswith("/crm/v3/properties"):
            return 200, {"results": [{"name": name} for name in ("email", "hs_object_id", "lastmodifieddate")]}
        if exchange.path.endswith("/search"):
            return 200, search(exchange.json())
        return 200, {"results": []}

    server.answer = answer
    return open_connector("hubspot", "hs", {"url": server.url, "access_token": "t"}, budget), server


def row(key: int, stamp: datetime) -> Mapping[str, Any]:
    text = stamp.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"id": str(key), "properties": {"lastmodifieddate": text}, "createdAt": text, "updatedAt": text}


def test_rows_newer_than_asked_are_left_to_the_next_window(scripted: Callable[..., Any], budget: Any) -> None:
    """The index answers by the stamp it knows, with the values of today."""
    found = [row(1, LONG_AGO), row(2, AS_OF + timedelta(minutes=1)), row(3, LONG_AGO + timedelta(hours=1))]
    portal, _ = scripted_portal(scripted, budget, lambda _: {"total": 3, "results": found})
    assert keys(list(portal.read("contacts", None, (), AS_OF))) == ["1", "3"]


def test_index_that_only_gives_newer_rows_ends_in_an_error_not_in_a_loop(
    scripted: Callable[..., Any], budget: Any
) -> None:
    newer = [row(key, AS_OF + timedelta(minutes=1)) for key in range(200)]
    portal, server = scripted_portal(scripted, budget, lambda _: {"total": 90_000, "results": newer})
    with pytest.raises(Unavailable, match="too far behind"):
        list(portal.read("contacts", None, (), AS_OF))
    assert len(server.paths("/search")) <= 50


def test_search_that_promises_rows_and_gives_none_is_an_error(scripted: Callable[..., Any], budget: Any) -> None:
    portal, _ = scripted_portal(scripted, budget, lambda _: {"total": 7, "results": []})
    with pytest.raises(Unavailable, match="promised 7 rows"):
        list(portal.read("contacts", None, (), AS_OF))


def test_requests_use_one_sort_and_exact_milliseconds(scripted: Callable[..., Any], budget: Any) -> None:
    portal, server = scripted_portal(scripted, budget, lambda _: {"total": 0, "results": []})
    list(portal.read("contacts", None, ("email",), AS_OF))
    body = server.paths("/search")[0].json()
    [low, high] = body["filterGroups"][0]["filters"]
    assert body["sorts"] == ["lastmodifieddate"]
    assert (low["operator"], low["value"]) == ("GTE", "0")
    assert (high["operator"], high["value"]) == ("LTE", str(int((AS_OF.timestamp() - 10) * 1000)))
    assert body["limit"] == 200
