"""Who is who: normalised records, their blocking keys, match edges, source links, lineage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, func, select

from onevoice.store.changes import ChangeRow, note_changes
from onevoice.store.engine import Asking, among, chunks, delete_in, insert_missing, rows_in, upsert
from onevoice.store.schema import (
    card,
    decision,
    edge,
    identity_record,
    item,
    lineage,
    profile,
    record,
    source_link,
    steward_constraint,
)


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """A vendor's customer record in canonical form, with the card numbers of the memberships that belong to it."""

    ref: str
    data: Mapping[str, Any]
    cards: tuple[str, ...]
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class NormalisedRow:
    """A record in comparable form."""

    ref: str
    normalised: Mapping[str, Any]
    hash: str


class EdgeRow(NamedTuple):
    """A scored pair of records; left sorts before right."""

    left: str
    right: str
    kind: str
    weight: float
    probability: float


@dataclass(frozen=True, slots=True)
class LineageRow:
    """One event in the life of a profile id."""

    profile_id: str
    other_id: str | None
    kind: str
    cause: str


_EDGE = select(*(edge.c[name] for name in EdgeRow._fields))
_EDGES = (Asking(_EDGE, edge.c.left), Asking(_EDGE, edge.c.right))
_FORMS = Asking(select(identity_record.c.ref, identity_record.c.normalised), identity_record.c.ref)
_IN_FORCE = select(steward_constraint.c.left, steward_constraint.c.right, steward_constraint.c.same).where(
    steward_constraint.c.withdrawn_at.is_(None)
)
_CONSTRAINTS = (Asking(_IN_FORCE, steward_constraint.c.left), Asking(_IN_FORCE, steward_constraint.c.right))
_LINKS = Asking(select(source_link.c.ref, source_link.c.profile_id), source_link.c.ref)
_LIVES = Asking(select(profile.c.profile_id, profile.c.created_at, profile.c.redirect), profile.c.profile_id)

_EMPTY: Mapping[str, Any] = {
    "golden": {},
    "provenance": {},
    "status": {},
    "consent": {},
    "facts": {},
    "hash": "",
    "annual_spend": None,
}
"""What is known of a profile without records."""
_RETIREMENT = (
    profile.update()
    .where(profile.c.profile_id == bindparam("b_id"))
    .values(redirect=bindparam("b_redirect"), changed_at=bindparam("b_at"), **_EMPTY)
)


def customers_touched(connection: Connection, refs: Iterable[str]) -> set[str]:
    """Customer records behind any records: themselves, or the owner, or (for tiers and balances) the owner's owner."""
    refs = set(refs)
    kinds = select(item.c.ref, item.c.kind, item.c.owner)
    customers = {r.ref for r in rows_in(connection, kinds.where(item.c.kind == "customer"), item.c.ref, refs)}
    rest = refs - customers
    # A record of another kind was marked by its owner's ref already; a membership passes the mark to its customer.
    owners = {
        r.owner for r in rows_in(connection, kinds.where(item.c.kind == "membership"), item.c.ref, rest) if r.owner
    }
    return refs | owners


def load_customers(connection: Connection, refs: Iterable[str]) -> dict[str, CustomerRow]:
    """Canonical customers by ref; a ref that holds no customer (any more) is absent."""
    refs = set(refs)
    cards: dict[str, list[str]] = {}
    memberships = select(item.c.owner, item.c.data).where(item.c.kind == "membership")
    for row in rows_in(connection, memberships, item.c.owner, refs):
        if row.data.get("number"):
            cards.setdefault(row.owner, []).append(row.data["number"])
    statement = (
        select(item.c.ref, item.c.data, record.c.updated_at)
        .join(record, record.c.ref == item.c.ref)
        .where(item.c.kind == "customer")
    )
    return {
        row.ref: CustomerRow(row.ref, row.data, tuple(sorted(set(cards.get(row.ref, ())))), row.updated_at)
        for row in rows_in(connection, statement, item.c.ref, refs)
    }


def load_stamps(connection: Connection, refs: Iterable[str]) -> dict[str, datetime | None]:
    """When vendor records were last changed, as they say themselves, by ref."""
    statement = select(record.c.ref, record.c.updated_at)
    return {row.ref: row.updated_at for row in rows_in(connection, statement, record.c.ref, refs)}


def all_customer_refs(connection: Connection) -> list[str]:
    """Refs of every customer record."""
    return list(connection.execute(select(item.c.ref).where(item.c.kind == "customer").order_by(item.c.ref)).scalars())


def all_hashes(connection: Connection) -> dict[str, str]:
    """Hash of the normalised form, of every record that takes part in resolution, by ref."""
    rows = connection.execute(select(identity_record.c.ref, identity_record.c.hash))
    return {row.ref: row.hash for row in rows}


def more_than(connection: Connection, number: float) -> bool:
    """Whether more records than that take part in resolution; counted no further."""
    some = select(identity_record.c.ref).limit(int(number) + 1).subquery()
    return int(connection.execute(select(func.count()).select_from(some)).scalar_one()) > number


def load_hashes(connection: Connection, refs: Iterable[str]) -> dict[str, str]:
    """Hash of the normalised form by ref."""
    statement = select(identity_record.c.ref, identity_record.c.hash)
    return {row.ref: row.hash for row in rows_in(connection, statement, identity_record.c.ref, refs)}


def load_normalised(connection: Connection, refs: Iterable[str]) -> dict[str, Any]:
    """Normalised form by ref."""
    return {row.ref: row.normalised for row in _FORMS.rows(connection, refs)}


