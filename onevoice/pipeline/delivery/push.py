"""Push: the outbox leaves in batches, most urgent first, and every write gets exactly one settled outcome.

Around a batch: put in flight (committed) -> send -> settle (committed). A crash in between leaves the batch in flight;
the next run puts it back as ambiguous, looks what the vendor holds, and sends only what is not there: the values are
absolute, so a repeat would do no harm to them, but it could leave a second event.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from onevoice.errors import Ambiguous, ConnectorError, ContractBroken, GuardStopped, RetryableError
from onevoice.model import Ref
from onevoice.pipeline.delivery.desired import write_of
from onevoice.pipeline.delivery.guard import chosen
from onevoice.pipeline.delivery.holding import held, sentence
from onevoice.pipeline.delivery.targets import PushTarget
from onevoice.pipeline.hub import Hub
from onevoice.pipeline.report import Report
from onevoice.policy import raw_value
from onevoice.protocols import DeferReason, Destination, Outcome, Write, WriteResult, settle
from onevoice.store import outboxes, pages, runs
from onevoice.store.outboxes import OutboxRow
from onevoice.store.pages import DestinationState
from onevoice.store.schema import AMBIGUOUS

PASSES = 6
"""How often deferred writes are tried again within one run; what is still deferred then waits for the next run."""
PAUSE = 0.2
"""Seconds before the second pass; doubled before each further one."""
LOST_ANSWERS = 3
"""How many batches of one stream may lose their answer in a row before the job gives up."""
FIRST_BACKOFF = timedelta(minutes=5)
LONGEST_BACKOFF = timedelta(days=1)


def back_off(attempts: int) -> timedelta:
    """How long a record waits that was rejected so many times."""
    doubled: int = 2 ** min(attempts - 1, 20)  # more would be too much for a timedelta
    return min(FIRST_BACKOFF * doubled, LONGEST_BACKOFF)


def push_system(hub: Hub, system: str) -> Report:
    """Deliver every open write of one system."""
    with hub.store.begin() as connection:  # one process pushes at a time, so what is in flight belonged to a dead one
        reclaimed = outboxes.reclaim(connection, system)
    return _Delivery(hub, system, reclaimed).run()


class _Delivery:
    """One system's deliveries in one run."""

    def __init__(self, hub: Hub, system: str, reclaimed: int) -> None:
        self.hub = hub
        self.system = system
        self.counts: Counter[str] = Counter(
            records=0, calls=0, accepted=0, unchanged=0, rejected=0, deferred=0, reclaimed=reclaimed
        )
        self.answering: set[str] = set()
        """Streams that have answered for single records in this run."""
        self.owner = f"{hub.run_id}:{runs.process_name()}"
        pilot = hub.limits.pilot
        self.pilot = pilot.destinations(hub, system) if pilot else None

    def run(self) -> Report:
        """Push every stream of the system; streams with opt-outs go first."""
        targets = sorted((t for t in self.hub.targets if t.system == self.system), key=_opt_outs_first)
        try:
            destination = self.hub.destination(self.system)
            for target in targets:
                self._push_stream(destination, target)
        except GuardStopped as exc:
            return Report(dict(self.counts), stopped=str(exc))
        except ConnectorError as exc:
            again = isinstance(exc, RetryableError)
            return Report(dict(self.counts), failed=str(exc), rejected=self.counts["rejected"], again=again)
        left = self.counts["deferred"]
        notes = (f"{self.system}: {left} writes were put off and wait for the next run",) if left else ()
        return Report(dict(self.counts), notes=notes, rejected=self.counts["rejected"] + left)

    def _fits(self, target: PushTarget) -> Callable[[OutboxRow], bool] | None:
        """Which writes hold anything that this run may send; None: all."""
        return chosen(self.hub, target, self.pilot)

    def _push_stream(self, destination: Destination, target: PushTarget) -> None:
        """Send batches until nothing is open, giving deferred writes a few passes."""
        stream = destination.streams[target.stream]
        budget = self.hub.limits.records
        sent = 0
        for number in range(PASSES):
            put_off: set[str] = set()
            lost = 0
            broken: ContractBroken | None = None
            while budget is None or sent + len(put_off) < budget:
                size = stream.max_batch if budget is None else min(stream.max_batch, budget - sent - len(put_off))
                self._stop_when_held()
                with self.hub.store.begin() as connection:
                    rows = outboxes.take(
                        connection, self.system, stream.name, self.owner, size, put_off, self._fits(target)
                    )
                if not rows:
                    break
                try:
                    deferred = self._send(destination, target, rows)
                    put_off |= deferred
                    sent += len(rows) - len(deferred)
                    lost = 0
                except Ambiguous:
                    lost += 1
                    if lost >= LOST_ANSWERS:
                        raise
                except ContractBroken as exc:  # these records, or all of them? the next batch tells
                    broken = exc
                    put_off |= {row.ref for row in rows}
                    lost += 1
                    if lost >= LOST_ANSWERS:
                        raise
            if broken is not None and target.stream not in self.answering:
                raise broken
            if not put_off:
                return
            self.hub.sleep(PAUSE * 2**number)
        self.counts["deferred"] += len(put_off)

    def _stop_when_held(self) -> None:
        standing = held(self.hub.store, self.system)
        if standing is not None:
            raise GuardStopped(sentence(standing, self.system))

    def _send(self, destination: Destination, target: PushTarget, rows: Sequence[OutboxRow]) -> set[str]:
        """Send one batch and settle it; return the refs that were deferred."""
        by_key = {Ref.parse(row.ref).key: replace(row, fields=self.hub.sendable(target, row.fields)) for row in rows}
        try:
            left_to_say = self._look_first(target, by_key)
            settled = {key: WriteResult(key, Outcome.ACCEPTED) for key in by_key.keys() - left_to_say.keys()}
            writes = [Write(key, fields) for key, fields in sorted(left_to_say.items())]
            if writes:
                settled |= self._write(destination, target, writes)
        except ConnectorError as exc:
            unknown = isinstance(exc, Ambiguous | ContractBroken)  # a broken answer may follow a write that was done
            self._put_back(rows, unknown=unknown)
            raise
        except BaseException:
            self._put_back(rows, unknown=True)
            raise
        left = {row.ref: rest for row in rows if (rest := self._rest(target, row)) is not None}
        outcomes = {by_key[key].ref: (by_key[key], result) for key, result in settled.items()}
        return self._settle(target, outcomes, left)

    def _put_back(self, rows: Sequence[OutboxRow], *, unknown: bool) -> None:
        """Open a batch again; a write of which nobody knew whether it had arrived stays so."""
        with self.hub.store.begin() as connection:
            for ambiguous in (True, False):
                refs = [row.ref for row in rows if (unknown or row.state == AMBIGUOUS) is ambiguous]
                outboxes.release(connection, refs, ambiguous=ambiguous)

    def _rest(self, target: PushTarget, row: OutboxRow) -> OutboxRow | None:
        """What of a planned write this run may not send."""
        sent = self.hub.sendable(target, row.fields)
        stamps = {f.name for f in target.fields if f.is_stamp}
        fields = {name: value for name, value in row.fields.items() if name not in sent or name in stamps}
        return write_of(row.ref, target, fields) if fields.keys() - stamps else None

    def _write(self, destination: Destination, target: PushTarget, writes: Sequence[Write]) -> dict[str, WriteResult]:
        """One result per write. A batch that is refused as a whole is halved until the poisonous record is alone;
        where nothing of the stream was ever accepted in this run, it is not the record, and the error is raised."""
        self.counts["calls"] += 1
        try:
            results = dict(settle(self.system, target.stream, writes, destination.write(target.stream, writes)))
        except ContractBroken as exc:
            if len(writes) == 1:
                if target.stream not in self.answering:
                    raise
                return {writes[0].key: WriteResult(writes[0].key, Outcome.REJECTED, "REFUSED", str(exc))}
        else:
            self.answering.add(target.stream)
            return results
        middle = len(writes) // 2
        halves = [writes[:middle], writes[middle:]]
        try:
            first = self._write(destination, target, halves[0])
        except ContractBroken:  # the other half tells whether it is the records
            second = self._write(destination, target, halves[1])
            return {**self._write(destination, target, halves[0]), **second}
        return {**first, **self._write(destination, target, halves[1])}

    def _look_first(self, target: PushTarget, by_key: Mapping[str, OutboxRow]) -> dict[str, Mapping[str, Any]]:
        """What is to be sent of each write. Of one of unknown outcome that is only what the vendor does not hold yet:
        it is left out when nothing is missing there."""
        fields = {key: row.fields for key, row in by_key.items()}
        unsure = sorted(key for key, row in by_key.items() if row.state == AMBIGUOUS)
        fetcher = self.hub.fetcher(self.system)
        if not unsure or fetcher is None:
            return fields
        stamps = {f.name for f in target.fields if f.is_stamp}
        for record in fetcher.fetch(target.stream, unsure, [f.name for f in target.fields]):
            if record.deleted:
                continue
            there = {f.name: f.decode_observed(raw_value(record.data, f.name)) for f in target.fields}
            wanted = target.comparable(fields[record.key])
            missing = {name for name, value in wanted.items() if there[name] != value}
            if missing - stamps:
                fields[record.key] = {n: value for n, value in fields[record.key].items() if n in missing}
            else:
                del fields[record.key]
        return fields

    def _settle(
        self,
        target: PushTarget,
        outcomes: Mapping[str, tuple[OutboxRow, WriteResult]],
        left: Mapping[str, OutboxRow],
    ) -> set[str]:
        """Store the outcome of every write of a batch, in one transaction; `left` is what of them was not sent."""
        with self.hub.store.begin() as connection:
            states = pages.load_destinations(connection, outcomes)
            held = outboxes.load_held(connection, outcomes)
            accepted: dict[str, tuple[DestinationState, Mapping[str, Any], Mapping[str, Any], str]] = {}
            rejected: dict[str, tuple[str, str, Mapping[str, Any], int, Any]] = {}
            deferred: dict[bool, set[str]] = {True: set(), False: set()}
            for ref, (row, result) in outcomes.items():
                self.counts["records"] += 1
                if result.outcome is Outcome.DEFERRED:
                    deferred[result.reason is DeferReason.AMBIGUOUS or row.state == AMBIGUOUS].add(ref)
                    continue
                self.counts[result.outcome.value] += 1
                if result.outcome is Outcome.REJECTED:
                    attempts = (held[ref].attempts if ref in held else 0) + 1
                    next_at = self.hub.as_of + back_off(attempts)
                    rejected[ref] = (result.code, result.message, row.fields, attempts, next_at)
                else:
                    accepted[ref] = _after(target, states.get(ref, DestinationState()), row, result)
            rest = [left[ref] for ref in sorted(accepted.keys() & left.keys())]
            outboxes.settle_accepted(connection, accepted, rest, self.hub.run_id, self.hub.as_of)
            outboxes.settle_rejected(connection, rejected, self.hub.as_of)
            for ambiguous, refs in deferred.items():
                outboxes.release(connection, refs, ambiguous=ambiguous)
            pages.mark_work(connection, {("verify", ref) for ref in accepted})
        return deferred[True] | deferred[False]


def overwritten(target: PushTarget, state: DestinationState, names: Iterable[str]) -> dict[str, Any]:
    """What stood in these fields before a write: what was observed there, and of the stamp what was last sent."""
    stamps = {f.name for f in target.fields if f.is_stamp}
    return {name: (state.sent if name in stamps else state.observed).get(name) for name in names}


def _after(
    target: PushTarget, state: DestinationState, row: OutboxRow, result: WriteResult
) -> tuple[DestinationState, Mapping[str, Any], Mapping[str, Any], str]:
    """State, values before and values after of an accepted write."""
    after = target.comparable(row.fields)
    before = overwritten(target, state, after)
    ours = {f.name for f in target.fields if f.irreversible and f.name in after}
    written = {f.name: None for f in target.fields if f.mode == "adopt" and f.name in after}
    sent, adopted = {**state.sent, **after}, {**state.adopted, **written}
    new = DestinationState(sent, state.observed, tuple(sorted({*state.ours, *ours})), adopted)
    return new, before, after, result.outcome.value


def _opt_outs_first(target: PushTarget) -> tuple[bool, str]:
    return not any(f.source.startswith("opt_out.") for f in target.fields), target.stream
