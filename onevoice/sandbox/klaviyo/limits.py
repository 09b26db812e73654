"""The account's limits: two fixed windows for every endpoint, misfortunes by call count, and what the faults make of
them.

The fault `expire_tokens` has no effect here: a Klaviyo private key does not expire.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from onevoice.sandbox.calls import THROTTLED
from onevoice.sandbox.gate import RefusalError, Schedule
from onevoice.sandbox.klaviyo.errors import refusal
from onevoice.sandbox.misfortune import Losses, rejects
from onevoice.sandbox.state import VendorState


@dataclass(frozen=True, slots=True)
class Rate:
    """Calls of one endpoint in a second and in a minute, of the whole account."""

    burst: int
    steady: int


XS, S, M, L = Rate(1, 15), Rate(3, 60), Rate(10, 150), Rate(75, 750)
"""Klaviyo's sizes of limits, as the API description gives them for each endpoint."""
BUSY = Schedule(first=9, every=90)
"""Calls that find the window used up by the account's other integrations."""
FAILING = Schedule(first=1, every=10)
"""Import jobs in which some profiles fail once."""
THROTTLE_PASSES = 2
"""With the fault `throttle`, one call in so many gets through; every other costs its caller a whole second."""


class Limits:
    """Counts calls and says which of them are refused."""

    def __init__(self, state: VendorState) -> None:
        self._state = state
        self._windows: dict[tuple[str, int], tuple[int, int]] = {}
        self._losses = Losses(state)
        self.calls = 0
        """Calls with a valid key and revision so far."""

    def admit(self, endpoint: str, rate: Rate) -> None:
        """Count one call; refuse it when this endpoint has had enough."""
        self.calls += 1
        faults = self._state.faults
        if faults.throttle and self.calls % THROTTLE_PASSES:
            raise _too_many(1)
        if not faults.limits_on:
            return
        now = self._state.clock.now()
        if BUSY.due(self.calls):
            raise _too_many(1)
        for seconds, limit in ((60, rate.steady), (1, rate.burst)):
            if self._taken(endpoint, seconds, now) >= limit:
                raise _too_many(_until_next(now, seconds))
        for seconds in (60, 1):
            self._windows[endpoint, seconds] = (_number(now, seconds), self._taken(endpoint, seconds, now) + 1)

    def headers(self, endpoint: str, rate: Rate) -> Mapping[str, str]:
        """The state of the steady window, on every answer but a 429."""
        now = self._state.clock.now()
        return {
            "RateLimit-Limit": str(rate.steady),
            "RateLimit-Remaining": str(rate.steady - self._taken(endpoint, 60, now)),
            "RateLimit-Reset": str(_until_next(now, 60)),
        }

    def failing_profiles(self, profiles: int) -> frozenset[int]:
        """Positions of the profiles that this import job loses; sent again, they go through."""
        return self._losses.places(profiles, FAILING)

    def rejects(self, profile: str) -> bool:
        """Whether the account refuses every import of this profile for now; one that is yet to be made has no id."""
        return rejects(self._state, profile)

    def _taken(self, endpoint: str, seconds: int, now: datetime) -> int:
        number, taken = self._windows.get((endpoint, seconds), (-1, 0))
        return taken if number == _number(now, seconds) else 0


def _number(now: datetime, seconds: int) -> int:
    return int(now.timestamp() // seconds)


def _until_next(now: datetime, seconds: int) -> int:
    """Whole seconds until the next window begins, 1 at least."""
    return max(1, math.ceil(seconds - now.timestamp() % seconds))


def _too_many(wait: int) -> RefusalError:
    """Fixed windows and a refusal that says how long to wait: developers.klaviyo.com, "Rate limits, status codes, and
    errors"."""
    plural = "" if wait == 1 else "s"
    return refusal(
        429,
        "throttled",
        "Request was throttled.",
        f"Request was throttled. Expected available in {wait} second{plural}.",
        outcome=THROTTLED,
        headers={"Retry-After": str(wait)},
    )
