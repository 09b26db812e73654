"""A vendor's official OpenAPI description as the judge of everything that goes over the wire to its sandbox.

`Judged` stands before the sandbox's app, in its process: whoever calls (a test, a connector, an SDK), each request and
each answer is held against the description. A request that was turned down with a 4xx other than 429 may be wrong, for
tests ask wrongly on purpose; its answer may not.

openapi-core lets a request pass that lacks a required header when the header's schema has a default; so required
headers are looked for here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from openapi_core import Config, OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest, MockResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOST = "http://vendor.test"


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
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes, answer: MockResponse
    ) -> None:
        """Judge one request with its answer."""
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
        if not 400 <= answer.status_code < 500 or answer.status_code == 429:
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


class Judged:
    """An ASGI app behind a judge."""

    def __init__(self, app: ASGIApp, judge: OpenApiJudge) -> None:
        self._app = app
        self._judge = judge

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked, said = bytearray(), bytearray()
        heard: list[Message] = []
        start: dict[str, Any] = {}
        # Read before the app has its turn: an app that refuses at the door never asks for the body.
        while not heard or heard[-1].get("more_body"):
            heard.append(await receive())
            asked.extend(heard[-1].get("body", b""))

        async def hear() -> Message:
            return heard.pop(0) if heard else await receive()

        async def tell(message: Message) -> None:
            start.update(message)
            said.extend(message.get("body", b""))
            await send(message)

        await self._app(scope, hear, tell)
        headers = _texts(start["headers"])
        content_type = headers.get("content-type", "application/json").partition(";")[0]
        self._judge.exchange(
            scope["method"],
            scope["path"].rstrip("/"),
            scope["query_string"].decode(),
            _texts(scope["headers"]),
            bytes(asked),
            MockResponse(bytes(said), start["status"], headers, content_type),
        )


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)))


def _required_headers(operation: Mapping[str, Any]) -> set[str]:
    parameters = operation.get("parameters", ())
    return {one["name"].lower() for one in parameters if one.get("in") == "header" and one.get("required")}


def _texts(headers: Any) -> dict[str, str]:
    return {name.decode().lower(): value.decode() for name, value in headers}


def _told(error: BaseException) -> str:
    """The error with what lies beneath it: openapi-core says "invalid" first and why further down."""
    told = [f"{type(error).__name__} {error}"]
    told += [one.message for one in getattr(error, "schema_errors", ())]
    if error.__cause__ is not None:
        told.append(_told(error.__cause__))
    return "; ".join(told)
