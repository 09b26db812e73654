"""The seller's limits: request rate, entries that fail once, and what the fault switches make of them.

With limits on, a few misfortunes come by call count, so that a run of a few dozen calls meets each at least once.
Access tokens of this kind do not expire: the fault `expire_tokens` changes nothing here.
"""

from __future__ import annotations

from collections.abc import Mapping

from onevoice.sandbox.calls import THROTTLED
from onevoice.sandbox.gate import Operation, RefusalError, RollingWindow, Schedule
from onevoice.sandbox.misfortune import Losses, rejects
from onevoice.sandbox.square.errors import refusal
from onevoice.sandbox.state import VendorState

CALLS_A_SECOND = 100
"""Square publishes no number; its rate limits are told only by the 429 and its Retry-After (UNVERIFIED)."""
RETRY_AFTER = 1
"""Seconds, as the refusal asks for."""
BUSY = Schedule(first=9, every=1_000)
"""Calls that find the rate used up by the seller's other applications."""
FAILING = Schedule(first=1, every=25)
"""Bulk writes in which some entries fail once."""
THROTTLE_PASSES = 2
"""With the fault `throttle`, one call in so many gets through; every other costs its caller a whole second."""


class Limits:
    """Counts calls and says which of them are refused."""

    def __init__(self, state: VendorState) -> None:
        self._state = state
        self._window = RollingWindow(CALLS_A_SECOND, seconds=1)
        self._losses = Losses(state)
        self.calls = 0
        """Calls with a valid token so far."""

    def admit(self) -> None:
        """Count one call; refuse it when the seller has had enough."""
        self.calls += 1
        faults = self._state.faults
        if faults.throttle and self.calls % THROTTLE_PASSES:
            raise _too_many()
        if not faults.limits_on:
            return
        if BUSY.due(self.calls) or not self._window.take(self._state.clock.now()):
            raise _too_many()

    def failing_entries(self, entries: int) -> frozenset[int]:
        """Positions of the entries that this bulk write loses; sent again, they go through."""
        return self._losses.places(entries, FAILING)

    def refuse_rejected(self, customer_id: str) -> None:
        """Refuse a write to a customer whom the fault `reject_some` has picked."""
        if rejects(self._state, customer_id):
            raise refusal("BAD_REQUEST", "The customer profile cannot be changed.")


def no_headers(_operation: Operation) -> Mapping[str, str]:
    """Square's answers tell nothing about rates."""
    return {}


def _too_many() -> RefusalError:
    return refusal(
        "RATE_LIMITED",
        "Your application has made too many calls in a short time. Try again later.",
        outcome=THROTTLED,
        headers={"Retry-After": str(RETRY_AFTER)},
    )
