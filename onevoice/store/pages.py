"""What a pulled page changes, written in one transaction with the cursor that it reaches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, select

from onevoice.consent import contact_point as canonical_point
from onevoice.model import ConsentEvent, Effect, Item, Origin, Ref
from onevoice.protocols import Record
from onevoice.store import quarantines
from onevoice.store.contradictions import note_drift
from onevoice.store.engine import chunks, delete_in, insert_missing, rows_in, upsert
from onevoice.store.quarantines import MAPPING, Held
from onevoice.store.schema import (
    PENDING,
    consent_event,
    contact_point,
    cursor,
    destination,
    item,
    outbox,
    record,
    work,
)

LINE = "line:"
"""So begins the key of a line that has none of its own (connectors/files)."""


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """What the store remembers of a vendor record."""

    raw_hash: str
    deleted: bool
    mapping: str
    updated_at: datetime | None


@dataclass(slots=True)
class DestinationState:
    """What a vendor record holds of the fields that the hub pushes, in comparable form."""

    sent: dict[str, Any] = field(default_factory=dict)
    """Last sent and acknowledged, or last seen to be there instead: plans are compared with this."""
    observed: dict[str, Any] = field(default_factory=dict)
    """Last reported by the vendor: what is pulled is compared with this."""
    ours: tuple[str, ...] = ()
    """Irreversible fields that the hub has set: seeing them again is an echo, not the customer's act."""
    adopted: dict[str, Any] = field(default_factory=dict)
    """Fields of the mode `adopt` -> the hub's own value when the vendor's was let stand; None once the hub writes."""
    version: datetime | None = None
    """The vendor's own stamp of the newest version that is known: an older one that is read says nothing new."""

    def is_older(self, stamp: datetime | None) -> bool:
        """Whether a version is older than the one that is known. Equal stamps say nothing: some vendors' are coarse."""
        return stamp is not None and self.version is not None and stamp < self.version

    def newest(self, stamp: datetime | None) -> datetime | None:
        """The newer of the known version and this one."""
        return max(filter(None, (self.version, stamp)), default=None)


@dataclass(slots=True)
class Before:
    """What the store knew of the records of a page."""

    records: dict[str, StoredRecord]
    items: dict[str, list[Item]]
    events: dict[str, list[ConsentEvent]]
    merged: dict[str, list[ConsentEvent]]
    """What was said of records that the vendor merged into others."""
    destinations: dict[str, DestinationState]
    in_flight: dict[str, Mapping[str, Any]]


@dataclass(slots=True)
class PageChange:
    """Everything a page changes. Lists of rows are in the tables' own column names."""

    records: list[dict[str, Any]] = field(default_factory=list)
    replaced_items: set[str] = field(default_factory=set)
    items: list[Item] = field(default_factory=list)
    events: list[ConsentEvent] = field(default_factory=list)
    faults: dict[str, tuple[str, Any]] = field(default_factory=dict)
    """ref -> (sentence, raw) of records that could not be mapped."""
    mended: set[str] = field(default_factory=set)
    destinations: dict[str, DestinationState] = field(default_factory=dict)
    drift: dict[str, dict[str, Any]] = field(default_factory=dict)
    """destination ref -> field -> what somebody put there instead of what the hub had written"""
    work: set[tuple[str, str]] = field(default_factory=set)
    """(step, ref) to look at."""


def load_before(
    connection: Connection, refs: Iterable[str], related: Iterable[str], merged: Iterable[str] = ()
) -> Before:
    """Read what is known of the refs; `related` are destination refs that the page speaks about, `merged` customer
    records that the vendor merged into others."""
    refs, related = set(refs), set(related)
    columns = (record.c.ref, record.c.raw_hash, record.c.deleted, record.c.mapping, record.c.updated_at)
    # A write that never left cannot come back as an echo.
    sent = select(outbox.c.ref, outbox.c.fields).where(outbox.c.state != PENDING)
    return Before(
        records={
            r.ref: StoredRecord(r.raw_hash, r.deleted, r.mapping, r.updated_at)
            for r in rows_in(connection, select(*columns), record.c.ref, refs)
        },
        items=load_items(connection, refs),
        events=load_events(connection, refs),
        merged=events_of(connection, merged),
        destinations=load_destinations(connection, refs | related, to_change=True),
        in_flight={r.ref: r.fields for r in rows_in(connection, sent, outbox.c.ref, refs | related)},
    )


def load_destinations(
    connection: Connection, refs: Iterable[str], *, to_change: bool = False
) -> dict[str, DestinationState]:
    """What vendor records hold of what the hub pushes, by destination ref; nobody else changes what is loaded
    `to_change` before the transaction ends."""
    statement = select(destination).order_by(destination.c.ref)
    if to_change:
        statement = statement.with_for_update()
    return {
        r.ref: DestinationState(r.sent, r.observed, tuple(r.ours), r.adopted, r.version)
        for r in rows_in(connection, statement, destination.c.ref, refs)
    }