def save_normalised(connection: Connection, rows: Sequence[NormalisedRow], removed: Iterable[str]) -> None:
    """Store normalised records with their cards, and forget the removed refs."""
    removed = set(removed)
    delete_in(connection, card, card.c.ref, {*(row.ref for row in rows), *removed})
    delete_in(connection, identity_record, identity_record.c.ref, removed)
    upsert(connection, identity_record, [{"ref": r.ref, "normalised": r.normalised, "hash": r.hash} for r in rows])
    cards = [{"number": number, "ref": r.ref} for r in rows for number in r.normalised["cards"] if len(number) <= 200]
    insert_missing(connection, card, cards)


def edges_of(connection: Connection, refs: Iterable[str]) -> list[EdgeRow]:
    """Every edge of the refs, sorted."""
    refs = set(refs)
    return sorted({EdgeRow._make(row) for asking in _EDGES for row in asking.rows(connection, refs)})


def edges_of_components(connection: Connection, refs: Iterable[str]) -> list[EdgeRow]:
    """Every edge of every component that holds one of the refs, sorted."""
    seen: set[str] = set()
    found: dict[tuple[str, str], EdgeRow] = {}
    frontier = set(refs)
    while frontier:
        seen |= frontier
        edges = edges_of(connection, frontier)
        found.update({(one.left, one.right): one for one in edges})
        frontier = {end for one in edges for end in (one.left, one.right)} - seen
    return [found[pair] for pair in sorted(found)]


def replace_edges(connection: Connection, changed: Iterable[str], edges: Sequence[EdgeRow]) -> None:
    """Drop the edges of changed or removed records and store the new ones."""
    changed = set(changed)
    delete_in(connection, edge, edge.c.left, changed)
    delete_in(connection, edge, edge.c.right, changed)
    upsert(connection, edge, [row._asdict() for row in sorted(edges)])


def load_constraints(connection: Connection, refs: Iterable[str] | None = None) -> list[tuple[str, str, bool]]:
    """Steward decisions in force (left, right, same person?) that touch the refs, or all of them."""
    if refs is None:
        return sorted({(left, right, same) for left, right, same in connection.execute(_IN_FORCE)})
    refs = set(refs)
    return sorted(
        {(left, right, same) for asking in _CONSTRAINTS for left, right, same in asking.rows(connection, refs)}
    )


def load_links(connection: Connection, refs: Iterable[str]) -> dict[str, str]:
    """Profile id by customer ref."""
    return {row.ref: row.profile_id for row in _LINKS.rows(connection, refs)}


def load_members(connection: Connection, profile_ids: Iterable[str]) -> dict[str, list[str]]:
    """Customer refs by profile id, sorted."""
    statement = select(source_link.c.profile_id, source_link.c.ref).order_by(source_link.c.ref)
    found: dict[str, list[str]] = {}
    for profile_id, ref in rows_in(connection, statement, source_link.c.profile_id, profile_ids):
        found.setdefault(profile_id, []).append(ref)
    return {profile_id: sorted(refs) for profile_id, refs in found.items()}


def all_links(connection: Connection) -> list[tuple[str, str]]:
    """Every (customer ref, profile id)."""
    statement = select(source_link.c.ref, source_link.c.profile_id).order_by(source_link.c.ref)
    return [(row.ref, row.profile_id) for row in connection.execute(statement)]


@dataclass(frozen=True, slots=True)
class Life:
    """When a profile id came into being, and who took its place."""

    created_at: datetime
    redirect: str | None


def load_lives(connection: Connection, profile_ids: Iterable[str]) -> dict[str, Life]:
    """Lives of the profile ids that exist, live or retired."""
    found = _LIVES.rows(connection, set(profile_ids))
    return {profile_id: Life(created_at, redirect) for profile_id, created_at, redirect in found}


def save_links(
    connection: Connection,
    assigned: Mapping[str, str],
    removed: Iterable[str],
    events: Sequence[LineageRow],
    at: datetime,
) -> None:
    """Store new assignments of records to profiles and what that did to profile ids."""
    delete_in(connection, source_link, source_link.c.ref, set(removed))
    upsert(
        connection, source_link, [{"ref": ref, "profile_id": assigned[ref], "since": at} for ref in sorted(assigned)]
    )
    created = [
        {"profile_id": pid, "redirect": None, "created_at": at, **_EMPTY, "due_on": None, "changed_at": at}
        for pid in sorted(set(assigned.values()))
    ]
    insert_missing(connection, profile, created)
    for part in chunks(set(assigned.values())):  # a split brings a retired id back
        wanted = among(connection, profile.c.profile_id, part)
        restored = profile.update().where(wanted, profile.c.redirect.is_not(None))
        connection.execute(restored.values(redirect=None))
    if events:
        connection.execute(
            lineage.insert(),
            [
                {"profile_id": e.profile_id, "other_id": e.other_id, "kind": e.kind, "cause": e.cause, "at": at}
                for e in events
            ],
        )
    note_changes(connection, [ChangeRow(e.profile_id, e.kind, e.other_id) for e in events], at)


def retire_empty(connection: Connection, survivors: Mapping[str, str | None], at: datetime) -> None:
    """Retire profiles that hold no record any more, with the id that took their place (None: nobody did)."""
    retired = [{"b_id": pid, "b_redirect": survivors[pid] or pid, "b_at": at} for pid in sorted(survivors)]
    if retired:
        connection.execute(_RETIREMENT, retired)
    delete_in(connection, decision, decision.c.profile_id, survivors)
