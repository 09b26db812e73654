"""Profiles: created, changed, merged, found late; every request and answer is judged by Square's description."""

from __future__ import annotations

from datetime import timedelta

import pytest

from onevoice.sandbox.square import merge_customers
from onevoice.sandbox.square.tables import square_stamp

INVALID = "INVALID_REQUEST_ERROR"


def codes(answer):
    return [(error["category"], error["code"]) for error in answer["errors"]]


def test_a_profile_lives(seller):
    made = seller.post("customers", {"given_name": "Ada", "email_address": "ada@example.org", "birthday": "02-29"})
    key = made["customer"]["id"]
    assert made["customer"] == seller.get(f"customers/{key}")["customer"]
    assert (made["customer"]["version"], made["customer"]["birthday"]) == (0, "0000-02-29")
    assert made["customer"]["preferences"] == {"email_unsubscribed": False}
    address = {"locality": "Leeds", "postal_code": "LS1 1AA"}
    seller.put(f"customers/{key}", {"address": address, "version": 0})
    changed = seller.put(f"customers/{key}", {"address": {"locality": "York"}, "email_address": None})["customer"]
    assert changed["version"] == 2
    assert changed["address"] == {"locality": "York", "postal_code": "LS1 1AA"}
    assert "email_address" not in changed
    assert seller.delete(f"customers/{key}", version=2) == {}
    assert codes(seller.get(f"customers/{key}", 404)) == [(INVALID, "NOT_FOUND")]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"note": "nobody"}, "BAD_REQUEST"),
        ({"given_name": 7}, "EXPECTED_STRING"),
        ({"given_name": "A" * 301}, "VALUE_TOO_LONG"),
        ({"email_address": "ada"}, "INVALID_EMAIL_ADDRESS"),
        ({"phone_number": "123"}, "INVALID_PHONE_NUMBER"),
        ({"given_name": "Ada", "birthday": "31.12.1990"}, "INVALID_VALUE"),
        ({"given_name": "Ada", "preferences": {"email_unsubscribed": True}}, "UNKNOWN_BODY_PARAMETER"),
        ({"given_name": "Ada", "address": {"country": "England"}}, "INVALID_ENUM_VALUE"),
        ([], "EXPECTED_OBJECT"),
    ],
)
def test_what_cannot_be_a_profile(seller, body, code):
    assert codes(seller.post("customers", body, 400)) == [(INVALID, code)]
    assert not seller.state.tables["customers"].rows


def test_nobody_writes_an_opt_out(seller):
    key = seller.customer(preferences={"email_unsubscribed": True})
    answer = seller.put(f"customers/{key}", {"preferences": {"email_unsubscribed": False}}, 400)
    assert answer["errors"][0]["field"] == "preferences"
    assert seller.get(f"customers/{key}")["customer"]["preferences"] == {"email_unsubscribed": True}


def test_a_write_for_an_old_version_conflicts(seller):
    key = seller.customer()
    seller.put(f"customers/{key}", {"note": "one", "version": 0})
    assert codes(seller.put(f"customers/{key}", {"note": "two", "version": 0}, 409)) == [(INVALID, "CONFLICT")]
    assert codes(seller.delete(f"customers/{key}", 409, version=0)) == [(INVALID, "CONFLICT")]
    assert seller.row("customers", key)["note"] == "one"


def test_a_hand_edit_moves_version_and_stamp(seller):
    key = seller.customer()
    before = seller.get(f"customers/{key}")["customer"]
    seller.state.tables["customers"].update(key, {"given_name": "Eve"}, actor="hand")
    after = seller.get(f"customers/{key}")["customer"]
    assert after["version"] == before["version"] + 1
    assert after["updated_at"] > before["updated_at"]
    assert after["created_at"] == before["created_at"]


def test_the_same_key_creates_once(seller):
    body = {"given_name": "Ada", "idempotency_key": "k1"}
    first, again = seller.post("customers", body), seller.post("customers", body)
    assert first == again
    assert len(seller.state.tables["customers"]) == 1
    assert seller.state.calls.operations["create customer"].units == 1
    other = seller.post("customers", {"given_name": "Eve", "idempotency_key": "k1"}, 400)
    assert codes(other) == [(INVALID, "IDEMPOTENCY_KEY_REUSED")]


