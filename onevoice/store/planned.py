"""What is written and what was, for those who look at all of it: a plan may hold more than memory should."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from onevoice.store.engine import rows_in
from onevoice.store.schema import destination, outbox, write_log

PAGE = 2000


@dataclass(frozen=True, slots=True)
class PlannedWrite:
    """One open write."""

    ref: str
    fields: Mapping[str, Any]
    """Vendor values."""
    held: Mapping[str, Any]
    """Comparable values that the plan believes to stand there, by field."""


def each(connection: Connection) -> Iterator[PlannedWrite]:
    """Every open write, by ref."""
    columns = (outbox.c.ref, outbox.c.fields, destination.c.sent)
    joined = outbox.join(destination, destination.c.ref == outbox.c.ref, isouter=True)
    last = ""
    while True:
        page = select(*columns).select_from(joined).where(outbox.c.ref > last).order_by(outbox.c.ref).limit(PAGE)
        rows = connection.execute(page).all()
        yield from (PlannedWrite(r.ref, r.fields, r.sent or {}) for r in rows)
        if len(rows) < PAGE:
            return
        last = rows[-1].ref


def ever_written(connection: Connection, refs: Iterable[str]) -> dict[str, set[str]]:
    """Fields that the hub has ever written, by destination record."""
    found: dict[str, set[str]] = {}
    for row in rows_in(connection, select(write_log.c.ref, write_log.c.after), write_log.c.ref, set(refs)):
        found.setdefault(row.ref, set()).update(row.after)
    return found
