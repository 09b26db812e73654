"""What an audit asks of the store besides: when records were read, and which pairs of records wait for a steward."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from onevoice.store.engine import rows_in
from onevoice.store.schema import item, profile, record, review


@dataclass(frozen=True, slots=True)
class WhenRead:
    """The age of what is stored of a record."""

    pulled_at: datetime
    """When this version of it was read."""
    updated_at: datetime | None
    """The vendor's own stamp of it."""


@dataclass(frozen=True, slots=True)
class Pending:
    """Two records that a steward is asked about."""

    left: str
    right: str
    kind: str
    reason: str


def when_read(connection: Connection, refs: Iterable[str]) -> dict[str, WhenRead]:
    """The age of records by ref, deleted ones too."""
    statement = select(record.c.ref, record.c.pulled_at, record.c.updated_at)
    return {
        row.ref: WhenRead(row.pulled_at, row.updated_at)
        for row in rows_in(connection, statement, record.c.ref, set(refs))
    }


def pending_pairs(connection: Connection, refs: Iterable[str]) -> list[Pending]:
    """Pairs that a steward is asked about now, of which one record is among the refs, sorted, each once."""
    refs = set(refs)
    columns = select(review.c.left, review.c.right, review.c.kind, review.c.reason).where(review.c.closed_at.is_(None))
    rows = {
        (row.left, row.right, row.kind, row.reason)
        for column in (review.c.left, review.c.right)
        for row in rows_in(connection, columns, column, refs)
    }
    return [Pending(*row) for row in sorted(rows)]


def size(connection: Connection) -> tuple[int, int]:
    """Number of customer records, and of the customers that they turned out to be."""
    customers = select(func.count()).select_from(item).where(item.c.kind == "customer")
    living = select(func.count()).select_from(profile).where(profile.c.redirect.is_(None))
    return int(connection.execute(customers).scalar_one()), int(connection.execute(living).scalar_one())


def records_by_system(connection: Connection) -> dict[str, int]:
    """Records read, by system; deleted ones left out."""
    statement = select(record.c.system, func.count()).where(record.c.deleted.is_(False)).group_by(record.c.system)
    return {row[0]: int(row[1]) for row in connection.execute(statement)}
