"""A sandbox seller with customers, for the contract suite and for tests of its own; every request and every answer is
held against Square's API description."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from openapi_core.testing import MockResponse

from connectors import open_connector
from onevoice.protocols import Budget, Field, Write
from onevoice.sandbox.square import create_app, put_attribute
from onevoice.sandbox.square.tables import square_state
from onevoice.sandbox.state import Clock, ServerConfig, VendorState

AS_OF = datetime(2026, 11, 22, 9, tzinfo=UTC)
LONG_AGO = AS_OF - timedelta(days=30)
TOKEN = "EAAA-s3cr3t-of-the-seller"  # the tests look for it in error texts
SPECS = Path(__file__).parents[1] / "specs" / "square"
TIER, UNTIL, GROUP = (
    "custom_attributes.onevoice_tier",
    "custom_attributes.onevoice_tier_until",
    "in_group.onevoice_no_join",
)
FIELDS = (
    Field("customers", TIER, "text", "Tier (Onevoice)"),
    Field("customers", UNTIL, "date", "Tier until (Onevoice)"),
    Field("customers", GROUP, "boolean", "No join (Onevoice)"),
)


@dataclass
class Asked:
    """One call that the seller got."""

    method: str
    path: str
    body: Any


@dataclass
class SquareRig:
    """The seller, and ways to touch it behind the connector's back. `provision` has made `FIELDS`."""

    state: VendorState
    settings: Mapping[str, str]
    budget: Callable[[], Budget]
    judge: Any
    asked: list[Asked] = field(default_factory=list)
    kind: str = "square"
    stream: str = "customers"
    fields: tuple[str, ...] = ("family_name", "email_address", TIER, UNTIL, GROUP)
    private: tuple[str, ...] = (TOKEN, "jane.moss", "0-no-date")

    def open(self, *, bad_credential: bool = False) -> Any:
        settings = {**self.settings, "access_token": f"{TOKEN}-but-wrong"} if bad_credential else self.settings
        return open_connector("square", "square", settings, self.budget())

    def settled(self) -> datetime:
        return self.later(hours=2)

    def later(self, **time: float) -> datetime:
        self.state.clock.advance(timedelta(**time).total_seconds())
        return self.state.clock.now()

    def keys(self) -> set[str]:
        return set(self.state.tables["customers"].rows)

    def edit(self, key: str) -> None:
        self.state.tables["customers"].update(key, {"family_name": "Edited"}, actor="hand")

    def delete(self, key: str) -> None:
        self.state.tables["customers"].delete(key, actor="hand")

    def throttle(self, *, on: bool) -> None:
        self.state.faults.throttle = on

    def calls(self) -> int:
        return int(self.state.calls.summary()["calls"])

    def good(self, key: str, serial: int) -> Write:
        return Write(key, {TIER: f"tier {serial}", UNTIL: f"2027-01-{serial:02d}", GROUP: True})

    def bad(self, key: str) -> Write:
        return Write(key, {UNTIL: "0-no-date", TIER: "jane.moss"})

    def cleared(self, key: str) -> Write:
        return Write(key, {TIER: None, GROUP: False})

    def holds(self, write: Write) -> bool:
        return all(self.held(write.key, name) == value for name, value in write.fields.items())

    def held(self, key: str, name: str) -> Any:
        """What the seller holds of a field."""
        row = self.state.tables["customers"].rows[key]
        kind, _, inner = name.partition(".")
        if kind == "in_group":
            ids = {group["name"]: group_id for group_id, group in self.state.tables["groups"].rows.items()}
            return ids[inner] in (row.get("group_ids") or ())
        return (row.get("custom_attributes") or {}).get(inner, {}).get("value")

    def put(self, key: str, name: str, value: object) -> None:
        """Set an attribute by hand."""
        put_attribute(self.state, key, name, value, actor="hand")

    def new_field(self) -> Field:
        return Field("customers", "custom_attributes.onevoice_profile_id", "text", "Profile (Onevoice)")

    def contacts(self, count: int, stamp: datetime | None = None, **fields: object) -> list[str]:
        """Customers who have long been there."""
        return [
            self.state.tables["customers"].insert(
                {"family_name": "Moss", "email_address": f"jane.moss.{serial}@example.org", **fields},
                stamp=stamp or LONG_AGO + timedelta(seconds=serial),
                actor="seed",
            )
            for serial in range(count)
        ]

    def sent(self, path: str, method: str = "POST") -> list[Any]:
        """Bodies of the calls to this path."""
        return [call.body for call in self.asked if call.method == method and call.path == path]

    def paths(self, part: str) -> list[str]:
        """`METHOD /path` of the calls whose path holds this."""
        return [f"{call.method} {call.path}" for call in self.asked if part in call.path]

    def read(self, stream: str, cursor: Any = None) -> tuple[dict[str, Any], Any]:
        """(records by key, last cursor) of a read that sees everything that is settled by now."""
        pages = list(self.open().read(stream, cursor, self.fields, self.state.clock.now()))
        return {record.key: record for page in pages for record in page.records}, pages[-1].cursor


class Watched:
    """An ASGI app that keeps what it was asked, and has every call that it carried out judged.

    The description tells of no refusals, so those are not judged: what is refused and sent again is judged then.
    """

    def __init__(self, app: Any, judge: Any, asked: list[Asked]) -> None:
        self._app = app
        self._judge = judge
        self._asked = asked

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
        self._asked.append(Asked(scope["method"], scope["path"], json.loads(content) if content else None))
        status, answer = sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])
        if status < 300:
            headers = {name.decode(): value.decode() for name, value in scope["headers"]}
            query, said = scope["query_string"].decode(), MockResponse(answer, status)
            self._judge.exchange(scope["method"], scope["path"], query, headers, content, said)
        for message in sent:
            await send(message)


@cache
def description_judge(judging: ModuleType) -> Any:
    """One judge of all files of Square's description, which take a while to read."""
    parts = [json.loads(path.read_text("utf-8")) for path in sorted(SPECS.glob("*.json"))]
    return judging.OpenApiJudge(
        SPECS / "customers.json",
        paths={path: item for part in parts for path, item in part["paths"].items()},
        components={"schemas": {name: one for part in parts for name, one in part["components"]["schemas"].items()}},
    )


@contextmanager
def seller(
    served: Callable[..., AbstractContextManager[str]], budget: Callable[[], Budget], judging: ModuleType
) -> Iterator[SquareRig]:
    """A seller without customers, limits off; at the end, everything that was said must fit the description."""
    state = square_state(Clock(AS_OF))
    state.faults.limits_on = False
    state.tables["locations"].insert(
        {"name": "High Street", "merchant_id": "M1", "status": "ACTIVE"}, LONG_AGO, "L01", "seed"
    )
    judge, asked = description_judge(judging), list[Asked]()
    judge.violations.clear()

    def app(url: str) -> Any:
        return Watched(create_app(state, ServerConfig(url, "the-application", TOKEN)), judge, asked)

    with served(app, None) as url, pytest.MonkeyPatch.context() as patch:
        patch.setattr("connectors.square.customers.PAGE", 20)  # judging large pages takes its time
        rig = SquareRig(state, {"url": url, "access_token": TOKEN}, budget, judge, asked)
        rig.open().provision(FIELDS, dry_run=False)
        asked.clear()
        yield rig
    assert not judge.violations, "\n".join(judge.violations)
