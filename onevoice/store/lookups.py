"""What one person's question needs: whose identifier is this, what became of this id, when was this last read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, or_, select

from onevoice.model import Item
from onevoice.store.engine import Store, rows_in
from onevoice.store.pages import load_items
from onevoice.store.profiles import items_owned
from onevoice.store.schema import (
    card,
    contact_point,
    cursor,
    decision,
    item,
    lineage,
    profile,
    read_audit,
    record,
    source_link,
)

_MOST_EARLIER_IDS = 1000


@dataclass(frozen=True, slots=True)
class KnownProfile:
    """Everything stored of one live profile."""

    profile_id: str
    created_at: datetime
    changed_at: datetime
    golden: Mapping[str, Any]
    provenance: Mapping[str, Any]
    status: Mapping[str, Any]
    consent: Mapping[str, Any]
    facts: Mapping[str, Any]
    annual_spend: float | None


@dataclass(frozen=True, slots=True)
class JudgedProfile:
    """What of a live profile decides about offers."""

    profile_id: str
    changed_at: datetime
    consent: Mapping[str, Any]
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One vendor record of a profile."""

    ref: str
    since: datetime
    updated_at: datetime | None
    read_at: datetime
    customer: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LineageEntry:
    """One event in the life of a profile id, as it was stored."""

    profile_id: str
    other_id: str | None
    kind: str
    cause: str
    at: datetime


Holders = dict[str, list[str]]
"""Profile id -> refs of its customer records that hold an identifier."""


# Statements that answer a single question are built once: building one costs more than running it.
_LINKS = select(source_link.c.profile_id, source_link.c.ref).order_by(source_link.c.profile_id, source_link.c.ref)
_AT_POINT = _LINKS.join(contact_point, contact_point.c.ref == source_link.c.ref).where(
    contact_point.c.value == bindparam("value"), contact_point.c.channel == bindparam("channel")
)
_OF_CARD = _LINKS.join(card, card.c.ref == source_link.c.ref).where(card.c.number == bindparam("number"))
_OF_RECORDS = _LINKS.where(source_link.c.ref.in_(bindparam("refs", expanding=True)))
_WANTED = profile.c.profile_id.in_(bindparam("ids", expanding=True)), profile.c.redirect.is_(None)
_KNOWN = select(*(profile.c[name] for name in KnownProfile.__slots__)).where(*_WANTED)
_JUDGED = select(*(profile.c[name] for name in JudgedProfile.__slots__)).where(*_WANTED)
_RECORDS = (
    select(source_link.c.profile_id, func.count())
    .where(source_link.c.profile_id.in_(bindparam("ids", expanding=True)))
    .group_by(source_link.c.profile_id)
)
_REDIRECT = select(profile.c.redirect).where(profile.c.profile_id == bindparam("id"))
_READ_AT = select(cursor.c.system, cursor.c.stream, cursor.c.moved_at)


def holders_of_point(connection: Connection, channel: str, value: str) -> Holders:
    """Who holds an e-mail address or phone number, in the hub's own form."""
    return _holders(connection.execute(_AT_POINT, {"value": value, "channel": channel}))


def holders_of_card(connection: Connection, number: str) -> Holders:
    """Who holds a loyalty card, in the form in which identity compares cards."""
    return _holders(connection.execute(_OF_CARD, {"number": number}))


def holders_of_record(connection: Connection, ref: str) -> Holders:
    """Whose a vendor record is: a customer's own, or one that belongs to it (an order, a tier of a membership)."""
    refs = {ref}
    for _ in range(3):  # itself, its owner, its owner's owner
        found = _holders(connection.execute(_OF_RECORDS, {"refs": sorted(refs)}))
        if found:
            return found
        refs = {row.owner for row in rows_in(connection, select(item.c.owner), item.c.ref, refs) if row.owner}
    return {}


def _holders(rows: Iterable[Any]) -> Holders:
    found: Holders = {}
    for row in rows:
        found.setdefault(row.profile_id, []).append(row.ref)
    return found


def redirects(connection: Connection, profile_id: str) -> tuple[bool, str | None]:
    """(whether anybody ever had this id, the live id behind it if there is one)."""
    known = False
    for _ in range(_MOST_EARLIER_IDS):
        row = connection.execute(_REDIRECT, {"id": profile_id}).first()
        if row is None:
            return known, None
        known = True
        if row.redirect is None:
            return True, profile_id
        if row.redirect == profile_id:
            return True, None
        profile_id = row.redirect
    return True, None


