"""Who asks, and what they may: keys with scopes. Everything but /v1/health needs one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from onevoice.api.problems import Problem, unavailable
from onevoice.api.serving import Serving, now
from onevoice.store import api_keys


class Scope(StrEnum):
    """What a key may do."""

    PROFILES_READ = "profiles:read"
    PII_READ = "pii:read"
    OFFERS_CHECK = "offers:check"
    CHANGES_READ = "changes:read"
    EVENTS_WRITE = "events:write"


@dataclass(slots=True)
class Caller:
    """The holder of the key of one request, and whose data they were given."""

    key_id: str
    scopes: frozenset[str]
    saw: list[str] = field(default_factory=list)

    @property
    def sees_persons(self) -> bool:
        """Whether personal data is shown unmasked."""
        return Scope.PII_READ in self.scopes

    def note(self, profile_ids: Iterable[str]) -> None:
        """Remember for the audit whose data the answer holds."""
        self.saw.extend(profile_ids)


bearer = HTTPBearer(
    scheme_name="key",
    description="A key made with `onevoice api-key create`: `Authorization: Bearer ovk_...`. "
    "Each operation names the scope that it needs; personal data is masked without `pii:read`.",
    auto_error=False,
)


async def serving_of(request: Request) -> Serving:
    """The server's state. Async, as `check` below: what does not wait needs no thread of its own."""
    found: Serving = request.app.state.serving
    return found


Served = Annotated[Serving, Depends(serving_of)]


def _caller(
    request: Request, serving: Served, sent: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
) -> Caller:
    """The holder of the key that was sent."""
    if sent is None:
        raise _refused("no key was sent (send Authorization: Bearer ovk_...)")
    with serving.hub.store.snapshot() as connection:
        key = api_keys.find_key(connection, sent.credentials)
    if key is None:
        raise _refused("the key is not one of ours (make one: onevoice api-key create)")
    if not key.is_open(now()):
        raise _refused("the key has ended or was revoked (make another: onevoice api-key create)")
    if serving.audit.is_full:
        raise unavailable("audit: reads cannot be noted now, so none is answered (try again in a moment)")
    caller = Caller(key.key_id, key.scopes)
    request.state.caller = caller
    return caller


def _refused(why: str) -> Problem:
    return Problem(401, "unauthorised", f"authorisation: {why}", headers={"WWW-Authenticate": "Bearer"})


def needs(scope: Scope) -> Callable[[Caller], Awaitable[Caller]]:
    """A dependency that lets through keys with this scope."""

    async def check(caller: Annotated[Caller, Depends(_caller)]) -> Caller:
        if scope not in caller.scopes:
            raise Problem(403, "forbidden", f"authorisation: the key lacks the scope {scope} (make one that has it)")
        return caller

    return check


ReadsProfiles = Annotated[Caller, Depends(needs(Scope.PROFILES_READ))]
ChecksOffers = Annotated[Caller, Depends(needs(Scope.OFFERS_CHECK))]
ReadsChanges = Annotated[Caller, Depends(needs(Scope.CHANGES_READ))]
WritesEvents = Annotated[Caller, Depends(needs(Scope.EVENTS_WRITE))]


def scoped(scope: Scope) -> dict[str, Any]:
    """The scope that an operation needs, for its description."""
    return {"x-scope": scope.value}
