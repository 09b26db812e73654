"""A sandbox account with profiles, for the contract suite and for tests of its own; every request and answer is held
against Klaviyo's API description."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from openapi_core import Config, OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest, MockResponse

from connectors import open_connector
from onevoice.protocols import Field, Write
from onevoice.sandbox.klaviyo import create_app
from onevoice.sandbox.klaviyo.tables import klaviyo_state
from onevoice.sandbox.state import Clock, ServerConfig, VendorState

AS_OF = datetime(2026, 11, 22, 9, tzinfo=UTC)
LONG_AGO = AS_OF - timedelta(days=30)
KEY = "pk_s3cr3t-of-the-klaviyo-account"
REVISION = "2026-07-15"
JSON_API = "application/vnd.api+json"
SPEC = Path(__file__).parents[1] / "specs" / "klaviyo" / "klaviyo.json"
HOST = "https://a.klaviyo.com"


@dataclass
class Asked:
    """One call that the account got."""

    method: str
    path: str
    params: Mapping[str, str]
    body: Any
    status: int


@cache
def description() -> OpenAPI:
    """Klaviyo's API description, which takes a while to read."""
    config = Config(extra_media_type_deserializers={JSON_API: json.loads})
    return OpenAPI.from_dict(json.loads(SPEC.read_text("utf-8")), config=config)


class Judge:
    """Stands before the server, notes every call, and holds it against the description.

    The description's own validator lets a missing `revision` pass because its schema has a default; so that is looked
    at here.
    """

    def __init__(self, app: Any) -> None:
        self._app = app
        self.calls: list[Asked] = []
        self.faults: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        content, more = b"", True
        while more:
            message = await receive()
            content, more = content + message.get("body", b""), message.get("more_body", False)
        sent: list[Any] = []

        async def again() -> Any:
            return {"type": "http.request", "body": content, "more_body": False}

        async def keep(message: Any) -> None:
            sent.append(message)

        await self._app(scope, again, keep)
        self._judge(scope, content, sent)
        for message in sent:
            await send(message)

    def _judge(self, scope: Any, content: bytes, sent: list[Any]) -> None:
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        params = dict(parse_qsl(scope["query_string"].decode()))
        status, answer = sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])
        body = json.loads(content) if content else None
        self.calls.append(Asked(scope["method"], scope["path"], params, body, status))
        asked = MockRequest(
            HOST,
            scope["method"].lower(),
            scope["path"],
            args={name: [value] for name, value in params.items()},
            headers=headers,
            data=content or None,
            content_type=headers.get("content-type", ""),
        )
        types = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        answered = MockResponse(answer, status, types, types.get("content-type", ""))
        if headers.get("revision") != REVISION:
            self.faults.append(f"{scope['method']} {scope['path']}: the revision is missing or another one")
        try:
            description().validate_request(asked)
            description().validate_response(asked, answered)
        except OpenAPIError as error:
            self.faults.append(f"{scope['method']} {scope['path']}: {error!r} {error.__cause__!r}")


@dataclass
class KlaviyoRig:
    """The account, and ways to touch it behind the connector's back."""

    state: VendorState
    judge: Judge
    settings: Mapping[str, str]
    budget: Callable[[], Any]
    kind: str = "klaviyo"
    stream: str = "profiles"
    fields: tuple[str, ...] = ("email", "last_name", "properties.city", "subscriptions.email.marketing.consent")
    private: tuple[str, ...] = (KEY, "jane.moss", "0-no-date")

    def open(self, *, bad_credential: bool = False) -> Any:
        settings = {**self.settings, "api_key": f"{KEY}-but-wrong"} if bad_credential else self.settings
        return open_connector("klaviyo", "klaviyo", settings, self.budget())

    def settled(self) -> datetime:
        self.state.clock.advance(7200)
        return self.state.clock.now()

    def keys(self) -> set[str]:
        return set(self.state.tables["profiles"].rows)

    def edit(self, key: str) -> None:
        self.change(key, properties={"city": "Edited by hand"})

    def delete(self, key: str) -> None:
        self.state.tables["profiles"].delete(key, actor="hand")
        self.settle_index()

    def throttle(self, *, on: bool) -> None:
        self.state.faults.throttle = on

    def calls(self) -> int:
        return int(self.state.calls.summary()["calls"])

    def good(self, key: str, serial: int) -> Write:
        return Write(key, {"properties.onevoice_tier": f"tier {serial}", "properties.onevoice_points": serial})

    def bad(self, key: str) -> Write:
        return Write(key, {"properties.onevoice_tier": "0-no-date jane.moss " + 110_000 * "x"})

    def cleared(self, key: str) -> Write:
        return Write(key, {"properties.onevoice_tier": None})

    def holds(self, write: Write) -> bool:
        properties = self.row(write.key)["properties"]
        return all(properties.get(name.removeprefix("properties.")) == value for name, value in write.fields.items())

    def new_field(self) -> Field:
        return Field("profiles", "properties.onevoice_tier", "text", "Tier (Onevoice)")

    def contacts(self, count: int, stamp: datetime | None = None, **fields: object) -> list[str]:
        table = self.state.tables["profiles"]
        return [
            table.insert(
                {
                    "email": f"jane.moss.{len(table)}@example.org",
                    "last_name": "Moss",
                    "properties": {"city": "Leeds"},
                    **fields,
                },
                stamp=stamp or LONG_AGO + timedelta(seconds=serial),
                actor="seed",
            )
            for serial in range(count)
        ]

    def row(self, key: str) -> Mapping[str, Any]:
        """The profile as it is now."""
        return self.state.tables["profiles"].rows[key]

    def change(self, key: str, **fields: object) -> None:
        """Edit a profile at the vendor; lists show it after their lag."""
        self.state.tables["profiles"].update(key, fields, actor="hand")

    def settle_index(self) -> None:
        """Let lists of profiles catch up."""
        self.state.clock.advance(self.state.lag.total_seconds() + 1)

    def asked(self, part: str) -> list[Asked]:
        """Calls whose path holds `part`, in order."""
        return [call for call in self.judge.calls if part in call.path]


Serve = Callable[[Callable[[str], Any], None], AbstractContextManager[str]]


@contextmanager
def account(served: Serve, budget: Callable[[], Any]) -> Iterator[KlaviyoRig]:
    """An account without profiles, limits off; at the end no call may have been against the description."""
    state = klaviyo_state(Clock(AS_OF))
    state.faults.limits_on = False
    judges: list[Judge] = []

    def app(url: str) -> Judge:
        judges.append(Judge(create_app(state, ServerConfig(url, "the-client", KEY))))
        return judges[0]

    with served(app, None) as url:
        yield KlaviyoRig(state, judges[0], {"url": url, "api_key": KEY}, budget)
    assert judges[0].faults == []
