"""Custom attributes and groups: defined, set one by one and in bulk, read per customer, searched for."""

from __future__ import annotations

import pytest

from onevoice.sandbox.square import put_attribute
from onevoice.sandbox.square.tables import square_stamp

INVALID = "INVALID_REQUEST_ERROR"
TYPES = "https://developer-production-s.squarecdn.com/schemas/v1/common.json#squareup.common."
DEFINITIONS, BULK = "customers/custom-attribute-definitions", "customers/custom-attributes/bulk-upsert"


def codes(answer):
    return [(error["category"], error["code"]) for error in answer["errors"]]


def entry(customer, key, value, **more):
    return {"customer_id": customer, "custom_attribute": {"key": key, "value": value, **more}}


def test_definitions(seller):
    told = {"key": "onevoice_tier", "schema": {"$ref": TYPES + "String"}, "name": "Tier", "description": "The tier"}
    body = {"custom_attribute_definition": {**told, "visibility": "VISIBILITY_READ_ONLY"}, "idempotency_key": "k"}
    made = seller.post(DEFINITIONS, body)
    assert made == seller.post(DEFINITIONS, body)
    assert made["custom_attribute_definition"]["version"] == 1
    again = seller.post(DEFINITIONS, {**body, "idempotency_key": "l"}, 409)
    assert codes(again) == [(INVALID, "CONFLICT")]
    seller.define("onevoice_decided_at")
    first = seller.get(DEFINITIONS, limit=1)
    rest = seller.get(DEFINITIONS, limit=1, cursor=first["cursor"])
    shown = [*first["custom_attribute_definitions"], *rest["custom_attribute_definitions"]]
    assert [one["key"] for one in shown] == ["onevoice_decided_at", "onevoice_tier"]
    assert "cursor" not in rest
    changed = seller.put(
        f"{DEFINITIONS}/onevoice_tier", {"custom_attribute_definition": {"name": "Rank", "version": 1}}
    )
    assert (changed["custom_attribute_definition"]["name"], changed["custom_attribute_definition"]["version"]) == (
        "Rank",
        2,
    )
    assert (
        seller.get(f"{DEFINITIONS}/onevoice_tier", version=2)["custom_attribute_definition"]["description"]
        == "The tier"
    )
    assert codes(seller.get(f"{DEFINITIONS}/onevoice_tier", 400, version=3)) == [(INVALID, "BAD_REQUEST")]
    assert codes(seller.get(f"{DEFINITIONS}/unknown", 404)) == [(INVALID, "NOT_FOUND")]


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"key": "a b", "schema": {"$ref": TYPES + "String"}}, "VALUE_REGEX_MISMATCH"),
        ({"key": "a"}, "MISSING_REQUIRED_PARAMETER"),
        ({"key": "a", "schema": {"$ref": TYPES + "Colour"}}, "INVALID_VALUE"),
        ({"key": "a", "schema": {"type": "string"}}, "INVALID_VALUE"),
        (
            {"key": "a", "schema": {"$ref": TYPES + "Date"}, "visibility": "VISIBILITY_READ_ONLY"},
            "MISSING_REQUIRED_PARAMETER",
        ),
        ({"key": "a", "schema": {"$ref": TYPES + "Date"}, "visibility": "SEEN"}, "INVALID_ENUM_VALUE"),
    ],
)
def test_what_cannot_be_a_definition(seller, told, code):
    assert codes(seller.post(DEFINITIONS, {"custom_attribute_definition": told}, 400)) == [(INVALID, code)]


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("String", "gold", 7),
        ("Number", "12.5", 12.5),
        ("Boolean", True, "true"),
        ("Date", "2026-12-31", "2026-12-31T00:00:00Z"),
        ("Email", "a@example.org", "a"),
        ("PhoneNumber", "+447700900123", "07700 900123"),
    ],
)
def test_values_fit_their_type(seller, kind, good, bad):
    customer = seller.customer()
    seller.define("k", kind)
    path = f"customers/{customer}/custom-attributes/k"
    assert seller.post(path, {"custom_attribute": {"value": good}})["custom_attribute"]["value"] == good
    assert codes(seller.post(path, {"custom_attribute": {"value": bad}}, 400)) == [(INVALID, "INVALID_VALUE")]
    assert codes(seller.post(path, {"custom_attribute": {"value": None}}, 400)) == [
        (INVALID, "MISSING_REQUIRED_PARAMETER")
    ]
    assert seller.get(path)["custom_attribute"]["value"] == good


