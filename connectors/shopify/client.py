"""GraphQL calls to one shop: priced, and with the errors that Shopify hides in a 200 as ours."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from connectors._http import HttpClient, Refused, Reply
from connectors._words import vendor_code, without_personal_data
from onevoice.errors import (
    Ambiguous,
    ConfigError,
    ConnectorError,
    ContractBroken,
    FatalError,
    PermissionMissing,
    Throttled,
    Unavailable,
)
from onevoice.protocols import Budget

DEFAULT_VERSION = "2026-07"
SINGLE_QUERY_POINTS = 1000
"""No query may cost more, whatever the plan (shopify.dev, API limits)."""
POINTS = "points"
"""The limit of the manifest that counts query costs."""
SERVED_VERSION = "X-Shopify-API-Version"

_PASSING = frozenset({"INTERNAL_SERVER_ERROR", "TIMEOUT", "SERVICE_UNAVAILABLE"})
TRANSIENT = frozenset({"INTERNAL_ERROR"})
"""Codes of user errors that a later try may not meet again."""
_CLOSED = {402: "the shop is frozen", 423: "the shop is locked"}


class TooCostly(ContractBroken):
    """The query asks for more points than one query may cost; a smaller page may pass."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One top-level error: `path` names the fields down to where it arose, aliases included."""

    code: str
    path: tuple[str, ...]
    message: str
    """The vendor's own words; they may hold personal data."""
    access: str = ""
    """Which access scope was missing, in Shopify's words."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a document answered. `problems` are those of single mutations, which left the others alone."""

    data: Mapping[str, Any]
    problems: Sequence[Problem]
    cost: int | None
    """Points that were asked for it; None where Shopify does not say."""
    version: str
    """The API version that served it."""

    def part(self, name: str) -> Mapping[str, Any]:
        """An object at the top of the answer; ContractBroken when it is not there."""
        found = self.data.get(name)
        if not isinstance(found, Mapping):
            raise ContractBroken(f"shopify: an answer without {name} (report this connector)")
        return found


class Client:
    """Queries and mutations of one shop."""

    def __init__(
        self,
        system: str,
        settings: Mapping[str, str],
        budget: Budget,
        window_seconds: float,
    ) -> None:
        """`window_seconds`: of the limit that counts points, as the manifest has it."""
        self.system = system
        self.version = settings.get("version", DEFAULT_VERSION)
        if not re.fullmatch(r"\d{4}-\d{2}|unstable", self.version):
            raise ConfigError(f"{system}: version is written as {DEFAULT_VERSION}, a quarter that Shopify names")
        self._budget = budget
        self._window = window_seconds
        self._path = f"/admin/api/{self.version}/graphql.json"
        headers = {"X-Shopify-Access-Token": settings["access_token"], "Accept": "application/json"}
        base = settings["url"].rstrip("/")
        # One engine a direction: after a lost answer, what reads is asked again and what writes is not.
        self._engines = {
            write: HttpClient(system, base, headers, budget, partial(self._judge, write=write))
            for write in (False, True)
        }

    def query(self, document: str, variables: Mapping[str, Any], *, stream: str = "", cost: int) -> Answer:
        """Read; `cost` is the price expected. Raises what `onevoice.errors` names, and TooCostly."""
        return self._answer(document, variables, stream, cost, write=False)

    def mutate(self, document: str, variables: Mapping[str, Any], *, stream: str, cost: int) -> Answer:
        """Write; a mutation of the document that failed alone stands in `problems`."""
        return self._answer(document, variables, stream, cost, write=True)

    def _answer(self, document: str, variables: Mapping[str, Any], stream: str, cost: int, *, write: bool) -> Answer:
        reply = self._engines[write].call(
            "write" if write else "read",
            "POST",
            self._path,
            stream=stream,
            write=write,
            cost=cost,
            json={"query": document, "variables": variables},
        )
        asked = _cost(reply.body).get("requestedQueryCost")
        return Answer(
            reply.body["data"],
            _problems(reply.body),
            int(asked) if asked is not None else None,
            reply.headers.get(SERVED_VERSION, ""),
        )

    def _judge(self, reply: Reply, where: str, *, write: bool) -> ConnectorError | None:
        """The error that an answer is, or None; of a write, problems of single mutations are left to the caller."""
        if reply.status >= 400:
            return _refusal(reply, where)
        cost = _cost(reply.body)
        self._note(cost)
        problems = _problems(reply.body)
        data = reply.body.get("data")
        if not problems:
            return None if data is not None else ContractBroken(f"{where}: an answer without data")
        if write and data is not None and all(problem.path for problem in problems):
            return None
        if any(problem.code == "THROTTLED" for problem in problems):
            return _throttled(where, cost)
        failed = [problem.code for problem in problems if problem.code in _PASSING]
        if failed:
            return (Ambiguous if write else Unavailable)(f"{where}: a failure at Shopify ({failed[0]})")
        return problem_error(problems, where)

    def _note(self, cost: Mapping[str, Any]) -> None:
        """Tell the budget how many points are left, and how many the shop's plan lets through in the window."""
        status = cost.get("throttleStatus")
        if status:
            total = status["maximumAvailable"] + status["restoreRate"] * self._window
            self._budget.observe(POINTS, remaining=int(status["currentlyAvailable"]), limit=int(total))


