"""What the systems say against the hub, over time: contradictions, and values of ours that somebody changed there.

A contradiction is opened when a system would send what was decided against, and closed when it would not any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from onevoice.store.engine import chunks, rows_in, upsert
from onevoice.store.rows import plain
from onevoice.store.schema import contradiction, drift, write_log

KEY = ("ref", "family", "channel", "class")
OPEN = contradiction.c.closed_at.is_(None)


def replace(
    connection: Connection, refs: Iterable[str], rows: Sequence[dict[str, Any]], at: datetime
) -> tuple[int, int]:
    """Make `rows` the open contradictions of the refs; return how many opened and how many closed."""
    statement = select(contradiction).where(OPEN)
    standing = {_key(row._mapping): row for row in rows_in(connection, statement, contradiction.c.ref, set(refs))}
    found = {_key(row): row for row in rows}
    opened = [{**found[key], "opened_at": at, "closed_at": None} for key in sorted(found.keys() - standing.keys())]
    closed = [{**plain(standing[key]), "closed_at": at} for key in sorted(standing.keys() - found.keys())]
    upsert(connection, contradiction, opened)
    upsert(connection, contradiction, closed)
    return len(opened), len(closed)


def close_all(connection: Connection, refs: Iterable[str], at: datetime) -> None:
    """Close the contradictions of records that are gone."""
    for part in chunks(set(refs)):
        connection.execute(contradiction.update().where(contradiction.c.ref.in_(part), OPEN).values(closed_at=at))


def count(connection: Connection) -> dict[str, int]:
    """Open contradictions by class."""
    label = contradiction.c["class"]
    statement = select(label, func.count()).where(OPEN).group_by(label).order_by(label)
    return {row[0]: row[1] for row in connection.execute(statement)}


def all_open(connection: Connection) -> list[dict[str, Any]]:
    """Every open contradiction, oldest first."""
    order = (contradiction.c.opened_at, contradiction.c.ref, contradiction.c.family)
    return [plain(row) for row in connection.execute(select(contradiction).where(OPEN).order_by(*order))]


def opened_at(connection: Connection, at: datetime) -> list[dict[str, Any]]:
    """Contradictions that a run found, whether or not it closed them."""
    statement = select(contradiction).where(contradiction.c.opened_at == at).order_by(contradiction.c.ref)
    return [plain(row) for row in connection.execute(statement)]


def note_drift(connection: Connection, found: Mapping[str, Mapping[str, Any]], at: datetime) -> None:
    """Note values of ours that somebody changed: destination ref -> field -> what it holds now.

    What the hub itself wrote there last is nobody's change: an old copy of the record had hidden it for a while.
    """
    found = {ref: fields for ref, fields in found.items() if fields}
    ours = _last_written(connection, found)
    rows = [
        {"ref": ref, "field": name, "noted_at": at, "held": value}
        for ref, fields in sorted(found.items())
        for name, value in sorted(fields.items())
        if (name, value) not in ours.get(ref, {}).items()
    ]
    upsert(connection, drift, rows)


def _last_written(connection: Connection, refs: Iterable[str]) -> dict[str, dict[str, Any]]:
    """By destination ref, what the hub last wrote into each field, as it compares once it comes back."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows_in(connection, select(write_log).order_by(write_log.c.id), write_log.c.ref, refs):
        found.setdefault(row.ref, {}).update(row.after)
    return found


def drift_at(connection: Connection, at: datetime) -> list[dict[str, Any]]:
    """Values that a run found changed."""
    statement = select(drift).where(drift.c.noted_at == at).order_by(drift.c.ref, drift.c.field)
    return [plain(row) for row in connection.execute(statement)]


def _key(row: Any) -> tuple[str, ...]:
    return tuple(row[name] for name in KEY)
