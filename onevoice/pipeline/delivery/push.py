"""Push: the outbox leaves in batches, most urgent first, and every write gets exactly one settled outcome.

Around a batch: put in flight under a lease (committed) -> send -> settle (committed). A crash in between leaves the
batch in flight until its worker is known to be dead; then it is ambiguous: the next run looks what the vendor holds,
and sends only what is not there. The values are absolute, so a repeat would do no harm to them, but it could leave a
second event.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from onevoice.errors import Ambiguous, ConnectorError, ContractBroken, GuardStopped, PermissionMissing, RetryableError
from onevoice.model import Ref
from onevoice.pipeline.delivery.arrivals import Arrivals
from onevoice.pipeline.delivery.batch import Sender
from onevoice.pipeline.delivery.desired import write_of
from onevoice.pipeline.delivery.guard import chosen
from onevoice.pipeline.delivery.holding import held, sentence
from onevoice.pipeline.delivery.outcomes import Deferred, put_off, settle_batch
from onevoice.pipeline.delivery.targets import PushTarget
from onevoice.pipeline.hub import Hub
from onevoice.pipeline.report import Report
from onevoice.protocols import DeferReason, Outcome
from onevoice.store import Connection, outboxes, runs
from onevoice.store.outboxes import Due, OutboxRow
from onevoice.store.schema import AMBIGUOUS

PASSES = 6
"""How often deferred writes are tried again within one run; what is still deferred then waits for a later run."""
PAUSE = 0.2
"""Seconds before the second pass; doubled before each further one."""
LOST_ANSWERS = 3
"""How many batches in a row may lose their answer before the job gives up."""
LEASE = timedelta(minutes=10)
"""How long a batch may be under way: longer than the slowest one with every retry."""
TURN_PAUSE = 0.1
"""Seconds between two looks whether the system is free."""


def push_system(hub: Hub, system: str) -> Report:
    """Deliver every open write of one system, and on the way whatever arrives that is more urgent, in every system."""
    while not hub.turns.take(system):
        hub.sleep(TURN_PAUSE)
    try:
        return Delivery(hub, system, Due(hub.as_of), Arrivals(hub, system, push_urgent).attend).run()
    finally:
        hub.turns.give_back(system)


def push_urgent(hub: Hub, system: str, due: Due) -> Report:
    """Deliver only what is so urgent; whoever calls has the system's turn."""
    return Delivery(hub, system, due).run()