def test_bulk_upsert_answers_for_every_entry(seller):
    ada, eve = seller.customer(), seller.customer()
    seller.define("tier")
    body = {
        "a": entry(ada, "tier", "gold"),
        "b": entry(eve, "tier", 7),
        "c": entry("nobody", "tier", "gold"),
        "d": entry(eve, "unknown", "gold"),
    }
    values = seller.post(BULK, {"values": body})["values"]
    assert (values["a"]["customer_id"], values["a"]["custom_attribute"]["version"]) == (ada, 1)
    assert codes(values["b"]) == [(INVALID, "INVALID_VALUE")]
    assert codes(values["c"]) == codes(values["d"]) == [(INVALID, "NOT_FOUND")]
    counted = seller.state.calls.operations["upsert attributes"]
    assert (counted.units, counted.batch_limit, counted.minimum_calls) == (1, 25, 1)
    assert seller.state.api_writes.values["customers", ada] == {"custom_attributes.tier": "gold"}
    assert ("customers", eve) not in seller.state.api_writes.values
    again = seller.post(BULK, {"values": {"a": entry(ada, "tier", "gold")}})
    assert again["values"]["a"]["custom_attribute"]["version"] == 2
    assert seller.state.api_writes.identical.total() == 1


def test_bulk_upsert_takes_1_to_25(seller):
    seller.define("tier")
    customers = [seller.customer() for _ in range(26)]
    body = {str(n): entry(customer, "tier", "gold") for n, customer in enumerate(customers)}
    assert codes(seller.post(BULK, {"values": body}, 400)) == [(INVALID, "TOO_MANY_MAP_ENTRIES")]
    assert seller.post(BULK, {"values": {}}, 400)
    del body["25"]
    assert len(seller.post(BULK, {"values": body})["values"]) == 25
    missing = {"values": {"a": {"customer_id": customers[0]}}}
    assert codes(seller.post(BULK, missing, 400)) == [(INVALID, "MISSING_REQUIRED_PARAMETER")]


def test_the_same_key_upserts_once(seller):
    customer = seller.customer()
    seller.define("tier")
    body = {"values": {"a": {**entry(customer, "tier", "gold"), "idempotency_key": "k"}}}
    assert seller.post(BULK, body) == seller.post(BULK, body)
    assert seller.get(f"customers/{customer}/custom-attributes/tier")["custom_attribute"]["version"] == 1


def test_values_have_versions_of_their_own(seller):
    customer = seller.customer()
    before = seller.get(f"customers/{customer}")
    seller.define("tier")
    path = f"customers/{customer}/custom-attributes/tier"
    seller.post(path, {"custom_attribute": {"value": "silver"}})
    changed = seller.post(path, {"custom_attribute": {"value": "gold", "version": 1}})["custom_attribute"]
    assert changed["version"] == 2
    stale = seller.post(path, {"custom_attribute": {"value": "bronze", "version": 1}}, 409)
    assert codes(stale) == [(INVALID, "CONFLICT")]
    assert seller.get(f"customers/{customer}") == before
    assert codes(seller.get(path, 400, version=3)) == [(INVALID, "BAD_REQUEST")]


def test_values_are_read_per_customer(seller):
    customer = seller.customer()
    assert seller.get(f"customers/{customer}/custom-attributes") == {}
    keys = [f"k{n:02}" for n in range(25)]
    for key in keys:
        seller.define(key)
    seller.post(BULK, {"values": {key: entry(customer, key, "x") for key in keys}})
    first = seller.get(f"customers/{customer}/custom-attributes")
    assert len(first["custom_attributes"]) == 20
    assert "definition" not in first["custom_attributes"][0]
    rest = seller.get(f"customers/{customer}/custom-attributes", cursor=first["cursor"], with_definitions="true")
    assert [one["key"] for one in rest["custom_attributes"]] == keys[20:]
    assert rest["custom_attributes"][0]["definition"]["schema"] == {"$ref": TYPES + "String"}
    assert "custom_attributes" not in seller.get(f"customers/{customer}")["customer"]


def test_values_go(seller):
    customer = seller.customer()
    seller.define("tier")
    path = f"customers/{customer}/custom-attributes/tier"
    seller.post(path, {"custom_attribute": {"value": "gold"}})
    assert seller.delete(path) == {}
    assert codes(seller.get(path, 404)) == codes(seller.delete(path, 404)) == [(INVALID, "NOT_FOUND")]
    assert seller.state.api_writes.values["customers", customer] == {"custom_attributes.tier": None}
    seller.post(path, {"custom_attribute": {"value": "gold"}})
    seller.delete(f"{DEFINITIONS}/tier")
    assert seller.row("customers", customer)["custom_attributes"] == {}


