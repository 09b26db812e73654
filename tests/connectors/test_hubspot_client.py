"""What hubspot-api-client does wrong, and that our client does not: each test fails on the SDK's own way."""

from __future__ import annotations

import importlib.util
import inspect
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hubspot
import pytest
import urllib3

from connectors.hubspot import client as client_module
from connectors.hubspot.client import Client, Refused
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

READ = "crm.properties.core_api.get_all"
WRITE = "crm.contacts.batch_api.update"
EXPIRED = (401, {"category": "EXPIRED_AUTHENTICATION", "message": "expired"})


@pytest.fixture
def vendor(scripted: Callable[..., Any], budget: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A scripted portal: `vendor.answer` decides; tokens are handed out unless it says otherwise."""
    server = scripted()
    tokens = iter(range(1, 1000))

    def token(_: Any) -> Any:
        return 200, {"access_token": f"token-{next(tokens)}", "expires_in": 1800, "token_type": "bearer"}

    def answer(exchange: Any) -> Any:
        return server.token(exchange) if exchange.path.startswith("/oauth/") else server.data(exchange)

    server.token, server.data, server.answer = token, lambda _: (200, {"results": []}), answer
    app = {"url": server.url, "client_id": "id", "client_secret": "hush", "refresh_token": "refresh"}
    server.oauth = lambda: Client("hs", app, budget)
    server.private = lambda: Client("hs", {"url": server.url, "access_token": "pat-hush"}, budget)
    monkeypatch.setattr(client_module, "TIMEOUT_SECONDS", (2.0, 0.3))
    return server


def read(client: Client) -> Any:
    return client.call("read", READ, "contacts", stream="contacts")


def write(client: Client) -> Any:
    return client.call("write", WRITE, {"inputs": []}, stream="contacts", write=True)


def test_calls_share_a_connection(vendor: Any) -> None:
    """A new API object by attribute access would open one connection a call."""
    client = vendor.private()
    for _ in range(5):
        read(client)
    assert len(vendor.requests) == 5
    assert len(vendor.connections) == 1


def test_new_token_reaches_kept_api_objects(vendor: Any) -> None:
    vendor.data = lambda exchange: (
        EXPIRED if exchange.headers["authorization"].endswith("token-1") else (200, {"results": [1]})
    )
    client = vendor.oauth()
    assert read(client) == {"results": [1]}
    assert read(client) == {"results": [1]}
    sent = [request.headers["authorization"] for request in vendor.paths("/properties")]
    assert sent == ["Bearer token-1", "Bearer token-2", "Bearer token-2"]


def test_token_that_is_refused_for_ever_is_renewed_once_a_call(vendor: Any) -> None:
    vendor.data = lambda _: EXPIRED
    with pytest.raises(AuthFailed):
        read(vendor.oauth())
    assert len(vendor.paths("/oauth/")) == 2
    assert len(vendor.paths("/properties")) == 2


def test_threads_that_meet_an_expired_token_share_one_renewal(vendor: Any) -> None:
    vendor.data = lambda exchange: (
        EXPIRED if exchange.headers["authorization"].endswith("token-1") else (200, {"results": []})
    )
    client = vendor.oauth()
    threads = [threading.Thread(target=read, args=(client,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(vendor.paths("/oauth/")) == 2


def test_private_app_has_nothing_to_renew(vendor: Any) -> None:
    vendor.data = lambda _: EXPIRED
    with pytest.raises(AuthFailed):
        read(vendor.private())
    assert len(vendor.requests) == 1


@pytest.mark.parametrize("status", [401, 530])
def test_malformed_token_is_auth_failed_too(vendor: Any, status: int) -> None:
    vendor.data = lambda _: (status, {"message": "bad token format"})
    with pytest.raises(AuthFailed):
        read(vendor.private())


def test_refused_refresh_token_is_auth_failed_and_keeps_the_secret(vendor: Any) -> None:
    vendor.token = lambda _: (400, {"status": "BAD_REFRESH_TOKEN", "message": "refresh hush"})
    with pytest.raises(AuthFailed, match="BAD_REFRESH_TOKEN") as caught:
        read(vendor.oauth())
    assert "hush" not in f"{caught.value} {caught.value.__cause__}"


def test_token_service_that_is_down_is_not_a_bad_credential(vendor: Any) -> None:
    vendor.token = lambda _: (503, {"message": "later"})
    with pytest.raises(Unavailable):
        write(vendor.oauth())


def test_silent_server_does_not_hang_a_call(vendor: Any) -> None:
    vendor.data = lambda _: time.sleep(1.5) or (200, {})
    began = time.monotonic()
    with pytest.raises(Unavailable):
        read(vendor.private())
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("status", [200, 201, 202, 207])
def test_unexpected_success_status_is_not_an_empty_answer(vendor: Any, status: int) -> None:
    """The SDK answers None to a 2xx that its map does not hold."""
    vendor.data = lambda _: (status, {"results": [{"id": "1"}]})
    assert write(vendor.private()) == {"results": [{"id": "1"}]}


def test_nothing_is_retried_behind_our_back(vendor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """urllib3 would send a GET four times and sleep through Retry-After."""
    monkeypatch.setattr("connectors._retry.UNAVAILABLE_ATTEMPTS", 1)
    monkeypatch.setattr("connectors._retry.THROTTLED_ATTEMPTS", 1)
    for answer in ((429, {"policyName": "SECONDLY"}, {"Retry-After": "1"}), (503, {}), (0, {})):
        vendor.requests.clear()
        vendor.data = lambda _, answer=answer: answer
        with pytest.raises((Throttled, Unavailable)):
            read(vendor.private())
        assert len(vendor.requests) == 1


@pytest.mark.parametrize(
    ("policy", "limit"), [("SECONDLY", "secondly"), ("TEN_SECONDLY_ROLLING", "ten_secondly"), ("", "read")]
)
def test_short_throttle_is_told_to_the_right_limit_and_waited_out(
    vendor: Any, budget: Any, policy: str, limit: str
) -> None:
    answers = iter([(429, {"policyName": policy}, {"Retry-After": "3"}), (200, {"fine": 1})])
    vendor.data = lambda _: next(answers)
    assert read(vendor.private()) == {"fine": 1}
    assert budget.refusals == [(limit, 3.0)]


def test_throttled_write_is_sent_again(vendor: Any) -> None:
    """The README's Retry recipe does not repeat a POST."""
    answers = iter([(429, {"policyName": "SECONDLY"}), (200, {"results": []})])
    vendor.data = lambda _: next(answers)
    assert write(vendor.private()) == {"results": []}


def test_daily_throttle_is_not_retried(vendor: Any, budget: Any) -> None:
    vendor.data = lambda _: (429, {"policyName": "DAILY"})
    with pytest.raises(Throttled) as caught:
        read(vendor.private())
    assert caught.value.until_reset
    assert len(vendor.requests) == 1
    assert budget.refusals == [("daily", None)]


@pytest.mark.parametrize("status", [423, 477])
def test_locked_record_and_moving_account_are_waited_out(vendor: Any, status: int) -> None:
    answers = iter([(status, {"message": "locked"}), (200, {"fine": 1})])
    vendor.data = lambda _: next(answers)
    assert write(vendor.private()) == {"fine": 1}


def test_403_is_a_missing_permission(vendor: Any) -> None:
    vendor.data = lambda _: (403, {"category": "MISSING_SCOPES"})
    with pytest.raises(PermissionMissing, match="MISSING_SCOPES"):
        read(vendor.private())


def test_refusal_carries_status_and_code(vendor: Any) -> None:
    vendor.data = lambda _: (404, {"category": "OBJECT_NOT_FOUND"})
    with pytest.raises(Refused) as caught:
        read(vendor.private())
    assert (caught.value.status, caught.value.code) == (404, "OBJECT_NOT_FOUND")


@pytest.mark.parametrize("answer", [(500, {}), (0, {}), (200, b"<html>")])
def test_lost_answer_is_retried_for_a_read_and_never_for_a_write(vendor: Any, answer: Any) -> None:
    vendor.data = lambda _: answer
    with pytest.raises(Unavailable):
        read(vendor.private())
    assert len(vendor.paths("/properties")) == 4
    with pytest.raises(Ambiguous):
        write(vendor.private())
    assert len(vendor.paths("/batch/update")) == 1


def test_write_that_could_not_be_sent_is_not_ambiguous(budget: Any) -> None:
    with pytest.raises(Unavailable):
        write(Client("hs", {"url": "http://127.0.0.1:9", "access_token": "x"}, budget))


def test_failed_handshake_is_not_an_attribute_error(scripted: Callable[..., Any], budget: Any) -> None:
    """The SDK trips over its own exception: 'NoneType' object has no attribute 'decode'."""
    server = scripted(tls=True)
    with pytest.raises(FatalError, match="certificate"):
        read(Client("hs", {"url": server.url, "access_token": "x"}, budget))


def test_usage_headers_reach_the_budget(vendor: Any, budget: Any) -> None:
    headers = {
        "X-HubSpot-RateLimit-Max": "190",
        "X-HubSpot-RateLimit-Remaining": "12",
        "X-HubSpot-RateLimit-Daily": "650000",
        "X-HubSpot-RateLimit-Daily-Remaining": "649000",
    }
    vendor.data = lambda _: (200, {}, headers)
    read(vendor.private())
    assert budget.observed == [("ten_secondly", 12, 190), ("daily", 649000, 650000)]


def api_exceptions() -> list[type[Exception]]:
    """Every exception class of every generated package, each file loaded alone (their packages do not all compile)."""
    found = []
    root = Path(hubspot.__path__[0])
    for path in sorted(root.glob("*/**/exceptions.py")):
        name = ".".join(["hubspot", *path.relative_to(root).with_suffix("").parts])
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        members = inspect.getmembers(module, inspect.isclass)
        found += [kind for _, kind in members if issubclass(kind, Exception) and kind.__module__ == name]
    return found


def raised(kind: type[Exception], status: int) -> Exception:
    if kind.__name__ == "OpenApiException" or (kind.__name__.startswith("Api") and kind.__name__ != "ApiException"):
        return kind("jane")
    error = kind(status=status, reason="jane")  # type: ignore[call-arg]
    error.body = '{"category": "X", "message": "jane"}'  # type: ignore[attr-defined]
    return error


STATUS = {"UnauthorizedException": 401, "ForbiddenException": 403, "NotFoundException": 404, "ServiceException": 503}
MEANT: dict[str, type[ConnectorError]] = {
    "UnauthorizedException": AuthFailed,
    "ForbiddenException": PermissionMissing,
    "NotFoundException": Refused,
    "ServiceException": Unavailable,
    "ApiException": Refused,
}


def test_every_exception_of_every_sdk_package_is_translated(vendor: Any) -> None:
    """61 unrelated families: `except ApiException` of one package misses the 60 others."""
    client = vendor.private()
    kinds = api_exceptions()
    assert sum(kind.__name__ == "ApiException" for kind in kinds) >= 50
    for kind in kinds:
        error = client.translate(raised(kind, STATUS.get(kind.__name__, 409)), "read", stream="contacts", write=False)
        assert type(error) is MEANT.get(kind.__name__, ContractBroken), kind
        assert "jane" not in str(error)


def test_every_exception_of_the_transport_is_translated(vendor: Any) -> None:
    client = vendor.private()
    kinds = [
        k
        for _, k in inspect.getmembers(urllib3.exceptions, inspect.isclass)
        if issubclass(k, urllib3.exceptions.HTTPError)
    ]
    assert len(kinds) > 20
    for kind in kinds:
        error = client.translate(kind.__new__(kind), "read", stream="", write=False)
        assert isinstance(error, Unavailable | FatalError), kind


def test_mistake_of_ours_is_not_translated(vendor: Any) -> None:
    with pytest.raises(AttributeError):
        vendor.private().call("read", "crm.contacts.basic_api.no_such_method")


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"client_id": "a"},
        {"client_id": "a", "client_secret": "b"},
        {"access_token": "t", "refresh_token": "r"},
        {"access_token": "t", "client_id": "a", "client_secret": "b", "refresh_token": "r"},
    ],
)
def test_credential_is_given_in_one_whole_way(settings: dict[str, str], budget: Any) -> None:
    with pytest.raises(ConfigError, match="access_token"):
        Client("hs", settings, budget)
