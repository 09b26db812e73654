"""Around every request: a limit of its size, one line of log, one row of audit, and no trace of anybody in an error."""

from __future__ import annotations

import logging
import time
from pathlib import PurePath

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from onevoice.api.problems import Problem, unavailable
from onevoice.api.serving import Serving, now
from onevoice.errors import StoreError

MOST_BYTES = 262_144
"""Bytes of a request's body: a hundred questions of the longest kind fit."""
MOST_QUERY = 8_192
"""Bytes of a query string; every identifier fits several times."""

log = logging.getLogger("onevoice.api")


class _TooLarge(Exception):
    pass


class Guard:
    """ASGI middleware, outermost of ours. Log lines name the route as declared, never what was asked for."""

    def __init__(self, app: ASGIApp, serving: Serving) -> None:
        self._app = app
        self._serving = serving

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})
        exchange = _Exchange(scope, receive, send)
        try:
            exchange.check_size()
            await self._app(scope, exchange.receive, exchange.send)
        except _TooLarge:
            await exchange.refuse(Problem(413, "too-large", f"request: larger than {MOST_BYTES:,} bytes (send less)"))
        except StoreError as exc:
            log.warning("%s", exc)
            await exchange.refuse(unavailable("store: it cannot be used now (try again in a moment)"))
        except Exception as exc:  # noqa: BLE001 - its text could quote a customer, so it ends here
            log.error("%s %s: %s at %s", scope["method"], exchange.route, type(exc).__name__, _place(exc))  # noqa: TRY400
            problem = Problem(500, "internal-error", "onevoice: something unforeseen happened (see the server's log)")
            await exchange.refuse(problem)
        self._note(scope, exchange)

    def _note(self, scope: Scope, exchange: _Exchange) -> None:
        caller = scope["state"].get("caller")
        key = caller.key_id if caller else "-"
        took = (time.perf_counter() - exchange.began) * 1000
        log.info("%s %s %d %.1f ms key=%s", scope["method"], exchange.route, exchange.status, took, key)
        if caller is None:
            return
        row = {
            "key_id": caller.key_id,
            "at": now(),
            "method": scope["method"],
            "route": exchange.route[:100],
            "status": exchange.status,
            "profiles": sorted(set(caller.saw)) if exchange.status < 400 else [],
        }
        self._serving.audit.note(row)


class _Exchange:
    """One request and its answer as they pass."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._read = 0
        self._started = False
        self._refusing = False
        self.status = 0
        self.began = time.perf_counter()

    @property
    def route(self) -> str:
        """The path as declared; a dash where none fits."""
        found = self._scope.get("route")
        return str(found.path) if found else "-"

    def check_size(self) -> None:
        """Raise where the request says of itself that it is too large."""
        lengths = [value for name, value in self._scope["headers"] if name == b"content-length"]
        declared = max((int(value) for value in lengths if value.isdigit()), default=0)
        if declared > MOST_BYTES or len(self._scope.get("query_string", b"")) > MOST_QUERY:
            raise _TooLarge

    async def receive(self) -> Message:
        """Pass the body on while it is not too long."""
        message = await self._receive()
        self._read += len(message.get("body", b""))
        if self._read > MOST_BYTES:
            raise _TooLarge  # the framework makes a 400 of it, which `send` stops
        return message

    async def send(self, message: Message) -> None:
        """Pass the answer on and remember its status."""
        if self._read > MOST_BYTES and not self._refusing:
            raise _TooLarge
        if message["type"] == "http.response.start":
            self.status, self._started = message["status"], True
        await self._send(message)

    async def refuse(self, problem: Problem) -> None:
        """Answer with a problem, unless an answer is under way."""
        self._refusing = True
        if not self._started:
            await problem.response()(self._scope, self._receive, self.send)


def _place(exc: BaseException) -> str:
    """File and line in which it was raised."""
    trace = exc.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{PurePath(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "unknown place"