def load_items(connection: Connection, refs: Iterable[str]) -> dict[str, list[Item]]:
    """Canonical items by the record that they were made from, in the order in which the mapping made them."""
    found: dict[str, list[Item]] = {}
    statement = select(item).order_by(item.c.ref, item.c.ordinal)
    for row in rows_in(connection, statement, item.c.ref, refs):
        owner = Ref.parse(row.owner) if row.owner else None
        found.setdefault(row.ref, []).append(Item(Ref.parse(row.ref), row.kind, row.data, owner))
    return found


def load_events(connection: Connection, refs: Iterable[str]) -> dict[str, list[ConsentEvent]]:
    """Consent events by the record that stated them."""
    found: dict[str, list[ConsentEvent]] = {}
    for row in rows_in(connection, select(consent_event), consent_event.c.ref, refs):
        found.setdefault(row.ref, []).append(event_of(row))
    return found


def events_of(connection: Connection, customers: Iterable[str]) -> dict[str, list[ConsentEvent]]:
    """Consent events by the customer record that they speak of, whichever record stated them."""
    found: dict[str, list[ConsentEvent]] = {}
    for row in rows_in(connection, select(consent_event), consent_event.c.owner, set(customers)):
        found.setdefault(row.owner, []).append(event_of(row))
    return found


def event_of(row: Any) -> ConsentEvent:
    """A consent event from its stored row."""
    return ConsentEvent(
        contact_point=row.contact_point,
        channel=row.channel,
        purpose=row.purpose,
        brand=row.brand,
        effect=Effect(row.effect),
        event_time=row.event_time,
        origin=Origin(row.origin),
        evidence=row.evidence,
        source=Ref.parse(row.ref),
        owner=Ref.parse(row.owner),
    )


def save_page(connection: Connection, change: PageChange, at: datetime) -> None:
    """Write what a page changes."""
    upsert(connection, record, change.records)
    delete_in(connection, item, item.c.ref, change.replaced_items)
    _insert_items(connection, change.items)
    delete_in(connection, contact_point, contact_point.c.ref, change.replaced_items)
    points = [
        {"ref": str(i.source), "channel": channel, "value": canonical_point(i.data[name])}
        for i in change.items
        if i.kind == "customer"
        for name, channel in (("email", "email"), ("phone", "phone"))
        if i.data.get(name)
    ]
    upsert(connection, contact_point, points)
    _append_events(connection, change.events, at)
    save_destinations(connection, change.destinations)
    note_drift(connection, change.drift, at)
    _save_faults(connection, change, at)
    mark_work(connection, change.work)


def move_cursor(
    connection: Connection, system: str, stream: str, value: Mapping[str, Any], fields: Sequence[str], at: datetime
) -> None:
    """Move a stream's watermark; called in the transaction that stores what lies before it."""
    row = {"system": system, "stream": stream, "value": dict(value), "fields": list(fields), "moved_at": at}
    upsert(connection, cursor, [row])


def load_cursor(connection: Connection, system: str, stream: str, fields: Sequence[str]) -> Mapping[str, Any] | None:
    """A stream's watermark; None before the first page, and where one of the fields was not read so far."""
    statement = select(cursor).where(cursor.c.system == system, cursor.c.stream == stream)
    row = connection.execute(statement).first()
    return row.value if row is not None and set(fields) <= set(row.fields) else None


def fields_read(connection: Connection, system: str, stream: str) -> Sequence[str]:
    """The fields with which a stream's stored records were read."""
    statement = select(cursor.c.fields).where(cursor.c.system == system, cursor.c.stream == stream)
    return tuple(connection.execute(statement).scalar() or ())


def mark_gone(connection: Connection, refs: Iterable[str]) -> None:
    """Note that records are no longer in the set that their stream is: what comes back is new."""
    for part in chunks(refs):
        connection.execute(record.update().where(record.c.ref.in_(part)).values(deleted=True))


def void_lines(connection: Connection, system: str, stream: str) -> None:
    """Forget lines of a file that could not be read: they stood in a content that is there no longer.

    They have no key but the number of the line. One that is read again is a new one, whatever it holds.
    """
    refs = quarantines.beginning_with(connection, MAPPING, str(Ref(system, stream, LINE)))
    mark_gone(connection, refs)
    quarantines.drop(connection, MAPPING, refs)


def all_cursors(connection: Connection) -> list[tuple[str, str, datetime]]:
    """(system, stream, when its watermark was last moved) of everything that was ever read, sorted."""
    statement = select(cursor.c.system, cursor.c.stream, cursor.c.moved_at).order_by(cursor.c.system, cursor.c.stream)
    return [(row[0], row[1], row[2]) for row in connection.execute(statement)]


