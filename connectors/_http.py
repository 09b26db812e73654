"""The one file that imports httpx: calls to vendors that speak plain JSON, be it REST or GraphQL.

One engine serves all threads of an account. It waits for the budget, sets timeouts, repeats what is safe to repeat, and
turns whatever goes wrong into errors of ours. What only the vendor knows (an error inside a 200, the meaning of a 404)
the connector judges by the `refusal` it hands in.
"""

from __future__ import annotations

import logging
import re
import ssl
import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import httpx

from connectors._retry import call_with_retries
from connectors._words import hush
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

TIMEOUT = httpx.Timeout(60.0, connect=10.0)
"""Seconds: to connect, and for each of sending, waiting for the answer, and waiting for a free connection."""

# httpx writes the address of every request into its log, and addresses hold e-mail addresses and phone numbers.
logging.getLogger("httpx").setLevel(logging.WARNING)

_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
_REQUEST_TIMEOUT = 408


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer: `headers` by name in any case, `body` as decoded JSON (None: empty, or an error without JSON)."""

    status: int
    headers: Mapping[str, str]
    body: Any


class Refused(ContractBroken):
    """The vendor understood the request and said no for a reason of its own."""

    def __init__(self, message: str, *, status: int, code: str, body: Any) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.body = body
        """The answer as it came; it may hold personal data."""


class HttpClient:
    """Calls to one account: budgeted, retried, and with our errors. Redirects are not followed."""

    def __init__(
        self,
        system: str,
        base_url: str,
        headers: Mapping[str, str],
        budget: Budget,
        refusal: Callable[[Reply, str], ConnectorError | None],
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """`headers` go with every request. `refusal(reply, where)` judges each answer that is not plainly a throttle, a
        server's failure or a refused credential, 2xx included: an error to raise, or None. ConfigError on a `base_url`
        that is no http address."""
        address = urlsplit(base_url)
        if address.scheme not in {"https", "http"} or not address.hostname:
            raise ConfigError(f"{system}: url must begin with https:// and name a host")
        self.system = system
        self._budget = budget
        self._refusal = refusal
        self._client = httpx.Client(
            base_url=base_url, headers=dict(headers), timeout=TIMEOUT, transport=transport, verify=_authorities()
        )
        # Connectors are dropped, not closed: their connections go with them.
        weakref.finalize(self, self._client.close)

    def call(  # noqa: PLR0913 - a request has that many parts, and those after the path are named
        self,
        kind: str,
        method: str,
        path: str,
        *,
        stream: str = "",
        write: bool = False,
        cost: int = 1,
        params: Mapping[str, str | int] | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send one request and return its answer.

        `kind` is the budget's kind of call, `cost` its price at a vendor that counts points. `path` is joined to the
        base address; ids in it must be quoted already.
        `write` marks calls with side effects: they may use the budget's reserve, and a lost answer is Ambiguous.
        Raises what `onevoice.errors` names for connectors, after the retries that are safe.
        """
        where = f"{self.system}.{stream}" if stream else self.system

        def once() -> Reply:
            self._budget.acquire(kind, urgent=write, cost=cost)
            try:
                reply = self._sent(method, path, where, write, params, json, headers)
                error = _plain_failure(reply, where, write=write) or self._judged(reply, where, write=write)
                if error is not None:
                    raise error
            except ConnectorError as exc:
                exc.system, exc.stream = self.system, stream
                if isinstance(exc, Throttled):
                    self._budget.throttled(kind, exc.retry_after)
                raise
            return reply

        return call_with_retries(once)

    def _sent(
        self,
        method: str,
        path: str,
        where: str,
        write: bool,
        params: Mapping[str, str | int] | None,
        json: Any,
        headers: Mapping[str, str] | None,
    ) -> Reply:
        try:
            response = self._client.request(method, path, params=params, json=json, headers=headers)
        except httpx.RequestError as exc:
            hush(exc)
            raise _transport_error(exc, where, write=write) from exc
        try:
            body = response.json() if response.content else None
        except ValueError as exc:
            if response.is_success:
                raise _lost(f"{where}: the answer is not JSON", write=write) from exc
            body = None
        return Reply(response.status_code, response.headers, body)

    def _judged(self, reply: Reply, where: str, *, write: bool) -> ConnectorError | None:
        try:
            error = self._refusal(reply, where)
        except (KeyError, TypeError, ValueError, AttributeError) as exc:
            if reply.status < 400:
                raise _lost(f"{where}: the answer has another form than documented", write=write) from exc
            error = None
        if error is None and reply.status >= 400:
            return Refused(
                f"{where}: refused with status {reply.status}", status=reply.status, code="UNKNOWN", body=reply.body
            )
        return error


@cache
def _authorities() -> ssl.SSLContext:
    """The machine's trusted authorities, read once: every client of its own reading takes as long as many calls."""
    return httpx.create_ssl_context()


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The vendor's wish in seconds, where it stands as a number in `Retry-After`."""
    text = headers.get("Retry-After", "")
    return float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else None


def _plain_failure(reply: Reply, where: str, *, write: bool) -> ConnectorError | None:
    """What a status means at every vendor; None where the vendor must be asked."""
    if reply.status == 429:
        return Throttled(f"{where}: too many requests", retry_after=retry_after(reply.headers))
    if reply.status >= 500 or reply.status == _REQUEST_TIMEOUT:
        error = _lost(f"{where}: server error {reply.status}", write=write)
        error.retry_after = retry_after(reply.headers)
        return error
    if reply.status == 401:
        return AuthFailed(f"{where}: the credential was refused (check the access token or key)")
    if reply.status == 403:
        return PermissionMissing(f"{where}: not allowed (grant the credential this permission)")
    if 300 <= reply.status < 400:
        return ContractBroken(f"{where}: redirected with status {reply.status}, which is not followed (check url)")
    return None


def _transport_error(exc: httpx.RequestError, where: str, *, write: bool) -> ConnectorError:
    name = type(exc).__name__
    handshake = next((link for link in _causes(exc) if isinstance(link, ssl.SSLError)), None)
    if isinstance(exc, httpx.ConnectError) and handshake and not isinstance(handshake, ssl.SSLEOFError):
        return FatalError(f"{where}: the server's certificate is not trusted, or it speaks no TLS (check url)")
    if isinstance(exc, _NEVER_SENT):
        return Unavailable(f"{where}: no connection ({name}) (check url and the network)")
    return _lost(f"{where}: no answer ({name}) (check the network)", write=write)


def _causes(exc: BaseException | None) -> Iterator[BaseException]:
    while exc is not None:
        yield exc
        exc = exc.__cause__ or exc.__context__


def _lost(message: str, *, write: bool) -> Ambiguous | Unavailable:
    """A request was sent and nobody knows what became of it, which matters if it had side effects."""
    return Ambiguous(message) if write else Unavailable(message)
