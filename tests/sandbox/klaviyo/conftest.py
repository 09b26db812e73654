"""A Klaviyo account served on loopback, clients for it, and Klaviyo's API description as the judge of all they say."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

import descriptions
from loopback import Stage, caller
from onevoice.sandbox.klaviyo import create_app
from onevoice.sandbox.klaviyo.tables import klaviyo_state
from onevoice.sandbox.state import Clock, ServerConfig, VendorState
from openapi_judge import Judged, OpenApiJudge

AS_OF = datetime(2026, 11, 22, 9, tzinfo=UTC)
KEY = "pk_sandbox"
HEADERS = {
    "Authorization": f"Klaviyo-API-Key {KEY}",
    "revision": "2026-07-15",
    "Accept": "application/vnd.api+json",
    "Content-Type": "application/vnd.api+json",
}


class StillClock(Clock):
    """Time that passes only when it is pushed: windows and jobs behave the same on a busy machine."""

    def now(self) -> datetime:
        return self._start


class Account:
    """A served account: its state, and a client for it."""

    def __init__(self, state: VendorState, url: str, http: httpx.Client) -> None:
        self.state = state
        self.url = url
        self.http = http

    def profile(self, **fields: Any) -> str:
        """A profile that has long been there."""
        return self.state.tables["profiles"].insert(fields, stamp=AS_OF - timedelta(days=3), actor="seed")

    def row(self, key: str) -> dict[str, Any]:
        """A profile as it is now."""
        return self.state.tables["profiles"].rows[key]

    def get(self, path: str, status: int = 200, **params: str) -> Any:
        """The JSON of an answer, which must have this status."""
        return self._told(self.http.get(path, params=params), status)

    def post(self, path: str, data: Any, status: int) -> Any:
        """The JSON of an answer to {"data": data}, None when it is empty; it must have this status."""
        return self._told(self.http.post(path, json={"data": data}), status)

    @staticmethod
    def _told(answer: httpx.Response, status: int) -> Any:
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    def do(self, kind: str, attributes: dict[str, Any], status: int = 202, **relationships: str) -> Any:
        """Take a job of a kind; `relationships` are ids of lists, by name."""
        data: dict[str, Any] = {"type": kind, "attributes": attributes}
        if relationships:
            data["relationships"] = {name: {"data": {"type": "list", "id": one}} for name, one in relationships.items()}
        return self.post(f"{kind}s", data, status)

    def settle(self) -> None:
        """Let the jobs end and the index catch up."""
        self.state.clock.advance(60)


@pytest.fixture
def klaviyo_judge() -> OpenApiJudge:
    """Klaviyo's description, which has nothing against anybody yet."""
    judge = descriptions.klaviyo_judge()
    judge.violations.clear()
    return judge


@pytest.fixture
def opened(stage_of: Callable[..., Stage], klaviyo_judge: OpenApiJudge) -> Iterator[Callable[[VendorState], Account]]:
    """Opens an account with this state, limits off, in place of the one before; every request and answer is judged."""
    stage = stage_of("klaviyo")
    with caller(f"{stage.url}/api", headers=HEADERS) as http:

        def open_with(state: VendorState) -> Account:
            state.faults.limits_on = False
            stage.app = Judged(create_app(state, ServerConfig(stage.url, "", KEY)), klaviyo_judge)
            return Account(state, stage.url, http)

        yield open_with
    assert klaviyo_judge.violations == []


@pytest.fixture
def account(opened: Callable[[VendorState], Account]) -> Account:
    """An empty account, limits off."""
    return opened(klaviyo_state(StillClock(AS_OF)))


@pytest.fixture
def restarted(account: Account, opened: Callable[[VendorState], Account]) -> Callable[[], Account]:
    """Puts another server in its place that has taken over what the account kept on disk."""

    def restart() -> Account:
        state = klaviyo_state(StillClock(account.state.clock.now()))
        state.load(json.loads(json.dumps(account.state.dump())))
        return opened(state)

    return restart
