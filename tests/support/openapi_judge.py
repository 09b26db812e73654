"""A vendor's official OpenAPI description as the judge of everything that goes over the wire to its sandbox.

`Judged` stands before the sandbox's app, in its process: whoever calls (a test, a connector, an SDK), each request and
each answer is held against the description. A request that was turned down with a 4xx other than 429 may be wrong where
tests ask wrongly on purpose; its answer may not.

openapi-core lets a request pass that lacks a required header when the header's schema has a default; so required
headers are looked for here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl

from openapi_core import Config, OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest, MockResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOST = "http://vendor.test"
TURNED_DOWN = frozenset({*range(400, 500)} - {429})
"""Statuses that say what is wrong with a request."""


class OpenApiJudge:
    """One description; `violations` tells, in words, what was against it so far."""

    def __init__(self, description: Path, **edits: Any) -> None:
        """`edits` replace top-level parts of the description."""
        described: dict[str, Any] = json.loads(description.read_text()) | {"servers": [{"url": HOST}]} | edits
        self._api = OpenAPI.from_dict(
            described, config=Config(extra_media_type_deserializers={"application/vnd.api+json": json.loads})
        )
        self._paths = [(_pattern(path), path, item) for path, item in sorted(described["paths"].items())]
        self.violations: list[str] = []
        self.judged = 0

    def exchange(
        self,
        method: str,
        path: str,
        query: str,
        headers: Mapping[str, str],
        body: bytes,
        answer: MockResponse,
        *,
        pardoned: Collection[int] = TURNED_DOWN,
    ) -> None:
        """Judge one request with its answer; where its status is one of `pardoned`, the request may be wrong."""
        self.judged += 1
        place = f"{method} {path}"
        operation = self._operation(method, path)
        if operation is None:
            if answer.status_code < 400:
                self.violations.append(f"{place}: answered, though the description knows no such operation")
            return
        asked = MockRequest(
            HOST,
            method.lower(),
            path,
            args=parse_qs(query, keep_blank_values=True),
            headers=dict(headers),
            data=body or None,
            content_type=headers.get("content-type", "").partition(";")[0].strip() or "application/json",
        )
        if answer.status_code not in pardoned:
            missing = _required_headers(operation) - {name.lower() for name in headers}
            self.violations += [f"{place}: the required header {name} is missing" for name in sorted(missing)]
            self._try(f"{place}: request", lambda: self._api.validate_request(asked))
        self._try(f"{place}: answer {answer.status_code}", lambda: self._api.validate_response(asked, answer))

    def _operation(self, method: str, path: str) -> dict[str, Any] | None:
        """The operation of the description; of several paths that fit, one without a variable there comes first."""
        fitting = [(known.count("{"), item) for pattern, known, item in self._paths if pattern.fullmatch(path)]
        for _, item in sorted(fitting, key=lambda found: found[0]):
            if method.lower() in item:
                return item[method.lower()]  # type: ignore[no-any-return]
        return None

    def _try(self, what: str, validate: Any) -> None:
        try:
            validate()
        except OpenAPIError as error:
            self.violations.append(f"{what}: {_told(error)}")


@dataclass(frozen=True)
class Asked:
    """One call that the vendor got."""

    method: str
    path: str
    params: Mapping[str, str]
    body: Any
    status: int


class Judged:
    """An ASGI app behind a judge, with the calls that it got."""

    def __init__(self, app: ASGIApp, judge: OpenApiJudge, *, pardoned: Collection[int] = TURNED_DOWN) -> None:
        self._app = app
        self._judge = judge
        self._pardoned = pardoned
        self.calls: list[Asked] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked, said = bytearray(), list[Message]()
        heard: list[Message] = []
        # Read before the app has its turn: an app that refuses at the door never asks for the body.
        while not heard or heard[-1].get("more_body"):
            heard.append(await receive())
            asked.extend(heard[-1].get("body", b""))

        async def hear() -> Message:
            return heard.pop(0) if heard else await receive()

        async def keep(message: Message) -> None:
            said.append(message)

        await self._app(scope, hear, keep)
        self._take_note(scope, bytes(asked), said)
        # Judged before it is sent: who has the answer may ask at once what the judge says.
        for message in said:
            await send(message)

    def _take_note(self, scope: Scope, asked: bytes, said: list[Message]) -> None:
        status, headers = said[0]["status"], _texts(said[0]["headers"])
        answer = b"".join(message.get("body", b"") for message in said)
        content_type = headers.get("content-type", "application/json").partition(";")[0]
        method, query = scope["method"], scope["query_string"].decode()
        self.calls.append(Asked(method, scope["path"], dict(parse_qsl(query)), _json(asked), status))
        self._judge.exchange(
            method,
            scope["path"].rstrip("/"),
            query,
            _texts(scope["headers"]),
            asked,
            MockResponse(answer, status, headers, content_type),
            pardoned=self._pardoned,
        )


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)))


def _required_headers(operation: Mapping[str, Any]) -> set[str]:
    parameters = operation.get("parameters", ())
    return {one["name"].lower() for one in parameters if one.get("in") == "header" and one.get("required")}


def _json(body: bytes) -> Any:
    """None where it is none."""
    try:
        return json.loads(body)
    except ValueError:
        return None


def _texts(headers: Any) -> dict[str, str]:
    return {name.decode().lower(): value.decode() for name, value in headers}


def _told(error: BaseException) -> str:
    """The error with what lies beneath it: openapi-core says "invalid" first and why further down."""
    told = [f"{type(error).__name__} {error}"]
    told += [one.message for one in getattr(error, "schema_errors", ())]
    if error.__cause__ is not None:
        told.append(_told(error.__cause__))
    return "; ".join(told)
