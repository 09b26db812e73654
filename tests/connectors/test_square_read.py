"""Reading a Square seller: what its search hides, shows late or cannot be asked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from connectors._http import HttpClient
from onevoice.errors import ContractBroken, PermissionMissing
from onevoice.sandbox.square import merge_customers
from onevoice.sandbox.square.tables import square_stamp

ATTRIBUTES = "/custom-attributes"
TIER = "custom_attributes.onevoice_tier"


def finished(square: Any) -> Any:
    """The cursor of a first read after which everything has settled."""
    square.later(hours=2)
    return square.read("customers")[1]


def test_a_customer_comes_with_attributes_and_groups_as_asked(square) -> None:
    with_all, bare = square.contacts(2)
    square.put(with_all, "onevoice_tier", "gold")
    square.open().write("customers", [square.good(bare, 1)])
    square.later(hours=2)
    found, _ = square.read("customers")
    assert found[with_all].data["custom_attributes"] == {"onevoice_tier": "gold"}
    assert found[with_all].data["in_group"] == {"onevoice_no_join": False}
    assert found[bare].data["custom_attributes"] == {"onevoice_tier": "tier 1", "onevoice_tier_until": "2027-01-01"}
    assert found[bare].data["in_group"] == {"onevoice_no_join": True}
    assert found[bare].data["email_address"] == "jane.moss.1@example.org"
    assert found[bare].updated_at is not None


def test_a_read_without_attributes_asks_for_none(square) -> None:
    key, *_ = square.contacts(3)
    square.put(key, "onevoice_tier", "gold")
    pages = square.open().read("customers", None, ["family_name"], square.later(hours=2))
    [record] = [record for page in pages for record in page.records if record.key == key]
    assert record.data["custom_attributes"] == record.data["in_group"] == {}
    assert square.paths(ATTRIBUTES) == square.paths("custom-attribute-definitions") == square.paths("groups") == []


def test_a_first_read_asks_only_holders_for_their_attributes(square) -> None:
    keys = square.contacts(45)
    square.put(keys[7], "onevoice_tier", "gold")
    square.later(hours=2)
    found, _ = square.read("customers")
    assert len(found) == 45
    assert square.paths(f"/{keys[7]}{ATTRIBUTES}") == square.paths(ATTRIBUTES)[-1:]
    assert len([path for path in square.paths(ATTRIBUTES) if path.startswith("GET /v2/customers/")]) == 1


def test_an_attribute_nobody_defined_is_on_nobody(square) -> None:
    square.contacts(1)
    fields = ["custom_attributes.onevoice_never_made"]
    [page, _] = square.open().read("customers", None, fields, square.later(hours=2))
    assert page.records[0].data["custom_attributes"] == {}


def test_a_change_that_the_search_shows_late_is_read(square) -> None:
    key, *_ = square.contacts(3)
    cursor = finished(square)
    square.edit(key)
    square.later(seconds=15)
    found, cursor = square.read("customers", cursor)
    assert found == {}, "the search cannot show it yet"
    square.later(seconds=30)
    found, _ = square.read("customers", cursor)
    assert found[key].data["family_name"] == "Edited"


def test_an_attribute_changed_by_hand_is_read(square) -> None:
    first, second = square.contacts(2)
    cursor = finished(square)
    square.put(second, "onevoice_tier", "gold")
    square.later(hours=1)
    square.asked.clear()
    found, _ = square.read("customers", cursor)
    assert {key: record.data["custom_attributes"] for key, record in found.items()} == {
        second: {"onevoice_tier": "gold"}
    }
    assert square.paths(f"{first}{ATTRIBUTES}") == []


def test_an_attribute_deleted_by_hand_is_read(square) -> None:
    keys = square.contacts(45)
    for key in keys:
        square.put(key, "onevoice_tier", "gold")
    cursor = finished(square)
    lost = keys[:30]
    for key in lost:
        square.put(key, "onevoice_tier", None)
    square.delete(lost[0])
    square.later(hours=1)
    found, cursor = square.read("customers", cursor)
    assert {key for key, record in found.items() if record.deleted} == {lost[0]}
    assert {key: record.data.get("custom_attributes") for key, record in found.items()} == {
        lost[0]: None,
        **{key: {} for key in lost[1:]},
    }
    square.later(hours=1)
    assert square.read("customers", cursor)[0] == {}, "an event is told once"


def test_a_crash_within_a_window_goes_on_inside_it(square) -> None:
    keys = square.contacts(75)
    cursor = finished(square)
    for key in keys:
        square.edit(key)
    as_of = square.later(hours=1)
    pages = list(square.open().read("customers", cursor, square.fields, as_of))
    assert {record.key for page in pages for record in page.records} == set(keys)
    before = {record.key for page in pages[:2] for record in page.records}
    square.edit(keys[0])
    square.later(hours=1)
    after, _ = square.read("customers", pages[1].cursor)
    assert before | after.keys() == set(keys)
    assert keys[0] in after, "it changed after the crash"
    assert len(before & after.keys()) <= 3, "the window began at its beginning"


def test_more_customers_of_one_moment_than_a_page_holds(square) -> None:
    keys = {*square.contacts(50, stamp=square.state.clock.now() - timedelta(days=3)), *square.contacts(10)}
    square.later(hours=2)
    found, _ = square.read("customers")
    assert found.keys() == keys


def test_a_merged_customer_comes_as_deleted_with_the_new_one(square) -> None:
    one, two, other = square.contacts(3)
    cursor = finished(square)
    new = merge_customers(square.state, [one, two])
    square.delete(other)
    square.later(hours=1)
    found, _ = square.read("customers", cursor)
    assert {key: (record.deleted, record.merged_into) for key, record in found.items()} == {
        one: (True, new),
        two: (True, new),
        other: (True, ""),
        new: (False, ""),
    }


def test_a_point_read_of_a_merged_customer_names_the_new_one(square) -> None:
    one, two = square.contacts(2)
    new = merge_customers(square.state, [one, two])
    square.put(new, "onevoice_tier", "gold")
    asked = [one, "NOBODY", new]
    records = list(square.open().fetch("customers", asked, square.fields))
    assert [(record.key, record.deleted, record.merged_into) for record in records] == [
        (one, True, new),
        ("NOBODY", True, ""),
        (new, False, ""),
    ]
    assert records[2].data["custom_attributes"] == {"onevoice_tier": "gold"}


def test_a_cursor_of_another_stream_and_an_unknown_stream_are_refused(square) -> None:
    with pytest.raises(ContractBroken, match="reset the stream"):
        square.read("customers", {"swept_at": None, "stamp": None})
    with pytest.raises(ContractBroken, match="reset the stream"):
        square.read("loyalty_accounts", {"stamp": None})
    with pytest.raises(ContractBroken, match="no such stream"):
        square.read("payments")


def order(square: Any, location: str, created: Any, *, arrived: Any = None, **more: Any) -> str:
    """A sale; `arrived` is when Square got it, long ago where it is None."""
    row = {"location_id": location, "state": "COMPLETED", "created_at": square_stamp(created), "line_items": [], **more}
    return str(square.state.tables["orders"].insert(row, stamp=arrived or created, actor="seed"))


def test_an_order_that_a_till_hands_in_late_is_read(square) -> None:
    now = square.later(hours=2)
    known = order(square, "L01", now - timedelta(days=10))
    found, cursor = square.read("orders")
    assert found.keys() == {known}
    square.later(hours=70)
    _, cursor = square.read("orders", cursor)
    late = order(square, "L01", now + timedelta(minutes=1), customer_id="C1")
    square.later(hours=1)
    found, _ = square.read("orders", cursor)
    assert found[late].data["customer_id"] == "C1"
    assert known not in found


def test_orders_of_many_stores_are_read_ten_at_a_time(square) -> None:
    now = square.later(hours=2)
    stores = [f"L{number:02d}" for number in range(1, 24)]
    for store in stores[1:]:
        status = "INACTIVE" if store == "L05" else "ACTIVE"
        square.state.tables["locations"].insert({"name": store, "status": status}, now, store, "seed")
    keys = {order(square, store, now - timedelta(days=9 + serial)) for serial, store in enumerate(stores, start=1)}
    pages = list(square.open().read("orders", None, (), square.state.clock.now()))
    assert {record.key for page in pages for record in page.records} == keys
    assert [len(body["location_ids"]) for body in square.sent("/v2/orders/search")] == [10, 10, 3]
    square.asked.clear()
    again, _ = square.read("orders", pages[1].cursor)
    assert not {record.key for record in pages[0].records} & again.keys(), "the first ten were done"
    assert {record.key for page in pages[2:] for record in page.records} <= again.keys()


def test_a_point_read_of_orders(square) -> None:
    key = order(square, "L01", square.later(hours=1))
    records = list(square.open().fetch("orders", ["NONE", key], ()))
    assert [(record.key, record.deleted) for record in records] == [("NONE", True), (key, False)]


def accounts(square: Any, count: int) -> list[str]:
    """Loyalty accounts that have long been there."""
    since = square.state.clock.now() - timedelta(days=90)
    return [
        square.state.tables["loyalty_accounts"].insert(
            {"program_id": "P1", "balance": 10, "lifetime_points": 10, "mapping": {"phone_number": "+447700900123"}},
            stamp=since + timedelta(seconds=serial),
            actor="seed",
        )
        for serial in range(count)
    ]


def earn(square: Any, account: str) -> None:
    """Points, with their entry in the ledger."""
    square.state.tables["loyalty_accounts"].update(account, {"balance": 99}, actor="hand")
    entry = {"type": "ADJUST_POINTS", "loyalty_account_id": account, "source": "SQUARE"}
    at = square_stamp(square.state.clock.now())
    entry |= {"adjust_points": {"points": 89}, "created_at": at}
    square.state.tables["loyalty_events"].insert(entry, actor="hand")


def test_changed_accounts_are_found_by_their_events(square) -> None:
    keys = accounts(square, 900)
    square.later(hours=1)
    found, cursor = square.read("loyalty_accounts")
    assert found.keys() == set(keys)
    assert len(square.sent("/v2/loyalty/accounts/search")) == 5
    square.asked.clear()
    square.later(hours=1)
    assert square.read("loyalty_accounts", cursor)[0] == {}
    earn(square, keys[5])
    square.state.tables["loyalty_accounts"].update(keys[6], {"customer_id": "C6"}, actor="hand")
    square.later(minutes=5)
    found, cursor = square.read("loyalty_accounts", cursor)
    assert {key: record.data["balance"] for key, record in found.items()} == {keys[5]: 99, keys[6]: 10}
    assert square.sent("/v2/loyalty/accounts/search") == []
    square.state.tables["loyalty_accounts"].delete(keys[7], actor="hand")
    square.later(minutes=30)
    found, _ = square.read("loyalty_accounts", cursor)
    assert [key for key, record in found.items() if record.deleted] == [keys[7]]


def test_all_accounts_are_taken_again_after_a_day(square) -> None:
    keys = accounts(square, 450)
    square.later(hours=1)
    _, cursor = square.read("loyalty_accounts")
    square.later(hours=23)
    assert square.read("loyalty_accounts", cursor)[0] == {}
    square.later(hours=2)
    assert square.read("loyalty_accounts", cursor)[0].keys() == set(keys)


def test_all_accounts_are_taken_where_that_is_cheaper(square) -> None:
    keys = accounts(square, 450)
    square.later(hours=1)
    _, cursor = square.read("loyalty_accounts")
    for key in keys[:5]:
        earn(square, key)
    square.later(hours=1)
    square.asked.clear()
    assert square.read("loyalty_accounts", cursor)[0].keys() == set(keys)
    assert [path for path in square.paths("/loyalty/accounts/") if path.startswith("GET")] == []


def test_a_crash_while_all_accounts_are_taken_takes_them_again(square) -> None:
    keys = accounts(square, 450)
    pages = list(square.open().read("loyalty_accounts", None, (), square.later(hours=1)))
    found, _ = square.read("loyalty_accounts", pages[0].cursor)
    assert found.keys() == set(keys)


def test_check_says_when_events_may_not_be_searched(square, scripted, budget) -> None:
    assert square.open().check().notes == ()
    assert square.open().check().account == "M1"
    server = scripted()
    square.settings = {**square.settings, "url": server.url}
    forbidden = {"errors": [{"category": "AUTHENTICATION_ERROR", "code": "INSUFFICIENT_SCOPES"}]}

    def answer(request: Any) -> tuple[int, Any]:
        return (403, forbidden) if request.path == "/v2/events" else (200, {"locations": [{"id": "L1"}]})

    server.answer = answer
    assert "may not search events" in square.open().check().notes[0]
    assert {request.headers["Square-Version"] for request in server.requests} == {"2025-08-20"}


def test_where_events_may_not_be_searched_the_rest_is_read(square, monkeypatch) -> None:
    [key] = square.contacts(1)
    cursor = finished(square)
    square.edit(key)
    square.later(hours=1)
    calls = HttpClient.call

    def forbidden(self: HttpClient, kind: str, method: str, path: str, **more: Any) -> Any:
        if path == "/v2/events":
            raise PermissionMissing("square: not allowed")
        return calls(self, kind, method, path, **more)

    monkeypatch.setattr(HttpClient, "call", forbidden)
    assert square.read("customers", cursor)[0].keys() == {key}


def test_new_fields_of_a_profile_are_kept(square) -> None:
    [key] = square.contacts(1, note="new here")
    square.later(hours=2)
    assert square.read("customers")[0][key].data["note"] == "new here"
