"""The one file that imports simple-salesforce: login, timeouts, refresh, and its exceptions as ours.

One client serves all threads, one call at a time: the SDK mutates its session and headers without a lock.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import RLock
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceError,
    SalesforceExpiredSession,
    SalesforceOperationError,
)
from simple_salesforce.login import SalesforceLogin
from urllib3.exceptions import NewConnectionError

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

API_VERSION = "67.0"
"""Summer '26. The SDK would take 59.0."""
TIMEOUT_SECONDS = (10.0, 120.0)
"""Connect, read. A query may compute for two minutes before its first byte."""
ECHO_MARK = "client=onevoice"
"""Stands in the change events of what we write, so that their readers can tell our changes from a person's."""

_USAGE = re.compile(r"api-usage=(\d+)/(\d+)")
_BUSY = frozenset({"UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE", "QUERY_TIMEOUT", "REQUEST_RUNNING_TOO_LONG"})
_UNSEEN = frozenset({"INVALID_FIELD", "INVALID_TYPE", "NOT_FOUND", "INSUFFICIENT_ACCESS", "API_DISABLED_FOR_ORG"})


class Refused(ContractBroken):
    """Salesforce understood the request and said no for a reason of its own; `code` is its errorCode."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


class _LoginUnanswered(requests.RequestException):
    """The token endpoint is down. The SDK would report this as a refused credential."""


class _Transport(HTTPAdapter):
    """Puts a timeout on every call and leads the SDK's hard-coded login host to the org's own address."""

    def __init__(self, login_host: str, base: str) -> None:
        self._login_host = login_host
        self._base = base
        super().__init__()

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Send with a timeout; raise _LoginUnanswered where a login meets a 429 or a 5xx."""
        if kwargs.get("timeout") is None:
            kwargs["timeout"] = TIMEOUT_SECONDS
        target = urlsplit(request.url or "")
        if target.hostname != self._login_host:
            return super().send(request, *args, **kwargs)
        request.url = f"{self._base}{target.path}"
        response = super().send(request, *args, **kwargs)
        if response.status_code == 429 or response.status_code >= 500:
            response.close()
            raise _LoginUnanswered(f"status {response.status_code}")
        return response


