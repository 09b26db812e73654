"""What clash() looks at, value by value: two records clash where two values of one part of them do.

Each part of the normalised form that clash() reads is numbered by its distinct values; clash() is asked once for every
two values that meet, with records that hold nothing else. Equal values never clash.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from identity.batch.columns import BETWEEN, distinct
from identity.batch.parts import Base, records_of
from identity.batch.tables import create, fetch, numbers
from identity.batch.workers import Each
from identity.cluster import FACE
from identity.links import link_holds
from identity.vetoes import clash
from onevoice.configfile.identity_file import IdentityFile, Link

_PAGE = 20_000


class Faces:
    """The numbered values of every record in the table `face` (id, and a column of each part: `f0`, ...)."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, base: Base, config: IdentityFile, each: Each) -> None:
        self._connection = connection
        self._base = base
        self._config = config
        self._each = each
        columns = [*FACE, *("email" if field == "email" else "text" for field in config.person_unique)]
        self.parts = sorted({base.holding(column) for column in columns})
        self.names = base.holding("givens")
        self._first: dict[int, pa.Array] = {}
        self._asked: dict[int, dict[tuple[int, int], bool]] = {part: {} for part in self.parts}
        self._agreed: dict[str, dict[tuple[int, int], bool]] = {}
        face = {"id": numbers(len(base.refs))}
        for part in self.parts:
            face[f"f{part}"] = self._numbered(part)
        create(connection, "face", pa.table(face))

    def _numbered(self, part: int) -> pa.Array:
        made = self._base.parts[part]
        texts = [_as_text(made.rows.column(name).combine_chunks()) for name in self._base.fields(part)]
        of_row, _ = distinct(texts)
        rows = pa.table({"value": of_row, "row": numbers(len(of_row))})
        first = rows.group_by("value").aggregate([("row", "min")]).sort_by("value")
        self._first[part] = first.column("row_min").combine_chunks()
        return of_row.take(made.codes)

    def clashing(self, part: int, pairs: str) -> None:
        """Write the table `clash_<part>` (a, b, both ways round) of the clashing ones among pairs of values (a, b)."""
        asked = self._asked[part]
        found = fetch(
            self._connection, f"select distinct least(a, b) as a, greatest(a, b) as b from ({pairs}) where a <> b"
        )
        new = [pair for pair in zip(found["a"].to_pylist(), found["b"].to_pylist(), strict=True) if pair not in asked]
        asked.update(zip(new, self._ask(part, new, None), strict=True))
        bad = [pair for pair, clashes in asked.items() if clashes]
        table = {
            "a": pa.array([pair[at] for at in (0, 1) for pair in bad], pa.int32()),
            "b": pa.array([pair[at] for at in (1, 0) for pair in bad], pa.int32()),
        }
        create(self._connection, f"clash_{part}", pa.table(table))

    def agreeing(self, link: Link, pairs: str) -> None:
        """Write the table `agree` (a, b) of the pairs of names that satisfy what the link requires."""
        found = fetch(self._connection, f"select distinct a, b from ({pairs})")
        both = list(zip(found["a"].to_pylist(), found["b"].to_pylist(), strict=True))
        agreed = self._agreed.setdefault(link.requires, {})
        new = [pair for pair in both if pair not in agreed]
        agreed.update(zip(new, self._ask(self.names, new, link), strict=True))
        good = [pair for pair in both if agreed[pair]]
        table = {"a": pa.array([a for a, _ in good], pa.int32()), "b": pa.array([b for _, b in good], pa.int32())}
        create(self._connection, "agree", pa.table(table))

    def _ask(self, part: int, pairs: Sequence[tuple[int, int]], link: Link | None) -> Iterator[bool]:
        """For each pair of values whether they clash, or whether they satisfy a link."""
        questions = []
        for start in range(0, len(pairs), _PAGE):
            page = pairs[start : start + _PAGE]
            values = sorted({value for pair in page for value in pair})
            rows = self._base.rows(part, self._first[part].take(pa.array(values, pa.int32())))
            questions.append(_Question(values, rows, page, self._config, link))
        for answers in self._each(_answer, questions):
            yield from answers


@dataclass(frozen=True, slots=True)
class _Question:
    """Pairs of values of one part, and the rows that hold them."""

    values: list[int]
    rows: pa.Table
    pairs: Sequence[tuple[int, int]]
    config: IdentityFile
    link: Link | None


def _answer(question: _Question) -> list[bool]:
    """For each pair whether records that hold nothing but these values clash, or satisfy the link."""
    held = dict(zip(question.values, records_of(question.rows), strict=True))
    if question.link is None:
        return [bool(clash(held[a], held[b], question.config)) for a, b in question.pairs]
    return [link_holds(held[a], held[b], question.link, question.config) for a, b in question.pairs]


def _as_text(column: pa.Array) -> pa.StringArray:
    if pa.types.is_list(column.type) and pa.types.is_list(column.type.value_type):
        flat = pc.binary_join(column.flatten(), BETWEEN)
        return pc.binary_join(pa.ListArray.from_arrays(column.offsets, flat), BETWEEN)
    if pa.types.is_list(column.type):
        return pc.binary_join(column, BETWEEN)
    return column.cast(pa.string())
