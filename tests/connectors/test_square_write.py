"""Writing to a Square seller: packing, partial failures, and nothing but attributes and groups."""

from __future__ import annotations

from typing import Any

import pytest

from connectors import open_connector
from onevoice.errors import AuthFailed, ConfigError, ContractBroken, Throttled, Unavailable
from onevoice.protocols import DeferReason, Field, Outcome, Write

UPSERT = "/v2/customers/custom-attributes/bulk-upsert"
TIER, UNTIL = "custom_attributes.onevoice_tier", "custom_attributes.onevoice_tier_until"
GROUP = "in_group.onevoice_no_join"


def outcomes(results: Any) -> dict[str, Outcome]:
    return {result.key: result.outcome for result in results}


def error(code: str, category: str = "INVALID_REQUEST_ERROR", detail: str = "") -> dict[str, Any]:
    return {"errors": [{"category": category, "code": code, "detail": detail}]}


@pytest.fixture
def seller(scripted, budget) -> Any:
    """A scripted server that the connector takes for Square; `answer` is the test's."""
    server = scripted()
    settings = {"url": server.url, "access_token": "t"}
    server.open = lambda: open_connector("square", "square", settings, budget)
    return server


def upserted(request: Any) -> tuple[int, Any]:
    """The answer to a bulk-upsert in which all goes well."""
    return 200, {"values": {place: dict(entry) for place, entry in request.json()["values"].items()}}


def test_attributes_are_packed_over_customers(square) -> None:
    keys = square.contacts(30)
    writes = [Write(key, {TIER: f"tier {key[-1]}", UNTIL: "2027-01-31"}) for key in keys]
    results = square.open().write("customers", writes)
    assert set(outcomes(results).values()) == {Outcome.ACCEPTED}
    assert [len(body["values"]) for body in square.sent(UPSERT)] == [25, 25, 10]
    assert all(square.holds(write) for write in writes)


def test_nothing_is_read_to_write(square) -> None:
    [key] = square.contacts(1)
    square.open().write("customers", [Write(key, {TIER: "gold"})])
    assert [f"{call.method} {call.path}" for call in square.asked] == [f"POST {UPSERT}"]


def test_groups_are_one_call_each_and_found_once(square) -> None:
    one, two = square.contacts(2)
    connector = square.open()
    connector.write("customers", [Write(one, {GROUP: True}), Write(two, {GROUP: True})])
    connector.write("customers", [Write(one, {GROUP: False})])
    assert [square.held(key, GROUP) for key in (one, two)] == [False, True]
    methods = [path.split()[0] for path in square.paths("/groups")]
    assert sorted(methods) == ["DELETE", "GET", "PUT", "PUT"]


def test_a_group_that_is_not_there_rejects_only_who_needs_it(square) -> None:
    one, two = square.contacts(2)
    results = square.open().write(
        "customers", [Write(one, {"in_group.onevoice_vip": True}), Write(two, {TIER: "gold"})]
    )
    assert outcomes(results) == {one: Outcome.REJECTED, two: Outcome.ACCEPTED}
    assert results[0].code == "GROUP_MISSING"


def test_neither_consent_nor_points_nor_profiles_are_written(square) -> None:
    forbidden: list[dict[str, Any]] = [
        {"preferences.email_unsubscribed": True},
        {"preferences": {"email_unsubscribed": False}},
        {"email_address": "x@example.org"},
        {"balance": 10},
        {TIER: "gold", "group_ids": []},
        {"in_group.": True},
        {"custom_attributes.a/b": "x"},
    ]
    keys = square.contacts(len(forbidden))
    before = {key: dict(square.state.tables["customers"].rows[key]) for key in keys}
    writes = [Write(key, fields) for key, fields in zip(keys, forbidden, strict=True)]
    results = square.open().write("customers", writes)
    assert {(result.outcome, result.code) for result in results} == {(Outcome.REJECTED, "NOT_ALLOWED")}
    assert square.asked == []
    assert square.state.tables["customers"].rows == before


def test_points_cannot_be_written(seller) -> None:
    with pytest.raises(ContractBroken, match="no such stream"):
        seller.open().write("loyalty_accounts", [Write("A", {"balance": 1})])


def test_a_key_that_is_no_id_is_rejected_unsent(seller) -> None:
    [result] = seller.open().write("customers", [Write("../groups", {TIER: None})])
    assert (result.outcome, result.code) == (Outcome.REJECTED, "MALFORMED_ID")
    assert seller.requests == []