def _refusal(reply: Reply, where: str) -> ConnectorError:
    if reply.status in _CLOSED:
        return FatalError(f"{where}: {_CLOSED[reply.status]} (its owner has to settle that with Shopify)")
    if reply.status == 404:
        return FatalError(f"{where}: there is no such shop or API version (check url and version)")
    message = f"{where}: refused with status {reply.status}"
    return Refused(message, status=reply.status, code="BAD_REQUEST", body=reply.body)


def _cost(body: Any) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (body.get("extensions") or {}).get("cost") or {}
    return found


def _problems(body: Mapping[str, Any]) -> Sequence[Problem]:
    """The top-level errors; before a document is run they may be one text."""
    errors = body.get("errors") or ()
    if isinstance(errors, str):
        return [Problem("UNKNOWN", (), errors)]
    return [
        Problem(
            vendor_code((error.get("extensions") or {}).get("code")),
            tuple(str(step) for step in error.get("path") or () if isinstance(step, str)),
            str(error.get("message", "")),
            str((error.get("extensions") or {}).get("requiredAccess") or ""),
        )
        for error in errors
    ]


def problem_error(problems: Sequence[Problem], where: str) -> ConnectorError:
    """One error for the problems of a whole document, the one that is worth acting on first."""
    for problem in problems:
        if problem.code in _PASSING:
            return Unavailable(f"{where}: a failure at Shopify ({problem.code})")
        if problem.code == "MAX_COST_EXCEEDED":
            return TooCostly(f"{where}: one query may not cost so many points (MAX_COST_EXCEEDED)")
        if problem.code == "ACCESS_DENIED":
            return denied(problem, where)
    first = problems[0]
    words = without_personal_data(first.message)
    return ContractBroken(f"{where}: {words} ({first.code}) (correct the mapping's field, or the setting version)")


def denied(problem: Problem, where: str) -> PermissionMissing:
    """A field or mutation that the app may not use: no scope, or no approval for protected customer data."""
    fields = ".".join(problem.path) or "this"
    access = without_personal_data(problem.access)
    needs = f", needed: {access}" if access else ""
    return PermissionMissing(
        f"{where}: {fields} is not allowed (ACCESS_DENIED{needs}) (grant the app the access scope; for names, "
        "addresses, e-mails and phone numbers also protected customer data access in the Partner Dashboard)"
    )


def _throttled(where: str, cost: Mapping[str, Any]) -> ConnectorError:
    """Wait for as long as the missing points take to flow in; what can never fit is too costly."""
    status = cost.get("throttleStatus") or {}
    asked, left = cost.get("requestedQueryCost"), status.get("currentlyAvailable")
    rate = status.get("restoreRate")
    if asked is None or left is None or not rate:
        return Throttled(f"{where}: too many points in a short time")
    if asked > status.get("maximumAvailable", asked):
        return TooCostly(f"{where}: the query costs more points than this shop ever has")
    return Throttled(f"{where}: too many points in a short time", retry_after=max(0.0, (asked - left) / rate))
