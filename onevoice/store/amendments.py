"""Values that a person put in place of ones that were refused, until the value itself is another one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from onevoice.store.engine import rows_in, upsert
from onevoice.store.schema import amendment


@dataclass(frozen=True, slots=True)
class Amendment:
    """What stands for one value of one record."""

    instead_of: Any
    """Raw value (stage mapping) or comparable value (stage delivery) for which it holds; for another one it is void."""
    value: Any = None
    dropped: bool = False
    """Nothing is written in its place."""


Amended = Mapping[str, Mapping[str, Amendment]]
"""Ref -> field -> amendment."""


def load(connection: Connection, stage: str, refs: Iterable[str]) -> Amended:
    """Amendments of some records at a stage."""
    statement = select(amendment).where(amendment.c.stage == stage)
    return _by_ref(rows_in(connection, statement, amendment.c.ref, set(refs)))


def load_stream(connection: Connection, stage: str, system: str, stream: str) -> Amended:
    """Amendments of a stream at a stage: people make few, and keys of records that were just read may be any text."""
    place = amendment.c.ref.startswith(f"{system}/{stream}/", autoescape=True)
    return _by_ref(connection.execute(select(amendment).where(amendment.c.stage == stage, place)))


def _by_ref(rows: Iterable[Any]) -> Amended:
    found: dict[str, dict[str, Amendment]] = {}
    for row in rows:
        found.setdefault(row.ref, {})[row.field] = Amendment(row.instead_of, row.value, row.dropped)
    return found


def standing(connection: Connection) -> list[tuple[str, str, str, bool]]:
    """(ref, stage, field, whether it is dropped) of every amendment."""
    columns = (amendment.c.ref, amendment.c.stage, amendment.c.field, amendment.c.dropped)
    return [(r.ref, r.stage, r.field, r.dropped) for r in connection.execute(select(*columns).order_by(*columns[:3]))]


def save(connection: Connection, stage: str, ref: str, amended: Mapping[str, Amendment]) -> None:
    """Store amendments of one record; of a field amended before, this one holds."""
    rows = [
        {
            "ref": ref,
            "stage": stage,
            "field": name,
            "instead_of": one.instead_of,
            "value": one.value,
            "dropped": one.dropped,
        }
        for name, one in sorted(amended.items())
    ]
    upsert(connection, amendment, rows)


def forget(connection: Connection, stage: str, places: Iterable[tuple[str, str]]) -> None:
    """Remove amendments that are void, by (ref, field)."""
    for ref, name in sorted(set(places)):
        condition = (amendment.c.ref == ref) & (amendment.c.stage == stage) & (amendment.c.field == name)
        connection.execute(amendment.delete().where(condition))
