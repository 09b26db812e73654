"""Components -> customers: the difficult ones edge by edge through identity.cluster, the others as they stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from identity.batch.parts import Base, records_of
from identity.batch.tables import create, fetch, numbers
from identity.batch.workers import Each
from identity.cluster import GREY, cluster
from identity.records import Constraint, Edge
from onevoice.configfile.identity_file import IdentityFile

_SHARE = 10_000
"""Records of a share, more or less."""
_Join = tuple[int, int, float, float]
"""Two records by their positions, weight and probability."""


@dataclass(frozen=True, slots=True)
class Customers:
    """Who is who: the number of every record's customer, what joined each, and what a person should look at."""

    of: pa.Int32Array
    joins: pa.Table
    review: pa.Table


def merge_all(
    connection: duckdb.DuckDBPyConnection,
    base: Base,
    config: IdentityFile,
    constraints: Sequence[Constraint],
    each: Each,
) -> Customers:
    """Make customers of the tables `component`, `difficult` and `edges`."""
    labels = fetch(connection, "select root from root_of order by id")["root"].to_pylist()
    joins: list[_Join] = []
    review: list[tuple[str, int, int, float, str]] = []
    for merged in each(_merge, _shares(connection, base, config, constraints)):
        for at, label in merged.labels:
            labels[at] = label
        joins += merged.joins
        review += merged.review
    counted: dict[int, int] = {}
    of = pa.array([counted.setdefault(label, len(counted)) for label in labels], pa.int32())
    create(connection, "customer", pa.table({"id": numbers(len(labels)), "number": of}))
    return Customers(
        of,
        _joins(connection, joins),
        _review(connection, config, review),
    )


@dataclass(frozen=True, slots=True)
class _Share:
    """Some difficult components: their records, and the edges and constraints among these."""

    positions: list[int]
    forms: pa.Table
    edges: pa.Table
    constraints: list[Constraint]
    config: IdentityFile


@dataclass(frozen=True, slots=True)
class _Merged:
    """What became of a share; records by their positions."""

    labels: list[tuple[int, int]]
    """(record, first record of its customer)."""
    joins: list[_Join]
    """Edges that joined two records."""
    review: list[tuple[str, int, int, float, str]]


def _shares(
    connection: duckdb.DuckDBPyConnection, base: Base, config: IdentityFile, constraints: Sequence[Constraint]
) -> list[_Share]:
    """The difficult components in shares of about equal size; a component is never divided."""
    connection.execute(
        "create table share as select id, root, (sum(1) over (order by root, id) - row_number() over "
        f"(partition by root order by id)) // {_SHARE} as share from component "
        "where root in (select root from difficult)"
    )
    connection.execute(
        "create table within as select a.share, l, r, weight, probability, kind from edges "
        "join share a on a.id = l join share b on b.id = r where a.root = b.root"
    )
    shares = []
    for (number,) in connection.execute("select distinct share from share order by share").fetchall():
        positions = fetch(connection, "select id from share where share = ? order by id", [number])["id"].to_pylist()
        edges = fetch(connection, "select l, r, weight, probability, kind from within where share = ?", [number])
        forms = base.only(positions)
        there = set(forms["ref"].to_pylist()) if constraints else set()
        said = [one for one in constraints if {str(one.left), str(one.right)} <= there]
        shares.append(_Share(positions, forms, edges, said, config))
    return shares


def _merge(share: _Share) -> _Merged:
    """The merge of identity/cluster.py on a share."""
    records = {record.ref: record for record in records_of(share.forms)}
    refs = dict(zip(share.positions, records, strict=True))
    at = dict(zip(records, share.positions, strict=True))
    names = ("l", "r", "weight", "probability", "kind")
    rows = zip(*(share.edges[name].to_pylist() for name in names), strict=True)
    edges = [Edge(refs[left], refs[right], weight, chance, kind) for left, right, weight, chance, kind in rows]
    found = cluster(records, edges, share.constraints, share.config)
    merged = _Merged([], [], [(i.kind, at[i.left], at[i.right], i.weight, i.reason) for i in found.review])
    for one in found.clusters:
        members = sorted(at[ref] for ref in one.members)
        merged.labels.extend((member, members[0]) for member in members)
        merged.joins.extend((at[e.left], at[e.right], e.weight, e.probability) for e in one.edges)
    return merged


def _joins(connection: duckdb.DuckDBPyConnection, merged: Sequence[_Join]) -> pa.Table:
    """The edges that joined each customer, the heaviest first: those of difficult components and all others."""
    types = (pa.int32(), pa.int32(), pa.float64(), pa.float64())
    columns = zip(*merged, strict=True) if merged else ((),) * len(types)
    names = ("l", "r", "weight", "probability")
    arrays = {name: pa.array(c, kind) for name, c, kind in zip(names, columns, types, strict=True)}
    create(connection, "merged", pa.table(arrays))
    return fetch(
        connection,
        "select number as cluster, l, r, weight, probability from (select * from merged union all select joining.* "
        "from joining join component on id = l where root not in (select root from difficult)) "
        "join customer on customer.id = l order by cluster, weight desc, l, r",
    )


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