class Delivery:
    """One system's deliveries in one run. `between` is called before every batch."""

    def __init__(self, hub: Hub, system: str, due: Due, between: Callable[[], None] = lambda: None) -> None:
        self.hub = hub
        self.system = system
        self.due = due
        self.between = between
        self.counts: Counter[str] = Counter(
            records=0, calls=0, accepted=0, unchanged=0, rejected=0, deferred=0, reclaimed=0
        )
        self.sender = Sender(hub, system)
        self.owner = f"{hub.run_id}:{runs.process_name()}"
        pilot = hub.limits.pilot
        self.pilot = pilot.destinations(hub, system) if pilot else None
        self.targets = {t.stream: t for t in sorted(hub.targets_written, key=_opt_outs_first) if t.system == system}
        self.done: Counter[str] = Counter()
        """Settled writes by stream."""
        self.put_off: dict[str, Deferred] = {}
        self.lost = 0
        """Batches in a row whose answer was lost."""
        self.tries = 0
        """Passes behind us."""
        self.refusing: dict[str, ConnectorError] = {}
        """Streams that refuse whole batches."""
        self.given_up: dict[str, Deferred] = {}
        """What those refused that take nothing in this run: it waits as well, or would be tried in every run."""
        self.closed: dict[str, ConnectorError] = {}
        """Streams that take nothing in this run."""

    def run(self) -> Report:
        """Push every stream of the system, whatever is most urgent first."""
        failed: list[ConnectorError] = []
        try:
            with self.hub.store.begin() as connection:
                self.counts["reclaimed"] = outboxes.reclaim(connection, self.hub.clock(), self.system)
            self._passes()
        except GuardStopped as exc:
            return Report(dict(self.counts), stopped=str(exc))
        except ConnectorError as exc:
            failed.append(exc)
        finally:
            self.counts["calls"] = self.sender.calls
        waiting = {**self.put_off, **self.given_up}
        left = self.counts["deferred"] = len(waiting)
        if waiting:
            put_off(self.hub, waiting.values())
        failed += self.closed.values()
        return Report(
            dict(self.counts),
            notes=(f"{self.system}: {left} writes were put off and wait for a later run",) if left else (),
            rejected=self.counts["rejected"] + left,
            failed="; ".join(map(str, failed)) or None,
            again=any(isinstance(exc, RetryableError) for exc in failed),
        )

    def _passes(self) -> None:
        """Send until nothing is open, giving what is deferred a few tries."""
        for number in range(PASSES):
            if number:
                self.hub.sleep(PAUSE * 2 ** (number - 1))
            self.put_off, self.lost, self.refusing, self.tries = {}, 0, {}, number
            while (found := self._next()) is not None:
                self._deliver(*found)
            for stream, error in self.refusing.items():
                if stream not in self.sender.answering:
                    self._close(stream, error)
            if not self.put_off:
                return

    def _next(self) -> tuple[PushTarget, list[OutboxRow]] | None:
        """The next batch, put in flight, of the stream whose open writes are most urgent."""
        self._stop_when_held()
        self.between()
        place = {stream: number for number, stream in enumerate(self.targets)}
        with self.hub.store.begin() as connection:
            open_streams = self.targets.keys() - self.closed.keys()
            urgencies = outboxes.most_urgent(connection, self.system, sorted(open_streams), self.due)
            for stream in sorted(urgencies, key=lambda stream: (urgencies[stream], place[stream])):
                target, size = self.targets[stream], self._room(stream)
                if size <= 0:
                    continue
                lease = (self.owner, self.hub.clock() + LEASE)
                fits = chosen(self.hub, target, self.pilot)
                rows = outboxes.take(connection, (self.system, stream), self.due, lease, size, self.put_off, fits)
                if rows:
                    return target, self._apart(connection, rows)
        return None

    def _apart(self, connection: Connection, rows: list[OutboxRow]) -> list[OutboxRow]:
        """Writes whose answer was lost before go apart from the others, in ever smaller batches: one of them may be
        the reason. The rest is put back."""
        suspects = [row for row in rows if row.state == AMBIGUOUS and (self.tries or row.attempts)]
        if not suspects:
            return rows
        kept = [row for row in rows if row not in suspects]
        if not kept:
            kept = suspects[: max(1, len(suspects) >> (self.tries + max(row.attempts for row in suspects)))]
        rest = [row.ref for row in suspects if row not in kept]
        outboxes.release(connection, rest, self.owner, ambiguous=True)
        return kept

    def _room(self, stream: str) -> int:
        """How many writes the next batch of a stream may hold."""
        most = self.hub.destination(self.system).streams[stream].max_batch
        budget = self.hub.limits.records
        if budget is None:
            return most
        waiting = sum(Ref.parse(ref).stream == stream for ref in self.put_off)
        return min(most, budget - self.done[stream] - waiting)

    def _deliver(self, target: PushTarget, rows: Sequence[OutboxRow]) -> None:
        """Send one batch and settle it; where nothing is known of it, go on with others before giving up."""
        try:
            deferred = self._send(target, rows)
        except Ambiguous as exc:
            self._defer(rows, exc)
            self.lost += 1
            if self.lost >= LOST_ANSWERS:
                raise
        except ContractBroken as exc:  # these records, or all of them? the next batch tells
            self._defer(rows, exc)
            self.lost += 1
            self.refusing[target.stream] = exc
            if self.lost >= LOST_ANSWERS:
                self._close(target.stream, exc)
        except PermissionMissing as exc:
            self._close(target.stream, exc)
        else:
            self.put_off |= deferred
            self.done[target.stream] += len(rows) - len(deferred)
            self.lost = 0

    def _defer(self, rows: Sequence[OutboxRow], error: ConnectorError) -> None:
        code, message = type(error).__name__, str(error)
        self.put_off |= {row.ref: Deferred(row, DeferReason.AMBIGUOUS, code, message) for row in rows}

    def _close(self, stream: str, error: ConnectorError) -> None:
        """Leave a stream alone that takes nothing: it may not be its records' fault, and other streams go on."""
        self.closed[stream] = error
        self.lost = 0
        self.given_up |= {ref: one for ref, one in self.put_off.items() if Ref.parse(ref).stream == stream}
        self.put_off = {ref: one for ref, one in self.put_off.items() if ref not in self.given_up}

    def _stop_when_held(self) -> None:
        standing = held(self.hub.store, self.system)
        if standing is not None:
            raise GuardStopped(sentence(standing, self.system))

    def _send(self, target: PushTarget, rows: Sequence[OutboxRow]) -> Mapping[str, Deferred]:
        """Send one batch and settle it; return what was deferred."""
        by_key = {Ref.parse(row.ref).key: replace(row, fields=self.hub.sendable(target, row.fields)) for row in rows}
        try:
            results = self.sender.send(target, by_key)
        except ConnectorError as exc:
            unknown = isinstance(exc, Ambiguous | ContractBroken)  # a broken answer may follow a write that was done
            self._put_back(rows, unknown=unknown)
            raise
        except BaseException:
            self._put_back(rows, unknown=True)
            raise
        left = [rest for row in rows if (rest := self._rest(target, row)) is not None]
        outcomes = {by_key[key].ref: (by_key[key], result) for key, result in results.items()}
        counts, deferred = settle_batch(self.hub, target, self.owner, outcomes, left)
        self.counts["records"] += sum(counts.values())
        self.counts.update({kind.value: number for kind, number in counts.items() if kind is not Outcome.DEFERRED})
        return deferred

    def _put_back(self, rows: Sequence[OutboxRow], *, unknown: bool) -> None:
        """Open a batch again; a write of which nobody knew whether it had arrived stays so."""
        with self.hub.store.begin() as connection:
            for ambiguous in (True, False):
                refs = [row.ref for row in rows if (unknown or row.state == AMBIGUOUS) is ambiguous]
                outboxes.release(connection, refs, self.owner, ambiguous=ambiguous)

    def _rest(self, target: PushTarget, row: OutboxRow) -> OutboxRow | None:
        """What of a planned write this run may not send."""
        sent = self.hub.sendable(target, row.fields)
        stamps = {f.name for f in target.fields if f.is_stamp}
        fields = {name: value for name, value in row.fields.items() if name not in sent or name in stamps}
        return write_of(row.ref, target, fields) if fields.keys() - stamps else None


def _opt_outs_first(target: PushTarget) -> tuple[bool, str]:
    return not any(f.source.startswith("opt_out.") for f in target.fields), target.stream
