"""The org's limits: request rate, daily quota, session life, locked rows, and what the fault switches make of them.

With limits on, a few misfortunes come by call count, so that a run of a few dozen calls meets each at least once: see
the schedules below. The rolling window is far above what a well-behaved client needs.
"""

from __future__ import annotations

from onevoice.sandbox.calls import THROTTLED
from onevoice.sandbox.gate import RefusalError, RollingWindow, Schedule
from onevoice.sandbox.misfortune import Losses, rejects
from onevoice.sandbox.salesforce.errors import RowError, refusal
from onevoice.sandbox.state import VendorState

DAILY_CALLS = 100_000
"""DailyApiRequests of the org (Enterprise Edition's base allowance)."""
BUSY = Schedule(first=7, every=90)
"""Calls that find the org busy with other clients' requests."""
SESSION_ENDED = Schedule(first=12, every=110)
"""Calls whose session has been ended meanwhile."""
LOCKED = Schedule(first=1, every=25)
"""Batch updates in which some rows are locked by another transaction."""
THROTTLE_PASSES = 2
"""With the fault `throttle`, one call in so many gets through."""
SESSION_CALLS_UNDER_FAULT = 3
"""With the fault `expire_tokens`, a session lasts for so many calls."""


class Limits:
    """Counts calls and says which of them are refused."""

    def __init__(self, state: VendorState) -> None:
        self._state = state
        self._window = RollingWindow(limit=200, seconds=10)
        self._losses = Losses(state)
        self.calls = 0
        """Calls with a valid session so far."""

    def admit(self) -> None:
        """Count one call; refuse it when the org has had enough."""
        self.calls += 1
        faults = self._state.faults
        if faults.throttle and self.calls % THROTTLE_PASSES:
            raise _busy()
        if not faults.limits_on:
            return
        if self.calls > DAILY_CALLS:
            raise refusal(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", outcome=THROTTLED)
        if BUSY.due(self.calls) or not self._window.take(self._state.clock.now()):
            raise _busy()

    def session_ends(self, session_calls: int) -> bool:
        """Whether the next call finds its session ended, after it has served `session_calls`."""
        if self._state.faults.expire_tokens:
            return session_calls >= SESSION_CALLS_UNDER_FAULT
        return self._state.faults.limits_on and SESSION_ENDED.due(self.calls + 1)

    def locked_rows(self, rows: int) -> frozenset[int]:
        """Positions of the rows that this batch update finds locked; sent again, they are free."""
        return self._losses.places(rows, LOCKED)

    def reject(self, record_id: str) -> None:
        """Raise RowError for a record that an automation of the org refuses."""
        if rejects(self._state, record_id):
            raise RowError("FIELD_CUSTOM_VALIDATION_EXCEPTION", "This contact is under review and cannot be edited.")

    def usage(self) -> str:
        """As the header Sforce-Limit-Info says it."""
        return f"api-usage={self.calls}/{DAILY_CALLS}"


def locked(record_id: str) -> RowError:
    """Another transaction holds the row."""
    return RowError("UNABLE_TO_LOCK_ROW", f"unable to obtain exclusive access to this record or 1 records: {record_id}")


def _busy() -> RefusalError:
    return refusal(
        403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded.", outcome=THROTTLED
    )
