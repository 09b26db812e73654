"""The one file that imports hubspot-api-client: tokens, timeouts, answers as plain JSON, and its exceptions as ours.

One client serves all threads: kept API objects share a connection pool and are safe to call side by side; only the
renewal of a token is serialised.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import reduce
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import urllib3
from hubspot import HubSpot

from connectors._retry import call_with_retries
from connectors._words import hush, vendor_code
from onevoice.errors import (
    Ambiguous,
    AuthFailed,
    ConfigError,
    ConnectorError,
    ContractBroken,
    FatalError,
    PermissionMissing,
    Throttled,
    Unavailable,
)
from onevoice.protocols import Budget

TIMEOUT_SECONDS = (10.0, 60.0)
"""Connect, read. The SDK has none of its own."""
LOCKED_SECONDS = 2.0
"""HubSpot asks for at least two seconds before a locked record (423) is tried again."""

_POLICIES = {"DAILY": "daily", "TEN_SECONDLY_ROLLING": "ten_secondly", "SECONDLY": "secondly"}
"""What a 429 calls the limit that was met -> the limit's name in the manifest."""
_BAD_TOKEN = frozenset({401, 530})
"""530 is the answer to a token of a form that HubSpot does not know."""
_PASSING = frozenset({423, 477})
"""A locked record; an account that is being moved. Nothing was done."""


class Refused(ContractBroken):
    """HubSpot understood the request and said no for a reason of its own."""

    def __init__(self, message: str, *, status: int, code: str, details: Mapping[str, Any]) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.details = details
        """The error body as it came; it may hold personal data."""


