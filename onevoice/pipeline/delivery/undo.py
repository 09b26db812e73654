"""Undo: what a run wrote is put back where the vendor still holds it, and what cannot be put back is named.

Every system that is touched is held from then on, for the next sync would write the same again. After `release` that is
what happens: undo changes what the vendors hold, not what was decided. Undo itself works on held systems: hold, look,
undo is what people do at two in the morning.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from onevoice.errors import ConnectorError, OnevoiceError
from onevoice.model import Ref
from onevoice.pipeline.cycle import CYCLE
from onevoice.pipeline.delivery.outcomes import overwritten
from onevoice.pipeline.delivery.targets import PushTarget
from onevoice.pipeline.hub import Hub
from onevoice.protocols import Outcome, Write, WriteResult, settle
from onevoice.store import Connection, holds, outboxes, pages, runs
from onevoice.store.engine import chunks
from onevoice.store.outboxes import Logged
from onevoice.store.pages import DestinationState

SETTLING = 10.0
"""Seconds for which a vendor's reads may show what was there before a write (settle_seconds of the manifests): a look
that comes sooner would take what the run wrote for put back already."""


@dataclass(slots=True)
class Undone:
    """What became of an undo. Lists name (record, field)."""

    put_back: int = 0
    """Records written."""
    changed_since: list[tuple[str, str]] = field(default_factory=list)
    """Somebody wrote another value meanwhile: left alone."""
    irreversible: list[tuple[str, str]] = field(default_factory=list)
    """Nobody but the customer can take it back."""
    gone: list[str] = field(default_factory=list)
    """Records that are not there any more, or that no mapping describes."""
    refused: list[tuple[str, str]] = field(default_factory=list)
    """(record, the vendor's reason)."""
    failed: list[str] = field(default_factory=list)
    """Systems that could not be asked, one sentence each: run the undo again."""
    held: list[str] = field(default_factory=list)


def undo(hub: Hub, run: str) -> Undone:
    """Put back what a run wrote. OnevoiceError when no such run wrote anything or another process is at work."""
    with hub.store.read() as connection:
        unheard = list(_unheard(hub, connection, run))
        logged = [*outboxes.log_of(connection, run), *unheard]
        passed = runs.seconds_since(connection, run)
    if not logged:
        raise OnevoiceError(f"undo {run}: no such run wrote anything (`onevoice status` lists the runs)")
    if not runs.acquire(hub.store, CYCLE):
        raise OnevoiceError("undo: another process is running a cycle on this store (wait for it, or `onevoice hold`)")
    try:
        time.sleep(max(0.0, SETTLING - passed))
        return _Undoing(hub, run, _merged(logged), {entry.ref for entry in unheard}).undo()
    finally:
        runs.give_back(hub.store, CYCLE)


def _unheard(hub: Hub, connection: Connection, run: str) -> Iterable[Logged]:
    """What a run that was cut short had sent without hearing whether it arrived: a look at the vendor will tell."""
    rows = outboxes.unheard_of(connection, run)
    states = pages.load_destinations(connection, (row.ref for row in rows))
    for row in rows:
        ref, state = Ref.parse(row.ref), states.get(row.ref, DestinationState())
        for target in hub.targets:
            if (target.system, target.stream) == (ref.system, ref.stream):
                after = target.comparable(hub.sendable(target, row.fields))
                yield Logged(row.ref, overwritten(target, state, after), after)


def _merged(logged: Iterable[Logged]) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """By record, what stood there before the run's first write of each field, and what its last one left."""
    merged: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {}
    for entry in logged:
        before, after = merged.setdefault(entry.ref, ({}, {}))
        for name, value in entry.after.items():
            before.setdefault(name, entry.before.get(name))
            after[name] = value
    return merged


class _Undoing:
    def __init__(
        self,
        hub: Hub,
        run: str,
        written: Mapping[str, tuple[dict[str, Any], dict[str, Any]]],
        unheard: Container[str],
    ) -> None:
        self.hub = hub
        self.run = run
        self.written = written
        self.unheard = unheard
        self.done = Undone()

    def undo(self) -> Undone:
        by_stream: dict[tuple[str, str], list[str]] = defaultdict(list)
        for text in sorted(self.written):
            ref = Ref.parse(text)
            by_stream[ref.system, ref.stream].append(text)
        self.hub.obeys_holds = False
        for (system, stream), refs in sorted(by_stream.items()):
            target = next((t for t in self.hub.targets if (t.system, t.stream) == (system, stream)), None)
            if target is None:
                self.done.gone += refs
                continue
            try:
                self._stream(target, refs)
            except ConnectorError as exc:
                self.done.failed.append(str(exc))
        if self.done.put_back:
            self._hold({system for system, _ in by_stream})
        return self.done

    def _hold(self, systems: Iterable[str]) -> None:
        with self.hub.store.begin() as connection:
            holds.place(connection, systems, f"the writes of run {self.run} were undone", self.hub.as_of)
            self.done.held = sorted(set(systems) & holds.standing(connection).keys())

    def _stream(self, target: PushTarget, refs: Sequence[str]) -> None:
        """Put back one destination stream, batch by batch, each looked at right before it is written."""
        size = self.hub.destination(target.system).streams[target.stream].max_batch
        for part in chunks(refs, size):
            there = self._look(target, part)
            with self.hub.store.read() as connection:
                states = pages.load_destinations(connection, part)
            known = {text: states.get(text, DestinationState()).sent for text in part if text not in self.unheard}
            planned = (self._write_of(target, text, there.get(text), known.get(text)) for text in part)
            writes = [write for write in planned if write is not None]
            if writes:
                self._send(target, writes)

    def _look(self, target: PushTarget, refs: Sequence[str]) -> dict[str, dict[str, Any]]:
        """What the vendor holds now of these records, in comparable form; records that are gone are left out."""
        reversible = [f for f in target.fields if not f.irreversible]
        fetcher = self.hub.fetcher(target.system)
        if fetcher is None or not reversible:
            return {ref: {} for ref in refs}
        keys = [Ref.parse(text).key for text in refs]
        found = {}
        for record in fetcher.fetch(target.stream, keys, [f.name for f in reversible]):
            if not record.deleted:
                ref = Ref(target.system, target.stream, record.key)
                found[str(ref)] = target.seen(ref, record.data)
        return found

    def _write_of(
        self, target: PushTarget, text: str, there: Mapping[str, Any] | None, known: Mapping[str, Any] | None
    ) -> Write | None:
        """What puts a record back; None when nothing of it can be, or it is so already.

        `known` is what the hub believes to stand there, None where it does not know. A value that the hub has put back
        itself is back, even where the vendor's index still shows the one from before.
        """
        if there is None:
            self.done.gone.append(text)
            return None
        before, after = self.written[text]
        fields = {}
        for push_field in target.fields:
            name = push_field.name
            if name not in after or before[name] == after[name]:
                continue
            back = known is not None and known.get(name) == before[name]
            if push_field.irreversible:
                self.done.irreversible.append((text, name))
            elif push_field.is_stamp or there.get(name) == after[name]:
                if not back:
                    fields[name] = push_field.restore(before[name])
            elif there.get(name) != before[name]:
                self.done.changed_since.append((text, name))
        stamps = {f.name for f in target.fields if f.is_stamp}
        return Write(Ref.parse(text).key, fields) if fields.keys() - stamps else None

    def _send(self, target: PushTarget, writes: Sequence[Write]) -> None:
        destination = self.hub.destination(target.system)
        results = settle(target.system, target.stream, writes, destination.write(target.stream, writes))
        accepted: dict[str, Write] = {}
        for write in writes:
            text, result = str(Ref(target.system, target.stream, write.key)), results[write.key]
            if result.outcome in {Outcome.ACCEPTED, Outcome.UNCHANGED}:
                accepted[text] = write
            else:
                self.done.refused.append((text, _reason(result)))
        self.done.put_back += len(accepted)
        self._remember(target, accepted)

    def _remember(self, target: PushTarget, accepted: Mapping[str, Write]) -> None:
        """The store knows what the vendor holds now, and that the plan has to look at these customers again."""
        with self.hub.store.begin() as connection:
            states = pages.load_destinations(connection, accepted)
            entries = {}
            for text, write in accepted.items():
                state = states.get(text, DestinationState())
                values = target.comparable(write.fields)
                was = {name: state.sent.get(name) for name in values}
                new = replace(state, sent={**state.sent, **values}, observed={**state.observed, **values})
                entries[text] = (new, was, values, Outcome.ACCEPTED.value)
            outboxes.settle_accepted(connection, entries, (), self.hub.run_id, self.hub.as_of)
            behind = self.hub.customers_behind(connection, accepted)
            pages.mark_work(connection, {("drift", customer) for found in behind.values() for customer in found})


def _reason(result: WriteResult) -> str:
    return f"{result.code}: {result.message}".strip(": ") or result.outcome.value
