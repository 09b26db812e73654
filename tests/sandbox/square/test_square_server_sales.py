"""Orders, locations, loyalty: searched, paged, moved; every request and answer is judged by Square's description."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from onevoice.sandbox.square.points import next_deadlines
from onevoice.sandbox.square.tables import square_stamp

INVALID = "INVALID_REQUEST_ERROR"
AS_OF = datetime(2026, 11, 22, 9, tzinfo=UTC)


def codes(answer):
    return [(error["category"], error["code"]) for error in answer["errors"]]


@pytest.fixture
def shop(seller):
    """A seller with two places."""
    for key, name in (("L1", "Leeds"), ("L2", "Bath")):
        seller.add("locations", {"name": name, "status": "ACTIVE", "country": "GB", "currency": "GBP"}, key)
    return seller


def order(shop, hours, **fields):
    """An order made so many hours ago, closed at once."""
    at = AS_OF - timedelta(hours=hours)
    money = {"amount": 4_999, "currency": "GBP"}
    line = {
        "uid": "1",
        "name": "Boots",
        "quantity": "1",
        "metadata": {"category": "shoes"},
        **dict.fromkeys(("base_price_money", "gross_sales_money", "total_money"), money),
        "total_discount_money": {"amount": 0, "currency": "GBP"},
    }
    row = {
        "location_id": "L1",
        "state": "COMPLETED",
        "created_at": square_stamp(at),
        "closed_at": square_stamp(at),
        "line_items": [line],
        "total_money": money,
        **fields,
    }
    return shop.state.tables["orders"].insert(row, stamp=at, actor="seed")


def searched(shop, sort="CREATED_AT", order="ASC", locations=("L1", "L2"), **filters):
    query = {"filter": filters, "sort": {"sort_field": sort, "sort_order": order}}
    answer = shop.post("orders/search", {"location_ids": list(locations), "query": query})
    return [one["id"] for one in answer.get("orders", [])]


def test_locations(shop):
    assert [one["name"] for one in shop.get("locations")["locations"]] == ["Bath", "Leeds"]
    assert shop.get("locations/L1")["location"]["id"] == "L1"
    assert codes(shop.get("locations/L3", 404)) == [(INVALID, "NOT_FOUND")]


def test_orders_are_found_and_sorted(shop):
    old, new = (
        order(shop, 5, customer_id="C1", source={"name": "Till"}),
        order(shop, 2, location_id="L2", state="OPEN", closed_at=None),
    )
    assert searched(shop) == [old, new]
    assert searched(shop, order="DESC") == [new, old]
    assert searched(shop, sort="CLOSED_AT") == [old]
    assert searched(shop, locations=["L2"]) == [new]
    assert searched(shop, state_filter={"states": ["OPEN", "CANCELED"]}) == [new]
    assert searched(shop, customer_filter={"customer_ids": ["C1"]}) == [old]
    assert searched(shop, source_filter={"source_names": ["Till"]}) == [old]
    at = shop.row("orders", old)["created_at"]
    assert searched(shop, date_time_filter={"created_at": {"start_at": at, "end_at": at}}) == [old]
    assert searched(shop, date_time_filter={"created_at": {"end_at": "2020-01-01T00:00:00Z"}}) == []


def test_an_order_taken_offline_arrives_late(shop):
    order(shop, 2)
    since = {"start_at": square_stamp(shop.state.clock.now())}
    made = square_stamp(AS_OF - timedelta(hours=70))
    late = shop.state.tables["orders"].insert({"location_id": "L1", "state": "OPEN", "created_at": made}, actor="till")
    assert searched(shop, date_time_filter={"created_at": since}) == []
    assert searched(shop, sort="UPDATED_AT", date_time_filter={"updated_at": since}) == [late]
    assert shop.get(f"orders/{late}")["order"]["created_at"] == made


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"location_ids": []}, "ARRAY_EMPTY"),
        ({"location_ids": None}, "MISSING_REQUIRED_PARAMETER"),
        ({"location_ids": ["L1"] * 11}, "ARRAY_LENGTH_TOO_LONG"),
        ({"location_ids": ["L9"]}, "INVALID_VALUE"),
        ({"limit": 1_001}, "VALUE_TOO_HIGH"),
        (
            {"query": {"filter": {"date_time_filter": {"updated_at": {"start_at": "2026-01-01T00:00:00Z"}}}}},
            "BAD_REQUEST",
        ),
        ({"query": {"filter": {"state_filter": {"states": ["PAID"]}}}}, "INVALID_ENUM_VALUE"),
        ({"query": {"sort": {"sort_field": "NAME"}}}, "INVALID_ENUM_VALUE"),
    ],
)
def test_bad_order_searches(shop, change, code):
    assert codes(shop.post("orders/search", {"location_ids": ["L1"], **change}, 400)) == [(INVALID, code)]


def test_order_pages_end_where_the_first_page_saw_the_end(shop):
    keys = [order(shop, hours) for hours in range(30, 0, -1)]
    sort = {"sort_field": "UPDATED_AT", "sort_order": "ASC"}
    body = {"location_ids": ["L1"], "query": {"sort": sort}, "limit": 20}
    first = shop.post("orders/search", body)
    shop.state.tables["orders"].update(keys[0], {"state": "CANCELED"}, actor="hand")
    rest = shop.post("orders/search", {**body, "cursor": first["cursor"]})
    assert [one["id"] for one in (*first["orders"], *rest["orders"])] == keys
    assert "cursor" not in rest
    answer = shop.post("orders/search", {**body, "location_ids": ["L2"], "cursor": first["cursor"]}, 400)
    assert codes(answer) == [(INVALID, "INVALID_CURSOR")]


def test_order_entries_and_batches(shop):
    one, two = order(shop, 3, version=4), order(shop, 2, location_id="L2")
    body = {"location_ids": ["L1"], "return_entries": True}
    assert shop.post("orders/search", body) == {"order_entries": [{"order_id": one, "location_id": "L1", "version": 4}]}
    found = shop.post("orders/batch-retrieve", {"order_ids": [two, "unknown", one]})["orders"]
    assert [found_one["id"] for found_one in found] == [two, one]
    assert shop.post("orders/batch-retrieve", {"order_ids": [two], "location_id": "L1"}) == {}
    too_many = shop.post("orders/batch-retrieve", {"order_ids": ["x"] * 101}, 400)
    assert codes(too_many) == [(INVALID, "ARRAY_LENGTH_TOO_LONG")]
    assert codes(shop.get("orders/unknown", 404)) == [(INVALID, "NOT_FOUND")]


@pytest.fixture
def club(shop):
    """A seller with a programme: a point for every pound, good for a year."""
    spend = {"amount_money": {"amount": 100, "currency": "GBP"}, "tax_mode": "AFTER_TAX"}
    program = {
        "status": "ACTIVE",
        "terminology": {"one": "Point", "other": "Points"},
        "accrual_rules": [{"accrual_type": "SPEND", "points": 1, "spend_data": spend}],
        "expiration_policy": {"expiration_duration": "P12M"},
        "location_ids": ["L1", "L2"],
    }
    shop.program = shop.add("loyalty_programs", program)
    return shop


def account(club, n=1, **fields):
    mapping = {"id": f"m{n}", "phone_number": f"+44770090{n:04}", "created_at": square_stamp(AS_OF)}
    created = square_stamp(AS_OF - timedelta(days=400 - n))
    row = {"program_id": club.program, "mapping": mapping, "balance": 0, "lifetime_points": 0, "created_at": created}
    return club.add("loyalty_accounts", {**row, **fields})


def test_the_programme(club):
    main = club.get("loyalty/programs/main")["program"]
    assert main == club.get(f"loyalty/programs/{club.program}")["program"]
    assert club.get("loyalty/programs")["programs"] == [main]
    assert codes(club.get("loyalty/programs/other", 404)) == [(INVALID, "NOT_FOUND")]


def test_accounts_are_found_oldest_first(club):
    keys = [account(club, n, customer_id=f"C{n}") for n in range(1, 41)]
    first = club.post("loyalty/accounts/search", {})
    rest = club.post("loyalty/accounts/search", {"query": {}, "limit": 200, "cursor": first["cursor"]})
    assert [one["id"] for one in (*first["loyalty_accounts"], *rest["loyalty_accounts"])] == keys
    assert "cursor" not in rest
    by_customer = {"query": {"customer_ids": ["C3", "C2", "C99"]}}
    assert [one["id"] for one in club.post("loyalty/accounts/search", by_customer)["loyalty_accounts"]] == keys[1:3]
    by_phone = {"query": {"mappings": [{"phone_number": "+447700900005"}]}}
    assert [one["id"] for one in club.post("loyalty/accounts/search", by_phone)["loyalty_accounts"]] == [keys[4]]
    assert club.post("loyalty/accounts/search", {"query": {"customer_ids": ["C99"]}}) == {}
    both = {"query": {**by_phone["query"], **by_customer["query"]}}
    assert codes(club.post("loyalty/accounts/search", both, 400)) == [(INVALID, "CONFLICTING_PARAMETERS")]
    assert codes(club.post("loyalty/accounts/search", {"limit": 201}, 400)) == [(INVALID, "VALUE_TOO_HIGH")]
    many = {"query": {"customer_ids": ["C1"] * 31}}
    assert codes(club.post("loyalty/accounts/search", many, 400)) == [(INVALID, "ARRAY_LENGTH_TOO_LONG")]


def test_an_account_is_for_one_number(club):
    told = {"program_id": club.program, "mapping": {"phone_number": "+447700900123"}, "customer_id": "C1"}
    body = {"loyalty_account": told, "idempotency_key": "k"}
    made = club.post("loyalty/accounts", body)["loyalty_account"]
    assert club.post("loyalty/accounts", body)["loyalty_account"] == made
    assert (made["balance"], made["customer_id"]) == (0, "C1")
    assert codes(club.post("loyalty/accounts", {**body, "idempotency_key": "l"}, 400)) == [(INVALID, "BAD_REQUEST")]
    told["mapping"] = {"phone_number": "07700"}
    assert codes(club.post("loyalty/accounts", {**body, "idempotency_key": "m"}, 400)) == [
        (INVALID, "INVALID_PHONE_NUMBER")
    ]


def test_points_are_earned_once(club):
    key = account(club)
    body = {"accumulate_points": {"points": 30}, "idempotency_key": "k", "location_id": "L1"}
    (event,) = club.post(f"loyalty/accounts/{key}/accumulate", body)["events"]
    assert club.post(f"loyalty/accounts/{key}/accumulate", body)["events"] == [event]
    assert event["accumulate_points"] == {"loyalty_program_id": club.program, "points": 30}
    held = club.get(f"loyalty/accounts/{key}")["loyalty_account"]
    assert (held["balance"], held["lifetime_points"]) == (30, 30)
    assert held["expiring_point_deadlines"] == [{"points": 30, "expires_at": "2027-12-01T00:00:00.000Z"}]
    assert held["created_at"] < held["enrolled_at"] <= held["updated_at"]
    other = {**body, "accumulate_points": {"points": 31}}
    assert codes(club.post(f"loyalty/accounts/{key}/accumulate", other, 400)) == [(INVALID, "IDEMPOTENCY_KEY_REUSED")]


def test_points_for_an_order(club):
    key, bought = account(club), order(club, 1)
    body = {"accumulate_points": {"order_id": bought}, "location_id": "L1"}
    (event,) = club.post(f"loyalty/accounts/{key}/accumulate", {**body, "idempotency_key": "k"})["events"]
    assert event["accumulate_points"]["points"] == 49
    again = club.post(f"loyalty/accounts/{key}/accumulate", {**body, "idempotency_key": "l"}, 400)
    assert codes(again) == [(INVALID, "BAD_REQUEST")]
    by_order = {"query": {"filter": {"order_filter": {"order_id": bought}}}}
    assert [one["id"] for one in club.post("loyalty/events/search", by_order)["events"]] == [event["id"]]


def test_points_by_hand(club):
    key = account(club, balance=10, expiring_point_deadlines=[{"points": 10, "expires_at": "2027-01-01T00:00:00.000Z"}])
    path = f"loyalty/accounts/{key}/adjust"
    answer = club.post(path, {"adjust_points": {"points": 5, "reason": "sorry"}, "idempotency_key": "a"})
    assert answer["event"]["adjust_points"]["reason"] == "sorry"
    taken = {"adjust_points": {"points": -20}, "idempotency_key": "b"}
    assert codes(club.post(path, taken, 400)) == [(INVALID, "BAD_REQUEST")]
    club.post(path, {"adjust_points": {"points": -12}, "idempotency_key": "c"})
    held = club.get(f"loyalty/accounts/{key}")["loyalty_account"]
    assert held["expiring_point_deadlines"] == [{"points": 3, "expires_at": "2027-12-01T00:00:00.000Z"}]
    club.post(path, {**taken, "allow_negative_balance": True})
    held = club.get(f"loyalty/accounts/{key}")["loyalty_account"]
    assert (held["balance"], held["lifetime_points"]) == (-17, 5)
    assert "expiring_point_deadlines" not in held


def test_deadlines_add_up_to_the_balance():
    program = {"expiration_policy": {"expiration_duration": "P12M"}}
    held, balance = [], 0
    for points in (50, -20, 30, -70, 40, 5):
        balance += points
        held = next_deadlines(program, held, points, balance, AS_OF) or []
        assert sum(one["points"] for one in held) == max(balance, 0)
    assert next_deadlines({}, [], 5, 5, AS_OF) is None


def test_events_come_newest_first(club):
    keys = [account(club, n) for n in (1, 2)]
    for n in range(32):
        at = square_stamp(AS_OF - timedelta(minutes=n))
        details = {"adjust_points": {"points": 1, "loyalty_program_id": club.program}, "source": "SQUARE"}
        club.add(
            "loyalty_events", {"type": "ADJUST_POINTS", "loyalty_account_id": keys[n % 2], "created_at": at, **details}
        )
    first = club.post("loyalty/events/search", {})
    rest = club.post("loyalty/events/search", {"cursor": first["cursor"]})
    events = [*first["events"], *rest["events"]]
    assert (len(first["events"]), len(events)) == (30, 32)
    assert [one["created_at"] for one in events] == sorted((one["created_at"] for one in events), reverse=True)
    of_one = {"loyalty_account_filter": {"loyalty_account_id": keys[0]}, "type_filter": {"types": ["ADJUST_POINTS"]}}
    assert len(club.post("loyalty/events/search", {"query": {"filter": of_one}})["events"]) == 16
    at = events[5]["created_at"]
    for period, count in (({"start_at": at}, 6), ({"end_at": at}, 26)):
        asked = {"query": {"filter": {"date_time_filter": {"created_at": period}}}}
        found = club.post("loyalty/events/search", asked)
        assert len(found["events"]) == count
    nothing = {"query": {"filter": {"location_filter": {"location_ids": ["L1"]}}}}
    assert club.post("loyalty/events/search", nothing) == {}
    bad = {"query": {"filter": {"type_filter": {"types": ["GIFT"]}}}}
    assert codes(club.post("loyalty/events/search", bad, 400)) == [(INVALID, "INVALID_ENUM_VALUE")]
    assert codes(club.post("loyalty/events/search", {"limit": 31}, 400)) == [(INVALID, "VALUE_TOO_HIGH")]
