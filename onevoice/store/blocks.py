"""The blocking index: which customer records stand under a key. Keys are kept as numbers (`identity.key_code`).

How many records and family names a key has is counted where it is asked, and no further than the caller's limits: the
answer costs the same however many records a shop's own number has gathered.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson
from sqlalchemy import ARRAY, BigInteger, Connection, TextClause, bindparam, select, text

from onevoice.store.engine import Asking, chunks, insert_plain, rows_in
from onevoice.store.schema import block

_COUNTS = """
SELECT given.value,
  (SELECT count(*) FROM (SELECT 1 FROM block WHERE block.value = given.value LIMIT :records) AS held),
  (SELECT count(*) FROM (
    SELECT DISTINCT block.surname FROM block WHERE block.value = given.value AND block.surname <> '' LIMIT :surnames
  ) AS named)
FROM """
_SQLITE = text(_COUNTS + "json_each(:codes) AS given")
_POSTGRESQL = text(_COUNTS + "unnest(:codes) AS given(value)").bindparams(bindparam("codes", type_=ARRAY(BigInteger)))
_HOLDERS = Asking(select(block.c.value, block.c.ref), block.c.value)
_REMOVAL = block.delete().where(block.c.value == bindparam("b_value"), block.c.ref == bindparam("b_ref"))


class BlockRow(NamedTuple):
    """A record under a key, with what counts as its family name."""

    value: int
    ref: str
    surname: str


@dataclass(frozen=True, slots=True)
class Limits:
    """How far keys are counted: one record, and one family name, beyond what a rule asks for."""

    records: int
    surnames: int


def change_blocks(connection: Connection, gone: Iterable[tuple[int, str]], come: Iterable[BlockRow]) -> None:
    """Take (code, ref) out of the index, then put rows in; sorted, so that neighbours on disk are written together."""
    removals = [{"b_value": value, "b_ref": ref} for value, ref in sorted(gone)]
    if removals:
        connection.execute(_REMOVAL, removals)
    insert_plain(connection, block, sorted(come))


def clear_blocks(connection: Connection) -> None:
    """Empty the index: it was made under another configuration."""
    connection.execute(block.delete())


def count_degrees(connection: Connection, codes: Iterable[int], limits: Limits) -> dict[int, tuple[int, int]]:
    """By code, how many records and how many different family names stand under it, up to the limits."""
    found: dict[int, tuple[int, int]] = {}
    for part in chunks(set(codes)):
        statement, given = _given(connection, part)
        asked = {"codes": given, "records": limits.records, "surnames": limits.surnames}
        rows = connection.execute(statement, asked).all()
        found.update({value: (records, surnames) for value, records, surnames in rows})
    return found


def refs_under(connection: Connection, codes: Iterable[int]) -> dict[int, list[str]]:
    """Refs of the records under each code."""
    found: dict[int, list[str]] = {}
    for value, ref in _HOLDERS.rows(connection, set(codes)):
        found.setdefault(value, []).append(ref)
    return found


def bearing(connection: Connection, codes: Iterable[int], surname: str) -> set[int]:
    """Those of the codes under which a record with this surname stands."""
    statement = select(block.c.value).where(block.c.surname == surname).distinct()
    return {row.value for row in rows_in(connection, statement, block.c.value, set(codes))}


def _given(connection: Connection, codes: Sequence[int]) -> tuple[TextClause, Any]:
    """The statement that counts, and the codes as it takes them."""
    if connection.dialect.name == "postgresql":
        return _POSTGRESQL, list(codes)
    return _SQLITE, orjson.dumps(codes).decode()
