"""Pull: a page of vendor records becomes raw records, canonical items and the watermark behind them, all at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from onevoice.consent import contact_point
from onevoice.errors import ConnectorError, ContractBroken, PermissionMissing, RetryableError
from onevoice.mapping import CompiledMapping
from onevoice.model import ConsentEvent, Effect, Item, Origin, Ref
from onevoice.pipeline.delivery.amended import amended_raw
from onevoice.pipeline.delivery.targets import PushTarget, customer_of
from onevoice.pipeline.hub import Hub
from onevoice.pipeline.raw import FAULT, storable, too_long
from onevoice.pipeline.report import Report
from onevoice.policy import raw_value
from onevoice.protocols import Record
from onevoice.store import amendments, contradictions, outboxes, pages, profiles
from onevoice.store.amendments import Amended
from onevoice.store.pages import Before, DestinationState, PageChange, StoredRecord
from onevoice.store.quarantines import MAPPING

REMAP_PAGE = 2000


def pull_stream(hub: Hub, system: str, stream: str) -> Report:
    """Read one stream from its watermark to the settled present. A vendor that fails ends this job, not the cycle."""
    counts: Counter[str] = Counter(records=0, changed=0, unmapped=0)
    counts.update(_remap(hub, system, stream))
    seen: set[str] = set()
    fields = hub.fields_to_read(system, stream)
    try:
        source = hub.source(system)
        with hub.store.read() as connection:
            cursor = pages.load_cursor(connection, system, stream, fields)
        for page in source.read(stream, cursor, fields, hub.as_of):
            counts.update(store_page(hub, system, stream, page.records, page.cursor, fields, anew=page.anew))
            seen.update(record.key for record in page.records)
        if source.streams[stream].snapshot:
            _note_missing(hub, system, stream, seen)
    except ConnectorError as exc:
        return Report(
            dict(counts),
            failed=str(exc),
            rejected=counts["unmapped"],
            again=isinstance(exc, RetryableError),
            alone=isinstance(exc, PermissionMissing | ContractBroken),
        )
    return Report(dict(counts), rejected=counts["unmapped"])


def _remap(hub: Hub, system: str, stream: str) -> Mapping[str, int]:
    """Map stored raw records again whose mapping has been edited since, or that are written only now; nothing is
    pulled for it."""
    if (system, stream) not in hub.mappings:
        return {}
    counts: Counter[str] = Counter(remapped=0)
    while True:
        with hub.store.read() as connection:
            outdated = pages.outdated(connection, system, stream, hub.reading(system, stream), REMAP_PAGE)
            asked = pages.fields_read(connection, system, stream)
        if not outdated:
            return counts
        done = store_page(hub, system, stream, outdated, None, asked)
        counts.update(remapped=done["records"], unmapped=done["unmapped"])


def store_page(
    hub: Hub,
    system: str,
    stream: str,
    records: Sequence[Record],
    cursor: Mapping[str, Any] | None,
    fields: Sequence[str],
    *,
    anew: bool = False,
) -> dict[str, int]:
    """Store one page of records that were read with these fields, and move the watermark behind it, at once.

    `anew`: with this page a whole set begins, so that lines of the former one that could not be read are void.
    """
    with hub.store.read() as connection:
        amended = amendments.load_stream(connection, MAPPING, system, stream)
    reader = PageReader(hub, system, stream, records, fields, amended)
    with hub.store.begin() as connection:
        if anew:
            pages.void_lines(connection, system, stream)
        before = pages.load_before(connection, reader.refs, reader.related(), reader.merged())
        reader.read(before, profiles.load_raw(connection, reader.changed(before)))
        change = reader.change
        others = pages.refs_at(connection, {event.contact_point for event in change.events})
        change.work.update(("resolve", ref) for ref in others)  # all marks at once: two pulls must not lock crosswise
        pages.save_page(connection, change, hub.as_of)
        if cursor is not None:
            pages.move_cursor(connection, system, stream, cursor, fields, hub.as_of)
    return {"records": len(records), "changed": len(change.records), "unmapped": len(change.faults)}


class PageReader:
    """Compares the records of one page with what the store knew and collects what changes."""

    def __init__(
        self,
        hub: Hub,
        system: str,
        stream: str,
        records: Iterable[Record],
        fields: Collection[str],
        amended: Amended = MappingProxyType({}),
    ) -> None:
        """`amended` are the raw values that people put in place of those that could not be mapped."""
        self.hub = hub
        self.amended = amended
        self.stream = stream
        self.mapping: CompiledMapping | None = hub.mappings.get((system, stream))
        self.version = hub.reading(system, stream)
        self.targets: Sequence[PushTarget] = hub.targets_of(system, stream)
        self.fields = frozenset(fields)
        self.gate_fields = hub.policy.gate_fields(system, stream) if hub.policy.reader(system, stream) else frozenset()
        kept = [storable(system, stream, record) for record in records]
        self.records = {str(Ref(system, stream, record.key)): record for record, _ in kept}
        self.hashes = {str(Ref(system, stream, record.key)): digest for record, digest in kept}
        self.mapped = {ref: self._map(ref, record) for ref, record in self.records.items()}
        self.change = PageChange()

    @property
    def refs(self) -> set[str]:
        """Refs of the page's records."""
        return set(self.records)

    def related(self) -> set[str]:
        """Destination refs that the page speaks about."""
        return {
            str(ref)
            for record_ref, (items, _) in self.mapped.items()
            for target in self.targets
            if (ref := target.ref(self.records[record_ref].key, customer_of(items)))
        }

    def merged(self) -> set[str]:
        """Refs of records that the vendor merged into others."""
        return {ref for ref, record in self.records.items() if record.merged_into}

    def changed(self, before: Before) -> set[str]:
        """Refs of known records whose gates may open or close: those that hold something else than before."""
        known = before.records
        return {ref for ref in known if self.gate_fields and known[ref].raw_hash != self.hashes[ref]}

    def read(self, before: Before, raw_before: Mapping[str, Mapping[str, Any]]) -> None:
        """Fill `change` with everything that differs from before; `raw_before` holds the `changed` records."""
        for ref in sorted(self.records):
            record = self.records[ref]
            digest = self.hashes[ref]
            known = before.records.get(ref)
            source = Ref.parse(ref)
            items, fault = self.mapped[ref]
            if known and (known.raw_hash, known.deleted, known.mapping) == (digest, record.deleted, self.version):
                self._observe_more(source, record, items, before)
                continue
            if known and _is_older(record, known):
                continue
            if ref in raw_before and self._sends_otherwise(raw_before[ref], record.data):
                self.change.work.add(("drift", ref))
            self.change.records.append(
                {
                    "ref": ref,
                    "system": source.system,
                    "stream": source.stream,
                    "raw": dict(record.data),
                    "raw_hash": digest,
                    "updated_at": record.updated_at,
                    "deleted": record.deleted,
                    "mapping": self.version,
                    "pulled_at": self.hub.as_of,
                }
            )
            self._note_items(ref, items, fault, before)
            if record.merged_into:
                self._hand_over(before.merged.get(ref, ()), Ref(source.system, source.stream, record.merged_into))
            if not record.deleted:
                self._observe(source, record, items, before)

    def _sends_otherwise(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
        """Whether a field changed that decides what the system sends, pushed and mapped or not."""
        return any(raw_value(old, name) != raw_value(new, name) for name in self.gate_fields)

    def _map(self, ref: str, record: Record) -> tuple[tuple[Item, ...], str]:
        """Canonical items of a record and what is wrong with it."""
        if record.deleted or self.mapping is None:
            return (), ""
        if FAULT in record.data:  # the row could not even be read; its raw form is kept
            return (), str(record.data[FAULT])
        result = self.mapping.pull(Ref.parse(ref), self._mended(ref, record), record.updated_at)
        excess = too_long(result.items)
        return ((), excess) if excess else (result.items, "; ".join(result.faults))

    def _mended(self, ref: str, record: Record) -> Mapping[str, Any]:
        """A record's data as it is mapped."""
        return amended_raw(record.data, self.amended.get(ref, {}))

    def _note_items(self, ref: str, items: tuple[Item, ...], fault: str, before: Before) -> None:
        """Replace a record's items; a record that cannot be mapped at all keeps the items it had, and its raw form."""
        if fault:
            self.change.faults[ref] = (fault, dict(self.records[ref].data))
            if not items:
                return
        else:
            self.change.mended.add(ref)
        self._note_consent(ref, items, before)
        old = before.items.get(ref, [])
        if list(items) == old:
            return
        self.change.replaced_items.add(ref)
        self.change.items.extend(items)
        if old and customer_of(items) != customer_of(old):
            # An opt-out stands on the record's own address: plan anew, even where its person's profile is as before.
            self.change.work.add(("drift", ref))
        for item in (*old, *items):
            self.change.work.add(("resolve", str(item.owner) if item.owner else ref))
            if item.kind == "membership":  # its tiers and balances may have come before it
                self.change.work.add(("resolve", ref))

    def _note_consent(self, ref: str, items: Iterable[Item], before: Before) -> None:
        """Append what the record newly states; a statement that vanishes takes nothing back.

        A record that goes on saying what it said states nothing new, whatever its time of change; one that says it
        again after a while without does. An opt-out that the hub set itself is nobody's statement.
        """
        stated = self._events(items)
        if not stated:
            return
        known = {_statement(event) for event in before.events.get(ref, ())}
        said = known & {_statement(event) for event in self._events(before.items.get(ref, ()))}
        not_ours = self._said_without_ours(ref, items, before)
        for event in stated:
            statement = _statement(event)
            if statement in said or (event.effect is Effect.DENY and statement not in not_ours):
                continue
            said.add(statement)
            self.change.events.append(event)
            self.change.work.add(("resolve", str(event.owner or ref)))

    def _hand_over(self, said: Iterable[ConsentEvent], winner: Ref) -> None:
        """What was said of a record that the vendor merged away is said of the winner: they are one person there."""
        for event in said:
            self.change.events.append(replace(event, owner=winner))
            self.change.work.add(("resolve", str(winner)))

    def _events(self, items: Iterable[Item]) -> list[ConsentEvent]:
        return [self._event(item) for item in items if item.kind == "consent"]

    def _event(self, item: Item) -> ConsentEvent:
        """A consent item as an event; without a time of its own it happened when it was first seen."""
        data = item.data
        return ConsentEvent(
            contact_point=contact_point(data.get("contact_point") or ""),
            channel=data["channel"],
            purpose=data["purpose"],
            brand=data.get("brand") or "",
            effect=Effect(data["effect"]),
            event_time=self.hub.moment(data.get("event_time")),
            origin=Origin(data.get("origin") or Origin.IMPORT),
            evidence=data.get("evidence") or "",
            source=item.source,
            owner=item.owner or item.source,
        )

    def _said_without_ours(self, ref: str, items: Iterable[Item], before: Before) -> set[tuple[str, ...]]:
        """What the record would still state without the opt-outs that the hub has set, or is setting, on it."""
        source, record, customer = Ref.parse(ref), self.records[ref], customer_of(items)
        blanks: dict[str, None] = {}
        for target in self.targets:
            destination = str(target.ref(source.key, customer))
            state = before.destinations.get(destination, DestinationState())
            ours = {*state.ours, *before.in_flight.get(destination, {})}
            shown = (target.shown_as(source, f) for f in target.fields if f.irreversible and f.name in ours)
            blanks.update(dict.fromkeys(filter(None, shown)))
        if blanks and self.mapping:
            items = self.mapping.pull(source, {**self._mended(ref, record), **blanks}, record.updated_at).items
        return {_statement(event) for event in self._events(items)}

    def _observe(self, source: Ref, record: Record, items: Iterable[Item], before: Before) -> None:
        """Take in what the vendor's record holds of the fields that the hub pushes."""
        customer = customer_of(items)
        for target in self.targets:
            ref, seen = target.ref(source.key, customer), target.seen(source, record.data, self.fields)
            if ref is not None and seen:
                self._take_in(record, target, ref, seen, before)

    def _observe_more(self, source: Ref, record: Record, items: Iterable[Item], before: Before) -> None:
        """Of a record that is as before, take in the fields that were never looked at; the others may be newer here."""
        customer = customer_of(items)
        for target in self.targets:
            ref = target.ref(source.key, customer)
            if record.deleted or ref is None:
                continue
            known = before.destinations.get(str(ref), DestinationState()).observed
            seen = target.seen(source, record.data, self.fields)
            if more := {name: value for name, value in seen.items() if name not in known}:
                self._take_in(record, target, ref, more, before)

    def _take_in(self, record: Record, target: PushTarget, ref: Ref, seen: Mapping[str, Any], before: Before) -> None:
        state = self.change.destinations.get(str(ref)) or before.destinations.get(str(ref))
        itself = self.stream == target.stream
        if state is None and not itself and not any(seen.values()):
            return  # nothing there yet, and nothing to remember
        if state is not None and itself and state.is_older(record.updated_at):
            return  # from before a version that is known: an index that lags, or our own write on its way through it
        flying = target.comparable(target.own(before.in_flight.get(str(ref), {})))
        updated = ingest(state, seen, flying)
        if updated is not None:
            version = updated.newest(record.updated_at) if itself else updated.version
            self.change.destinations[str(ref)] = replace(updated, version=version)
            changed = {n: v for n, v in drifted(state, updated).items() if not target.foreign(n, updated.adopted)}
            if changed:
                self.change.drift.setdefault(str(ref), {}).update(changed)
            self.change.work.add(("drift", str(Ref(target.system, target.per, record.key))))


def ingest(
    state: DestinationState | None, seen: Mapping[str, Any], flying: Mapping[str, Any]
) -> DestinationState | None:
    """Apply the echo rules to what a vendor reports; None when nothing is new.

    A value equal to the one last observed, or to one in flight, is an echo. Anything else is a real change at the
    vendor: it becomes both observed and sent, so that the next plan compares with what is really there. A field that is
    seen for the first time and is empty is only noted as looked at: an index may lag behind what was just written.
    """
    if state is None:
        return DestinationState(dict(seen), dict(seen))
    changed = {
        name: value
        for name, value in seen.items()
        if state.observed.get(name) != value and (name not in flying or flying[name] != value)
    }
    empty = {name: value for name, value in seen.items() if value is None and name not in state.observed}
    if not changed and not empty:
        return None
    cleared = {name for name, value in changed.items() if value is None}  # what is set there next is not by the hub
    ours = tuple(name for name in state.ours if name not in cleared)
    return replace(state, sent={**state.sent, **changed}, observed={**state.observed, **empty, **changed}, ours=ours)


def drifted(before: DestinationState | None, after: DestinationState) -> dict[str, Any]:
    """Fields that the hub had written and that hold something else now, with what they hold."""
    if before is None:
        return {}
    return {
        name: value
        for name, value in after.sent.items()
        if before.sent.get(name) is not None and before.sent[name] != value
    }


def _is_older(record: Record, known: StoredRecord) -> bool:
    """A search index that lags behind a write shows the version from before it; the new one comes with a later pull."""
    return record.updated_at is not None and known.updated_at is not None and record.updated_at < known.updated_at


def _statement(event: ConsentEvent) -> tuple[str, ...]:
    """What makes two events the same statement: a vendor's flag has no time of its own, so time is left out.

    A yes counts by its proof, so one with another proof is another yes.
    """
    owner = str(event.owner or event.source)
    proof = event.evidence if event.effect is Effect.GRANT else ""
    return (owner, event.contact_point, event.channel, event.purpose, event.brand, event.effect, event.origin, proof)


def _note_missing(hub: Hub, system: str, stream: str, seen: set[str]) -> None:
    """A complete set was read: a destination record that is missing from it holds nothing any more."""
    with hub.store.begin() as connection:
        known = outboxes.destination_refs(connection, system, stream)
        gone = {ref for ref in known if Ref.parse(ref).key not in seen}
        states = pages.load_destinations(connection, gone)
        emptied: dict[str, DestinationState] = {}
        changed: dict[str, dict[str, Any]] = {}
        for ref, state in states.items():
            updated = ingest(state, dict.fromkeys(state.observed), {})
            if updated is not None:
                emptied[ref] = updated
                changed[ref] = drifted(state, updated)
        contradictions.note_drift(connection, changed, hub.as_of)
        pages.save_destinations(connection, emptied)
        per = {target.per for target in hub.targets_of(system, stream)}
        pages.mark_gone(connection, gone)
        marks = {("drift", str(Ref(system, p, Ref.parse(ref).key))) for ref in emptied for p in per}
        pages.mark_work(connection, marks)
