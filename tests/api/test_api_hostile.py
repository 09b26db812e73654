"""What is sent by those who mean harm, or do not look: always a problem document, never a 5xx, never an echo."""

from __future__ import annotations

import json
import logging
import socket
from typing import Any
from urllib.parse import quote

import pytest

from onevoice.api.guard import MOST_BYTES
from onevoice.errors import StoreError
from onevoice.store import lookups

TEXTS = [
    "",
    " ",
    "\x00",
    "a\x00@b.example",
    "' OR 1=1 --",
    '"; DROP TABLE profile; --',
    "%",
    "_",
    "../../etc/passwd",
    "🂡" * 40,
    "\u202etxt.exe",
    "\uff41\uff20\uff42.example",
    "İ@x.example",
    "x" * 900 + "@x.example",
    "+" + "9" * 900,
    "\ud83d",
    "{{7*7}}",
    "null",
    "-1",
]


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_no_identifier_is_too_odd(town: Any, text: str) -> None:
    for named in ({"email": text}, {"phone": text}, {"card": text}, {"system": text, "stream": text, "key": text}):
        body = json.dumps(named)  # a lone surrogate has an escape in JSON, and no place in a query string
        answers = [town.ask("POST", "/v1/profiles:lookup", content=body, headers={"Content-Type": "application/json"})]
        if "\ud83d" not in text:
            answers.append(town.get("/v1/profiles", params=named))
        for answer in answers:
            assert answer.status_code in {404, 422}, answer.text
            assert answer.headers["content-type"] == "application/problem+json"
            if len(text) > 5:
                assert text not in answer.text
        check = {**named, "family": "join", "channel": "email", "contact_point": text}
        checked = town.ask("POST", "/v1/offers:check", content=json.dumps({"checks": [check]}))
        assert checked.status_code in {200, 422}
        who = {name: value for name, value in named.items() if name in {"email", "phone", "card"}}
        event = {"id": "h-1", "type": "check_in", "at": "2026-11-22T09:00:00Z", "store": text or "x", **who}
        if who:
            assert town.ask("POST", "/v1/events", content=json.dumps(event)).status_code in {200, 201, 409, 422}


@pytest.mark.parametrize("text", [t for t in TEXTS if t.strip() and "\ud83d" not in t])
def test_no_profile_id_is_too_odd(town: Any, text: str) -> None:
    for rest in ("", "/sources", "/service-view"):
        answer = town.get(f"/v1/profiles/{quote(text, safe='')}{rest}")
        assert answer.status_code in {404, 422}
        assert answer.headers["content-type"] == "application/problem+json"


BODIES = [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"{" * 20_000, b"[" * 100_000, b'{"email": 1e999}', b"NaN"]


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
@pytest.mark.parametrize("path", ["/v1/profiles:lookup", "/v1/offers:check", "/v1/events"])
def test_no_body_is_too_odd(town: Any, path: str, body: bytes) -> None:
    for kind in ("application/json", "text/plain", "application/x-www-form-urlencoded"):
        answer = town.ask("POST", path, content=body, headers={"Content-Type": kind})
        assert answer.status_code in {400, 422}, answer.text
        assert answer.headers["content-type"] == "application/problem+json"


def test_too_much_is_a_413_whether_or_not_it_says_so(town: Any) -> None:
    much = b'{"email": "' + b"x" * MOST_BYTES + b'"}'
    assert town.ask("POST", "/v1/profiles:lookup", content=much).status_code == 413
    in_pieces = town.ask(
        "POST", "/v1/profiles:lookup", content=(much[i : i + 50_000] for i in range(0, len(much), 50_000))
    )
    assert in_pieces.status_code == 413
    assert in_pieces.headers["content-type"] == "application/problem+json"
    assert town.get("/v1/profiles", params={"email": "x" * 9_000}).status_code == 413
    assert town.post("/v1/offers:check", {"checks": [{"family": "a", "channel": "b"}] * 101}).status_code == 422


def test_what_there_is_not_is_a_problem_document_too(town: Any) -> None:
    for method, path, status in [
        ("GET", "/", 404),
        ("GET", "/v1/nothing", 404),
        ("GET", "/v1/profiles/1/2/3", 404),
        ("DELETE", "/v1/profiles", 405),
        ("PUT", "/v1/offers:check", 405),
        ("GET", "/docs", 404),
    ]:
        answer = town.ask(method, path)
        assert (answer.status_code, answer.json()["status"]) == (status, status)
        assert answer.headers["content-type"] == "application/problem+json"
        if status == 405:
            assert answer.headers["allow"]


def test_bytes_that_are_no_http_end_the_conversation_and_nothing_else(town: Any) -> None:
    port = int(town.url.rpartition(":")[2])
    for junk in (b"\x16\x03\x01\x02\x00", b"GET /v1/health\r\n\r\n", b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
            line.sendall(junk)
            line.shutdown(socket.SHUT_WR)
            while line.recv(65536):
                pass
    assert town.get("/v1/health").status_code == 200


def test_no_address_and_no_error_text_reaches_the_log(
    town: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    town.get("/v1/profiles", params={"email": "james.hale@example.org"})
    town.post("/v1/profiles:lookup", {"phone": "07700 900123"})

    def quotes_a_customer(*_: object) -> None:
        raise RuntimeError("james.hale@example.org")

    monkeypatch.setattr(lookups, "holders_of_point", quotes_a_customer)
    answer = town.get("/v1/profiles", params={"email": "james.hale@example.org"})
    assert (answer.status_code, answer.json()["type"]) == (500, "urn:onevoice:problem:internal-error")
    assert "james" not in answer.text

    def fails(*_: object) -> None:
        raise StoreError("store: cannot be read: OperationalError (check the database)")

    monkeypatch.setattr(lookups, "holders_of_point", fails)
    answer = town.get("/v1/profiles", params={"email": "james.hale@example.org"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    ours = [record for record in caplog.records if record.name.startswith("onevoice")]
    said = "\n".join(record.getMessage() for record in ours)
    assert "GET /v1/profiles 500" in said
    assert "RuntimeError at test_api_hostile.py" in said
    assert "james" not in said
    assert "900123" not in said
