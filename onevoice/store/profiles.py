"""Golden profiles, what is known of them, and what was decided."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, or_, select, union

from onevoice.model import ConsentEvent, Item, Ref
from onevoice.store.changes import CHANGED, DECIDED, ChangeRow, note_changes
from onevoice.store.engine import rows_in, upsert
from onevoice.store.pages import event_of
from onevoice.store.schema import (
    consent_event,
    contact_point,
    decision,
    decision_log,
    item,
    profile,
    record,
)


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """One golden profile as it is stored."""

    profile_id: str
    golden: Mapping[str, Any]
    status: Mapping[str, Any]
    consent: Mapping[str, Any]
    facts: Mapping[str, Any]
    hash: str
    due_on: date | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)
    """Where each golden value comes from; written, and read only by `load_provenance`: it outweighs the rest."""
    provenance_hash: str = ""


class Marks(NamedTuple):
    """By what a profile is known to have changed."""

    hash: str
    provenance_hash: str
    due_on: date | None


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """One stored decision; `denials` are JSON objects."""

    profile_id: str
    denials: Sequence[Mapping[str, Any]]
    valid_until: date | None
    policy: str


def load_profiles(connection: Connection, profile_ids: Iterable[str]) -> dict[str, ProfileRow]:
    """Live profiles by id, without provenance."""
    columns = ("profile_id", "golden", "status", "consent", "facts", "hash", "due_on")
    statement = select(*(profile.c[name] for name in columns)).where(profile.c.redirect.is_(None))
    return {r.profile_id: ProfileRow(*r) for r in rows_in(connection, statement, profile.c.profile_id, profile_ids)}


def load_facts(connection: Connection, profile_ids: Iterable[str]) -> dict[str, Mapping[str, Any]]:
    """Facts of live profiles by id."""
    statement = select(profile.c.profile_id, profile.c.facts).where(profile.c.redirect.is_(None))
    return {r.profile_id: r.facts for r in rows_in(connection, statement, profile.c.profile_id, profile_ids)}


def load_marks(connection: Connection, profile_ids: Iterable[str]) -> dict[str, Marks]:
    """Hashes and due day of live profiles by id: enough to see whether anything changed."""
    columns = (profile.c.profile_id, *(profile.c[name] for name in Marks._fields))
    statement = select(*columns).where(profile.c.redirect.is_(None))
    return {row[0]: Marks(*row[1:]) for row in rows_in(connection, statement, profile.c.profile_id, profile_ids)}


def load_provenance(connection: Connection, profile_id: str) -> Mapping[str, Any]:
    """Where each golden value of a profile comes from, and which values lost."""
    statement = select(profile.c.provenance).where(profile.c.profile_id == profile_id)
    return dict(connection.execute(statement).scalar_one())


def current_id(connection: Connection, profile_id: str) -> str | None:
    """The live id behind an id that may be retired; None when nobody ever had it or its customer is gone."""
    for _ in range(100):
        row = connection.execute(select(profile.c.redirect).where(profile.c.profile_id == profile_id)).first()
        if row is None or row.redirect == profile_id:
            return None
        if row.redirect is None:
            return profile_id
        profile_id = row.redirect
    return None


def save_profiles(connection: Connection, rows: Sequence[ProfileRow], changed: Collection[str], at: datetime) -> None:
    """Store what is known of existing profiles; `changed` names those that differ from before, for the change feed."""
    upsert(
        connection,
        profile,
        [
            {
                "profile_id": row.profile_id,
                "redirect": None,
                "created_at": at,
                "golden": dict(row.golden),
                "provenance": dict(row.provenance),
                "status": dict(row.status),
                "consent": dict(row.consent),
                "facts": dict(row.facts),
                "hash": row.hash,
                "provenance_hash": row.provenance_hash,
                "due_on": row.due_on,
                "annual_spend": float(row.facts["annual_spend"]) if "annual_spend" in row.facts else None,
                "changed_at": at,
            }
            for row in rows
        ],
        keep=("created_at", "redirect"),  # a profile is created and retired by its links
    )
    note_changes(connection, [ChangeRow(profile_id, CHANGED) for profile_id in sorted(changed)], at)


def due_profiles(connection: Connection, as_of: date) -> list[str]:
    """Profiles that the passing of time may have changed."""
    statement = select(profile.c.profile_id).where(profile.c.due_on <= as_of, profile.c.redirect.is_(None))
    return sorted(connection.execute(statement).scalars())


def undecided(connection: Connection, profile_ids: Iterable[str]) -> set[str]:
    """Those of the profiles for which nothing was decided yet."""
    wanted = set(profile_ids)
    return wanted - {
        r.profile_id for r in rows_in(connection, select(decision.c.profile_id), decision.c.profile_id, wanted)
    }


def items_owned(connection: Connection, refs: Iterable[str]) -> dict[str, list[Item]]:
    """Items of other records by the ref of their owner."""
    found: dict[str, list[Item]] = {}
    statement = select(item).order_by(item.c.ref, item.c.ordinal)
    for row in rows_in(connection, statement, item.c.owner, refs):
        found.setdefault(row.owner, []).append(Item(Ref.parse(row.ref), row.kind, row.data, Ref.parse(row.owner)))
    return found


def owned_by(connection: Connection, refs: Iterable[str]) -> dict[str, list[str]]:
    """Refs of the records that belong to the given ones, by owner."""
    found: dict[str, list[str]] = {}
    for row in rows_in(connection, select(item.c.ref, item.c.owner), item.c.owner, refs):
        found.setdefault(row.owner, []).append(row.ref)
    return found


def points_of(connection: Connection, refs: Iterable[str]) -> dict[str, list[tuple[str, str]]]:
    """Contact points (channel, value) by customer ref."""
    found: dict[str, list[tuple[str, str]]] = {}
    statement = select(contact_point.c.ref, contact_point.c.channel, contact_point.c.value)
    for ref, channel, value in rows_in(connection, statement, contact_point.c.ref, refs):
        found.setdefault(ref, []).append((channel, value))
    return found


def events_at(connection: Connection, points: Iterable[str]) -> dict[str, list[ConsentEvent]]:
    """Consent events by contact point, whoever stated them."""
    found: dict[str, list[ConsentEvent]] = {}
    for row in rows_in(connection, select(consent_event), consent_event.c.contact_point, set(points)):
        found.setdefault(row.contact_point, []).append(event_of(row))
    return found


def load_decisions(connection: Connection, profile_ids: Iterable[str]) -> dict[str, DecisionRow]:
    """Stored decisions by profile id."""
    return {
        r.profile_id: DecisionRow(r.profile_id, r.denials, r.valid_until, r.policy)
        for r in rows_in(connection, select(decision), decision.c.profile_id, profile_ids)
    }


def due_decisions(connection: Connection, as_of: date, policy: str) -> list[str]:
    """Profiles whose decision may have changed by the passing of time or by another rule file."""
    expired = select(decision.c.profile_id).where(decision.c.valid_until <= as_of)
    # What is not equal is below or above: an index finds these, and every cycle asks.
    other = select(decision.c.profile_id).where(or_(decision.c.policy < policy, decision.c.policy > policy))
    return sorted(connection.execute(union(expired, other)).scalars())


def save_decisions(
    connection: Connection, rows: Sequence[DecisionRow], changed: Mapping[str, Mapping[str, Any]], at: datetime
) -> None:
    """Store decisions; `changed` gives the facts of those whose denials differ from before, for the log."""
    upsert(
        connection,
        decision,
        [
            {
                "profile_id": row.profile_id,
                "denials": list(row.denials),
                "valid_until": row.valid_until,
                "policy": row.policy,
                "decided_at": at,
            }
            for row in rows
        ],
    )
    log = [
        {
            "profile_id": row.profile_id,
            "denials": list(row.denials),
            "facts": dict(changed[row.profile_id]),
            "policy": row.policy,
            "decided_at": at,
        }
        for row in rows
        if row.profile_id in changed
    ]
    if log:
        connection.execute(decision_log.insert(), log)
    note_changes(connection, [ChangeRow(profile_id, DECIDED) for profile_id in sorted(changed)], at)


def load_raw(connection: Connection, refs: Iterable[str]) -> dict[str, Mapping[str, Any]]:
    """Raw vendor records by ref, deleted ones left out."""
    statement = select(record.c.ref, record.c.raw).where(record.c.deleted.is_(False))
    return {row.ref: row.raw for row in rows_in(connection, statement, record.c.ref, refs)}
