"""The HTTP engine of vendors without an SDK, over loopback."""

from __future__ import annotations

import socket
import threading
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from connectors._http import HttpClient, Refused, Reply, retry_after
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

TOKEN = "shpat_the-secret-token"
ADDRESS = "jane.moss@example.org"


def nothing(reply: Reply, where: str) -> None:
    """A vendor without errors of its own."""


def engine(url: str, budget: Any, refusal: Callable[[Reply, str], ConnectorError | None] = nothing) -> HttpClient:
    return HttpClient("shop", url, {"Authorization": f"Bearer {TOKEN}"}, budget, refusal)


def told(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


def test_a_request_carries_its_headers_and_body_and_its_answer_comes_decoded(scripted, budget) -> None:
    server = scripted()
    server.answer = lambda request: (200, {"ok": True}, {"X-Left": "7"})
    client = engine(server.url + "/base", budget)

    reply = client.call(
        "write", "POST", "/things", write=True, json={"a": 1}, params={"p": "é"}, headers={"X-One": "1"}
    )

    assert (reply.status, reply.body, reply.headers["x-left"]) == (200, {"ok": True}, "7")
    [request] = server.requests
    assert (request.method, request.path) == ("POST", "/base/things?p=%C3%A9")
    assert (request.headers["Authorization"], request.headers["X-One"]) == (f"Bearer {TOKEN}", "1")
    assert request.json() == {"a": 1}
    assert budget.acquired == [("write", True)]


def test_an_empty_answer_has_no_body(scripted, budget) -> None:
    server = scripted()
    server.answer = lambda _: (200, b"")
    assert engine(server.url, budget).call("read", "GET", "/").body is None


@pytest.mark.parametrize(
    ("status", "write", "expected"),
    [
        (400, False, Refused),
        (401, True, AuthFailed),
        (403, False, PermissionMissing),
        (404, False, Refused),
        (302, False, ContractBroken),
        (408, True, Ambiguous),
        (500, False, Unavailable),
        (503, True, Ambiguous),
    ],
)
def test_a_status_becomes_an_error_that_says_where_and_no_data(
    scripted, budget, status: int, write: bool, expected: type[ConnectorError]
) -> None:
    server = scripted()
    server.answer = lambda _: (status, {"message": f"{ADDRESS} {TOKEN}"}, {"Location": f"/{ADDRESS}"})
    with pytest.raises(expected) as caught:
        engine(server.url, budget).call("read", "GET", "/", stream="customers", write=write)
    assert (caught.value.system, caught.value.stream) == ("shop", "customers")
    assert str(caught.value).startswith("shop.customers: ")
    assert TOKEN not in told(caught.value)
    assert ADDRESS not in told(caught.value)


@pytest.mark.parametrize(("write", "calls"), [(False, 4), (True, 1)])
def test_a_server_error_is_tried_again_unless_it_was_a_write(scripted, budget, write: bool, calls: int) -> None:
    server = scripted()
    server.answer = lambda _: (502, b"<html>")
    with pytest.raises(Ambiguous if write else Unavailable):
        engine(server.url, budget).call("read", "POST", "/", write=write)
    assert len(server.requests) == len(budget.acquired) == calls


def test_a_throttle_slows_the_budget_and_is_waited_out(scripted, budget) -> None:
    server = scripted()
    server.answer = lambda _: (429, {}, {"Retry-After": "0.5"}) if len(server.requests) < 3 else (200, {"done": 1})
    assert engine(server.url, budget).call("search", "POST", "/", write=True).body == {"done": 1}
    assert budget.refusals == [("search", 0.5), ("search", 0.5)]


def test_a_throttle_without_end_is_told(scripted, budget) -> None:
    server = scripted()
    server.answer = lambda _: (429, {})
    with pytest.raises(Throttled):
        engine(server.url, budget).call("read", "GET", "/")
    assert len(server.requests) == 8


def test_the_vendor_judges_what_the_status_does_not_say(scripted, budget) -> None:
    server = scripted()
    server.answer = lambda _: (200, {"errors": "THROTTLED"}) if len(server.requests) == 1 else (200, {"errors": "no"})

    def judge(reply: Reply, where: str) -> ConnectorError | None:
        if reply.body["errors"] == "THROTTLED":
            return Throttled(f"{where}: slower", retry_after=0.1)
        return Refused(f"{where}: no", status=reply.status, code="NO", body=reply.body)

    with pytest.raises(Refused) as caught:
        engine(server.url, budget, judge).call("query", "POST", "/graphql", stream="orders")
    assert (caught.value.code, caught.value.stream, str(caught.value)) == ("NO", "orders", "shop.orders: no")
    assert budget.refusals == [("query", 0.1)]
    assert len(server.requests) == 2


def test_an_answer_of_another_form_is_a_lost_one(scripted, budget) -> None:
    server = scripted()
    server.answer = lambda _: (200, [ADDRESS])

    def judge(reply: Reply, where: str) -> ConnectorError | None:
        return reply.body["errors"]

    with pytest.raises(Unavailable):
        engine(server.url, budget, judge).call("read", "GET", "/")
    with pytest.raises(Ambiguous) as caught:
        engine(server.url, budget, judge).call("read", "GET", "/", write=True)
    assert ADDRESS not in told(caught.value)
    server.answer = lambda _: (422, [ADDRESS])
    with pytest.raises(Refused):
        engine(server.url, budget, judge).call("read", "GET", "/", write=True)


@pytest.mark.parametrize(("write", "expected"), [(False, Unavailable), (True, Ambiguous)])
def test_words_instead_of_json_are_a_lost_answer(scripted, budget, write: bool, expected: type[Exception]) -> None:
    server = scripted()
    server.answer = lambda _: (200, b"<html>" + ADDRESS.encode())
    with pytest.raises(expected) as caught:
        engine(server.url, budget).call("read", "GET", "/", write=write)
    assert ADDRESS not in str(caught.value)


@pytest.mark.parametrize(("write", "expected", "calls"), [(False, Unavailable, 4), (True, Ambiguous, 1)])
def test_a_connection_that_breaks_after_sending(
    scripted, budget, write: bool, expected: type[Exception], calls: int
) -> None:
    server = scripted()
    server.answer = lambda _: (0, None)
    with pytest.raises(expected) as caught:
        engine(server.url, budget).call("read", "GET", f"/{ADDRESS}", write=write)
    assert len(server.requests) == calls
    assert ADDRESS not in told(caught.value)
    assert TOKEN not in told(caught.value)


def test_a_write_that_was_never_sent_is_tried_again(budget) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(Unavailable):
        engine(f"http://127.0.0.1:{port}", budget).call("write", "POST", "/", write=True)
    assert len(budget.acquired) == 4


def test_a_server_that_never_answers_is_given_up(budget, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors._http.TIMEOUT", httpx.Timeout(0.05))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = engine(f"http://127.0.0.1:{silent.getsockname()[1]}", budget)
        with pytest.raises(Ambiguous):
            client.call("write", "POST", "/", write=True)


def test_an_unknown_certificate_is_final_and_a_http_server_behind_https_too(scripted, budget) -> None:
    with pytest.raises(FatalError, match="not trusted"):
        engine(scripted(tls=True).url, budget).call("read", "GET", "/")
    with pytest.raises(FatalError, match="check url"):
        engine(scripted().url.replace("http:", "https:"), budget).call("read", "GET", "/")
    assert len(budget.acquired) == 2


@pytest.mark.parametrize("url", ["", "shop.example", "ftp://shop.example", "https://"])
def test_an_address_without_scheme_or_host_is_a_wrong_setting(budget, url: str) -> None:
    with pytest.raises(ConfigError, match="shop: url"):
        engine(url, budget)


def test_one_client_serves_many_threads(scripted, budget) -> None:
    server = scripted()
    together = threading.Barrier(4, timeout=10)

    def answer(request: Any) -> tuple[int, Any]:
        together.wait()
        return 200, {"path": request.path}

    server.answer = answer
    client = engine(server.url, budget)
    with ThreadPoolExecutor(4) as threads:
        replies = list(threads.map(lambda n: client.call("read", "GET", f"/{n}").body["path"], range(8)))
    assert replies == [f"/{n}" for n in range(8)]
    assert len(server.connections) <= 4


@pytest.mark.parametrize(
    ("headers", "seconds"), [({"Retry-After": "2"}, 2.0), ({"Retry-After": "soon"}, None), ({}, None)]
)
def test_the_wish_of_a_vendor_is_a_number_of_seconds(headers: Mapping[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds
