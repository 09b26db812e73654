"""Events that others report (a check-in): kept under the sender's own id, and as an item of whom they concern."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from onevoice.model import Item
from onevoice.store.engine import delete_in, upsert
from onevoice.store.schema import event, item, source_link


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event as it was received; `owner` is the customer record that it belongs to, None: nobody surely."""

    event_id: str
    type: str
    at: datetime
    store: str
    identifier: str
    value: str
    digest: str
    owner: str | None
    received_at: datetime


def load_event(connection: Connection, event_id: str) -> EventRow | None:
    """An event by its id."""
    row = connection.execute(select(event).where(event.c.event_id == event_id)).first()
    return None if row is None else EventRow(*row)


def save_event(connection: Connection, row: EventRow, made: Item | None) -> None:
    """Store an event, and the item that it makes of its owner's."""
    values = {name: getattr(row, name) for name in EventRow.__slots__}
    upsert(connection, event, [values], keep=("received_at",))
    if made is None:
        return
    ref = str(made.source)
    delete_in(connection, item, item.c.ref, [ref])
    owner = str(made.owner) if made.owner else None
    connection.execute(
        item.insert(), [{"ref": ref, "ordinal": 0, "kind": made.kind, "data": dict(made.data), "owner": owner}]
    )


def unowned_events(connection: Connection, since: datetime) -> Sequence[EventRow]:
    """Events received since then that belong to nobody, or to a record that is no longer anybody's."""
    columns: list[Any] = [event.c[name] for name in EventRow.__slots__]
    statement = (
        select(*columns)
        .outerjoin(source_link, source_link.c.ref == event.c.owner)
        .where(event.c.received_at >= since, source_link.c.ref.is_(None))
        .order_by(event.c.event_id)
    )
    return [EventRow(*row) for row in connection.execute(statement)]
