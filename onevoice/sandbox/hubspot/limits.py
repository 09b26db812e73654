"""The portal's limits: request rates, daily quota, token life, rows that fail once, and what the fault switches make of
them.

With limits on, a few misfortunes come by call count, so that a run of a few dozen calls meets each at least once: see
the schedules below.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from onevoice.sandbox.calls import THROTTLED
from onevoice.sandbox.gate import Operation, RefusalError, RollingWindow, Schedule
from onevoice.sandbox.hubspot.errors import refusal
from onevoice.sandbox.misfortune import Losses, rejects
from onevoice.sandbox.state import VendorState

DAILY_CALLS = 650_000
"""Calls in a day, Professional."""
TEN_SECONDLY = 190
"""Calls in ten seconds, Professional."""
SEARCHES_A_SECOND = 5
SEARCH = "search"
"""Name of the operation that has its own limit, and carries no rate headers."""
BUSY = Schedule(first=9, every=90)
"""Calls that find the ten seconds used up by the portal's other integrations."""
TOKEN_DIES = Schedule(first=15, every=120)
"""Calls whose access token has just expired."""
FAILING = Schedule(first=1, every=25)
"""Batch writes in which some records fail once."""
THROTTLE_PASSES = 2
"""With the fault `throttle`, one call in so many gets through."""
TOKEN_CALLS_UNDER_FAULT = 3
"""With the fault `expire_tokens`, a token lasts for so many calls."""


class Limits:
    """Counts calls and says which of them are refused."""

    def __init__(self, state: VendorState) -> None:
        self._state = state
        self._window = RollingWindow(TEN_SECONDLY, seconds=10)
        self._searches = RollingWindow(SEARCHES_A_SECOND, seconds=1)
        self._losses = Losses(state)
        self.calls = 0
        """Calls with a valid token so far."""

    def admit(self, operation: Operation) -> None:
        """Count one call; refuse it when the portal has had enough."""
        self.calls += 1
        faults = self._state.faults
        if faults.throttle and self.calls % THROTTLE_PASSES:
            raise _too_many("TEN_SECONDLY_ROLLING")
        if not faults.limits_on:
            return
        now = self._state.clock.now()
        if self.calls > DAILY_CALLS:
            raise _too_many("DAILY")
        if operation.name == SEARCH and not self._searches.take(now):
            raise _too_many("SECONDLY")
        if BUSY.due(self.calls) or not self._window.take(now):
            raise _too_many("TEN_SECONDLY_ROLLING")

    def token_dies(self, token_calls: int) -> bool:
        """Whether the next call finds its token expired, after it has served `token_calls`."""
        if self._state.faults.expire_tokens:
            return token_calls >= TOKEN_CALLS_UNDER_FAULT
        return self._state.faults.limits_on and TOKEN_DIES.due(self.calls + 1)

    def failing_rows(self, rows: int) -> frozenset[int]:
        """Positions of the records that this batch write loses; sent again, they go through."""
        return self._losses.places(rows, FAILING)

    def rejects(self, record_id: str) -> bool:
        """Whether the portal refuses every write to this record for now; a record that is yet to be made has no id."""
        return rejects(self._state, record_id)

    def headers(self, operation: Operation) -> Mapping[str, str]:
        """The rate headers of an answer; search answers have none."""
        if operation.name == SEARCH:
            return {}
        return {
            "X-HubSpot-RateLimit-Max": str(TEN_SECONDLY),
            "X-HubSpot-RateLimit-Remaining": str(self._window.left(self._state.clock.now())),
            "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
            "X-HubSpot-RateLimit-Daily": str(DAILY_CALLS),
            "X-HubSpot-RateLimit-Daily-Remaining": str(max(DAILY_CALLS - self.calls, 0)),
        }


def _too_many(policy: str) -> RefusalError:
    return refusal(
        429,
        "RATE_LIMITS",
        f"You have reached your {policy.lower()} limit.",
        outcome=THROTTLED,
        errorType="RATE_LIMIT",
        policyName=policy,
        requestId=uuid.uuid4().hex,
    )
