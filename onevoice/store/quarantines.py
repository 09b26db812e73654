"""What could not be mapped, planned or delivered, or was stopped: kept with its payload until it is mended or dropped.

One row per (ref, stage). `next_at` says from when on it is tried again by itself; None: only when the value, the
mapping or a person changes something.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, select

from onevoice.store.engine import among, chunks, delete_in, rows_in, upsert
from onevoice.store.rows import plain
from onevoice.store.schema import quarantine, record

MAPPING, PLANNING, DELIVERY, LOOP = "mapping", "planning", "delivery", "loop"
"""Stages: a record that could not be mapped; a value that could not be planned; a write that the vendor refused or put
off too often; a field that the hub and the vendor change back and forth."""


@dataclass(frozen=True, slots=True)
class Held:
    """What is held of one record at one stage. `reason` names no person; `payload` may."""

    code: str
    reason: str
    payload: Mapping[str, Any]
    attempts: int
    next_at: datetime | None


def note(connection: Connection, stage: str, held: Mapping[str, Held], at: datetime) -> None:
    """Keep what is held now, by ref; since when the first of its kind was held stays."""
    rows = [
        {
            "ref": ref,
            "stage": stage,
            "code": entry.code[:120],
            "reason": entry.reason,
            "payload": dict(entry.payload),
            "attempts": entry.attempts,
            "first_at": at,
            "last_at": at,
            "next_at": entry.next_at,
        }
        for ref, entry in sorted(held.items())
    ]
    upsert(connection, quarantine, rows, keep=("first_at",))


def load(connection: Connection, stage: str, refs: Iterable[str]) -> dict[str, Held]:
    """What is held at a stage, by ref."""
    statement = select(quarantine).where(quarantine.c.stage == stage)
    return {
        r.ref: Held(r.code, r.reason, r.payload, r.attempts, r.next_at)
        for r in rows_in(connection, statement, quarantine.c.ref, refs)
    }


def beginning_with(connection: Connection, stage: str, start: str) -> list[str]:
    """Refs that begin so and of which something is held at a stage."""
    condition = and_(quarantine.c.stage == stage, quarantine.c.ref.startswith(start, autoescape=True))
    return list(connection.execute(select(quarantine.c.ref).where(condition)).scalars())


def due(connection: Connection, at: datetime) -> list[str]:
    """Destination refs of which something is held that may be tried again."""
    condition = and_(quarantine.c.stage != MAPPING, quarantine.c.next_at <= at)
    statement = select(quarantine.c.ref).where(condition).distinct().order_by(quarantine.c.ref)
    return list(connection.execute(statement).scalars())


def try_again(connection: Connection, stage: str, refs: Iterable[str]) -> None:
    """Have the next run try again what is held at a stage, whatever its back-off; records are mapped anew."""
    for part in chunks(refs):
        held = and_(quarantine.c.stage == stage, among(connection, quarantine.c.ref, part))
        connection.execute(quarantine.update().where(held).values(next_at=quarantine.c.last_at))
        if stage == MAPPING:
            remap(connection, part)


def remap(connection: Connection, refs: Iterable[str]) -> None:
    """Have the next pull map stored records anew."""
    for part in chunks(refs):
        connection.execute(record.update().where(among(connection, record.c.ref, part)).values(mapping=""))


def drop(connection: Connection, stage: str, refs: Iterable[str]) -> None:
    """Forget what is held at a stage: it is mended, or no longer wanted."""
    delete_in(connection, quarantine, quarantine.c.ref, refs, quarantine.c.stage == stage)


def everything(connection: Connection) -> list[dict[str, Any]]:
    """Every open entry, without its payload (it may hold personal data)."""
    columns = [c for c in quarantine.columns if c.name != "payload"]
    statement = select(*columns).order_by(quarantine.c.ref, quarantine.c.stage)
    return [plain(r) for r in connection.execute(statement)]
