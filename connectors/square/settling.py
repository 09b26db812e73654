"""One result per write, made of what became of its parts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from connectors._outcomes import deferred
from connectors._words import without_personal_data
from connectors.square.client import Row
from onevoice.errors import Ambiguous, ConnectorError
from onevoice.protocols import DeferReason, Outcome, Write, WriteResult

CONFLICTS = frozenset(
    {"CONFLICT", "TEMPORARY_ERROR", "INTERNAL_SERVER_ERROR", "SERVICE_UNAVAILABLE", "GATEWAY_TIMEOUT"}
)
"""Codes of a part that may go through when it is sent again: somebody else wrote at that moment, or Square faltered."""
_RATE = "RATE_LIMITED"
_WORST_FIRST = (Outcome.REJECTED, Outcome.DEFERRED, Outcome.ACCEPTED, Outcome.UNCHANGED)
_GRAVEST_FIRST = (DeferReason.AMBIGUOUS, DeferReason.AUTH, DeferReason.THROTTLED, DeferReason.RETRYABLE)


@dataclass(frozen=True, slots=True)
class Part:
    """One value of one write: an attribute's, or whether the customer is in a group."""

    customer: str
    name: str
    value: Any


class Settling:
    """Collects the outcomes of a batch's parts."""

    def __init__(self, writes: Sequence[Write]) -> None:
        self._told: dict[str, list[WriteResult]] = {write.key: [] for write in writes}
        self._answered = False
        self.failure: ConnectorError | None = None
        """What would meet every further call too."""

    def accepted(self, part: Part) -> None:
        """Square took it."""
        self._tell(part.customer, Outcome.ACCEPTED)

    def unchanged(self, part: Part) -> None:
        """There was nothing to do."""
        self._tell(part.customer, Outcome.UNCHANGED)

    def rejected(self, customer: str, code: str, message: str) -> None:
        """It was refused, by Square or before it was sent."""
        self._tell(customer, Outcome.REJECTED, code, message)

    def refused(self, part: Part, error: Row, code: str) -> None:
        """Square refused one part, with this error."""
        words = without_personal_data(str(error.get("detail", "")), [part.customer, part.value])
        if code == _RATE:
            self._tell(part.customer, Outcome.DEFERRED, code, words, DeferReason.THROTTLED)
        elif code in CONFLICTS:
            self._tell(part.customer, Outcome.DEFERRED, code, words, DeferReason.RETRYABLE)
        else:
            self.rejected(part.customer, code, f"{part.name}: {words}")

    def forgotten(self, part: Part) -> None:
        """The answer says nothing of it."""
        message = f"{part.name}: the answer says nothing about it"
        self._tell(part.customer, Outcome.DEFERRED, "NOT_MENTIONED", message, DeferReason.AMBIGUOUS)

    def failed(self, parts: Iterable[Part], error: ConnectorError) -> None:
        """A call failed as a whole; later ones need not be tried."""
        self.failure = self.failure or error
        self._answered = self._answered or isinstance(error, Ambiguous)
        for part in parts:
            self._told[part.customer].append(deferred(part.customer, error))

    def unsent(self, parts: Iterable[Part], error: ConnectorError) -> None:
        """Not tried, because an earlier call failed."""
        for part in parts:
            self._told[part.customer].append(deferred(part.customer, error, sent=False))

    def results(self) -> Sequence[WriteResult]:
        """One result per write. Where nothing is known of any, the failure is raised."""
        if self.failure is not None and not self._answered:
            raise self.failure
        return [_combined(key, told) for key, told in self._told.items()]

    def _tell(
        self, customer: str, outcome: Outcome, code: str = "", message: str = "", reason: DeferReason | None = None
    ) -> None:
        self._answered = True
        self._told[customer].append(WriteResult(customer, outcome, code, message, reason))


def _combined(key: str, told: Sequence[WriteResult]) -> WriteResult:
    """The worst of the parts; a write without any part has nothing to do."""
    for outcome in _WORST_FIRST:
        of_it = [result for result in told if result.outcome is outcome]
        if of_it:
            return min(of_it, key=lambda result: _GRAVEST_FIRST.index(result.reason) if result.reason else 0)
    return WriteResult(key, Outcome.UNCHANGED)
