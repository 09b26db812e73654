"""Writing customers: packed, every customer with an outcome of its own, and nobody is ever subscribed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from connectors import open_connector
from onevoice.errors import Ambiguous, ConfigError, ContractBroken, PermissionMissing, Throttled
from onevoice.protocols import DeferReason, Field, Outcome, Write, WriteResult, settle
from onevoice.sandbox.gate import Schedule
from onevoice.sandbox.shopify import limits

TIER = "metafields.onevoice.tier"
UNTIL = "metafields.onevoice.no_welcome_until"
DISCOUNT = "tagged.onevoice-no-discount"
CONSENT = "defaultEmailAddress.marketingState"
FIELDS = [f"metafields.onevoice.f{serial}" for serial in range(8)]


def send(rig: Any, writes: Sequence[Write]) -> Mapping[str, WriteResult]:
    return settle("shopify", "customers", writes, rig.open().write("customers", writes))


def operations(rig: Any) -> Mapping[str, Mapping[str, int]]:
    told: Mapping[str, Mapping[str, int]] = rig.state.calls.summary()["by_operation"]
    return told


def test_metafields_of_a_batch_fill_whole_mutations(shopify: Any) -> None:
    keys = shopify.contacts(100)
    fields = [Field("customers", name, "text", name) for name in FIELDS]
    shopify.open().provision(fields, dry_run=False)
    shopify.state.calls.reset()
    results = send(shopify, [Write(key, dict.fromkeys(FIELDS, "x")) for key in keys])
    assert {result.outcome for result in results.values()} == {Outcome.ACCEPTED}
    told = shopify.state.calls.summary()
    assert told["records_written"] == 800
    assert told["write_calls"] == told["minimum_calls"] == 32


def test_tags_of_the_merchant_stay(shopify: Any) -> None:
    add, remove = shopify.contacts(2)
    shopify.state.tables["customers"].update(remove, {"tags": ["vip", "onevoice-no-discount"]}, actor="hand")
    send(shopify, [Write(add, {DISCOUNT: True}), Write(remove, {DISCOUNT: None})])
    rows = shopify.state.tables["customers"].rows
    assert sorted(rows[add]["tags"]) == ["onevoice-no-discount", "vip"]
    assert rows[remove]["tags"] == ["vip"]


def test_opt_out_reaches_the_address(shopify: Any) -> None:
    [key] = shopify.contacts(1)
    results = send(shopify, [Write(key, {CONSENT: "UNSUBSCRIBED", TIER: "gold"})])
    assert results[key].outcome is Outcome.ACCEPTED
    assert shopify.holds(Write(key, {CONSENT: "UNSUBSCRIBED", TIER: "gold"}))


REFUSED: Mapping[str, Any] = {
    "subscribed": {CONSENT: "SUBSCRIBED"},
    "pending": {CONSENT: "PENDING", TIER: "gold"},
    "in small letters": {CONSENT: "unsubscribed"},
    "no state": {CONSENT: None},
    "text messages": {"defaultPhoneNumber.marketingState": "UNSUBSCRIBED"},
    "a name": {"lastName": "Moss", TIER: "gold"},
    "all tags": {"tags": ["x"]},
    "a metafield without definition": {"metafields.onevoice.nowhere": "x", TIER: "gold"},
    "points": {"storeCreditAccounts": 5},
}


def test_nobody_is_ever_subscribed(shopify: Any) -> None:
    """Nor anything else written that is none of ours: such a write is refused before any of it leaves."""
    keys = dict(zip(REFUSED, shopify.contacts(len(REFUSED)), strict=True))
    before = dict(shopify.state.tables["customers"].rows)
    results = send(shopify, [Write(keys[name], fields) for name, fields in REFUSED.items()])
    assert {name: results[key].outcome for name, key in keys.items()} == dict.fromkeys(REFUSED, Outcome.REJECTED)
    assert {result.code for result in results.values()} == {"NOT_ALLOWED", "UNDEFINED"}
    assert shopify.state.tables["customers"].rows == before
    assert "customerEmailMarketingConsentUpdate" not in operations(shopify)


def test_key_of_another_kind_is_not_sent(shopify: Any) -> None:
    shopify.contacts(1)
    keys = ["gid://shopify/Order/1", "1", 'gid://shopify/Customer/1"']
    results = send(shopify, [Write(key, {TIER: "gold"}) for key in keys])
    assert {result.code for result in results.values()} == {"MALFORMED_ID"}


def test_metafield_that_is_refused_rejects_its_customer_alone(shopify: Any) -> None:
    keys = shopify.contacts(40)
    shopify.state.calls.reset()
    bad = {keys[3], keys[17], keys[18]}
    writes = [Write(key, {TIER: "gold", UNTIL: "never" if key in bad else "2027-01-01"}) for key in keys]
    results = send(shopify, writes)
    assert {key for key, result in results.items() if result.outcome is Outcome.REJECTED} == bad
    assert {results[key].code for key in bad} == {"INVALID_VALUE"}
    assert {result.outcome for key, result in results.items() if key not in bad} == {Outcome.ACCEPTED}
    assert all(shopify.holds(write) for write in writes if write.key not in bad)
    assert not any(shopify.holds(write) for write in writes if write.key in bad)
    assert "never" not in "".join(result.message for result in results.values())


def test_customer_that_is_gone_is_rejected_alone(shopify: Any) -> None:
    keys = shopify.contacts(5)
    shopify.delete(keys[2])
    for fields in ({TIER: "gold"}, {DISCOUNT: True}, {CONSENT: "UNSUBSCRIBED"}):
        results = send(shopify, [Write(key, fields) for key in keys])
        assert [results[key].outcome is Outcome.ACCEPTED for key in keys] == [True, True, False, True, True]
        assert results[keys[2]].outcome is Outcome.REJECTED


def test_a_working_day_with_limits_on(shopify: Any, at_work: Callable[..., Any]) -> None:
    """Throttles and mutations that fail once are met and handled, in hardly more calls than must be."""
    keys = shopify.contacts(300)
    connector = at_work(shopify)
    read = {r.key for p in connector.read("customers", None, shopify.fields, shopify.settled()) for r in p.records}
    assert read == set(keys)
    waiting = [Write(key, {TIER: "gold", UNTIL: "2027-01-01"}) for key in keys]
    for _ in range(3):
        results = [
            result
            for start in range(0, len(waiting), 100)
            for result in connector.write("customers", waiting[start : start + 100])
        ]
        assert {result.outcome for result in results} <= {Outcome.ACCEPTED, Outcome.DEFERRED}
        deferred = {result.key for result in results if result.outcome is Outcome.DEFERRED}
        waiting = [write for write in waiting if write.key in deferred]
    assert waiting == []
    assert all(shopify.holds(Write(key, {TIER: "gold", UNTIL: "2027-01-01"})) for key in keys)
    told = shopify.state.calls.summary()
    assert told["throttled"] >= 1
    assert told["partial_failures"] >= 1
    assert told["write_calls"] <= 1.1 * told["minimum_calls"] + 2


def test_provision_makes_definitions_of_every_type_and_nothing_for_tags(shopify: Any) -> None:
    types = ("text", "integer", "decimal", "boolean", "date", "datetime")
    fields = [Field("customers", f"metafields.onevoice.a_{name}", name, name) for name in types]
    fields += [Field("customers", DISCOUNT, "boolean", "x"), Field("customers", CONSENT, "text", "x")]
    assert len(shopify.open().provision(fields, dry_run=True)) == 6
    assert len(shopify.open().provision(fields, dry_run=False)) == 6
    assert shopify.open().provision(fields, dry_run=False) == []


def test_a_definition_that_failed_for_no_fault_of_its_own_is_asked_for_again(
    shopify: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "FAILING", Schedule(first=1, every=2))  # by turns an error at the top and a user error
    shopify.state.faults.limits_on = True
    fields = [Field("customers", name, "text", name) for name in FIELDS[:3]]
    assert len(shopify.open().provision(fields, dry_run=False)) == 3
    assert shopify.state.calls.outcomes["partial_failure"] == 3
    assert shopify.open().provision(fields, dry_run=False) == []


@pytest.mark.parametrize(
    "field",
    [
        Field("orders", TIER, "text", "x"),
        Field("customers", "lastName", "text", "x"),
        Field("customers", TIER, "colour", "x"),
    ],
)
def test_what_cannot_be_provided_is_told(shopify: Any, field: Field) -> None:
    with pytest.raises(ConfigError):
        shopify.open().provision([field], dry_run=True)


DEFINED = {"nodes": [{"key": "tier", "type": {"name": "single_line_text_field"}}]}


@pytest.fixture
def vendor(scripted: Callable[..., Any], budget: Any) -> Any:
    """A scripted shop that defines `tier`; `vendor.write(body)` answers documents with mutations."""
    server = scripted()

    def answer(exchange: Any) -> Any:
        if "query Definitions" in exchange.json()["query"]:
            info = {"hasNextPage": False, "endCursor": None}
            return 200, {"data": {"metafieldDefinitions": {**DEFINED, "pageInfo": info}}}
        return server.write(exchange.json())

    server.answer = answer
    server.open = lambda: open_connector("shopify", "shopify", {"url": server.url, "access_token": "t"}, budget)
    return server


def customer(serial: int) -> str:
    return f"gid://shopify/Customer/{serial}"


def tagging(*serials: int) -> list[Write]:
    return [Write(customer(serial), {DISCOUNT: True}) for serial in serials]


def tagged(body: Mapping[str, Any]) -> dict[str, Any]:
    """Every tag was added."""
    count = body["query"].count("tagsAdd(")
    return {f"m{place}": {"node": {"id": customer(place)}, "userErrors": []} for place in range(count)}


def problem(code: str, *path: str) -> dict[str, Any]:
    return {"message": "jane@example.org", "path": list(path), "extensions": {"code": code}}


def test_mutation_that_failed_alone_leaves_the_others(vendor: Any) -> None:
    def write(body: Mapping[str, Any]) -> Any:
        names = [value for name, value in body["variables"].items() if name.startswith("id")]
        wrong = {customer(1): "INTERNAL_SERVER_ERROR", customer(2): "ACCESS_DENIED"}
        failed = {f"m{place}": wrong[name] for place, name in enumerate(names) if name in wrong}
        errors = [problem(code, alias) for alias, code in failed.items()]
        return 200, {"data": {**tagged(body), **dict.fromkeys(failed)}, "errors": errors}

    vendor.write = write
    results = send(vendor, tagging(1, 2, 3))
    assert (results[customer(1)].outcome, results[customer(1)].reason) == (Outcome.DEFERRED, DeferReason.AMBIGUOUS)
    assert (results[customer(2)].outcome, results[customer(2)].code) == (Outcome.REJECTED, "ACCESS_DENIED")
    assert results[customer(3)].outcome is Outcome.ACCEPTED


def test_permission_that_lacks_for_everybody_is_raised(vendor: Any) -> None:
    errors = [problem("ACCESS_DENIED", "m0"), problem("ACCESS_DENIED", "m1")]
    vendor.write = lambda _: (200, {"data": {"m0": None, "m1": None}, "errors": errors})
    with pytest.raises(PermissionMissing):
        send(vendor, tagging(1, 2))


@pytest.mark.parametrize("payload", [None, {}, {"node": None, "userErrors": []}])
def test_success_that_shows_nothing_is_ambiguous(vendor: Any, payload: Any) -> None:
    vendor.write = lambda _: (200, {"data": {"m0": payload}})
    [result] = send(vendor, tagging(1)).values()
    assert (result.outcome, result.reason) == (Outcome.DEFERRED, DeferReason.AMBIGUOUS)


def test_fewer_metafields_than_sent_are_no_success(vendor: Any) -> None:
    vendor.write = lambda _: (200, {"data": {"m0": {"metafields": [], "userErrors": []}}})
    [result] = send(vendor, [Write(customer(1), {TIER: "gold"})]).values()
    assert result.reason is DeferReason.AMBIGUOUS


def test_what_is_known_survives_a_failure_later_in_the_batch(vendor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.shopify.destination.ALIASES", 2)
    answers = iter([True, False])
    vendor.write = lambda body: (200, {"data": tagged(body)}) if next(answers) else (503, {})
    results = send(vendor, tagging(1, 2, 3, 4, 5))
    assert [results[customer(serial)].outcome for serial in (1, 2)] == [Outcome.ACCEPTED] * 2
    assert {results[customer(serial)].outcome for serial in (3, 4, 5)} == {Outcome.DEFERRED}


def test_error_without_a_code_is_asked_once_more(vendor: Any) -> None:
    asked = []

    def write(body: Mapping[str, Any]) -> Any:
        asked.append(body["query"].count("tagsAdd("))
        wrong = {"node": None, "userErrors": [{"message": "Unexpected, jane@example.org"}]}
        return 200, {"data": {**tagged(body), "m0": wrong}}

    vendor.write = write
    results = send(vendor, tagging(1, 2, 3))
    assert asked == [3, 1]
    assert results[customer(1)] == WriteResult(customer(1), Outcome.REJECTED, "USER_ERROR", "Unexpected, …")
    assert results[customer(2)].outcome is results[customer(3)].outcome is Outcome.ACCEPTED


def test_nothing_known_is_raised(vendor: Any) -> None:
    vendor.write = lambda _: (503, {})
    with pytest.raises(Ambiguous):
        send(vendor, tagging(1, 2))
    vendor.write = lambda _: (429, {})
    with pytest.raises(Throttled):
        send(vendor, tagging(1, 2))


def test_document_that_costs_too_much_is_halved(vendor: Any) -> None:
    sizes = []

    def write(body: Mapping[str, Any]) -> Any:
        sizes.append(body["query"].count("tagsAdd("))
        if sizes[-1] > 10:
            return 200, {"errors": [problem("MAX_COST_EXCEEDED")]}
        return 200, {"data": tagged(body)}

    vendor.write = write
    results = send(vendor, tagging(*range(1, 31)))
    assert {result.outcome for result in results.values()} == {Outcome.ACCEPTED}
    assert sum(size for size in sizes if size <= 10) == 30


def test_pack_that_failed_for_no_fault_of_its_own_is_sent_again_as_it_was(vendor: Any) -> None:
    packs = []

    def write(body: Mapping[str, Any]) -> Any:
        packs.append(len(body["variables"]["metafields0"]))
        if len(packs) == 1:
            error = {"code": "INTERNAL_ERROR", "message": "x", "elementIndex": None}
            return 200, {"data": {"m0": {"metafields": None, "userErrors": [error]}}}
        return 200, {"data": {"m0": {"metafields": [{"key": "tier"}] * packs[-1], "userErrors": []}}}

    vendor.write = write
    results = send(vendor, [Write(customer(serial), {TIER: "gold"}) for serial in range(1, 11)])
    assert packs == [10, 10]
    assert {result.outcome for result in results.values()} == {Outcome.ACCEPTED}


def test_only_customers_are_written(vendor: Any) -> None:
    with pytest.raises(ContractBroken, match="only customers"):
        vendor.open().write("orders", [Write("gid://shopify/Order/1", {TIER: "gold"})])
