"""The change feed: what happened to profiles, as rows that are only ever added."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select, text

from onevoice.store.schema import profile_change

CHANGED, DECIDED = "changed", "decided"
"""Kinds beside those of lineage (created, merged, split, moved, retired, restored)."""

_ONE_WRITER = 7_201_966_118
"""Key of the advisory lock under which PostgreSQL hands out numbers of the feed."""


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One thing that happened to a profile."""

    profile_id: str
    kind: str
    other_id: str | None = None


@dataclass(frozen=True, slots=True)
class NumberedChange:
    """A row of the feed as a consumer reads it."""

    seq: int
    profile_id: str
    kind: str
    other_id: str | None
    at: datetime


def note_changes(connection: Connection, changes: Sequence[ChangeRow], at: datetime) -> None:
    """Append to the feed, in the transaction that makes the changes.

    Numbers must become visible in their order, or a consumer that has read up to 10 would never see a 9 that was
    committed later. SQLite has one writer at a time; on PostgreSQL a lock, held to the end of the transaction, does it.
    """
    if not changes:
        return
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_WRITER})
    rows = [{"profile_id": c.profile_id, "kind": c.kind, "other_id": c.other_id, "at": at} for c in changes]
    connection.execute(profile_change.insert(), rows)


def changes_after(connection: Connection, seq: int, limit: int) -> list[NumberedChange]:
    """The next rows of the feed, oldest first."""
    statement = select(profile_change).where(profile_change.c.seq > seq).order_by(profile_change.c.seq).limit(limit)
    return [NumberedChange(r.seq, r.profile_id, r.kind, r.other_id, r.at) for r in connection.execute(statement)]


def last_change(connection: Connection) -> int:
    """Number of the newest row; 0 when there is none."""
    return int(connection.execute(select(func.coalesce(func.max(profile_change.c.seq), 0))).scalar_one())