def test_bulk_calls_answer_for_every_key(seller):
    answer = seller.post(
        "customers/bulk-create",
        {"customers": {"a": {"given_name": "Ada"}, "b": {"note": "x"}, "c": {"given_name": "Cy"}}},
    )["responses"]
    assert codes(answer["b"]) == [(INVALID, "BAD_REQUEST")]
    ada, cy = (answer[key]["customer"]["id"] for key in "ac")
    answer = seller.post(
        "customers/bulk-update",
        {"customers": {ada: {"note": "x", "version": 0}, cy: {"note": "x", "version": 5}, "gone": {"note": "x"}}},
    )["responses"]
    assert answer[ada]["customer"]["version"] == 1
    assert (codes(answer[cy]), codes(answer["gone"])) == ([(INVALID, "CONFLICT")], [(INVALID, "NOT_FOUND")])
    assert seller.state.calls.operations["update customers"].units == 1
    answer = seller.post("customers/bulk-retrieve", {"customer_ids": [ada, "gone"]})["responses"]
    assert (answer[ada]["customer"]["note"], codes(answer["gone"])) == ("x", [(INVALID, "NOT_FOUND")])
    answer = seller.post("customers/bulk-delete", {"customer_ids": [ada, "gone"]})["responses"]
    assert (answer[ada], codes(answer["gone"])) == ({}, [(INVALID, "NOT_FOUND")])
    assert set(seller.state.tables["customers"].rows) == {cy}


def test_bulk_calls_take_1_to_100(seller):
    many = {str(n): {"given_name": "A"} for n in range(101)}
    assert codes(seller.post("customers/bulk-create", {"customers": many}, 400)) == [(INVALID, "TOO_MANY_MAP_ENTRIES")]
    assert seller.post("customers/bulk-create", {"customers": {}}, 400)
    assert seller.post("customers/bulk-retrieve", {"customer_ids": []}, 400)


def test_a_merged_profile_has_a_new_id(seller):
    one = seller.customer(
        email_address="a@example.org", custom_attributes={"tier": {"value": "gold"}}, group_ids=["G1"]
    )
    two = seller.customer(given_name="Eve", phone_number="+447700900123", group_ids=["G2"])
    account = seller.add("loyalty_accounts", {"program_id": "p", "customer_id": two, "mapping": {}, "balance": 1})
    order = seller.add("orders", {"location_id": "L", "customer_id": two})
    new = merge_customers(seller.state, [one, two])
    assert new not in {one, two}
    answer = seller.get(f"customers/{two}")["customer"]
    assert (answer["id"], answer["given_name"], answer["phone_number"]) == (new, "Ada", "+447700900123")
    assert (answer["creation_source"], answer["group_ids"], answer["version"]) == ("MERGE", ["G1", "G2"], 0)
    assert codes(seller.put(f"customers/{one}", {"note": "x"}, 404)) == [(INVALID, "NOT_FOUND")]
    assert codes(seller.delete(f"customers/{two}", 404)) == [(INVALID, "NOT_FOUND")]
    assert seller.put(f"customers/{new}", {"note": "x"})["customer"]["note"] == "x"
    assert seller.row("loyalty_accounts", account)["customer_id"] == new
    assert seller.row("orders", order)["customer_id"] == two
    assert seller.found() == [one, two]
    seller.settle()
    assert seller.found() == [new]


def test_searches_see_changes_30_seconds_late(seller):
    key = seller.post("customers", {"email_address": "ada@example.org"})["customer"]["id"]
    query = {"filter": {"email_address": {"exact": "ADA@example.org"}}}
    assert seller.post("customers/search", {"query": query}) == {}
    assert seller.get("customers") == {}
    seller.state.clock.advance(29)
    assert seller.found(query=query) == []
    seller.state.clock.advance(1)
    assert seller.found(query=query) == [key]
    seller.put(f"customers/{key}", {"email_address": "eve@example.org"})
    assert seller.found(query=query) == [key]
    assert seller.post("customers/search", {"query": query})["customers"][0]["email_address"] == "ada@example.org"


def test_profiles_without_a_name_or_address_are_passed_over(seller):
    seller.add("customers", {"note": "somebody"})
    assert seller.found() == []
    assert seller.get("customers", count="true") == {"count": 0}