class Client:
    """Calls to one org: authorised, budgeted, retried, and with our errors."""

    def __init__(self, system: str, settings: Mapping[str, str], budget: Budget) -> None:
        base = settings["url"].rstrip("/")
        address = urlsplit(base)
        if address.scheme != "https" or not address.hostname or address.path:
            raise ConfigError(f"{system}: url must be https://host or https://host:port, without a path")
        self.system = system
        self._settings = settings
        self._budget = budget
        self._domain = address.hostname.removesuffix(".salesforce.com")
        if self._domain in {"login", "test"}:
            raise ConfigError(
                f"{system}: url must be the org's own My Domain (client credentials do not work at {address.hostname})"
            )
        if "ca" in settings and not Path(settings["ca"]).is_file():
            raise ConfigError(f"{system}: ca names a file that is not there (give the path of a PEM file)")
        self._session = requests.Session()
        # With trust_env a REQUESTS_CA_BUNDLE variable would silently replace `verify`.
        self._session.trust_env = False
        self._session.verify = settings.get("ca") or True
        self._session.headers["Sforce-Call-Options"] = ECHO_MARK
        self._session.mount("https://", _Transport(f"{self._domain}.salesforce.com", base))
        self._session.hooks["response"].append(self._note_usage)
        self._lock = RLock()
        self._salesforce: Salesforce | None = None
        self._spent = False

    def call(self, kind: str, operation: Callable[[Salesforce], Any], *, stream: str = "", write: bool = False) -> Any:
        """Run `operation` on the SDK's client.

        `write` marks calls with side effects: they may use the budget's reserve, and a lost answer is Ambiguous.
        Raises what `onevoice.errors` names for connectors, after the retries that are safe.
        """

        def once() -> Any:
            self._budget.acquire(kind, urgent=write)
            try:
                with self._lock:
                    return self._authorised(operation)
            except (SalesforceError, SalesforceOperationError, requests.RequestException) as exc:
                error = self.translate(exc, stream=stream, write=write)
                hush(exc)
                if isinstance(error, Throttled):
                    self._budget.throttled(kind, error.retry_after)
                raise error from exc

        return call_with_retries(once)

    def slow_down(self, kind: str) -> None:
        """Tell the budget of a refusal that came for single records."""
        self._budget.throttled(kind, None)

    def get(self, path: str, *, kind: str = "read", stream: str = "") -> Any:
        """GET a resource below /services/data/vNN.0/."""
        return self.call(kind, lambda sf: sf.restful(path), stream=stream)

    def _authorised(self, operation: Callable[[Salesforce], Any]) -> Any:
        """Run with a session, renewed at most once."""
        if self._salesforce is None:
            self._salesforce = self._login()
        try:
            return operation(self._salesforce)
        except SalesforceExpiredSession as exc:
            hush(exc)
            self._salesforce = self._login()
        return operation(self._salesforce)

    def _login(self) -> Salesforce:
        """A new session; what fails here was before the call, so it is never ambiguous."""
        try:
            session_id, instance = SalesforceLogin(
                session=self._session,
                consumer_key=self._settings["client_id"],
                consumer_secret=self._settings["client_secret"],
                domain=self._domain,
            )
        except (SalesforceError, requests.RequestException) as exc:
            error = self.translate(exc, stream="", write=False)
            hush(exc)
            raise error from exc
        except (AttributeError, TypeError, KeyError) as exc:
            raise ContractBroken(f"{self.system}: the login answer holds no session", system=self.system) from exc
        if not session_id or not instance:
            raise ContractBroken(f"{self.system}: the login answer holds no session", system=self.system)
        # Without login data of its own this client cannot start the SDK's refresh loop.
        return Salesforce(instance=instance, session_id=session_id, session=self._session, version=API_VERSION)

    def _note_usage(self, response: requests.Response, *_: Any, **__: Any) -> None:
        """The SDK drops this header for half of its calls."""
        used = _USAGE.search(response.headers.get("Sforce-Limit-Info", ""))
        if used:
            spent, total = int(used[1]), int(used[2])
            self._spent = spent >= total
            self._budget.observe("daily", remaining=max(0, total - spent), limit=total)

    def translate(self, exc: Exception, *, stream: str, write: bool) -> ConnectorError:
        """An exception of the SDK or of its transport as one of ours; decided by type, status and errorCode."""
        where = f"{self.system}.{stream}" if stream else self.system
        error: ConnectorError
        if isinstance(exc, SalesforceAuthenticationFailed):
            reason = vendor_code(exc.code, "no reason given")
            error = AuthFailed(f"{where}: the login was refused ({reason}) (check client_id and client_secret)")
        elif isinstance(exc, SalesforceError):
            error = _refusal(exc, where, write=write, spent=self._spent)
        elif isinstance(exc, requests.exceptions.SSLError):
            error = FatalError(f"{where}: the server's certificate is not trusted (name its authority in `ca`)")
        elif write and isinstance(exc, requests.RequestException) and not _never_sent(exc):
            error = Ambiguous(f"{where}: the connection was lost after the write was sent")
        else:
            error = Unavailable(f"{where}: no answer ({type(exc).__name__}) (check url and the network)")
        error.system, error.stream = self.system, stream
        return error


def _refusal(exc: SalesforceError, where: str, *, write: bool, spent: bool) -> ConnectorError:
    code = _error_code(exc.content)
    if isinstance(exc, SalesforceExpiredSession):
        return AuthFailed(f"{where}: a fresh session was refused ({code}) (check the app's access policy)")
    if code == "REQUEST_LIMIT_EXCEEDED" or exc.status == 429:
        return Throttled(f"{where}: too many requests ({code})", until_reset=spent)
    if code in _BUSY:
        return Unavailable(f"{where}: busy ({code})")
    if exc.status >= 500:
        lost = Ambiguous if write else Unavailable
        return lost(f"{where}: server error {exc.status} ({code})")
    if exc.status == 403 or code in _UNSEEN:
        return PermissionMissing(f"{where}: not allowed or not there ({code}) (check the user's permissions)")
    return Refused(f"{where}: refused with status {exc.status} ({code})", code=code)


def _error_code(content: object) -> str:
    """The errorCode of Salesforce's error body, a list of objects."""
    first = content[0] if isinstance(content, list) and content else content
    return vendor_code(first.get("errorCode")) if isinstance(first, dict) else "UNKNOWN"


def _never_sent(exc: requests.RequestException) -> bool:
    """Whether the request cannot have reached the server."""
    if isinstance(exc, requests.ConnectTimeout):
        return True
    cause = exc.args[0] if exc.args else None
    return isinstance(getattr(cause, "reason", cause), NewConnectionError)
