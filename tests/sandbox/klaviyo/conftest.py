"""A Klaviyo account served on loopback, clients for it, and Klaviyo's API description as the judge of all they say."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
import uvicorn

from onevoice.sandbox.klaviyo import create_app
from onevoice.sandbox.klaviyo.tables import klaviyo_state
from onevoice.sandbox.state import Clock, ServerConfig, VendorState

AS_OF = datetime(2026, 11, 22, 9, tzinfo=UTC)
KEY = "pk_sandbox"
HEADERS = {
    "Authorization": f"Klaviyo-API-Key {KEY}",
    "revision": "2026-07-15",
    "Accept": "application/vnd.api+json",
    "Content-Type": "application/vnd.api+json",
}
SPEC = Path(__file__).parents[2] / "specs" / "klaviyo" / "klaviyo.json"


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


@pytest.fixture(scope="session")
def klaviyo_judge(openapi_judging: ModuleType) -> Any:
    """Klaviyo's description."""
    return openapi_judging.OpenApiJudge(SPEC)


class Stage:
    """One server for all tests; each puts its own account on it."""

    def __init__(self, url: str, judging: ModuleType, judge: Any) -> None:
        self._url = url
        self._judging = judging
        self._judge = judge
        self._app: Any = None
        self.http = httpx.Client(base_url=f"{url}/api", headers=HEADERS, trust_env=False)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._app(scope, receive, send)

    def account(self, state: VendorState) -> Account:
        """From now on the server is that of this account, limits off."""
        state.faults.limits_on = False
        self._app = self._judging.Judged(create_app(state, ServerConfig(self._url, "", KEY)), self._judge)
        return Account(state, self._url, self.http)


@pytest.fixture(scope="session")
def stage(openapi_judging: ModuleType, klaviyo_judge: Any) -> Iterator[Stage]:
    """The server."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        # Inherited by its connections; without it every answer waits 40 ms for the acknowledgement of its head.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stage = Stage(f"http://127.0.0.1:{listener.getsockname()[1]}", openapi_judging, klaviyo_judge)
        server = uvicorn.Server(uvicorn.Config(stage, log_level="error", ws="none", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        with stage.http:
            yield stage
        server.should_exit = True
        thread.join(timeout=5)


@pytest.fixture
def account(stage: Stage, klaviyo_judge: Any) -> Iterator[Account]:
    """An empty account, limits off; every request and answer of the test is judged."""
    klaviyo_judge.violations.clear()
    yield stage.account(klaviyo_state(StillClock(AS_OF)))
    assert klaviyo_judge.violations == []


@pytest.fixture
def restarted(account: Account, stage: Stage) -> Callable[[], Account]:
    """Puts another server in its place that has taken over what the account kept on disk."""

    def restart() -> Account:
        state = klaviyo_state(StillClock(account.state.clock.now()))
        state.load(json.loads(json.dumps(account.state.dump())))
        return stage.account(state)

    return restart
