"""Reading an org: nothing lost, nothing twice for ever, whatever happens in the middle."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors._watermark import Span
from connectors.salesforce.soql import window_query
from onevoice.errors import ContractBroken, PermissionMissing
from onevoice.protocols import Field, Page, Write

AS_OF = datetime(2026, 11, 22, 9, tzinfo=UTC)
LONG_AGO = AS_OF - timedelta(days=30)


def pages(rig: Any, cursor: Any = None, fields: tuple[str, ...] = ("LastName",)) -> list[Page]:
    return list(rig.open().read("Contact", cursor, fields, rig.settled()))


def keys(read: list[Page]) -> list[str]:
    return [record.key for page in read for record in page.records]


@pytest.mark.parametrize("after", [1, 3, 5])
def test_crash_among_rows_of_one_stamp_goes_on_among_them(salesforce: Any, after: int) -> None:
    """A reader by stamp alone loses the rest of the tie, or reads it from its beginning for ever."""
    salesforce.contacts(11_000, stamp=LONG_AGO)
    first = list(itertools.islice(salesforce.open().read("Contact", None, (), salesforce.settled()), after))
    rest = pages(salesforce, first[-1].cursor)
    assert sorted(keys(first) + keys(rest)) == sorted(salesforce.keys())


def test_every_row_comes_once_in_the_order_of_stamp_and_id(salesforce: Any) -> None:
    salesforce.contacts(2_500)
    salesforce.contacts(2_500, stamp=LONG_AGO)
    read = pages(salesforce)
    assert sorted(keys(read)) == sorted(salesforce.keys())
    stamps = [record.updated_at for page in read for record in page.records]
    assert stamps == sorted(stamps)  # type: ignore[type-var]


def test_row_that_became_visible_late_is_read_by_the_lookback(salesforce: Any) -> None:
    """A transaction commits minutes after its stamp; a reader of `> cursor` never sees it."""
    salesforce.contacts(10)
    cursor = pages(salesforce)[-1].cursor
    through = datetime.fromisoformat(cursor["through"])
    [late] = salesforce.contacts(1, stamp=through - timedelta(minutes=5))
    assert late in keys(pages(salesforce, cursor))


def test_late_row_is_not_lost_by_a_crash_either(salesforce: Any) -> None:
    salesforce.contacts(2_500)
    reading = salesforce.open().read("Contact", None, (), salesforce.settled())
    cursor = next(reading).cursor
    reading.close()
    through = datetime.fromisoformat(cursor["through"])
    [late] = salesforce.contacts(1, stamp=through - timedelta(minutes=5))
    last = pages(salesforce, cursor)[-1].cursor
    again = pages(salesforce, last)
    assert late in keys(pages(salesforce, cursor)) or late in keys(again)


def test_unsettled_row_waits_for_the_next_read(salesforce: Any) -> None:
    salesforce.contacts(10)
    salesforce.settled()
    now = salesforce.state.clock.now()
    [fresh] = salesforce.contacts(1, stamp=now - timedelta(seconds=1))
    read = list(salesforce.open().read("Contact", None, (), now))
    assert fresh not in keys(read)
    assert fresh in keys(pages(salesforce, read[-1].cursor))


def test_lost_place_in_the_result_is_found_again(salesforce: Any) -> None:
    """The vendor closes a result set when the eleventh is opened."""
    salesforce.contacts(9_000)
    org = salesforce.open()
    reading = org.read("Contact", None, (), salesforce.settled())
    met = [next(reading)]
    for _ in range(11):
        next(org.read("Contact", None, (), salesforce.settled()))
    met += list(reading)
    assert sorted(keys(met)) == sorted(salesforce.keys())


def test_expired_session_in_the_middle_of_a_read_is_renewed(salesforce: Any) -> None:
    salesforce.contacts(9_000)
    salesforce.state.faults.expire_tokens = True
    assert sorted(keys(pages(salesforce))) == sorted(salesforce.keys())
    assert salesforce.state.calls.summary()["token_expired"] >= 1


def test_merged_contact_comes_as_deleted_with_its_winner(salesforce: Any) -> None:
    winner, loser = salesforce.contacts(2)
    cursor = pages(salesforce)[-1].cursor
    table = salesforce.state.tables["Contact"]
    table.update(loser, {"IsDeleted": True, "MasterRecordId": winner}, actor="hand")
    [gone] = [record for page in pages(salesforce, cursor) for record in page.records]
    assert (gone.key, gone.deleted, gone.data["MasterRecordId"]) == (loser, True, winner)


def test_field_the_org_lacks_is_left_out_and_reported(salesforce: Any) -> None:
    salesforce.contacts(2)
    org = salesforce.open()
    asked = ("LastName", "ShoeSize__c", "Id FROM Contact --")
    [page] = org.read("Contact", None, asked, salesforce.settled())
    assert "ShoeSize__c" not in page.records[0].data
    assert any("ShoeSize__c" in note for note in org.check().notes)


def test_field_that_appears_is_read_from_then_on(salesforce: Any) -> None:
    """A description that is kept from the start hides new fields."""
    [key] = salesforce.contacts(1)
    org = salesforce.open()
    list(org.read("Contact", None, ("onevoice_tier__c",), salesforce.settled()))
    salesforce.open().provision([Field("Contact", "onevoice_tier__c", "text", "Tier")], dry_run=False)
    salesforce.open().write("Contact", [Write(key, {"onevoice_tier__c": "Gold"})])
    [page] = org.read("Contact", None, ("onevoice_tier__c",), salesforce.settled())
    assert page.records[0].data["onevoice_tier__c"] == "Gold"


@pytest.mark.parametrize(
    "stream", ["Case", "LoyaltyProgram", "LoyaltyProgramMember", "LoyaltyMemberCurrency", "LoyaltyMemberTier"]
)
def test_every_stream_can_be_read(salesforce: Any, stream: str) -> None:
    key = salesforce.state.tables[stream].insert({"IsDeleted": False}, stamp=LONG_AGO, actor="seed")
    [page] = salesforce.open().read(stream, None, (), salesforce.settled())
    assert [record.key for record in page.records] == [key]


def test_fetch_answers_for_short_ids_and_for_what_is_not_an_id(salesforce: Any) -> None:
    [key] = salesforce.contacts(1)
    found = list(salesforce.open().fetch("Contact", [key[:15], "//evil.example/"], ["LastName"]))
    assert [(record.key, record.deleted) for record in found] == [(key[:15], False), ("//evil.example/", True)]


def test_standard_field_that_is_hidden_cannot_be_made(salesforce: Any) -> None:
    with pytest.raises(PermissionMissing, match=r"Contact\.HasOptedOutOfFax"):
        salesforce.open().provision([Field("Contact", "HasOptedOutOfFax", "boolean", "Fax")], dry_run=True)


@pytest.mark.parametrize("kind", ["text", "integer", "decimal", "boolean", "date", "datetime"])
def test_every_type_of_field_can_be_made(salesforce: Any, kind: str) -> None:
    org = salesforce.open()
    field = Field("Contact", "onevoice_x__c", kind, "X")
    assert org.provision([field], dry_run=False) == [f"salesforce: created Contact.onevoice_x__c ({kind})"]
    assert org.provision([field], dry_run=False) == []


def test_cursor_of_somebody_else_is_refused(salesforce: Any) -> None:
    with pytest.raises(ContractBroken, match="cursor"):
        pages(salesforce, {"locator": "01g"})


def test_query_has_an_upper_bound_and_a_tie_break() -> None:
    span = Span(AS_OF, AS_OF - timedelta(hours=1), "003Qy0000000001AAA")
    assert window_query("Contact", ["Id", "Email"], "SystemModstamp", span) == (
        "SELECT Id, Email FROM Contact WHERE SystemModstamp <= 2026-11-22T09:00:00.000Z AND "
        "(SystemModstamp > 2026-11-22T08:00:00.000Z OR "
        "(SystemModstamp = 2026-11-22T08:00:00.000Z AND Id > '003Qy0000000001AAA')) ORDER BY SystemModstamp, Id"
    )


def test_hostile_id_in_a_cursor_does_not_reach_a_query() -> None:
    with pytest.raises(ValueError, match="record id"):
        window_query("Contact", ["Id"], "SystemModstamp", Span(AS_OF, AS_OF, "' OR Id != '"))
