"""A Square seller served on loopback, a client for it, and Square's API description as the judge of every exchange."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

import descriptions
from loopback import Stage, caller
from onevoice.sandbox.square import create_app
from onevoice.sandbox.square.tables import square_state
from onevoice.sandbox.state import Clock, ServerConfig, VendorState
from openapi_judge import Judged, OpenApiJudge

AS_OF = datetime(2026, 11, 22, 9, tzinfo=UTC)
LONG_AGO = AS_OF - timedelta(days=3)
TOKEN = "sandbox-token-of-the-seller"
TYPES = "https://developer-production-s.squarecdn.com/schemas/v1/common.json#squareup.common."


class Seller:
    """A served seller: its state, and a client for it."""

    def __init__(self, state: VendorState, url: str) -> None:
        self.state = state
        self.url = url
        headers = {"Authorization": f"Bearer {TOKEN}", "Square-Version": "2025-08-20"}
        self.http = caller(f"{url}/v2", headers=headers)

    def customer(self, **fields: Any) -> str:
        """A profile that has long been there."""
        return self.add("customers", {"given_name": "Ada", **fields})

    def add(self, table: str, fields: dict[str, Any], key: str | None = None) -> str:
        """A record that has long been there."""
        return self.state.tables[table].insert(fields, stamp=LONG_AGO, key=key, actor="seed")

    def row(self, table: str, key: str) -> dict[str, Any]:
        """A record as it is now."""
        return self.state.tables[table].rows[key]

    def define(self, key: str, kind: str = "String") -> None:
        """A definition that has long been there."""
        told = {"key": key, "schema": {"$ref": TYPES + kind}, "visibility": "VISIBILITY_HIDDEN"}
        self.add("custom_attribute_definitions", told, key)

    def get(self, path: str, status: int = 200, **params: Any) -> Any:
        """The JSON of an answer, which must have this status."""
        return self._told(self.http.get(path, params=params), status)

    def post(self, path: str, body: Any, status: int = 200) -> Any:
        """The JSON of an answer, which must have this status."""
        return self._told(self.http.post(path, json=body), status)

    def put(self, path: str, body: Any = None, status: int = 200) -> Any:
        """The JSON of an answer, which must have this status."""
        return self._told(self.http.put(path, json=body), status)

    def delete(self, path: str, status: int = 200, **params: Any) -> Any:
        """The JSON of an answer, which must have this status."""
        return self._told(self.http.delete(path, params=params), status)

    def found(self, *, query: dict[str, Any] | None = None, **more: Any) -> list[str]:
        """The ids that a customer search finds, all pages of it."""
        body: dict[str, Any] = {"query": query or {}, **more}
        ids: list[str] = []
        while True:
            answer = self.post("customers/search", body)
            ids += [one["id"] for one in answer.get("customers", [])]
            if "cursor" not in answer:
                return ids
            body["cursor"] = answer["cursor"]

    def settle(self) -> None:
        """Let the index catch up."""
        self.state.clock.advance(30)

    @staticmethod
    def _told(answer: httpx.Response, status: int) -> Any:
        assert answer.status_code == status, answer.text
        return answer.json()


@pytest.fixture
def square_judge() -> OpenApiJudge:
    """Square's description, which has nothing against anybody yet."""
    judge = descriptions.square_judge()
    judge.violations.clear()
    return judge


@pytest.fixture
def opened(stage_of: Callable[..., Stage], square_judge: OpenApiJudge) -> Iterator[Callable[..., Seller]]:
    """Opens a seller with a state, in place of the one before; every request and answer of the test is judged."""
    stage = stage_of("square")
    with ExitStack() as clients:

        def open_with(state: VendorState) -> Seller:
            stage.app = Judged(create_app(state, ServerConfig(stage.url, "", TOKEN)), square_judge)
            seller = Seller(state, stage.url)
            clients.callback(seller.http.close)
            return seller

        yield open_with
    assert square_judge.violations == []


@pytest.fixture
def seller(opened: Callable[..., Seller]) -> Seller:
    """An empty seller, limits off."""
    state = square_state(Clock(AS_OF))
    state.faults.limits_on = False
    return opened(state)


@pytest.fixture
def restart(seller: Seller, opened: Callable[..., Seller]) -> Callable[[], Seller]:
    """Puts a server in the seller's place that has taken over what it kept on disk."""

    def again() -> Seller:
        state = square_state(Clock(seller.state.clock.now()))
        state.load(json.loads(json.dumps(seller.state.dump())))
        state.faults.limits_on = False
        return opened(state)

    return again
