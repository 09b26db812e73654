"""Writing to a portal: every record has its own outcome, and success is believed only when it can be seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import pytest

from connectors import open_connector
from connectors.hubspot.values import as_text, kept
from onevoice.errors import Ambiguous, Unavailable
from onevoice.protocols import DeferReason, Field, Outcome, Write, WriteResult

STAMP = "2026-11-22T09:00:00.000Z"


@pytest.fixture
def vendor(scripted: Callable[..., Any], budget: Any) -> Any:
    """A scripted portal that knows the properties `city` and `tier`; `vendor.write` answers everything else."""
    server = scripted()

    def answer(exchange: Any) -> Any:
        if exchange.method == "GET" and exchange.path.startswith("/crm/v3/properties"):
            return 200, {"results": [{"name": "city"}, {"name": "tier"}]}
        return server.write(exchange)

    server.answer = answer
    server.portal = open_connector("hubspot", "hs", {"url": server.url, "access_token": "t"}, budget)
    return server


def send(vendor: Any, writes: Sequence[Write], stream: str = "contacts") -> Mapping[str, WriteResult]:
    return {result.key: result for result in vendor.portal.write(stream, writes)}


def written(key: str, **properties: str | None) -> Mapping[str, Any]:
    return {"id": key, "properties": properties, "createdAt": STAMP, "updatedAt": STAMP}


def test_values_are_sent_as_text_with_a_trace(vendor: Any) -> None:
    vendor.write = lambda _: (200, {"results": [written("7", city="3", tier=None)]})
    send(vendor, [Write("7", {"city": 3, "tier": None})])
    [request] = vendor.paths("/batch/update")
    assert request.json() == {
        "inputs": [{"id": "7", "objectWriteTraceId": "7", "properties": {"city": "3", "tier": ""}}]
    }


@pytest.mark.parametrize(("shown", "known"), [(STAMP, STAMP), (None, None), ("soon", None)])
def test_the_stamp_that_an_answer_shows_is_the_version(vendor: Any, shown: str | None, known: str | None) -> None:
    vendor.write = lambda _: (200, {"results": [written("7", city="3", lastmodifieddate=shown)]})
    version = send(vendor, [Write("7", {"city": 3})])["7"].version
    assert version == (known and datetime.fromisoformat(known))


def test_207_is_settled_record_by_record(vendor: Any) -> None:
    errors = [
        {"category": "VALIDATION_ERROR", "message": "no", "context": {"objectWriteTraceId": ["2"]}},
        {"category": "INTERNAL_ERROR", "message": "oops", "context": {"ids": ["3"]}},
    ]
    vendor.write = lambda _: (207, {"results": [written("1", city="x")], "numErrors": 2, "errors": errors})
    results = send(vendor, [Write(key, {"city": "x"}) for key in "123"])
    assert results["1"].outcome is Outcome.ACCEPTED
    assert (results["2"].outcome, results["2"].code) == (Outcome.REJECTED, "VALIDATION_ERROR")
    assert (results["3"].outcome, results["3"].reason) == (Outcome.DEFERRED, DeferReason.RETRYABLE)


def test_success_that_mentions_nobody_is_ambiguous(vendor: Any) -> None:
    vendor.write = lambda _: (200, {"results": [], "errors": []})
    results = send(vendor, [Write("1", {"city": "x"})])
    assert (results["1"].outcome, results["1"].reason) == (Outcome.DEFERRED, DeferReason.AMBIGUOUS)


def test_value_that_was_not_kept_is_rejected(vendor: Any) -> None:
    """lifecyclestage does not move backwards: HubSpot answers 200 with the old value."""
    vendor.write = lambda _: (200, {"results": [written("1", city="old", tier="Gold")]})
    results = send(vendor, [Write("1", {"city": "new", "tier": "Gold"})])
    assert (results["1"].code, results["1"].message) == ("VALUE_NOT_KEPT", "not kept as sent: city")


def test_write_that_landed_on_the_winner_of_a_merge_is_told(vendor: Any) -> None:
    vendor.write = lambda _: (200, {"results": [{**written("9", city="x"), "objectWriteTraceId": "1"}]})
    assert send(vendor, [Write("1", {"city": "x"})])["1"].code == "RECORD_MERGED"


def test_batch_refused_for_one_value_is_halved_until_it_is_alone(vendor: Any) -> None:
    def answer(exchange: Any) -> Any:
        inputs = exchange.json()["inputs"]
        if any(one["id"] == "13" for one in inputs):
            return 400, {"category": "VALIDATION_ERROR", "message": "Property values were not valid: jane@x.org"}
        return 200, {"results": [written(one["id"], city="x") for one in inputs]}

    vendor.write = answer
    results = send(vendor, [Write(str(key), {"city": "x"}) for key in range(100)])
    assert len(results) == 100
    assert {key for key, result in results.items() if result.outcome is Outcome.REJECTED} == {"13"}
    assert "jane" not in results["13"].message
    assert len(vendor.paths("/batch/update")) <= 15


def test_results_of_one_half_survive_a_failure_of_the_other(vendor: Any) -> None:
    def answer(exchange: Any) -> Any:
        ids = [one["id"] for one in exchange.json()["inputs"]]
        if len(ids) == 4:
            return 400, {"category": "VALIDATION_ERROR"}
        return (200, {"results": [written(key, city="x") for key in ids]}) if "0" in ids else (500, {})

    vendor.write = answer
    results = send(vendor, [Write(key, {"city": "x"}) for key in "0123"])
    assert [results[key].outcome for key in "01"] == [Outcome.ACCEPTED] * 2
    assert [results[key].reason for key in "23"] == [DeferReason.AMBIGUOUS] * 2


def test_unknown_property_fails_only_its_own_record(vendor: Any) -> None:
    vendor.write = lambda _: (200, {"results": [written("2", city="x")]})
    results = send(vendor, [Write("1", {"shoe_size": 3}), Write("2", {"city": "x"}), Write("no-id", {"city": "x"})])
    assert results["1"].code == "PROPERTY_DOESNT_EXIST"
    assert results["2"].outcome is Outcome.ACCEPTED
    assert results["no-id"].code == "MALFORMED_ID"
    assert len(vendor.paths("/batch/update")) == 1


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        (None, None),
        (None, ""),
        ("", None),
        (3, "3.0"),
        (True, "true"),
        ("2026-11-22T09:00:00+00:00", "2026-11-22T09:00:00Z"),
        ("2026-11-22T10:00:00+01:00", "2026-11-22T09:00:00.000Z"),
        ("Gold", "Gold "),
    ],
)
def test_same_value_in_another_spelling_is_kept(sent: object, answered: object) -> None:
    assert kept(sent, answered)


@pytest.mark.parametrize(("sent", "answered"), [("Gold", "gold"), (3, "4"), (None, "x"), ("2026-11-22", "2026-11-23")])
def test_other_value_is_not_kept(sent: object, answered: object) -> None:
    assert not kept(sent, answered)


def test_text_of_every_json_value() -> None:
    assert [as_text(value) for value in (None, True, False, 3, "012")] == ["", "true", "false", "3", "012"]


OPT_OUT = {"10001": "UNSUBSCRIBED"}


def test_unsubscribe_is_one_call_each_and_can_be_read_back(hubspot: Any) -> None:
    portal = hubspot.open()
    results = portal.write("subscriptions", [Write("a@x.org", OPT_OUT), Write("b+c@x.org", OPT_OUT)])
    assert [result.outcome for result in results] == [Outcome.ACCEPTED] * 2
    found = {r.key: dict(r.data) for r in portal.fetch("subscriptions", ["a@x.org", "b+c@x.org", "d@x.org"], ["10001"])}
    assert found == {"a@x.org": OPT_OUT, "b+c@x.org": OPT_OUT, "d@x.org": {"10001": "SUBSCRIBED"}}


@pytest.mark.parametrize("value", ["SUBSCRIBED", None, True])
def test_nobody_is_ever_subscribed(hubspot: Any, value: object) -> None:
    before = hubspot.calls()
    [result] = hubspot.open().write("subscriptions", [Write("a@x.org", {"10001": value})])
    assert (result.outcome, result.code) == (Outcome.REJECTED, "NOT_ALLOWED")
    assert hubspot.calls() == before


def test_refused_unsubscribe_does_not_stop_the_others(hubspot: Any) -> None:
    writes = [Write("a@x.org", {"99999": "UNSUBSCRIBED"}), Write("b@x.org", OPT_OUT)]
    first, second = hubspot.open().write("subscriptions", writes)
    assert (first.outcome, first.code) == (Outcome.REJECTED, "VALIDATION_ERROR")
    assert second.outcome is Outcome.ACCEPTED


def test_lost_unsubscribe_is_ambiguous_alone_and_the_rest_is_unsent(vendor: Any) -> None:
    vendor.write = lambda exchange: (0, {}) if exchange.json()["emailAddress"] == "b@x.org" else (200, {})
    results = send(vendor, [Write(f"{name}@x.org", OPT_OUT) for name in "abc"], "subscriptions")
    assert results["a@x.org"].outcome is Outcome.ACCEPTED
    assert results["b@x.org"].reason is DeferReason.AMBIGUOUS
    assert results["c@x.org"].reason is DeferReason.RETRYABLE
    assert [request.json()["emailAddress"] for request in vendor.requests] == ["a@x.org", "b@x.org"]


def test_vendor_that_is_down_is_raised_when_nothing_was_done(vendor: Any) -> None:
    vendor.write = lambda _: (423, {})
    with pytest.raises(Unavailable):
        send(vendor, [Write("a@x.org", OPT_OUT)], "subscriptions")


def test_legal_basis_goes_with_every_unsubscribe(scripted: Callable[..., Any], budget: Any) -> None:
    server = scripted()
    server.answer = lambda _: (200, {})
    settings = {"url": server.url, "access_token": "t", "legal_basis": "CONSENT_WITH_NOTICE"}
    open_connector("hubspot", "hs", settings, budget).write("subscriptions", [Write("a@x.org", OPT_OUT)])
    assert server.requests[0].json()["legalBasis"] == "CONSENT_WITH_NOTICE"


LIST = "onevoice_no_newsletter"


def test_list_members_are_changed_in_one_call_a_direction(hubspot: Any) -> None:
    keys = hubspot.contacts(20)
    portal = hubspot.open()
    wanted = Field("lists", LIST, "boolean", "No newsletter")
    assert portal.provision([wanted], dry_run=True) == [f"hubspot: would create static list {LIST}"]
    assert portal.provision([wanted], dry_run=False) == [f"hubspot: created static list {LIST}"]
    assert portal.provision([wanted], dry_run=False) == []
    portal.write("lists", [Write(key, {LIST: True}) for key in keys[:12]])
    hubspot.state.calls.reset()
    writes = [Write(keys[0], {LIST: False}), Write(keys[1], {LIST: True}), Write(keys[15], {LIST: True})]
    results = portal.write("lists", writes)
    assert [result.outcome for result in results] == [Outcome.ACCEPTED, Outcome.UNCHANGED, Outcome.ACCEPTED]
    assert hubspot.state.calls.summary()["write_calls"] == 2
    expected = {*keys[1:12], keys[15]}
    for asked in (keys, keys[:3]):
        found = {record.key: record.data[LIST] for record in portal.fetch("lists", asked, [LIST])}
        assert found == {key: key in expected for key in asked}


def test_contact_that_is_gone_and_list_that_is_missing_are_rejected(hubspot: Any) -> None:
    [key] = hubspot.contacts(1)
    portal = hubspot.open()
    [result] = portal.write("lists", [Write(key, {LIST: True})])
    assert result.code == "LIST_MISSING"
    portal.provision([Field("lists", LIST, "boolean", "No newsletter")], dry_run=False)
    good, gone = portal.write("lists", [Write(key, {LIST: True}), Write("999", {LIST: True})])
    assert good.outcome is Outcome.ACCEPTED
    assert gone.code == "RECORD_MISSING"


@pytest.mark.parametrize("kind", ["text", "integer", "decimal", "boolean", "date", "datetime"])
def test_every_type_of_field_can_be_made_and_written(hubspot: Any, kind: str) -> None:
    value = {"text": "x", "integer": 3, "decimal": "3.5", "boolean": True, "date": "2026-11-22"}.get(
        kind, "2026-11-22T09:00:00+00:00"
    )
    [key] = hubspot.contacts(1)
    portal = hubspot.open()
    portal.provision([Field("contacts", "onevoice_x", kind, "X")], dry_run=False)
    for sent in (value, None):
        [result] = portal.write("contacts", [Write(key, {"onevoice_x": sent})])
        assert result.outcome is Outcome.ACCEPTED, result


def test_lost_batch_is_ambiguous(vendor: Any) -> None:
    vendor.write = lambda _: (502, {})
    with pytest.raises(Ambiguous):
        send(vendor, [Write("1", {"city": "x"})])
