"""What clash() looks at, value by value: two records clash where two values of one part of them do.

Each part of the normalised form that clash() reads is numbered by its distinct values; clash() is asked once for every
two values that meet, with records that hold nothing else. Equal values never clash.
"""

from __future__ import annotations

from collections.abc import Iterable

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from identity.batch.columns import BETWEEN, distinct
from identity.batch.parts import Base
from identity.batch.tables import create, fetch, numbers
from identity.cluster import FACE
from identity.links import link_holds
from identity.records import NormalisedRecord
from identity.vetoes import clash
from onevoice.configfile.identity_file import IdentityFile, Link


class Faces:
    """The numbered values of every record in the table `face` (id, and a column of each part: `f0`, ...)."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, base: Base, config: IdentityFile) -> None:
        self._connection = connection
        self._base = base
        self._config = config
        columns = [*FACE, *("email" if field == "email" else "text" for field in config.person_unique)]
        self.parts = sorted({base.holding(column) for column in columns})
        self.names = base.holding("givens")
        self._first: dict[int, pa.Array] = {}
        self._asked: dict[int, dict[tuple[int, int], bool]] = {part: {} for part in self.parts}
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
        values = self._values(part, {value for pair in new for value in pair})
        for a, b in new:
            asked[a, b] = bool(clash(values[a], values[b], self._config))
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
        values = self._values(self.names, {value for pair in both for value in pair})
        good = [(a, b) for a, b in both if link_holds(values[a], values[b], link, self._config)]
        table = {"a": pa.array([a for a, _ in good], pa.int32()), "b": pa.array([b for _, b in good], pa.int32())}
        create(self._connection, "agree", pa.table(table))

    def _values(self, part: int, wanted: Iterable[int]) -> dict[int, NormalisedRecord]:
        """Records that hold this value and nothing else."""
        ordered = sorted(wanted)
        rows = self._first[part].take(pa.array(ordered, pa.int32()))
        return dict(zip(ordered, self._base.rows(part, rows), strict=True))


def _as_text(column: pa.Array) -> pa.StringArray:
    if pa.types.is_list(column.type) and pa.types.is_list(column.type.value_type):
        flat = pc.binary_join(column.flatten(), BETWEEN)
        return pc.binary_join(pa.ListArray.from_arrays(column.offsets, flat), BETWEEN)
    if pa.types.is_list(column.type):
        return pc.binary_join(column, BETWEEN)
    return column.cast(pa.string())