def load_known(connection: Connection, profile_ids: Iterable[str]) -> dict[str, KnownProfile]:
    """Live profiles by id, with where their values come from."""
    return {r.profile_id: KnownProfile(*r) for r in connection.execute(_KNOWN, {"ids": sorted(set(profile_ids))})}


def count_records(connection: Connection, profile_ids: Iterable[str]) -> dict[str, int]:
    """How many vendor records each profile has."""
    return {row[0]: row[1] for row in connection.execute(_RECORDS, {"ids": sorted(set(profile_ids))})}


def load_judged(connection: Connection, profile_ids: Iterable[str]) -> dict[str, JudgedProfile]:
    """What decides about offers, of live profiles by id."""
    return {r.profile_id: JudgedProfile(*r) for r in connection.execute(_JUDGED, {"ids": sorted(set(profile_ids))})}


def load_sources(connection: Connection, profile_ids: Iterable[str]) -> dict[str, list[SourceRow]]:
    """Vendor records by profile id, sorted by ref."""
    statement = (
        select(
            source_link.c.profile_id,
            source_link.c.ref,
            source_link.c.since,
            record.c.updated_at,
            record.c.pulled_at,
            item.c.data,
        )
        .join(record, record.c.ref == source_link.c.ref)
        .join(item, (item.c.ref == source_link.c.ref) & (item.c.kind == "customer"))
    )
    found: dict[str, list[SourceRow]] = {}
    for r in rows_in(connection, statement, source_link.c.profile_id, set(profile_ids)):
        found.setdefault(r.profile_id, []).append(SourceRow(r.ref, r.since, r.updated_at, r.pulled_at, r.data))
    return {profile_id: sorted(rows, key=lambda row: row.ref) for profile_id, rows in found.items()}


def read_times(connection: Connection) -> dict[tuple[str, str], datetime]:
    """When each (system, stream) was last read."""
    return {(r.system, r.stream): r.moved_at for r in connection.execute(_READ_AT)}


def load_decided(connection: Connection, profile_ids: Iterable[str]) -> dict[str, tuple[str, datetime]]:
    """(policy, when it was decided) of stored decisions by profile id."""
    statement = select(decision.c.profile_id, decision.c.policy, decision.c.decided_at)
    found = rows_in(connection, statement, decision.c.profile_id, profile_ids)
    return {r.profile_id: (r.policy, r.decided_at) for r in found}


def items_of_customers(connection: Connection, refs: Sequence[str]) -> list[Item]:
    """What customer records say of themselves, and what belongs to them: orders, carts, cases, visits."""
    own, owned = load_items(connection, refs), items_owned(connection, refs)
    found: dict[tuple[str, str, str], Item] = {}
    for entry in (each for part in (own, owned) for items in part.values() for each in items):
        found[str(entry.source), entry.kind, repr(sorted(entry.data.items()))] = entry
    return [found[key] for key in sorted(found)]


def load_history(connection: Connection, profile_id: str) -> list[LineageEntry]:
    """What happened to a profile id and to the ids that were merged into it, oldest first."""
    rows: dict[int, LineageEntry] = {}
    seen: set[str] = set()
    waiting = {profile_id}
    while waiting and len(seen) < _MOST_EARLIER_IDS:
        seen |= waiting
        condition = or_(lineage.c.profile_id.in_(sorted(waiting)), lineage.c.other_id.in_(sorted(waiting)))
        merged: set[str] = set()
        for r in connection.execute(select(lineage).where(condition)):
            rows[r.id] = LineageEntry(r.profile_id, r.other_id, r.kind, r.cause, r.at)
            if r.kind == "merged" and r.other_id in waiting:
                merged.add(r.profile_id)
        waiting = merged - seen
    return [rows[number] for number in sorted(rows)]


def spend_at_share(connection: Connection, share: float) -> float | None:
    """The annual spend from which on a customer is among the top `share` of those who spent anything."""
    spent = profile.c.annual_spend > 0
    buyers = int(connection.execute(select(func.count()).select_from(profile).where(spent)).scalar_one())
    if not buyers:
        return None
    place = max(1, int(buyers * share)) - 1
    statement = select(profile.c.annual_spend).where(spent).order_by(profile.c.annual_spend.desc())
    return float(connection.execute(statement.offset(place).limit(1)).scalar_one())


def note_reads(store: Store, rows: Sequence[Mapping[str, Any]]) -> None:
    """Append to the audit of reads, in a transaction of its own: rows in the table's own column names.

    Raises StoreError when the store cannot be written.
    """
    with store.writing() as connection:
        connection.execute(read_audit.insert(), [dict(row) for row in rows])
