"""What simple-salesforce does wrong, and that our client does not: each test fails on the SDK's own way."""

from __future__ import annotations

import inspect
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
import simple_salesforce.exceptions as sdk

from connectors import open_connector
from connectors.salesforce import client as client_module
from connectors.salesforce.client import Client, Refused
from onevoice.errors import (
    Ambiguous,
    AuthFailed,
    ConfigError,
    ConnectorError,
    ContractBroken,
    FatalError,
    PermissionMissing,
    Throttled,
    Unavailable,
)
from onevoice.protocols import DeferReason, Outcome, Write

AS_OF = datetime(2026, 11, 22, 9, tzinfo=UTC)
ID1, ID2 = "003Qy0000000001", "003Qy0000000002"
EXPIRED = (401, [{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}])


@pytest.fixture
def vendor(scripted: Callable[..., Any], certificate: Any, budget: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A scripted org: `vendor.answer` decides; logins succeed unless it says otherwise."""
    server = scripted(tls=True)
    tokens = iter(range(1, 1000))

    def login(_: Any) -> Any:
        return 200, {"access_token": f"token-{next(tokens)}", "instance_url": server.url}

    def answer(exchange: Any) -> Any:
        return server.login(exchange) if exchange.path.endswith("/token") else server.data(exchange)

    server.login, server.data, server.answer = login, lambda _: (200, {"ok": True}), answer
    server.settings = {"url": server.url, "ca": str(certificate.ca), "client_id": "id", "client_secret": "hush"}
    server.client = lambda **more: Client("sf", {**server.settings, **more}, budget)
    server.org = lambda: open_connector("salesforce", "sf", server.settings, budget)
    monkeypatch.setattr(client_module, "TIMEOUT_SECONDS", (2.0, 0.3))
    return server


def limits(vendor: Any, **more: object) -> Any:
    return vendor.client().get("limits", **more)


def test_login_goes_to_the_given_host_and_calls_carry_our_version_and_mark(vendor: Any) -> None:
    assert limits(vendor) == {"ok": True}
    login, call = vendor.requests
    assert login.path == "/services/oauth2/token"
    assert call.path == "/services/data/v67.0/limits"
    assert call.headers["Authorization"] == "Bearer token-1"
    assert call.headers["Sforce-Call-Options"] == "client=onevoice"


def test_environment_does_not_replace_the_certificate_authority(vendor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/bundle.pem")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert limits(vendor) == {"ok": True}


def test_untrusted_certificate_is_fatal_and_not_retried(vendor: Any) -> None:
    del vendor.settings["ca"]
    with pytest.raises(FatalError, match="certificate is not trusted"):
        limits(vendor)


def test_silent_server_does_not_hang_a_call(vendor: Any) -> None:
    vendor.data = lambda _: time.sleep(1.5) or (200, {})
    began = time.monotonic()
    with pytest.raises(Unavailable):
        limits(vendor)
    assert time.monotonic() - began < 3
    assert len(vendor.paths("/limits")) == 4


def test_expired_session_is_renewed_once_and_the_call_repeated(vendor: Any) -> None:
    answers = iter([EXPIRED, (200, {"fine": 1})])
    vendor.data = lambda _: next(answers)
    assert limits(vendor) == {"fine": 1}
    assert [request.headers["Authorization"] for request in vendor.paths("/limits")] == [
        "Bearer token-1",
        "Bearer token-2",
    ]


def test_session_that_is_refused_for_ever_makes_no_login_storm(vendor: Any) -> None:
    vendor.data = lambda _: EXPIRED
    with pytest.raises(AuthFailed):
        limits(vendor)
    assert len(vendor.paths("/token")) == 2
    assert len(vendor.paths("/limits")) == 2


def test_threads_that_meet_an_expired_session_share_one_login(vendor: Any) -> None:
    vendor.data = lambda exchange: (
        EXPIRED if exchange.headers["Authorization"] == "Bearer token-1" else (200, {"ok": 1})
    )
    client = vendor.client()
    threads = [threading.Thread(target=client.get, args=("limits",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(vendor.paths("/token")) == 2


def test_refused_login_is_auth_failed(vendor: Any) -> None:
    vendor.login = lambda _: (400, {"error": "invalid_client", "error_description": "for hush"})
    with pytest.raises(AuthFailed, match="invalid_client") as caught:
        limits(vendor)
    assert "hush" not in str(caught.value)
    assert "hush" not in str(caught.value.__cause__)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_login_service_that_is_down_is_not_a_bad_credential(vendor: Any, status: int) -> None:
    """The SDK reports every login answer but 200 as a failed authentication."""
    vendor.login = lambda _: (status, {"error": "temporarily_unavailable"})
    with pytest.raises(Unavailable):
        vendor.client().call("write", lambda sf: sf.restful("limits"), write=True)


def test_login_answer_without_a_session_is_a_broken_contract(vendor: Any) -> None:
    vendor.login = lambda _: (200, {"token_type": "Bearer"})
    with pytest.raises(ContractBroken):
        limits(vendor)


def test_usage_is_read_from_every_answer_also_from_refusals(vendor: Any, budget: Any) -> None:
    vendor.data = lambda _: (404, [{"errorCode": "NOT_FOUND"}], {"Sforce-Limit-Info": "api-usage=18/5000"})
    with pytest.raises(PermissionMissing):
        limits(vendor)
    assert ("daily", 4982, 5000) in budget.observed


def test_request_limit_is_throttled_though_its_status_is_403(vendor: Any, budget: Any) -> None:
    answers = iter([(403, [{"errorCode": "REQUEST_LIMIT_EXCEEDED"}]), (200, {"fine": 1})])
    vendor.data = lambda _: next(answers)
    assert limits(vendor) == {"fine": 1}
    assert budget.refusals == [("read", None)]


def test_spent_quota_is_not_retried(vendor: Any) -> None:
    spent = {"Sforce-Limit-Info": "api-usage=5000/5000"}
    vendor.data = lambda _: (403, [{"errorCode": "REQUEST_LIMIT_EXCEEDED"}], spent)
    with pytest.raises(Throttled) as caught:
        limits(vendor)
    assert caught.value.until_reset
    assert len(vendor.paths("/limits")) == 1


def test_other_403_is_a_missing_permission(vendor: Any) -> None:
    vendor.data = lambda _: (403, [{"errorCode": "API_DISABLED_FOR_ORG"}])
    with pytest.raises(PermissionMissing):
        limits(vendor)


@pytest.mark.parametrize("answer", [(500, [{"errorCode": "UNKNOWN_EXCEPTION"}]), (0, []), (200, b"<html>")])
def test_lost_answer_is_retried_for_a_read_and_never_for_a_write(vendor: Any, answer: Any) -> None:
    vendor.data = lambda _: answer
    with pytest.raises(Unavailable):
        limits(vendor)
    assert len(vendor.paths("/limits")) == 4
    with pytest.raises(Ambiguous):
        vendor.org().write("Contact", [Write(ID1, {"Title": "x"})])
    assert len(vendor.paths("/composite/sobjects")) == 1


def test_write_that_could_not_be_sent_is_not_ambiguous(vendor: Any) -> None:
    org = vendor.client(url="https://127.0.0.1:9")
    with pytest.raises(Unavailable):
        org.call("write", lambda sf: sf.restful("limits"), write=True)


def write(vendor: Any, writes: list[Write], answer: Any) -> Mapping[str, Any]:
    vendor.data = lambda _: (200, answer)
    return {result.key: result for result in vendor.org().write("Contact", writes)}


def test_success_status_is_not_taken_as_proof_and_locks_are_deferred(vendor: Any) -> None:
    lock = {"statusCode": "UNABLE_TO_LOCK_ROW", "message": "unable to obtain exclusive access", "fields": []}
    bad = {"statusCode": "INVALID_EMAIL_ADDRESS", "message": "Email: invalid address: jo@x", "fields": ["Email"]}
    writes = [Write(ID1, {"Title": "x"}), Write(ID2, {"Email": "jo@x"}), Write("003Qy0000000003", {"Title": None})]
    answer = [
        {"success": False, "errors": [lock]},
        {"success": False, "errors": [bad]},
        {"id": "003Qy0000000003AAA", "success": True, "errors": []},
    ]
    results = write(vendor, writes, answer)
    assert (results[ID1].outcome, results[ID1].reason) == (Outcome.DEFERRED, DeferReason.RETRYABLE)
    assert (results[ID2].outcome, results[ID2].code) == (Outcome.REJECTED, "INVALID_EMAIL_ADDRESS")
    assert "jo@x" not in results[ID2].message
    assert results["003Qy0000000003"].outcome is Outcome.ACCEPTED
    sent = vendor.paths("/composite/sobjects")[0].json()
    assert sent["allOrNone"] is False
    assert sent["records"][2] == {"attributes": {"type": "Contact"}, "id": "003Qy0000000003", "Title": None}


def test_limit_met_by_single_records_slows_the_budget(vendor: Any, budget: Any) -> None:
    item = {"success": False, "errors": [{"statusCode": "REQUEST_LIMIT_EXCEEDED", "message": "slow", "fields": []}]}
    results = write(vendor, [Write(ID1, {"Title": "x"})], [item])
    assert results[ID1].reason is DeferReason.THROTTLED
    assert ("write", None) in budget.refusals


def test_results_are_counted_and_their_ids_compared(vendor: Any) -> None:
    writes = [Write(ID1, {"Title": "x"}), Write(ID2, {"Title": "y"})]
    with pytest.raises(Ambiguous):
        write(vendor, writes, [{"id": ID1, "success": True, "errors": []}])
    swapped = [{"id": key, "success": True, "errors": []} for key in (ID2, ID1)]
    with pytest.raises(ContractBroken):
        write(vendor, writes, swapped)


@pytest.mark.parametrize("key", ["//evil.example/x", "003Qy0000000001/../..", "", "a b/c?d#e", "003Qy0000000001A"])
def test_hostile_key_is_rejected_unsent(vendor: Any, key: str) -> None:
    [result] = vendor.org().write("Contact", [Write(key, {"Title": "x"})])
    assert (result.outcome, result.code) == (Outcome.REJECTED, "MALFORMED_ID")
    assert vendor.requests == []


@pytest.mark.parametrize("name", ["Title, Name", "attributes", "id", "Id", "x' OR 1"])
def test_hostile_field_name_is_rejected_unsent(vendor: Any, name: str) -> None:
    [result] = vendor.org().write("Contact", [Write(ID1, {name: "x"})])
    assert result.outcome is Outcome.REJECTED
    assert vendor.requests == []


def test_address_of_the_next_rows_cannot_lead_the_token_away(vendor: Any) -> None:
    described = {"fields": [{"name": "Id", "type": "id"}, {"name": "SystemModstamp", "type": "datetime"}]}
    row = {"Id": ID1, "SystemModstamp": "2026-01-01T00:00:00.000+0000"}
    more = {"totalSize": 9, "done": False, "records": [row], "nextRecordsUrl": ".evil.example/services/data/"}
    vendor.data = lambda exchange: (200, described if "describe" in exchange.path else more)
    pages = vendor.org().read("Contact", None, [], AS_OF)
    assert len(next(pages).records) == 1
    with pytest.raises(ContractBroken):
        next(pages)


def test_rows_that_are_missing_from_an_answer_are_noticed(vendor: Any) -> None:
    described = {"fields": [{"name": "Id", "type": "id"}, {"name": "SystemModstamp", "type": "datetime"}]}
    short = {"totalSize": 2, "done": True, "records": []}
    vendor.data = lambda exchange: (200, described if "describe" in exchange.path else short)
    with pytest.raises(Unavailable, match="0 rows came of 2"):
        list(vendor.org().read("Contact", None, [], AS_OF))


def exceptions_of(module: Any) -> list[type[Exception]]:
    return [kind for _, kind in inspect.getmembers(module, inspect.isclass) if issubclass(kind, Exception)]


def test_there_are_exceptions_to_enumerate() -> None:
    assert len(exceptions_of(sdk)) >= 11


EXPECTED: dict[type[Exception], type[ConnectorError]] = {
    sdk.SalesforceError: Refused,
    sdk.SalesforceMoreThanOneRecord: Refused,
    sdk.SalesforceMalformedRequest: Refused,
    sdk.SalesforceExpiredSession: AuthFailed,
    sdk.SalesforceRefusedRequest: PermissionMissing,
    sdk.SalesforceResourceNotFound: PermissionMissing,
    sdk.SalesforceAuthenticationFailed: AuthFailed,
    sdk.SalesforceGeneralError: Unavailable,
    sdk.SalesforceOperationError: Unavailable,
    sdk.SalesforceBulkV2LoadError: Unavailable,
    sdk.SalesforceBulkV2ExtractError: Unavailable,
}
STATUS = {
    "MoreThanOneRecord": 300,
    "ExpiredSession": 401,
    "RefusedRequest": 403,
    "ResourceNotFound": 404,
    "GeneralError": 502,
}


@pytest.mark.parametrize("kind", exceptions_of(sdk))
def test_every_exception_of_the_sdk_is_translated(vendor: Any, kind: type[Exception]) -> None:
    status = STATUS.get(kind.__name__.removeprefix("Salesforce"), 400)
    code = "NOT_FOUND" if status == 404 else "SOME_CODE"
    if kind is sdk.SalesforceAuthenticationFailed:
        raised: Exception = sdk.SalesforceAuthenticationFailed("invalid_grant", "words")
    elif issubclass(kind, sdk.SalesforceError):
        raised = kind("https://x/?q=jane", status, "X", [{"errorCode": code, "message": "jane"}])  # type: ignore[call-arg]
    else:
        raised = kind("jane")

    def operation(_: Any) -> None:
        raise raised

    with pytest.raises(ConnectorError) as caught:
        vendor.client().call("read", operation)
    assert kind in EXPECTED, "a new exception of the SDK: say what it means"
    assert type(caught.value) is EXPECTED[kind]
    assert caught.value.__cause__ is raised
    assert "jane" not in f"{caught.value} {raised}"


@pytest.mark.parametrize(
    "kind", [k for k in exceptions_of(requests.exceptions) if issubclass(k, requests.RequestException)]
)
def test_every_exception_of_the_transport_is_translated(vendor: Any, kind: type[Exception]) -> None:
    def operation(_: Any) -> None:
        raise kind("jane", "", 0) if issubclass(kind, ValueError) and "JSON" in kind.__name__ else kind("jane")

    with pytest.raises((Unavailable, FatalError)) as caught:
        vendor.client().call("read", operation)
    assert "jane" not in f"{caught.value} {caught.value.__cause__}"


@pytest.mark.parametrize(
    "url",
    ["http://x.my.salesforce.com", "https://login.salesforce.com", "x.my.salesforce.com", "https://x.com/services"],
)
def test_url_that_cannot_work_is_a_fault_of_configuration(vendor: Any, url: str) -> None:
    with pytest.raises(ConfigError, match="sf: url must be"):
        vendor.client(url=url)
