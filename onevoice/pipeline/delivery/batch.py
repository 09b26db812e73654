"""A batch on its way to a vendor: what may have arrived already is looked for, and a poisonous record is isolated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from onevoice.errors import ConnectorError, ContractBroken
from onevoice.pipeline.delivery.targets import PushTarget
from onevoice.pipeline.hub import Hub
from onevoice.policy import raw_value
from onevoice.protocols import DeferReason, Outcome, Write, WriteResult, settle
from onevoice.store import outboxes
from onevoice.store.outboxes import OutboxRow
from onevoice.store.schema import AMBIGUOUS

EVER = datetime.min.replace(tzinfo=UTC)


class Sender:
    """Sends the batches of one system within one run."""

    def __init__(self, hub: Hub, system: str) -> None:
        self.hub = hub
        self.system = system
        self.calls = 0
        """Batches handed to the connector."""
        self.answering: set[str] = set()
        """Streams that have answered for single records in this run."""

    def send(self, target: PushTarget, by_key: Mapping[str, OutboxRow]) -> dict[str, WriteResult]:
        """One result per write, by key; an error of the connector where nothing is known of any of them."""
        left_to_say = self._look_first(target, by_key)
        settled = {key: WriteResult(key, Outcome.ACCEPTED) for key in by_key.keys() - left_to_say.keys()}
        writes = [Write(key, fields) for key, fields in sorted(left_to_say.items())]
        return settled | self._write(target, writes) if writes else settled

    def _write(self, target: PushTarget, writes: Sequence[Write]) -> dict[str, WriteResult]:
        """One result per write. A batch that is refused as a whole is halved until the poisonous record is alone;
        where nothing of the stream was ever accepted in this run, it is not the record, and the error is raised."""
        self.calls += 1
        destination = self.hub.destination(self.system)
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
            first = self._half(target, halves[0])
        except ContractBroken:  # the other half tells whether it is the records
            second = self._half(target, halves[1])
            return {**self._half(target, halves[0]), **second}
        return {**first, **self._half(target, halves[1])}

    def _half(self, target: PushTarget, writes: Sequence[Write]) -> dict[str, WriteResult]:
        """Half of a batch that was refused as a whole. Where the connector fails otherwise, what is known of the other
        half is kept, and of these writes nothing is known: the whole may have been carried out."""
        try:
            return self._write(target, writes)
        except ContractBroken:
            raise
        except ConnectorError as exc:
            code, said = type(exc).__name__, str(exc)
            return {w.key: WriteResult(w.key, Outcome.DEFERRED, code, said, DeferReason.AMBIGUOUS) for w in writes}

    def _made_before(self, target: PushTarget, by_key: Mapping[str, OutboxRow]) -> set[str]:
        """Keys of writes that cannot be taken back and were acknowledged once: an old copy of a record may have told
        that they were not kept, and a second event would follow."""
        names = {field.name for field in target.fields if field.irreversible}
        refs = {row.ref: key for key, row in by_key.items() if names & row.fields.keys()}
        if not refs:
            return set()
        with self.hub.store.read() as connection:
            logged = outboxes.written_since(connection, refs, EVER)
        return {refs[ref] for ref, entries in logged.items() if any(names & entry.after.keys() for entry in entries)}

    def _look_first(self, target: PushTarget, by_key: Mapping[str, OutboxRow]) -> dict[str, Mapping[str, Any]]:
        """What is to be sent of each write. Of one of unknown outcome, and of one that was made before and cannot be
        taken back, that is only what the vendor does not hold yet: it is left out when nothing is missing there."""
        fields = {key: row.fields for key, row in by_key.items()}
        unknown = {key for key, row in by_key.items() if row.state == AMBIGUOUS}
        unsure = sorted(unknown | self._made_before(target, by_key))
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