def test_a_bad_value_rejects_its_customer_only(square) -> None:
    good, bad = square.contacts(2)
    results = square.open().write("customers", [square.bad(bad), square.good(good, 3)])
    assert outcomes(results) == {bad: Outcome.REJECTED, good: Outcome.ACCEPTED}
    assert square.held(bad, TIER) == "jane.moss", "its other attribute went through, and is sent again with it"
    assert "0-no-date" not in results[0].message


def test_a_customer_who_is_gone_is_rejected(square) -> None:
    here, gone = square.contacts(2)
    square.delete(gone)
    results = square.open().write("customers", [square.good(gone, 1), square.good(here, 1)])
    assert outcomes(results) == {gone: Outcome.REJECTED, here: Outcome.ACCEPTED}
    assert results[0].code == "NOT_FOUND"


def test_clearing_what_is_not_set_changes_nothing(square) -> None:
    [key] = square.contacts(1)
    [result] = square.open().write("customers", [Write(key, {TIER: None})])
    assert result.outcome is Outcome.UNCHANGED


def test_a_value_may_go_there_and_back_again(square) -> None:
    [key] = square.contacts(1)
    connector = square.open()
    for value in ("gold", "silver", "gold"):
        connector.write("customers", [Write(key, {TIER: value})])
        assert square.held(key, TIER) == value


def test_entries_that_fail_once_are_sent_again(square) -> None:
    keys = square.contacts(10)
    square.state.faults.limits_on = True
    results = square.open().write("customers", [Write(key, {TIER: "gold"}) for key in keys])
    assert set(outcomes(results).values()) == {Outcome.ACCEPTED}
    assert [len(body["values"]) for body in square.sent(UPSERT)] == [10, 3]


def test_a_day_with_limits_is_read_and_written_in_full(square, at_work) -> None:
    keys = square.contacts(60)
    connector = at_work(square)
    read = {r.key for page in connector.read("customers", None, square.fields, square.settled()) for r in page.records}
    assert read == set(keys)
    writes = [*(square.good(key, 1) for key in keys[:5]), *(Write(key, {TIER: "gold"}) for key in keys[5:])]
    assert set(outcomes(connector.write("customers", writes)).values()) == {Outcome.ACCEPTED}
    assert all(square.holds(write) for write in writes)
    told = square.state.calls.summary()
    assert told["throttled"] >= 1
    assert told["partial_failures"] >= 1
    assert told["write_calls"] <= 1.1 * told["minimum_calls"] + 2


def test_a_conflict_that_stays_is_deferred(seller) -> None:
    seller.answer = lambda request: (200, {"values": dict.fromkeys(request.json()["values"], error("CONFLICT"))})
    [result] = seller.open().write("customers", [Write("C1", {TIER: "gold"})])
    assert (result.outcome, result.reason) == (Outcome.DEFERRED, DeferReason.RETRYABLE)
    assert len(seller.requests) == 3


def test_an_entry_that_the_answer_forgets_is_ambiguous(seller) -> None:
    seller.answer = lambda request: (200, {"values": {"0": request.json()["values"]["0"]}})
    results = seller.open().write("customers", [Write("C1", {TIER: "gold"}), Write("C2", {TIER: "blue"})])
    assert outcomes(results) == {"C1": Outcome.ACCEPTED, "C2": Outcome.DEFERRED}
    assert results[1].reason is DeferReason.AMBIGUOUS


def test_a_value_that_was_not_kept_is_rejected(seller) -> None:
    kept = {"custom_attribute": {"key": "onevoice_tier", "value": "old"}}
    seller.answer = lambda _: (200, {"values": {"0": kept}})
    [result] = seller.open().write("customers", [Write("C1", {TIER: "gold"})])
    assert (result.outcome, result.code) == (Outcome.REJECTED, "VALUE_NOT_KEPT")


def test_a_call_refused_for_one_entry_is_halved(seller) -> None:
    def answer(request: Any) -> tuple[int, Any]:
        values = request.json()["values"]
        ids = {entry["customer_id"] for entry in values.values()}
        return (400, error("VALUE_TOO_LONG")) if "C3" in ids else upserted(request)

    seller.answer = answer
    results = seller.open().write("customers", [Write(f"C{n}", {TIER: f"t{n}"}) for n in range(5)])
    assert outcomes(results) == {f"C{n}": Outcome.REJECTED if n == 3 else Outcome.ACCEPTED for n in range(5)}