def mark_work(connection: Connection, marks: Iterable[tuple[str, str]]) -> None:
    """Note what a later step has to look at; noting twice is noting once."""
    insert_missing(connection, work, [{"step": step, "ref": ref} for step, ref in sorted(set(marks))])


def load_work(connection: Connection, step: str, limit: int | None = None, behind: str = "") -> list[str]:
    """Refs (or profile ids) that a step has to look at, in a fixed order, from behind one of them on."""
    statement = select(work.c.ref).where(work.c.step == step, work.c.ref > behind).order_by(work.c.ref)
    return list(connection.execute(statement.limit(limit) if limit else statement).scalars())


def any_work(connection: Connection, steps: Iterable[str]) -> bool:
    """Whether one of these steps has something to look at."""
    return connection.execute(select(work.c.ref).where(work.c.step.in_(list(steps))).limit(1)).first() is not None


def finish_work(connection: Connection, step: str, refs: Iterable[str]) -> None:
    """Remove what a step has looked at, in the transaction that stores the outcome."""
    delete_in(connection, work, work.c.ref, refs, work.c.step == step)


def save_destinations(connection: Connection, states: Mapping[str, DestinationState]) -> None:
    """Store what vendor records hold."""
    rows = []
    for ref in sorted(states):
        system, stream, _ = ref.split("/", 2)
        state = states[ref]
        held = {"sent": state.sent, "observed": state.observed, "adopted": state.adopted}
        values = {**held, "ours": list(state.ours), "version": state.version}
        rows.append({"ref": ref, "system": system, "stream": stream, **values})
    upsert(connection, destination, rows)


def freshen(connection: Connection, records: Mapping[str, Record]) -> None:
    """Keep what was read back of known records: their raw form, and the stamp that an older version shows itself by.

    Their hash stays that of the version that was pulled, so the next pull still maps this one.
    """
    rows = [{"b_ref": ref, "b_raw": dict(r.data), "b_updated_at": r.updated_at} for ref, r in sorted(records.items())]
    if rows:
        statement = record.update().where(record.c.ref == bindparam("b_ref"))
        connection.execute(statement.values(raw=bindparam("b_raw"), updated_at=bindparam("b_updated_at")), rows)


def outdated(connection: Connection, system: str, stream: str, version: str, limit: int) -> list[Record]:
    """Stored records of a stream whose items were made by another version of its mapping."""
    condition = and_(record.c.system == system, record.c.stream == stream, record.c.mapping != version)
    rows = connection.execute(select(record).where(condition).order_by(record.c.ref).limit(limit))
    return [Record(Ref.parse(r.ref).key, r.raw, r.updated_at, r.deleted) for r in rows]


def refs_at(connection: Connection, points: Iterable[str]) -> set[str]:
    """Refs of every customer record that holds one of the contact points, in whatever spelling."""
    return {ref for refs in holders_of(connection, points).values() for ref in refs}


def holders_of(connection: Connection, points: Iterable[str]) -> dict[str, set[str]]:
    """Refs of the customer records that hold each contact point in whatever spelling, by the point as it was asked."""
    asked = {point: canonical_point(point) for point in points}
    holding: dict[str, set[str]] = {}
    statement = select(contact_point.c.ref, contact_point.c.value)
    for row in rows_in(connection, statement, contact_point.c.value, set(asked.values())):
        holding.setdefault(row.value, set()).add(row.ref)
    return {point: holding.get(canonical, set()) for point, canonical in asked.items()}


def _insert_items(connection: Connection, items: list[Item]) -> None:
    ordinals: dict[str, int] = {}
    rows = []
    for entry in items:
        ref = str(entry.source)
        ordinal = ordinals[ref] = ordinals.get(ref, -1) + 1
        owner = str(entry.owner) if entry.owner else None
        rows.append({"ref": ref, "ordinal": ordinal, "kind": entry.kind, "data": dict(entry.data), "owner": owner})
    if rows:
        connection.execute(item.insert(), rows)


def _append_events(connection: Connection, events: list[ConsentEvent], at: datetime) -> None:
    rows = [
        {
            "ref": str(event.source),
            "owner": str(event.owner or event.source),
            "contact_point": event.contact_point,
            "channel": event.channel,
            "purpose": event.purpose,
            "brand": event.brand,
            "effect": event.effect.value,
            "event_time": event.event_time,
            "origin": event.origin.value,
            "evidence": event.evidence,
            "noted_at": at,
        }
        for event in events
    ]
    if rows:
        connection.execute(consent_event.insert(), rows)


def _save_faults(connection: Connection, change: PageChange, at: datetime) -> None:
    faults = {ref: Held("MAPPING", reason, raw, 1, None) for ref, (reason, raw) in change.faults.items()}
    quarantines.note(connection, MAPPING, faults, at)
    quarantines.drop(connection, MAPPING, change.mended)
