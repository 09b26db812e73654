"""Calls to one Klaviyo account, and to nothing but the endpoints listed here.

Three of Klaviyo's bulk calls undo or widen what customers said: subscribing lifts unsubscribes and spam complaints,
unsubscribing "from a list" unsubscribes everywhere whoever is not on that list, and unsuppressing lifts suppressions.
No code of ours calls them, and this client refuses to send anything that is not in `ENDPOINTS`.
(Klaviyo API reference 2026-07-15: bulk_subscribe_profiles, bulk_unsubscribe_profiles, bulk_unsuppress_profiles)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from connectors._http import HttpClient, Refused, Reply
from connectors._words import vendor_code
from onevoice.errors import ConfigError, ConnectorError, ContractBroken
from onevoice.protocols import Budget

Params = Mapping[str, str | int]
JSON_API = "application/vnd.api+json"
_ID = "[A-Za-z0-9_-]+"
RECORD_ID = re.compile(_ID)
"""What a profile's id may look like; anything else is not asked for."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One call that may be made. `kind` is the budget's: Klaviyo counts every endpoint for itself."""

    method: str
    path: str
    """A regular expression for the whole path."""
    kind: str
    effect: bool = False
    """Something is changed by it."""


ENDPOINTS = (
    Endpoint("GET", "/api/accounts", "account"),
    Endpoint("GET", "/api/profiles", "read"),
    Endpoint("POST", "/api/profile-bulk-import-jobs", "write", effect=True),
    Endpoint("GET", f"/api/profile-bulk-import-jobs/{_ID}", "poll"),
    Endpoint("GET", f"/api/profile-bulk-import-jobs/{_ID}/import-errors", "errors"),
    Endpoint("GET", f"/api/profile-bulk-import-jobs/{_ID}/relationships/profiles", "written"),
    Endpoint("POST", "/api/profile-suppression-bulk-create-jobs", "suppress", effect=True),
    Endpoint("GET", f"/api/profile-suppression-bulk-create-jobs/{_ID}", "suppress"),
)


class TwoWindows:
    """The account's budget, told which of an endpoint's two windows was met; implements Budget.

    Klaviyo's windows are fixed and a refusal says how long its own is yet: a second at most is the short one. Taken for
    both, every burst would halve what a minute lets through.
    """

    def __init__(self, budget: Budget) -> None:
        self._budget = budget

    def acquire(self, kind: str, *, urgent: bool = False, cost: int = 1) -> None:
        """See `Budget.acquire`."""
        self._budget.acquire(kind, urgent=urgent, cost=cost)

    def observe(self, kind: str, *, remaining: int | None = None, limit: int | None = None) -> None:
        """See `Budget.observe`: the headers tell of the minute."""
        self._budget.observe(f"{kind}_minutely", remaining=remaining, limit=limit)

    def throttled(self, kind: str, retry_after: float | None) -> None:
        """See `Budget.throttled`."""
        short = retry_after is None or retry_after <= 1
        self._budget.throttled(f"{kind}_secondly" if short else f"{kind}_minutely", retry_after)


class Client:
    """Authorised, budgeted and retried calls to one account. One client serves all threads."""

    def __init__(self, system: str, settings: Mapping[str, str], budget: Budget) -> None:
        revision = settings.get("revision", "2026-07-15")
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}(\.\w+)?", revision):
            raise ConfigError(f"{system}: revision must be a date such as 2026-07-15")
        self.system = system
        self._budget = TwoWindows(budget)
        headers = {
            "Authorization": f"Klaviyo-API-Key {settings['api_key']}",
            "revision": revision,
            "Accept": JSON_API,
        }
        base = settings.get("url", "https://a.klaviyo.com").rstrip("/")
        self._http = HttpClient(system, base, headers, self._budget, _refusal)

    def get(self, path: str, params: Params | None = None, *, stream: str = "") -> Mapping[str, Any]:
        """The decoded answer of a GET. Raises what `onevoice.errors` names for connectors."""
        return self._call("GET", path, stream, params=params)

    def post(self, path: str, body: Mapping[str, Any], *, stream: str = "") -> Mapping[str, Any]:
        """The decoded answer of a POST; a lost answer is Ambiguous."""
        return self._call("POST", path, stream, json=body, headers={"Content-Type": JSON_API})

    def pages(self, path: str, params: Params, *, stream: str = "") -> Iterator[list[Mapping[str, Any]]]:
        """The resources of every page of a list. Page cursors are taken from the links; their host is not."""
        place = ""
        while True:
            answer = self.get(path, {**params, "page[cursor]": place} if place else params, stream=stream)
            yield list(answer["data"])
            following = _cursor_of((answer.get("links") or {}).get("next"))
            if not following:
                return
            if following == place:
                raise ContractBroken(f"{self.system}: a page names itself as the next one (run again)")
            place = following

    def _call(self, method: str, path: str, stream: str, **request: Any) -> Mapping[str, Any]:
        endpoint = next((e for e in ENDPOINTS if e.method == method and re.fullmatch(e.path, path)), None)
        if endpoint is None:
            raise ContractBroken(f"{self.system}: {method} to this path is none of the calls this connector may make")
        reply = self._http.call(endpoint.kind, method, path, stream=stream, write=endpoint.effect, **request)
        self._note_usage(endpoint.kind, reply)
        body: Mapping[str, Any] = reply.body
        return body

    def _note_usage(self, kind: str, reply: Reply) -> None:
        remaining, most = (_leading(reply.headers.get(f"RateLimit-{name}", "")) for name in ("Remaining", "Limit"))
        if remaining is not None:
            self._budget.observe(kind, remaining=remaining, limit=most)


def _refusal(reply: Reply, where: str) -> ConnectorError | None:
    """Klaviyo's judgement of an answer. KeyError or TypeError where a success is no JSON:API document."""
    if reply.status < 400:
        reply.body["data"]
        return None
    errors = (reply.body or {}).get("errors") or [{}]
    code = vendor_code(errors[0].get("code"))
    return Refused(
        f"{where}: refused with status {reply.status} ({code})", status=reply.status, code=code, body=reply.body
    )


def _cursor_of(link: str | None) -> str:
    """`page[cursor]` of a link to another page."""
    return parse_qs(urlsplit(link or "").query).get("page[cursor]", [""])[0]


def _leading(text: str) -> int | None:
    found = re.match(r"\d+", text)
    return int(found[0]) if found else None