def test_customers_are_found_by_values_and_by_their_stamps(seller):
    ada, eve = (
        seller.customer(),
        seller.customer(custom_attributes={"tier": {"value": "silver"}, "points": {"value": "9"}}),
    )
    for key, kind in (("tier", "String"), ("points", "Number"), ("until", "Date"), ("vip", "Boolean")):
        seller.define(key, kind)
    since = square_stamp(seller.state.clock.now())
    for key, value in (("tier", "gold"), ("points", "10"), ("until", "2026-12-31"), ("vip", True)):
        seller.post(f"customers/{ada}/custom-attributes/{key}", {"custom_attribute": {"value": value}})
    seller.settle()
    for key, asked, expected in (
        ("tier", {"filter": {"text": {"exact": "Gold"}}}, [ada]),
        ("tier", {"updated_at": {"start_at": since}}, [ada]),
        ("points", {"filter": {"number": {"start_at": "9", "end_at": "9.5"}}}, [eve]),
        ("until", {"filter": {"date": {"start_at": "2026-12-31", "end_at": "2026-12-31"}}}, [ada]),
        ("until", {"filter": {"date": {"end_at": "2026-12-30T00:00:00Z"}}}, []),
        ("vip", {"filter": {"boolean": True}}, [ada]),
    ):
        query = {"filter": {"custom_attribute": {"filters": [{"key": key, **asked}]}}}
        assert seller.found(query=query) == expected, asked
    put_attribute(seller.state, eve, "tier", "bronze", actor="hand")
    later = square_stamp(seller.state.clock.now())
    seller.settle()
    asked = {"key": "tier", "updated_at": {"start_at": since, "end_at": later}}
    found = seller.found(query={"filter": {"custom_attribute": {"filters": [asked]}}})
    assert set(found) == {ada, eve}


@pytest.mark.parametrize(
    ("filters", "code"),
    [
        ([{"key": "tier"}], "MISSING_REQUIRED_PARAMETER"),
        ([{"key": "unknown", "filter": {"boolean": True}}], "NOT_FOUND"),
        ([{"key": "tier", "filter": {"number": {"start_at": "1"}}}], "INVALID_VALUE"),
        ([{"key": "tier", "filter": {"text": {"exact": "gold"}}}] * 2, "INVALID_VALUE"),
    ],
)
def test_bad_attribute_filters(seller, filters, code):
    seller.define("tier")
    answer = seller.http.post(
        "customers/search", json={"query": {"filter": {"custom_attribute": {"filters": filters}}}}
    )
    assert codes(answer.json()) == [(INVALID, code)]


def test_searches_see_values_and_their_stamps_late(seller):
    customer = seller.customer(custom_attributes={"tier": {"value": "silver"}})
    seller.define("tier")
    since = square_stamp(seller.state.clock.now())
    path = f"customers/{customer}/custom-attributes/tier"
    seller.post(path, {"custom_attribute": {"value": "gold"}})
    assert seller.get(path)["custom_attribute"]["value"] == "gold"
    asked = {"key": "tier", "updated_at": {"start_at": since}}
    query = {"filter": {"custom_attribute": {"filters": [asked]}}}
    assert seller.found(query=query) == []
    seller.settle()
    assert seller.found(query=query) == [customer]


def test_groups(seller):
    made = seller.post("customers/groups", {"group": {"name": "no join"}, "idempotency_key": "k"})["group"]
    assert seller.post("customers/groups", {"group": {"name": "no join"}, "idempotency_key": "k"})["group"] == made
    assert seller.get("customers/groups") == {"groups": [made]}
    assert seller.get(f"customers/groups/{made['id']}") == {"group": made}
    renamed = seller.put(f"customers/groups/{made['id']}", {"group": {"name": "onevoice_no_join"}})["group"]
    assert renamed["name"] == "onevoice_no_join"
    customer = seller.customer()
    assert seller.put(f"customers/{customer}/groups/{made['id']}") == {}
    after = seller.get(f"customers/{customer}")["customer"]
    assert (after["group_ids"], after["version"]) == ([made["id"]], 1)
    assert seller.put(f"customers/{customer}/groups/{made['id']}") == {}
    assert seller.get(f"customers/{customer}")["customer"] == after
    assert seller.state.api_writes.identical.total() == 1
    seller.settle()
    assert seller.found(query={"filter": {"group_ids": {"any": [made["id"]]}}}) == [customer]
    assert seller.delete(f"customers/{customer}/groups/{made['id']}") == {}
    assert "group_ids" not in seller.get(f"customers/{customer}")["customer"]
    for path in (f"customers/{customer}/groups/unknown", f"customers/unknown/groups/{made['id']}"):
        assert codes(seller.put(path, status=404)) == [(INVALID, "NOT_FOUND")]
    seller.put(f"customers/{customer}/groups/{made['id']}")
    assert seller.delete(f"customers/groups/{made['id']}") == {}
    assert seller.row("customers", customer)["group_ids"] == []
    assert seller.get("customers/groups") == {}


def test_groups_come_in_pages_of_50(seller):
    for n in range(51):
        seller.add("groups", {"name": f"group {n:02}"})
    first = seller.get("customers/groups")
    rest = seller.get("customers/groups", cursor=first["cursor"])
    assert (len(first["groups"]), [one["name"] for one in rest["groups"]]) == (50, ["group 50"])
    assert codes(seller.get("customers/groups", 400, limit=51)) == [(INVALID, "VALUE_TOO_HIGH")]
