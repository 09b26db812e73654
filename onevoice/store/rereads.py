"""Which records are read again without a sign that they changed: those of a stream in turn, some at a time."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, and_, select

from onevoice.store.engine import upsert
from onevoice.store.schema import record, reread


def next_refs(connection: Connection, system: str, stream: str, limit: int, before: datetime) -> list[str]:
    """The refs whose turn it is, from behind the last one on and then from the first; `limit` at most.

    Records that were stored at `before` or later have just been read, and deleted ones are not looked for.
    """
    place = select(reread.c.reached).where(reread.c.system == system, reread.c.stream == stream)
    reached = connection.execute(place).scalar() or ""
    alive = and_(
        record.c.system == system,
        record.c.stream == stream,
        record.c.deleted.is_(False),
        record.c.pulled_at < before,
    )
    found: list[str] = []
    for part in (record.c.ref > reached, record.c.ref <= reached):
        wanted = select(record.c.ref).where(alive, part).order_by(record.c.ref).limit(limit - len(found))
        found += connection.execute(wanted).scalars()
    return found


def reach(connection: Connection, system: str, stream: str, ref: str) -> None:
    """Note up to where records were read again."""
    upsert(connection, reread, [{"system": system, "stream": stream, "reached": ref}])
