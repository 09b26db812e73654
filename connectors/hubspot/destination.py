"""Writing to a portal: contacts in batches, unsubscribes one by one; every record with its own result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors._outcomes import deferred
from connectors._watermark import moment
from connectors._words import vendor_code, without_personal_data
from connectors.hubspot.client import Client, Refused
from connectors.hubspot.properties import Properties
from connectors.hubspot.search import STAMP
from connectors.hubspot.values import as_text, kept
from onevoice.errors import Ambiguous, ConnectorError
from onevoice.protocols import DeferReason, Outcome, Write, WriteResult

UNSUBSCRIBED = "UNSUBSCRIBED"
_RETRYABLE = frozenset({"RATE_LIMITS", "INTERNAL_ERROR", "OBJECT_LOCKED"})
"""Categories of a single record's error that a later try may not meet again."""


class Contacts:
    """Absolute property values for existing contacts."""

    def __init__(self, client: Client, properties: Properties) -> None:
        self._client = client
        self._properties = properties

    def write(self, writes: Sequence[Write]) -> Sequence[WriteResult]:
        """Send one batch of at most 100 contacts; None clears a property."""
        missing = self._properties.missing(name for write in writes for name in write.fields)
        refused = {write.key: fault for write in writes if (fault := _unsendable(write, missing))}
        sendable = [write for write in writes if write.key not in refused]
        return [*refused.values(), *(self._send(sendable) if sendable else ())]

    def _send(self, writes: Sequence[Write]) -> Iterator[WriteResult]:
        """HubSpot refuses a whole batch for a value it cannot take, and may not say whose: halve until it is alone."""
        body = {"inputs": [_input(write) for write in writes]}
        try:
            answer = self._client.call("write", "crm.contacts.batch_api.update", body, stream="contacts", write=True)
        except Refused as exc:
            if len(writes) == 1:
                yield _refusal(writes[0], exc.code, exc.details)
                return
            middle = len(writes) // 2
            for half in (writes[:middle], writes[middle:]):
                yield from self._send_part(half)
            return
        yield from _settled(writes, answer or {})

    def _send_part(self, writes: Sequence[Write]) -> Sequence[WriteResult]:
        """Like `_send`, but what fails is deferred: the other part's results are known and must not be lost."""
        try:
            return list(self._send(writes))
        except ConnectorError as exc:
            return [deferred(write.key, exc) for write in writes]


class Subscriptions:
    """Opt-outs by e-mail address: subscription type id -> UNSUBSCRIBED. Nobody is ever subscribed from here."""

    def __init__(self, client: Client, settings: Mapping[str, str]) -> None:
        self._client = client
        names = {"legalBasis": "legal_basis", "legalBasisExplanation": "legal_basis_explanation"}
        self._legal = {theirs: settings[ours] for theirs, ours in names.items() if ours in settings}

    def write(self, writes: Sequence[Write]) -> Sequence[WriteResult]:
        """Unsubscribe each; after a failure that would meet the others as well, those are deferred unsent."""
        results: list[WriteResult] = []
        failure: ConnectorError | None = None
        for write in writes:
            if failure is not None:
                results.append(deferred(write.key, failure, sent=False))
                continue
            try:
                results.append(self._unsubscribe(write))
            except ConnectorError as exc:
                if not results and not isinstance(exc, Ambiguous):
                    raise
                failure = exc
                results.append(deferred(write.key, exc))
        return results

    def _unsubscribe(self, write: Write) -> WriteResult:
        wrong = [name for name, value in write.fields.items() if value != UNSUBSCRIBED or not name.isdigit()]
        if wrong or "@" not in write.key:
            return WriteResult(
                write.key,
                Outcome.REJECTED,
                "NOT_ALLOWED",
                "an address can only be unsubscribed, by subscription type id",
            )
        outcome = WriteResult(write.key, Outcome.UNCHANGED)
        for subscription in write.fields:
            body = {"emailAddress": write.key, "subscriptionId": subscription, **self._legal}
            route = "communication_preferences.status_api.unsubscribe"
            try:
                self._client.call("write", route, body, stream="subscriptions", write=True)
            except Refused as exc:
                return _refusal(write, exc.code, exc.details)
            outcome = WriteResult(write.key, Outcome.ACCEPTED)
        return outcome


def _settled(writes: Sequence[Write], answer: Mapping[str, Any]) -> Iterator[WriteResult]:
    """One result per write, found by record id or trace id. A record the answer does not mention was lost silently:
    nobody knows what became of it."""
    done = {str(row.get("objectWriteTraceId") or row["id"]): row for row in answer.get("results") or ()}
    failed = {key: error for error in answer.get("errors") or () for key in _named(error)}
    for write in writes:
        if write.key in failed:
            error = failed[write.key]
            yield _refusal(write, vendor_code(error.get("category")), error)
        elif write.key in done:
            yield _accepted(write, done[write.key])
        else:
            yield WriteResult(
                write.key,
                Outcome.DEFERRED,
                "NOT_MENTIONED",
                "the answer says nothing about this record",
                DeferReason.AMBIGUOUS,
            )


def _named(error: Mapping[str, Any]) -> Iterator[str]:
    """Every record id an error of a batch may name."""
    context = error.get("context") or {}
    for name in ("objectWriteTraceId", "ids", "id"):
        values = context.get(name) or ()
        yield from map(str, [values] if isinstance(values, str) else values)
    if error.get("id"):
        yield str(error["id"])


def _accepted(write: Write, row: Mapping[str, Any]) -> WriteResult:
    """HubSpot answers 200 with the old value where it does not take the new one, and writes to the winner of a merge
    where it is given the loser's id."""
    if str(row["id"]) != write.key:
        return WriteResult(write.key, Outcome.REJECTED, "RECORD_MERGED", "this contact was merged into another one")
    answered = row.get("properties") or {}
    lost = [name for name, value in write.fields.items() if name in answered and not kept(value, answered[name])]
    if lost:
        return WriteResult(write.key, Outcome.REJECTED, "VALUE_NOT_KEPT", f"not kept as sent: {', '.join(lost)}")
    return WriteResult(write.key, Outcome.ACCEPTED, version=_version(row))


def _version(row: Mapping[str, Any]) -> datetime | None:
    """The stamp that reads go by, where the answer shows it; `updatedAt` may be another moment."""
    try:
        return moment((row.get("properties") or {}).get(STAMP) or "")
    except ValueError:
        return None


def _refusal(write: Write, code: str, error: Mapping[str, Any]) -> WriteResult:
    words = without_personal_data(str(error.get("message", "")), [write.key, *map(as_text, write.fields.values())])
    if code in _RETRYABLE:
        return WriteResult(write.key, Outcome.DEFERRED, code, words, DeferReason.RETRYABLE)
    return WriteResult(write.key, Outcome.REJECTED, code, words)


def _unsendable(write: Write, missing: frozenset[str]) -> WriteResult | None:
    """A record that would only fail its whole batch."""
    if not write.key.isdigit():
        return WriteResult(write.key, Outcome.REJECTED, "MALFORMED_ID", "the key is not a HubSpot record id")
    absent = sorted(missing & set(write.fields))
    if absent:
        return WriteResult(
            write.key, Outcome.REJECTED, "PROPERTY_DOESNT_EXIST", f"not in this portal: {', '.join(absent)} (provision)"
        )
    return None


def _input(write: Write) -> Mapping[str, Any]:
    return {
        "id": write.key,
        "objectWriteTraceId": write.key,
        "properties": {name: as_text(value) for name, value in write.fields.items()},
    }
