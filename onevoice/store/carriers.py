"""What a customer gets once: for each record, the families that another record of the same customer carries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

from sqlalchemy import Connection, select

from onevoice.store.engine import delete_in, rows_in, upsert
from onevoice.store.schema import carried_elsewhere


def replace(connection: Connection, refs: Iterable[str], families: Mapping[str, AbstractSet[str]]) -> None:
    """Make `families` (by record) all that is carried elsewhere of these records."""
    delete_in(connection, carried_elsewhere, carried_elsewhere.c.ref, set(refs))
    rows = [{"ref": ref, "family": family} for ref in sorted(families) for family in sorted(families[ref])]
    upsert(connection, carried_elsewhere, rows)


def load(connection: Connection, refs: Iterable[str]) -> dict[str, frozenset[str]]:
    """Families carried elsewhere, by record; records without any are left out."""
    found: dict[str, set[str]] = {}
    for row in rows_in(connection, select(carried_elsewhere), carried_elsewhere.c.ref, set(refs)):
        found.setdefault(row.ref, set()).add(row.family)
    return {ref: frozenset(families) for ref, families in found.items()}
