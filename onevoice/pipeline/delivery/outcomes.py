"""Outcomes: what follows from each result of a write, and how patient the hub is with each kind of failure.

accepted, unchanged   the record holds the values: `sent` moves, and the write is logged
rejected              the vendor said no: quarantine, tried again after a growing pause, and at last only on a change
deferred              throttled, retryable, auth, ambiguous: the write stays open and waits; after too many tries in
                      a row it is shown in quarantine too, and tried once a day
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from onevoice.pipeline.delivery.targets import PushTarget
from onevoice.pipeline.hub import Hub
from onevoice.protocols import DeferReason, Outcome, WriteResult
from onevoice.store import outboxes, pages, quarantines
from onevoice.store.outboxes import OutboxRow
from onevoice.store.pages import DestinationState
from onevoice.store.quarantines import DELIVERY, Held
from onevoice.store.schema import AMBIGUOUS

A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a write waits after a failure of some kind, and how often it may fail."""

    first: timedelta
    longest: timedelta
    most: int
    """Failures in a row after which it is for people to look at."""

    def wait(self, attempts: int) -> timedelta:
        """The pause after so many failures: doubled each time."""
        doubled: int = 2 ** min(attempts - 1, 20)  # more would be too much for a timedelta
        return min(self.first * doubled, self.longest)


REFUSED = Patience(timedelta(minutes=5), A_DAY, 14)
"""About a week of tries; then only a new value or a person brings it back."""
PUT_OFF: Mapping[DeferReason, Patience] = {
    DeferReason.THROTTLED: Patience(timedelta(minutes=1), timedelta(hours=1), 24),
    DeferReason.RETRYABLE: Patience(timedelta(minutes=1), timedelta(hours=4), 12),
    DeferReason.AUTH: Patience(timedelta(minutes=15), A_DAY, 6),
    DeferReason.AMBIGUOUS: Patience(timedelta(minutes=1), timedelta(hours=4), 8),
}


@dataclass(frozen=True, slots=True)
class Deferred:
    """A write that was not done, or of which nobody knows whether it was."""

    row: OutboxRow
    reason: DeferReason
    code: str = ""
    message: str = ""


def settle_batch(
    hub: Hub,
    target: PushTarget,
    owner: str,
    outcomes: Mapping[str, tuple[OutboxRow, WriteResult]],
    left: list[OutboxRow],
) -> tuple[dict[Outcome, int], dict[str, Deferred]]:
    """Store the outcome of every write of a batch in one transaction: how many of each kind, and what is put off.

    `left` is what of the writes was not sent, because this run was not allowed to. A write that another worker has
    taken over is that worker's to settle.
    """
    counts = dict.fromkeys(Outcome, 0)
    accepted: dict[str, tuple[DestinationState, Mapping[str, Any], Mapping[str, Any], str]] = {}
    rejected: dict[str, Held] = {}
    deferred: dict[str, Deferred] = {}
    with hub.store.begin() as connection:
        mine = outboxes.own(connection, outcomes, owner)
        states = pages.load_destinations(connection, mine, to_change=True)
        known = quarantines.load(connection, DELIVERY, mine)
        for ref in sorted(mine):
            row, result = outcomes[ref]
            counts[result.outcome] += 1
            if result.outcome is Outcome.DEFERRED:
                reason = DeferReason.AMBIGUOUS if row.state == AMBIGUOUS else result.reason
                deferred[ref] = Deferred(row, reason or DeferReason.RETRYABLE, result.code, result.message)
            elif result.outcome is Outcome.REJECTED:
                attempts = (known[ref].attempts if ref in known else 0) + 1
                rejected[ref] = _refused(hub.as_of, row, result, attempts)
            else:
                accepted[ref] = _after(target, states.get(ref, DestinationState()), row, result)
        rest = [row for row in left if row.ref in accepted]
        outboxes.settle_accepted(connection, accepted, rest, hub.run_id, hub.as_of)
        outboxes.settle_rejected(connection, rejected, hub.as_of)
        for unknown in (True, False):
            refs = [ref for ref, d in deferred.items() if (d.reason is DeferReason.AMBIGUOUS) is unknown]
            outboxes.release(connection, refs, owner, ambiguous=unknown)
        pages.mark_work(connection, {("verify", ref) for ref in accepted})
    return counts, deferred


def put_off(hub: Hub, deferred: Iterable[Deferred]) -> None:
    """Let writes that were not done within a run wait their time; after too many tries they are shown."""
    waits: dict[str, datetime] = {}
    attempts: dict[str, int] = {}
    shown: dict[str, Held] = {}
    moved: set[str] = set()
    for one in deferred:
        patience, ref = PUT_OFF[one.reason], one.row.ref
        attempts[ref] = one.row.attempts + 1
        waits[ref] = hub.as_of + patience.wait(attempts[ref])
        if attempts[ref] < patience.most:
            continue
        waits[ref] = hub.as_of + A_DAY
        code = one.code or one.reason.value.upper()
        message = f"put off {attempts[ref]} times in a row ({one.reason.value}): {one.message}".removesuffix(": ")
        shown[ref] = Held(code, message, one.row.fields, attempts[ref], waits[ref])
        if one.reason is not DeferReason.AMBIGUOUS:  # one that may have arrived stays: it is looked for first
            moved.add(ref)
    with hub.store.begin() as connection:
        outboxes.put_off(connection, waits, attempts)
        quarantines.note(connection, DELIVERY, shown, hub.as_of)
        outboxes.withdraw(connection, moved)


def overwritten(target: PushTarget, state: DestinationState, names: Iterable[str]) -> dict[str, Any]:
    """What stood in these fields before a write: what was observed there, and of the stamp what was last sent."""
    stamps = {f.name for f in target.fields if f.is_stamp}
    return {name: (state.sent if name in stamps else state.observed).get(name) for name in names}


def _refused(at: datetime, row: OutboxRow, result: WriteResult, attempts: int) -> Held:
    next_at = at + REFUSED.wait(attempts) if attempts < REFUSED.most else None
    return Held(result.code, result.message, row.fields, attempts, next_at)


def _after(
    target: PushTarget, state: DestinationState, row: OutboxRow, result: WriteResult
) -> tuple[DestinationState, Mapping[str, Any], Mapping[str, Any], str]:
    """State, values before and values after of an accepted write."""
    after = target.comparable(row.fields)
    before = overwritten(target, state, after)
    ours = {f.name for f in target.fields if f.irreversible and f.name in after}
    written = {f.name: None for f in target.fields if f.mode == "adopt" and f.name in after}
    sent, adopted = {**state.sent, **after}, {**state.adopted, **written}
    known = tuple(sorted({*state.ours, *ours}))
    new = DestinationState(sent, state.observed, known, adopted, state.newest(result.version))
    return new, before, after, result.outcome.value
