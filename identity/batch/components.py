"""Edges -> components, and which of them are customers as they stand.

A component is what edges from the match threshold up, and a steward's must-links, hold together. Where no two of its
records clash, no guard can be hit and no steward has spoken, the merge of identity/cluster.py joins all of it in any
order; the others are merged edge by edge.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pyarrow as pa

from identity.batch.faces import Faces
from identity.batch.parts import Base
from identity.batch.tables import create, fetch, numbers
from onevoice.configfile.identity_file import IdentityFile


def connect(count: int, left: Sequence[int], right: Sequence[int]) -> tuple[list[int], list[bool]]:
    """Connect records pair by pair.

    Return for each of `count` records the least one that it is connected with, and for each pair whether it connected
    what no earlier pair had.
    """
    parent = list(range(count))

    def root(at: int) -> int:
        while parent[at] != at:
            parent[at] = at = parent[parent[at]]
        return at

    joined = []
    for a, b in zip(left, right, strict=True):
        one, other = root(a), root(b)
        joined.append(one != other)
        parent[max(one, other)] = min(one, other)
    for at, above in enumerate(parent):  # parents are smaller, so theirs are settled
        parent[at] = parent[above]
    return parent, joined


def find_components(
    connection: duckdb.DuckDBPyConnection, base: Base, config: IdentityFile, musts: Sequence[tuple[int, int]]
) -> None:
    """Write the tables `component`: id, root, of the records that an edge or a must-link joins to another, and
    `joining`: the edges that join them when the heaviest come first."""
    heaviest = fetch(
        connection,
        "select l, r, weight, probability from edges where probability >= ? order by weight desc, l, r",
        [config.thresholds.match],
    )
    left = [*heaviest["l"].to_pylist(), *(a for a, _ in musts)]
    right = [*heaviest["r"].to_pylist(), *(b for _, b in musts)]
    roots, joined = connect(len(base.refs), left, right)
    create(connection, "joining", heaviest.filter(pa.array(joined[: heaviest.num_rows], pa.bool_())))
    create(connection, "root_of", pa.table({"id": numbers(len(base.refs)), "root": pa.array(roots, pa.int32())}))
    connection.execute(
        "create table component as select id, root from root_of "
        "where root in (select root from root_of group by root having count(*) > 1)"
    )


def find_difficult(
    connection: duckdb.DuckDBPyConnection,
    base: Base,
    faces: Faces,
    config: IdentityFile,
    said: Sequence[tuple[int, int]],
) -> None:
    """Write the table `difficult`: the roots of components in which a merge may meet an obstacle."""
    guards = config.guards
    connection.execute("create table difficult (root integer)")
    create(connection, "said", pa.table({"id": pa.array([at for pair in said for at in pair], pa.int32())}))
    connection.execute("insert into difficult select root from component join said using (id)")
    connection.execute(
        "insert into difficult select root from component group by root having count(*) > ?", [guards.max_records]
    )
    _count(connection, base, "given", guards.max_given_names, "length(value) > 1")
    if guards.two_accounts == "ask":
        _count(connection, base, "cards", 1, "true")
    for part in faces.parts:
        held = f"(select distinct root, f{part} as value from component join face using (id))"
        connection.execute(f"create or replace table held as select * from {held}")
        meeting = (
            "select a.root, a.value as a, b.value as b from held a join held b on a.root = b.root and a.value < b.value"
        )
        faces.clashing(part, f"select a, b from ({meeting})")
        connection.execute(f"insert into difficult select root from ({meeting}) join clash_{part} using (a, b)")


def _count(connection: duckdb.DuckDBPyConnection, base: Base, column: str, most: int, counted: str) -> None:
    """Add components with more than so many different values of a column of the normalised form."""
    part = base.holding(column)
    values = base.parts[part].rows.column(column)
    create(connection, "held", pa.table({"row": numbers(len(values)), "value": values}))
    unnested = "unnest(value) as value" if pa.types.is_list(values.type) else "value"
    connection.execute(
        f"insert into difficult select root from component join record using (id) "
        f"join (select row, {unnested} from held) v on v.row = record.p{part} "
        f"where {counted} group by root having count(distinct value) > ?",
        [most],
    )
