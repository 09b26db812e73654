"""What the client for Klaviyo sends and what it never sends, what it tells the budget, and how it follows pages."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connectors import catalogue, open_connector
from connectors.klaviyo.client import ENDPOINTS, Client
from onevoice.errors import Ambiguous, AuthFailed, ConfigError, ContractBroken, PermissionMissing, Unavailable

SPEC = Path(__file__).parents[1] / "specs" / "klaviyo" / "klaviyo.json"
IMPORT = "/api/profile-bulk-import-jobs"
EMPTY = {"data": [], "links": {"self": "https://a.klaviyo.com/api/profiles"}}
NO_SCOPE = {"errors": [{"id": "1", "code": "permission_denied", "title": "No.", "detail": "accounts:read is missing"}]}


@pytest.fixture
def vendor(scripted: Callable[..., Any]) -> Any:
    """A scripted account that answers everything with an empty list unless the test says otherwise."""
    server = scripted()
    server.answer = lambda _: (200, EMPTY)
    return server


@pytest.fixture
def client(vendor: Any, budget: Any) -> Client:
    return Client("kl", {"url": vendor.url, "api_key": "pk_hush"}, budget)


def operations() -> list[tuple[str, str, str]]:
    """(method, path with ids filled in, operation id) of all that the description has."""
    described = json.loads(SPEC.read_text("utf-8"))["paths"]
    return [
        (method.upper(), re.sub(r"\{\w+\}", "01JD", path), operation["operationId"])
        for path, methods in described.items()
        for method, operation in methods.items()
        if method in {"get", "post", "put", "patch", "delete"}
    ]


def allowed(method: str, path: str) -> bool:
    return any(e.method == method and re.fullmatch(e.path, path) for e in ENDPOINTS)


def test_client_sends_nothing_outside_its_list(client: Client, vendor: Any) -> None:
    """Subscribing lifts opt-outs, unsubscribing from a list unsubscribes everywhere, and unsuppressing speaks for
    itself."""
    forbidden = [(method, path) for method, path, _ in operations() if not allowed(method, path)]
    forbidden += [
        ("POST", "/api/profile-subscription-bulk-create-jobs"),
        ("POST", "/api/profile-subscription-bulk-delete-jobs"),
        ("POST", "/api/profile-suppression-bulk-delete-jobs"),
        ("POST", "/api/profile-merge"),
        ("POST", f"{IMPORT}/../profile-subscription-bulk-create-jobs"),
        ("POST", f"{IMPORT}?x=/../profile-subscription-bulk-create-jobs"),
        ("POST", f"{IMPORT}/"),
        ("GET", f"{IMPORT}/a/../../profiles"),
        ("GET", "https://elsewhere.example/api/profiles"),
        ("DELETE", "/api/profiles"),
    ]
    assert len(forbidden) > 20
    for method, path in forbidden:
        with pytest.raises(ContractBroken, match="none of the calls"):
            client._call(method, path, "profiles", json={})
    assert vendor.requests == []


def test_only_two_calls_change_anything() -> None:
    changing = {name for method, path, name in operations() if method != "GET" and allowed(method, path)}
    assert changing == {"bulk_import_profiles", "bulk_suppress_profiles"}
    assert {(e.method == "POST") for e in ENDPOINTS if e.effect} == {True}
    assert {e.effect for e in ENDPOINTS if e.method != "GET"} == {True}


def test_every_call_names_key_revision_and_media_type(client: Client, vendor: Any) -> None:
    client.get("/api/profiles")
    vendor.answer = lambda _: (202, {"data": {"id": "j"}})
    client.post(IMPORT, {"data": {}})
    for request in vendor.requests:
        assert request.headers["Authorization"] == "Klaviyo-API-Key pk_hush"
        assert request.headers["revision"] == "2026-07-15"
        assert request.headers["Accept"] == "application/vnd.api+json"
    assert vendor.requests[1].headers["Content-Type"] == "application/vnd.api+json"


def test_revision_can_be_set_and_must_be_a_date(vendor: Any, budget: Any) -> None:
    settings = {"url": vendor.url, "api_key": "pk_hush"}
    Client("kl", {**settings, "revision": "2026-10-15"}, budget).get("/api/profiles")
    assert vendor.requests[0].headers["revision"] == "2026-10-15"
    with pytest.raises(ConfigError, match="revision"):
        Client("kl", {**settings, "revision": "newest"}, budget)


def test_what_is_left_of_the_minute_is_told_to_the_endpoints_own_limit(
    client: Client, vendor: Any, budget: Any
) -> None:
    told = {"RateLimit-Limit": "700, 75;w=1, 700;w=60", "RateLimit-Remaining": "12", "RateLimit-Reset": "40"}
    vendor.answer = lambda _: (200, EMPTY, told)
    client.get("/api/profiles")
    client.get("/api/accounts")
    assert budget.acquired == [("read", False), ("account", False)]
    assert budget.observed == [("read_minutely", 12, 700), ("account_minutely", 12, 700)]


def test_throttled_call_waits_as_long_as_it_is_told(client: Client, vendor: Any, budget: Any) -> None:
    refused = [(429, {}, {"Retry-After": "7"}), (429, {}, {"Retry-After": "1"}), (429, {})]
    answers = iter([*refused, (202, {"data": {"id": "j"}})])
    vendor.answer = lambda _: next(answers)
    client.post(IMPORT, {"data": {}})
    assert budget.refusals == [("write_minutely", 7.0), ("write_secondly", 1.0), ("write_secondly", None)]
    assert len(vendor.requests) == 4


def test_every_kind_of_call_has_both_windows_in_the_manifest() -> None:
    """The budget is told by their names."""
    limits = {limit.name: limit for limit in catalogue()["klaviyo"].limits}
    windows = [(kind, window) for kind in {e.kind for e in ENDPOINTS} for window in ("secondly", "minutely")]
    assert {f"{kind}_{window}" for kind, window in windows} == set(limits)
    assert all(limits[f"{kind}_{window}"].kinds == (kind,) for kind, window in windows)


def test_lost_answer_is_repeated_for_a_read_and_never_for_a_job(client: Client, vendor: Any) -> None:
    answers = iter([(0, b""), (200, EMPTY)])
    vendor.answer = lambda _: next(answers)
    assert client.get("/api/profiles") == EMPTY
    vendor.requests.clear()
    vendor.answer = lambda _: (0, b"")
    with pytest.raises(Ambiguous):
        client.post(IMPORT, {"data": {}})
    assert len(vendor.requests) == 1


def test_an_answer_that_is_no_document_is_not_a_success(client: Client, vendor: Any) -> None:
    vendor.answer = lambda _: (200, [])
    with pytest.raises(Unavailable):
        client.get("/api/profiles")
    with pytest.raises(Ambiguous):
        client.post(IMPORT, {"data": {}})


def test_page_links_are_followed_by_their_cursor_and_never_to_their_host(client: Client, vendor: Any) -> None:
    there = "https://elsewhere.example/api/profiles?page%5Bcursor%5D=abc%3D&page%5Bsize%5D=100"
    first, second = {"data": [{"id": "1"}], "links": {"next": there}}, {"data": [{"id": "2"}], "links": {"next": None}}
    vendor.answer = lambda request: (200, second if "cursor" in request.path else first)
    pages = list(client.pages("/api/profiles", {"page[size]": 100}))
    assert pages == [[{"id": "1"}], [{"id": "2"}]]
    assert "page%5Bcursor%5D=abc%3D" in vendor.requests[1].path


def test_page_that_names_itself_as_the_next_ends(client: Client, vendor: Any) -> None:
    vendor.answer = lambda _: (200, {"data": [], "links": {"next": "/api/profiles?page[cursor]=same"}})
    with pytest.raises(ContractBroken, match="names itself"):
        list(client.pages("/api/profiles", {}))


def opened(vendor: Any, budget: Any) -> Any:
    return open_connector("klaviyo", "kl", {"url": vendor.url, "api_key": "pk_hush"}, budget)


def test_check_works_without_the_scope_that_names_the_account(vendor: Any, budget: Any) -> None:
    vendor.answer = lambda request: (403, NO_SCOPE) if "accounts" in request.path else (200, EMPTY)
    check = opened(vendor, budget).check()
    assert "accounts:read" in check.notes[0]
    vendor.answer = lambda _: (403, NO_SCOPE)
    with pytest.raises(PermissionMissing):
        opened(vendor, budget).check()
    vendor.answer = lambda _: (401, NO_SCOPE)
    with pytest.raises(AuthFailed):
        opened(vendor, budget).check()


def test_check_names_the_account(klaviyo: Any) -> None:
    assert klaviyo.open().check().account == "Onevoice sandbox (Vc9x2K)"


def test_account_answer_of_another_form_is_told(vendor: Any, budget: Any) -> None:
    with pytest.raises(ContractBroken, match="account"):
        opened(vendor, budget).check()