def test_numbers_are_sent_as_text_and_booleans_as_they_are(seller) -> None:
    seller.answer = upserted
    fields = {"custom_attributes.onevoice_points": 12, "custom_attributes.onevoice_member": True}
    [result] = seller.open().write("customers", [Write("C1", fields)])
    assert result.outcome is Outcome.ACCEPTED
    sent = [entry["custom_attribute"] for entry in seller.requests[0].json()["values"].values()]
    assert [entry["value"] for entry in sent] == ["12", True]


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (401, error("UNAUTHORIZED", "AUTHENTICATION_ERROR"), AuthFailed),
        (429, error("RATE_LIMITED", "RATE_LIMIT_ERROR"), Throttled),
        (400, error("RATE_LIMITED", "RATE_LIMIT_ERROR"), Throttled),
    ],
)
def test_where_nothing_is_known_the_failure_is_raised(seller, status, body, expected) -> None:
    seller.answer = lambda _: (status, body)
    with pytest.raises(expected):
        seller.open().write("customers", [Write("C1", {TIER: "gold"}), Write("C2", {TIER: None})])


def test_what_is_known_is_returned_when_a_later_call_fails(seller) -> None:
    def answer(request: Any) -> tuple[int, Any]:
        if len(seller.requests) == 1:
            return upserted(request)
        return 401, error("UNAUTHORIZED", "AUTHENTICATION_ERROR")

    seller.answer = answer
    results = seller.open().write("customers", [Write(f"C{n:02d}", {TIER: "gold"}) for n in range(60)])
    told = outcomes(results)
    assert [told[f"C{n:02d}"] for n in (0, 24, 25, 59)] == [Outcome.ACCEPTED] * 2 + [Outcome.DEFERRED] * 2
    assert {result.reason for result in results} == {None, DeferReason.AUTH}
    assert len(seller.requests) == 2, "what follows is not tried"


def test_a_lost_answer_is_ambiguous_and_not_sent_again(seller) -> None:
    seller.answer = lambda _: (502, b"")
    [result] = seller.open().write("customers", [Write("C1", {TIER: "gold"})])
    assert (result.outcome, result.reason) == (Outcome.DEFERRED, DeferReason.AMBIGUOUS)
    assert len(seller.requests) == 1


def test_a_customer_is_as_well_off_as_its_worst_part(seller) -> None:
    def answer(request: Any) -> tuple[int, Any]:
        if request.method == "GET":
            return 200, {"groups": [{"id": "G1", "name": "onevoice_no_join"}]}
        return upserted(request) if request.method == "POST" else (404, error("NOT_FOUND", detail="no C1 here"))

    seller.answer = answer
    results = seller.open().write("customers", [Write("C1", {TIER: "gold", GROUP: True}), Write("C2", {TIER: "x"})])
    assert outcomes(results) == {"C1": Outcome.REJECTED, "C2": Outcome.ACCEPTED}
    assert "C1" not in results[0].message


def test_a_profile_that_cannot_be_read_just_now_is_not_taken_for_gone(seller) -> None:
    seller.answer = lambda _: (200, {"responses": {"C1": error("INTERNAL_SERVER_ERROR", "API_ERROR")}})
    with pytest.raises(Unavailable):
        list(seller.open().fetch("customers", ["C1"], ["given_name"]))


def test_provision_makes_definitions_the_seller_can_see_and_not_edit(square) -> None:
    fields = [
        Field("customers", f"custom_attributes.onevoice_{type_}", type_, f"Kind {type_}")
        for type_ in ("text", "integer", "decimal", "boolean", "date", "datetime")
    ]
    assert len(square.open().provision(fields, dry_run=False)) == 6
    made = {
        body["custom_attribute_definition"]["key"]: body["custom_attribute_definition"]
        for body in square.sent("/v2/customers/custom-attribute-definitions")
    }
    types = {key.removeprefix("onevoice_"): one["schema"]["$ref"].rpartition(".")[2] for key, one in made.items()}
    assert types == {
        "text": "String",
        "integer": "Number",
        "decimal": "Number",
        "boolean": "Boolean",
        "date": "Date",
        "datetime": "String",
    }
    assert {one["visibility"] for one in made.values()} == {"VISIBILITY_READ_ONLY"}


def test_provision_makes_a_group_once(square) -> None:
    field = Field("customers", "in_group.onevoice_vip", "boolean", "VIP")
    connector = square.open()
    assert [connector.provision([field], dry_run=dry) for dry in (True, False, False)] == [
        ["square: would create customer group onevoice_vip for in_group.onevoice_vip"],
        ["square: created customer group onevoice_vip for in_group.onevoice_vip"],
        [],
    ]


@pytest.mark.parametrize("name", ["onevoice_tier", "custom_attributes.on tier", "preferences.email_unsubscribed"])
def test_provision_refuses_what_it_cannot_make(seller, name) -> None:
    seller.answer = lambda _: (200, {})
    with pytest.raises(ConfigError, match="name it custom_attributes"):
        seller.open().provision([Field("customers", name, "text", "x")], dry_run=True)
