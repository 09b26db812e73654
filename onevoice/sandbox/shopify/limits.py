"""The shop's limits: points by cost, mutations that fail once, and what the fault switches make of them.

With limits on, a few misfortunes come by call count, so that a run of a few dozen calls meets each at least once.
Access tokens of Shopify do not expire: the fault `expire_tokens` has no effect here.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

from onevoice.sandbox.gate import Schedule
from onevoice.sandbox.misfortune import rejects
from onevoice.sandbox.shopify.cost import Bucket
from onevoice.sandbox.state import VendorState

RESTORE_RATE = 200
"""Points a second on the plan Advanced (shopify.dev, "GraphQL Admin API rate limits")."""
CAPACITY = 4_000
"""Points in a full bucket: twenty seconds of the rate, as measured on other plans (2,000 at 100 a second)."""
BUSY = Schedule(first=7, every=70)
"""Requests that find the bucket empty: Shopify lowers its limits for a while when the platform is under load."""
FAILING = Schedule(first=3, every=75)
"""Mutations that fail once, by turns with an internal error and with user errors; sent again, they go through."""
THROTTLE_PASSES = 2
"""With the fault `throttle`, one request in so many gets through."""


class Misfortune(Enum):
    """How a mutation fails that would have gone well."""

    INTERNAL = "an error at the top, null for the mutation"
    USER = "a user error in its payload"


class Limits:
    """Counts requests and mutations and says which of them are refused."""

    def __init__(self, state: VendorState) -> None:
        self._state = state
        self._bucket = Bucket(CAPACITY, RESTORE_RATE, state.clock.now())
        self._requests = 0
        self._mutations = 0

    def admit(self, requested: int) -> bool:
        """Count one request of so many points; False when the bucket cannot pay for it."""
        self._requests += 1
        faults, now = self._state.faults, self._state.clock.now()
        if faults.throttle and self._requests % THROTTLE_PASSES:
            return False
        if not faults.limits_on:
            return True
        if BUSY.due(self._requests):
            self._bucket.drain(now)
        return self._bucket.left(now) >= requested

    def pay(self, actual: int) -> None:
        """Take what an admitted request really cost."""
        if self._state.faults.limits_on:
            self._bucket.pay(actual, self._state.clock.now())

    def status(self) -> dict[str, Any]:
        """`throttleStatus` of an answer."""
        return {
            "maximumAvailable": CAPACITY,
            "currentlyAvailable": self._bucket.left(self._state.clock.now()),
            "restoreRate": RESTORE_RATE,
        }

    def misfortune(self) -> Misfortune | None:
        """Count one mutation, and say how it fails, if it does."""
        self._mutations += 1
        if not self._state.faults.limits_on or not FAILING.due(self._mutations):
            return None
        turn = (self._mutations - FAILING.first) // FAILING.every
        return Misfortune.USER if turn % 2 else Misfortune.INTERNAL

    def rejects(self, owner: str) -> bool:
        """Whether the shop refuses every write to this customer for now."""
        return rejects(self._state, owner)
