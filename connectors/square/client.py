"""Calls to one Square seller: address, headers, cursors, and Square's error bodies as our errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from urllib.parse import quote

from connectors._http import HttpClient, Refused, Reply
from connectors._words import vendor_code
from onevoice.errors import AuthFailed, ConnectorError, ContractBroken, Throttled
from onevoice.protocols import Budget

Row = Mapping[str, Any]
T = TypeVar("T")

ADDRESS = "https://connect.squareup.com"
VERSION = "2025-08-20"
"""Square-Version, the API description this connector was written against (square/connect-api-specification)."""
AT_A_TIME = 8
"""Calls side by side where Square has one call per record: the budget still sets the pace."""
NOT_FOUND = 404


class Client:
    """One seller's API; serves all threads."""

    def __init__(self, system: str, settings: Mapping[str, str], budget: Budget) -> None:
        self.system = system
        headers = {
            "Authorization": f"Bearer {settings['access_token']}",
            "Square-Version": settings.get("version", VERSION),
        }
        self._http = HttpClient(system, settings.get("url", ADDRESS).rstrip("/"), headers, budget, _refusal)

    def call(
        self,
        kind: str,
        method: str,
        path: str,
        *,
        stream: str = "",
        write: bool = False,
        params: Mapping[str, str | int] | None = None,
        json: Any = None,
    ) -> Row:
        """The answer's object; raises what `onevoice.errors` names for connectors, and Refused with Square's code."""
        reply = self._http.call(kind, method, f"/v2{path}", stream=stream, write=write, params=params, json=json)
        return reply.body or {}

    def found(self, path: str, body: Mapping[str, Any], member: str, *, stream: str) -> Iterator[Sequence[Row]]:
        """All pages of a search (POST) that gives rows under `member`."""
        place: Mapping[str, Any] = {}
        while True:
            answer = self.call("search", "POST", path, stream=stream, json={**body, **place})
            yield rows_of(answer, member, self.system, stream)
            if not answer.get("cursor"):
                return
            place = {"cursor": answer["cursor"]}

    def listed(self, path: str, member: str, *, stream: str, limit: int) -> list[Row]:
        """All rows of a list (GET), `limit` a page."""
        rows: list[Row] = []
        params: dict[str, str | int] = {"limit": limit}
        while True:
            answer = self.call("read", "GET", path, stream=stream, params=params)
            rows += rows_of(answer, member, self.system, stream)
            if not answer.get("cursor"):
                return rows
            params["cursor"] = answer["cursor"]


def rows_of(answer: Row, member: str, system: str, stream: str) -> Sequence[Row]:
    """The list under `member`, which Square leaves out when it is empty."""
    rows = answer.get(member) or []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ContractBroken(
            f"{system}.{stream}: {member} in the answer is no list of objects", system=system, stream=stream
        )
    return rows


def side_by_side(act: Callable[[str], T], keys: Sequence[str]) -> list[T]:
    """What `act` gives for each key, in their order, a few at a time; the first error is raised."""
    if len(keys) < 2:
        return [act(key) for key in keys]
    with ThreadPoolExecutor(AT_A_TIME) as threads:
        return list(threads.map(act, keys))


def quoted(key: str) -> str:
    """An id as a part of a path."""
    return quote(key, safe="")


def first_error(body: Any) -> Row:
    """The first of an answer's `errors`, or an empty one."""
    errors = body.get("errors") if isinstance(body, dict) else None
    return errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}


def _refusal(reply: Reply, where: str) -> ConnectorError | None:
    """Square's own judgement: an answer, of whatever status, that holds `errors` at its top did nothing."""
    if reply.body is not None and not isinstance(reply.body, dict):
        raise TypeError("an answer of Square is an object")
    error = first_error(reply.body)
    if not error and reply.status < 400:
        return None
    code = vendor_code(error.get("code"))
    match error.get("category"):
        case "RATE_LIMIT_ERROR":
            return Throttled(f"{where}: too many requests ({code})")
        case "AUTHENTICATION_ERROR":
            return AuthFailed(f"{where}: the access token was refused ({code})")
    message = f"{where}: refused with status {reply.status} ({code})"
    return Refused(message, status=reply.status, code=code, body=reply.body)
