"""Components -> customers: the difficult ones edge by edge through identity.cluster, the others as they stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from identity.batch.parts import Base
from identity.batch.tables import create, fetch, numbers
from identity.cluster import GREY, cluster
from identity.records import Clustering, Constraint, Edge
from onevoice.configfile.identity_file import IdentityFile
from onevoice.model import Ref


@dataclass(frozen=True, slots=True)
class Customers:
    """Who is who: the number of every record's customer, what joined each, and what a person should look at."""

    of: pa.Int32Array
    causes: pa.Table
    review: pa.Table


def merge_all(
    connection: duckdb.DuckDBPyConnection, base: Base, config: IdentityFile, constraints: Sequence[Constraint]
) -> Customers:
    """Make customers of the tables `component`, `difficult` and `edges`."""
    clustering, at = _merge_difficult(connection, base, config, constraints)
    labels = fetch(connection, "select root from root_of order by id")["root"].to_pylist()
    causes = []
    for one in clustering.clusters:
        first = at[min(one.members)]
        for ref in one.members:
            labels[at[ref]] = first
        if one.edges:
            causes.append((first, at[one.edges[0].left], at[one.edges[0].right]))
    counted: dict[int, int] = {}
    of = pa.array([counted.setdefault(label, len(counted)) for label in labels], pa.int32())
    create(connection, "customer", pa.table({"id": numbers(len(labels)), "number": of}))
    review = [(i.kind, at[i.left], at[i.right], i.weight, i.reason) for i in clustering.review]
    return Customers(
        of,
        _causes(connection, config, [(counted[label], left, right) for label, left, right in causes]),
        _review(connection, config, review),
    )


def _merge_difficult(
    connection: duckdb.DuckDBPyConnection, base: Base, config: IdentityFile, constraints: Sequence[Constraint]
) -> tuple[Clustering, dict[Ref, int]]:
    """The merge of all difficult components, and the position of every record in them."""
    members = fetch(connection, "select id from component where root in (select root from difficult) order by id")
    positions = members["id"].to_pylist()
    records = {record.ref: record for record in base.records(positions)}
    at = dict(zip(records, positions, strict=True))
    refs = dict(zip(positions, records, strict=True))
    within = fetch(
        connection,
        "select l, r, weight, probability, kind from edges join component a on a.id = l join component b on b.id = r "
        "where a.root = b.root and a.root in (select root from difficult)",
    )
    rows = zip(*(within[name].to_pylist() for name in ("l", "r", "weight", "probability", "kind")), strict=True)
    edges = [Edge(refs[left], refs[right], weight, chance, kind) for left, right, weight, chance, kind in rows]
    said = [one for one in constraints if one.left in records and one.right in records]
    return cluster(records, edges, said, config), at


def _causes(
    connection: duckdb.DuckDBPyConnection, config: IdentityFile, difficult: Sequence[tuple[int, int, int]]
) -> pa.Table:
    """For every customer that an edge joined its heaviest one: cluster, l, r."""
    columns = zip(*difficult, strict=True) if difficult else ((), (), ())
    names = ("cluster", "l", "r")
    arrays = {name: pa.array(column, pa.int32()) for name, column in zip(names, columns, strict=True)}
    create(connection, "merged", pa.table(arrays))
    connection.execute(
        "create or replace table merged as select * from merged union all "
        "select number as cluster, l, r from (select root, l, r, row_number() over "
        "(partition by root order by weight desc, l, r) as place from edges join component on id = l "
        "where probability >= ? and root not in (select root from difficult)) first "
        "join customer on customer.id = first.l where place = 1",
        [config.thresholds.match],
    )
    return fetch(connection, "select cluster, l, r from merged order by cluster")


def _review(
    connection: duckdb.DuckDBPyConnection, config: IdentityFile, difficult: Sequence[tuple[str, int, int, float, str]]
) -> pa.Table:
    """What the merge left open, and the heaviest grey edge between any two customers of different components."""
    types = (pa.string(), pa.int32(), pa.int32(), pa.float64(), pa.string())
    columns = zip(*difficult, strict=True) if difficult else ((),) * len(types)
    names = ("kind", "l", "r", "weight", "reason")
    arrays = {name: pa.array(c, kind) for name, c, kind in zip(names, columns, types, strict=True)}
    create(connection, "open", pa.table(arrays))
    connection.execute(
        "insert into open select 'grey', l, r, weight, ? from (select l, r, weight, row_number() over (partition by "
        "least(a.number, b.number), greatest(a.number, b.number) order by weight desc, l, r) as place "
        "from edges join root_of c on c.id = l join root_of d on d.id = r join customer a on a.id = l "
        "join customer b on b.id = r where probability < ? and c.root <> d.root) where place = 1",
        [GREY, config.thresholds.match],
    )
    return fetch(connection, "select kind, l, r, weight, reason from open order by l, r, kind")