def test_filters(seller):
    ada = seller.customer(
        phone_number="+447700900123", reference_id="R1", group_ids=["A", "B"], creation_source="TERMINAL"
    )
    eve = seller.customer(given_name="Eve", email_address="eve.smith@example.org", group_ids=["A"])
    created = seller.row("customers", ada)["created_at"]
    for asked, expected in (
        ({"phone_number": {"exact": "+447700900123"}}, [ada]),
        ({"reference_id": {"exact": "R1"}}, [ada]),
        ({"email_address": {"fuzzy": "smith example"}}, [eve]),
        ({"group_ids": {"all": ["A", "B"]}}, [ada]),
        ({"group_ids": {"any": ["B", "C"]}}, [ada]),
        ({"group_ids": {"none": ["B"]}}, [eve]),
        ({"creation_source": {"values": ["TERMINAL"], "rule": "EXCLUDE"}}, [eve]),
        ({"created_at": {"start_at": created, "end_at": created}}, [ada, eve]),
        ({"created_at": {"end_at": "2020-01-01T00:00:00+01:00"}}, []),
        ({"updated_at": {"start_at": "2026-11-19T10:00:01+01:00"}}, []),
        ({"group_ids": {"any": ["A"]}, "reference_id": {"exact": "R1"}}, [ada]),
    ):
        assert seller.found(query={"filter": asked}) == expected, asked


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"limit": 0}, "VALUE_TOO_LOW"),
        ({"limit": 101}, "VALUE_TOO_HIGH"),
        ({"cursor": "nonsense"}, "INVALID_CURSOR"),
        ({"query": {"filter": {"updated_at": {"start_at": "yesterday"}}}}, "INVALID_TIME"),
        ({"query": {"filter": {"email_address": {"exact": "a", "fuzzy": "b"}}}}, "CONFLICTING_PARAMETERS"),
        ({"query": {"filter": {"birthday": {"exact": "a"}}}}, "UNKNOWN_BODY_PARAMETER"),
        ({"query": {"sort": {"field": "UPDATED_AT"}}}, "INVALID_ENUM_VALUE"),
        (
            {
                "query": {
                    "filter": {"created_at": {"start_at": "2026-01-02T00:00:00Z", "end_at": "2026-01-01T00:00:00Z"}}
                }
            },
            "INVALID_TIME_RANGE",
        ),
    ],
)
def test_bad_searches(seller, body, code):
    assert codes(seller.post("customers/search", body, 400)) == [(INVALID, code)]


def test_pages_neither_lose_nor_repeat_while_records_change(seller):
    keys = [seller.customer(given_name=f"P{n:03}") for n in range(25)]
    body = {"query": {"sort": {"field": "CREATED_AT", "order": "DESC"}}, "limit": 10}
    expected = sorted(keys, reverse=True)
    first = seller.post("customers/search", {**body, "count": True})
    assert first["count"] == 25
    seller.delete(f"customers/{expected[3]}")
    seller.settle()
    second = seller.post("customers/search", {**body, "cursor": first["cursor"]})
    third = seller.post("customers/search", {**body, "cursor": second["cursor"]})
    assert "cursor" not in third
    assert [one["id"] for page in (first, second, third) for one in page["customers"]] == expected
    answer = seller.post("customers/search", {"limit": 10, "cursor": first["cursor"]}, 400)
    assert codes(answer) == [(INVALID, "INVALID_CURSOR")]


def test_the_list_is_sorted_by_name(seller):
    names = ["Zoe", "Ada", "Mia"]
    for name in names:
        seller.customer(given_name=name)
    first = seller.get("customers", limit=2, count="true")
    assert (first["count"], [one["given_name"] for one in first["customers"]]) == (3, ["Ada", "Mia"])
    rest = seller.get("customers", limit=2, cursor=first["cursor"])
    assert [one["given_name"] for one in rest["customers"]] == ["Zoe"]
    assert codes(seller.get("customers", 400, limit=101)) == [(INVALID, "VALUE_TOO_HIGH")]
    assert codes(seller.get("customers", 400, page=1)) == [(INVALID, "UNKNOWN_QUERY_PARAMETER")]


def test_updated_at_finds_what_changed(seller):
    keys = [seller.customer() for _ in range(3)]
    since = square_stamp(seller.state.clock.now() - timedelta(seconds=1))
    seller.put(f"customers/{keys[1]}", {"note": "x"})
    seller.settle()
    assert seller.found(query={"filter": {"updated_at": {"start_at": since}}}) == [keys[1]]