class Client:
    """Calls to one portal: authorised, budgeted, retried, and with our errors."""

    def __init__(self, system: str, settings: Mapping[str, str], budget: Budget) -> None:
        oauth = [name for name in ("client_id", "client_secret", "refresh_token") if name in settings]
        if ("access_token" in settings) == (len(oauth) == 3) or len(oauth) in {1, 2}:
            raise ConfigError(
                f"{system}: give either access_token, or client_id with client_secret and refresh_token, and not both"
            )
        address = urlsplit(settings.get("url", "https://api.hubapi.com"))
        if address.scheme not in {"https", "http"} or not address.hostname:
            raise ConfigError(f"{system}: url must begin with https:// and name a host")
        self.system = system
        self._settings = settings
        self._budget = budget
        self._token = settings.get("access_token", "")
        self._lock = Lock()
        self._hubspot = HubSpot(
            access_token=self._token or None,
            host=settings["url"].rstrip("/") if "url" in settings else None,
            # Left alone, urllib3 would repeat GETs by itself and sleep through Retry-After.
            retry=False,
        )
        self._kept: dict[str, Any] = {}

    @property
    def renewable(self) -> bool:
        """Whether a refused token can be exchanged for a new one."""
        return "refresh_token" in self._settings

    @property
    def token(self) -> str:
        """The access token in use, fetched when there is none yet."""
        return self._token or self._renewed("")

    def call(self, kind: str, route: str, *args: Any, stream: str = "", write: bool = False, **named: Any) -> Any:
        """Call an SDK method, such as `crm.contacts.batch_api.update`, and return the JSON of its answer.

        `write` marks calls with side effects: they may use the budget's reserve, and a lost answer is Ambiguous.
        Raises what `onevoice.errors` names for connectors, after the retries that are safe.
        """

        def once() -> Any:
            self._budget.acquire(kind, urgent=write)
            token = self.token
            try:
                return self._answer(kind, route, token, stream, write, args, named)
            except AuthFailed:
                if not self.renewable:
                    raise
            return self._answer(kind, route, self._renewed(token), stream, write, args, named)

        return call_with_retries(once)

    def _answer(
        self,
        kind: str,
        route: str,
        token: str,
        stream: str,
        write: bool,
        args: tuple[Any, ...],
        named: Mapping[str, Any],
    ) -> Any:
        """One request. The answer is decoded here: the SDK answers None to a 2xx status it does not expect."""
        try:
            method = self._method(route, token)
            response = method(*args, **named, _request_timeout=TIMEOUT_SECONDS, _preload_content=False)
            text = response.data
        except Exception as exc:
            error = self.translate(exc, kind, stream=stream, write=write)
            if error is None:
                raise
            hush(exc)
            raise error from exc
        self._note_usage(response.headers)
        try:
            return json.loads(text) if text else None
        except ValueError as exc:
            where = f"{self.system}.{stream}" if stream else self.system
            lost = Ambiguous if write else Unavailable
            raise lost(f"{where}: the answer is not JSON", system=self.system, stream=stream) from exc

    def _method(self, route: str, token: str) -> Any:
        """The SDK's method. Its API object is kept, for each new one opens connections of its own; and kept by token,
        for a kept one does not learn of a new token."""
        holder, _, name = route.rpartition(".")
        key = f"{token}\n{holder}"
        kept = self._kept.get(key)
        if kept is None:
            kept = self._kept.setdefault(key, reduce(getattr, holder.split("."), self._hubspot))
        return getattr(kept, name)

    def _renewed(self, stale: str) -> str:
        """A token other than `stale`; several callers with the same stale token make one request."""
        with self._lock:
            if self._token and self._token != stale:
                return self._token
            answer = call_with_retries(self._exchange)
            token = answer.get("access_token") if isinstance(answer, dict) else None
            if not token:
                raise ContractBroken(f"{self.system}: the token answer holds no token", system=self.system)
            self._kept.clear()
            self._token = self._hubspot.access_token = token
            return str(token)

    def _exchange(self) -> Any:
        try:
            response = self._hubspot.oauth.tokens_api.create(
                grant_type="refresh_token",
                client_id=self._settings["client_id"],
                client_secret=self._settings["client_secret"],
                refresh_token=self._settings["refresh_token"],
                _request_timeout=TIMEOUT_SECONDS,
                _preload_content=False,
            )
            return json.loads(response.data)
        except ValueError as exc:
            raise Unavailable(f"{self.system}: the token answer is not JSON", system=self.system) from exc
        except Exception as exc:
            error = self.translate(exc, "write", stream="", write=False)
            if error is None:
                raise
            hush(exc)
            if isinstance(error, Refused):
                error = AuthFailed(
                    f"{self.system}: the refresh token was refused ({error.code}) "
                    "(check client_id, client_secret and refresh_token, else install the app anew)",
                    system=self.system,
                )
            raise error from exc

    def _note_usage(self, headers: Mapping[str, str]) -> None:
        for name, prefix in (("ten_secondly", "X-HubSpot-RateLimit"), ("daily", "X-HubSpot-RateLimit-Daily")):
            remaining = headers.get(f"{prefix}-Remaining", "")
            most = headers.get(prefix if name == "daily" else f"{prefix}-Max", "")
            if remaining.isdigit():
                self._budget.observe(name, remaining=int(remaining), limit=int(most) if most.isdigit() else None)

    def translate(self, exc: Exception, kind: str, *, stream: str, write: bool) -> ConnectorError | None:
        """An exception of the SDK or of its transport as one of ours, or None when it is neither.

        The SDK has 61 unrelated ApiException classes: they are known by their attributes, never by type.
        """
        where = f"{self.system}.{stream}" if stream else self.system
        error: ConnectorError
        if _is_tls_failure(exc):
            error = FatalError(f"{where}: the server's certificate is not trusted")
        elif isinstance(exc, urllib3.exceptions.HTTPError):
            lost = write and not _never_sent(exc)
            error = (Ambiguous if lost else Unavailable)(
                f"{where}: no answer ({type(exc).__name__}) (check url and the network)"
            )
        elif hasattr(exc, "status") and hasattr(exc, "body"):
            error = self._refusal(exc, kind, where, write=write)
        elif type(exc).__module__.startswith("hubspot."):
            error = ContractBroken(f"{where}: the SDK refused to send the call ({type(exc).__name__})")
        else:
            return None
        error.system, error.stream = self.system, stream
        return error

    def _refusal(self, exc: Any, kind: str, where: str, *, write: bool) -> ConnectorError:
        status = int(exc.status or 0)
        details = _error_body(exc.body)
        # The token endpoint names its reason in `status`, all others in `category`.
        code = vendor_code(details.get("category") or details.get("status"))
        if status == 429:
            return self._throttled(exc, kind, where, str(details.get("policyName", "")))
        if status in _BAD_TOKEN:
            return AuthFailed(f"{where}: the access token was refused ({code})")
        if status == 403:
            return PermissionMissing(f"{where}: not allowed ({code}) (grant the app the scope)")
        if status in _PASSING:
            return Unavailable(f"{where}: busy (status {status})", retry_after=_retry_after(exc) or LOCKED_SECONDS)
        if status >= 500 or status == 0:
            return (Ambiguous if write else Unavailable)(f"{where}: server error {status} ({code})")
        return Refused(f"{where}: refused with status {status} ({code})", status=status, code=code, details=details)

    def _throttled(self, exc: Any, kind: str, where: str, policy: str) -> Throttled:
        wish = _retry_after(exc)
        self._budget.throttled(_POLICIES.get(policy, kind), wish)
        return Throttled(
            f"{where}: too many requests ({vendor_code(policy)})", retry_after=wish, until_reset=policy == "DAILY"
        )


def _error_body(body: object) -> Mapping[str, Any]:
    try:
        parsed = json.loads(body) if isinstance(body, str | bytes) else None
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _retry_after(exc: Any) -> float | None:
    """Seconds; HubSpot does not always send it."""
    text = str((exc.headers or {}).get("Retry-After", ""))
    return float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else None


def _is_tls_failure(exc: Exception) -> bool:
    """A failed handshake. The SDK turns it into an exception without a body, and trips over that one itself."""
    origin = exc.__context__ if isinstance(exc, AttributeError) else exc
    if isinstance(origin, urllib3.exceptions.SSLError):
        return True
    return getattr(origin, "status", None) == 0 and getattr(origin, "body", "") is None


def _never_sent(exc: Exception) -> bool:
    """Whether the request cannot have reached the server."""
    reason = getattr(exc, "reason", None)
    refused = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)
    return isinstance(exc, refused) or isinstance(reason, refused)
