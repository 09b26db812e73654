"""What a call that failed as a whole means for the records in it."""

from __future__ import annotations

from onevoice.errors import Ambiguous, AuthFailed, ConnectorError, Throttled
from onevoice.protocols import DeferReason, Outcome, WriteResult


def deferred(key: str, error: ConnectorError, *, sent: bool = True) -> WriteResult:
    """The result of a record that goes again with a later run. `sent`: it was in the failed call itself; a record that
    was never tried because of the failure is as it was, also where the call's own answer was lost."""
    if isinstance(error, Ambiguous) and sent:
        reason = DeferReason.AMBIGUOUS
    elif isinstance(error, Throttled):
        reason = DeferReason.THROTTLED
    elif isinstance(error, AuthFailed):
        reason = DeferReason.AUTH
    else:
        reason = DeferReason.RETRYABLE
    return WriteResult(key, Outcome.DEFERRED, type(error).__name__, str(error), reason)
