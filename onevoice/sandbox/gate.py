"""What every vendor server does around an endpoint: admit the request, answer, count the call.

Limits that depend on luck in real life (a busy account, a session an admin ended, a locked row) come by call count
here, so that every run of some length meets them and meets them at the same place.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from onevoice.sandbox.calls import DONE, REFUSED
from onevoice.sandbox.state import VendorState
from onevoice.sandbox.trap import CutOffError


@dataclass(frozen=True, slots=True)
class Answer:
    """What a vendor says. `units` = records changed by it."""

    status: int
    body: object = None
    """A JSON value; None is an empty answer."""
    headers: Mapping[str, str] = field(default_factory=dict)
    units: int = 0
    outcome: str = DONE


CUT_OFF = Answer(503)
"""Of a call that was trapped before its effect: its caller is gone, and so is the call."""


class RefusalError(Exception):
    """The request is not carried out; `answer` says so in the vendor's words."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"refused with status {answer.status}")
        self.answer = answer


@dataclass(frozen=True, slots=True)
class Operation:
    """How calls of an endpoint are counted."""

    name: str
    kind: str
    batch_limit: int = 1
    """Most records one call carries by the vendor's documentation."""


Endpoint = Callable[[Request], Awaitable[Answer]]
Admit = Callable[[Request, Operation], None]
"""Raises RefusalError for a request that must not reach its endpoint."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Which calls meet a misfortune: number `first`, then every `every` further ones. Calls count from 1."""

    first: int
    every: int

    def due(self, call: int) -> bool:
        """Whether this call is one of them."""
        return call >= self.first and (call - self.first) % self.every == 0


class RollingWindow:
    """At most `limit` calls in any `seconds`."""

    def __init__(self, limit: int, seconds: float) -> None:
        self.limit = limit
        self.seconds = seconds
        self._taken: deque[datetime] = deque()

    def take(self, now: datetime) -> bool:
        """Take one place at the moment `now`, or return False when none is left."""
        if self.left(now) == 0:
            return False
        self._taken.append(now)
        return True

    def left(self, now: datetime) -> int:
        """Places free at the moment `now`."""
        horizon = now - timedelta(seconds=self.seconds)
        while self._taken and self._taken[0] <= horizon:
            self._taken.popleft()
        return self.limit - len(self._taken)


def guarded(
    state: VendorState,
    operation: Operation,
    endpoint: Endpoint,
    admit: Admit,
    headers: Callable[[Operation], Mapping[str, str]],
) -> Callable[[Request], Awaitable[Response]]:
    """Put an endpoint behind its vendor's gate; `headers` are added to every answer (usage, limits)."""

    async def serve(request: Request) -> Response:
        try:
            admit(request, operation)
            answer = await state.trap.around(operation.name, operation.kind, partial(endpoint, request))
        except RefusalError as refusal:
            answer = refusal.answer
        except CutOffError:
            return render(CUT_OFF, {})
        outcome = REFUSED if answer.status >= 400 and answer.outcome == DONE else answer.outcome
        state.calls.record(
            operation.name,
            operation.kind,
            units=answer.units,
            batch_limit=operation.batch_limit,
            outcome=outcome,
        )
        return render(answer, headers(operation))

    return serve


def render(answer: Answer, headers: Mapping[str, str]) -> Response:
    """As HTTP."""
    everything = {**headers, **answer.headers}
    if answer.body is None:
        return Response(status_code=answer.status, headers=everything)
    content = orjson.dumps(answer.body)
    return Response(content, answer.status, everything, media_type="application/json;charset=UTF-8")


async def json_body(request: Request) -> Any:
    """The request's JSON, or ValueError (orjson's is one)."""
    return orjson.loads(await request.body())


async def form_body(request: Request) -> dict[str, str]:
    """The request's URL-encoded form."""
    return dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))


class WithoutTrailingSlash:
    """Vendors answer `/limits/` as `/limits`; so do these servers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request under its path without the slash."""
        if scope["type"] == "http" and scope["path"] != "/":
            scope = {**scope, "path": scope["path"].rstrip("/")}
        await self._app(scope, receive, send)
