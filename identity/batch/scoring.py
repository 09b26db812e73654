"""Pairs -> edges: Splink's weights as in identity/score.py, or the same on Spark, and links on strong identifiers."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from identity.batch.faces import Faces
from identity.batch.keys import Keys
from identity.batch.parts import MODEL, Base, Made, records_of
from identity.batch.tables import create, fetch, numbers
from identity.comparisons import kind_of
from identity.conditions import DUCKDB, Condition, Every, columns_of
from identity.links import LINK_WEIGHT, link_holds
from identity.model import ComparisonFigures, Model
from identity.score import floor_of, predict, probability, total_of
from identity.spark import score_on_spark
from identity.tables import SHAREABLE, records_table
from onevoice.configfile.identity_file import IdentityFile, Link


def score_all(
    connection: duckdb.DuckDBPyConnection, base: Base, keys: Keys, model: Model, config: IdentityFile
) -> None:
    """Write the table `scored`: id_l, id_r and bits per comparison, of all pairs from the review threshold up."""
    if config.engine == "spark":
        create(connection, "scored", score_on_spark(_records(base, model, keys.shared), keys.used(), model, config))
    elif keys.pairs():
        create(connection, "records", _records(base, model, keys.shared))
        _leave_out_names_alone(connection, model)
        connection.execute(f"create table scored as {predict(connection, model, floor_of(config))}")
        connection.execute("drop table records")
    else:
        bits = ", ".join(f'0.0::double as "{figures.comparison.name}"' for figures in model.comparisons)
        connection.execute(f"create table scored as select 0 as id_l, 0 as id_r, {bits} where false")


def _leave_out_names_alone(connection: duckdb.DuckDBPyConnection, model: Model) -> None:
    """Write the view `pairs` for Splink: candidates that may agree on more than names (Model.support).

    Most pairs of a large base share nothing but a common name. They would be dropped after scoring; to look first
    for one level that counts as more is much cheaper than to weigh all.
    """
    any_of = [condition for figures in model.comparisons for condition in _supporting(figures, model)]
    # Where one condition asks for all that another asks for and more, the other says it all.
    enough = [one for one in any_of if not any(_parts(other) < _parts(one) for other in any_of)]
    columns = sorted(set().union(*(columns_of(condition) for condition in enough)))
    beside = "".join(f", a.{column} as {column}_l, b.{column} as {column}_r" for column in columns)
    conditions = " or ".join(f"({DUCKDB.render(condition)})" for condition in enough) or "false"
    connection.execute(
        f"create table promising as select l, r from (select l, r{beside} from candidates "
        f"join records a on a.id = l join records b on b.id = r) where {conditions}"
    )
    connection.execute("drop table candidates")
    connection.execute("create view pairs as select l as join_key_l, r as join_key_r, '0' as match_key from promising")


def _supporting(figures: ComparisonFigures, model: Model) -> Iterator[Condition]:
    """Conditions of which one holds wherever this comparison says more than that the names are alike."""
    name = figures.comparison.name
    if name not in model.support:
        return
    kind, floor = kind_of(figures.comparison), model.support[name]
    *weights, rest = model.weights[name]
    yield from (level.condition for level, weight in zip(kind.levels, weights, strict=True) if weight > floor)
    if rest > floor:
        yield ~kind.silent
    if floor < 0:
        yield kind.silent


def _parts(condition: Condition) -> frozenset[Condition]:
    """What must hold together for a condition to hold."""
    if isinstance(condition, Every):
        return frozenset().union(*(_parts(part) for part in condition.parts))
    return frozenset((condition,))


def _records(base: Base, model: Model, shared: set[str]) -> pa.Table:
    """The records as the model reads them; values that belong to nobody are null."""
    columns = {"id": numbers(len(base.refs))}
    for at, part in enumerate(base.parts):
        names = [name.removeprefix(MODEL) for name in part.rows.column_names if name.startswith(MODEL)]
        rows = part.rows.select([MODEL + name for name in names]).rename_columns(names)
        codes = part.codes
        stained = _stained(part, names, shared)
        if len(stained):
            clean = records_table(records_of(base.rows(at, stained)), names, shared, model.common).select(names)
            # Rows that hold a shared value stand once more below the others, without it.
            moved = list(range(rows.num_rows))
            for place, row in enumerate(stained.to_pylist()):
                moved[row] = rows.num_rows + place
            rows, codes = pa.concat_tables([rows, clean]), pa.array(moved, pa.int32()).take(codes)
        columns.update((name, rows.column(name).take(codes)) for name in names)
    return pa.table(columns)


def _stained(part: Made, names: list[str], shared: set[str]) -> pa.Int32Array:
    """Rows of a part that hold a value shared by many."""
    found: set[int] = set()
    for name in sorted(SHAREABLE.keys() & set(names)):
        field = SHAREABLE[name] + "="
        values = pa.array([one.removeprefix(field) for one in sorted(shared) if one.startswith(field)], pa.string())
        column = part.rows.column(name).combine_chunks()
        several = pa.types.is_list(column.type)
        hits = pc.indices_nonzero(pc.is_in(column.flatten() if several else column, values))
        rows = pc.list_parent_indices(column).take(hits) if several else hits
        found.update(rows.to_pylist())
    return pa.array(sorted(found), pa.int32())


def link_all(connection: duckdb.DuckDBPyConnection, base: Base, keys: Keys, faces: Faces, config: IdentityFile) -> None:
    """Write the table `links`: l, r, kind, of the pairs that a strong identifier links; the first link wins."""
    connection.execute("create table links (l integer, r integer, kind varchar)")
    for link in config.links:
        connection.execute(f"create or replace table sharing as {keys.sharing(link.field)}")
        pairs = "select sharing.*, {} from sharing join face a on a.id = l join face b on b.id = r".format(
            ", ".join(f"a.f{part} as a{part}, b.f{part} as b{part}" for part in faces.parts)
        )
        connection.execute(f"create or replace table sharing as {pairs}")
        for part in faces.parts:
            faces.clashing(part, f"select a{part} as a, b{part} as b from sharing")
        clashes = " or ".join(f"(a{part}, b{part}) in (select (a, b) from clash_{part})" for part in faces.parts)
        connection.execute(f"create or replace table doubtful as select l, r from sharing where {clashes}")
        connection.execute("delete from sharing where (l, r) in (select (l, r) from doubtful)")
        name = faces.names
        faces.agreeing(link, f"select a{name} as a, b{name} as b from sharing")
        kind = f"link:{link.field}"
        good = f"select l, r, ? from sharing join agree on agree.a = a{name} and agree.b = b{name}"
        connection.execute(f"insert into links {good} where (l, r) not in (select (l, r) from links)", [kind])
        create(connection, "lifted", _lifted(connection, base, link, config))
        connection.execute(
            "insert into links select l, r, ? from lifted where (l, r) not in (select (l, r) from links)", [kind]
        )


def _lifted(connection: duckdb.DuckDBPyConnection, base: Base, link: Link, config: IdentityFile) -> pa.Table:
    """Doubtful pairs that the link joins all the same, because something proves that they are one person."""
    pairs = fetch(connection, "select l, r from doubtful order by all")
    left, right = pairs["l"].to_pylist(), pairs["r"].to_pylist()
    wanted = sorted({*left, *right})
    records = dict(zip(wanted, records_of(base.only(wanted)), strict=True))
    good = [(a, b) for a, b in zip(left, right, strict=True) if link_holds(records[a], records[b], link, config)]
    return pa.table({"l": pa.array([a for a, _ in good], pa.int32()), "r": pa.array([b for _, b in good], pa.int32())})


def edges_of(connection: duckdb.DuckDBPyConnection, model: Model) -> None:
    """Write the table `edges`: l, r, kind, weight, probability and bits per comparison; a link lifts a score."""
    names = [figures.comparison.name for figures in model.comparisons]
    bits = ", ".join(f'"{name}"' for name in names)
    combinations = fetch(connection, f"select distinct {bits} from scored")
    totals = [
        total_of(model.prior_weight, weights)
        for weights in zip(*(combinations[name].to_pylist() for name in names), strict=True)
    ]
    lifted = [max(total, LINK_WEIGHT) for total in totals]
    table = {
        **{name: combinations[name] for name in names},
        "weight": pa.array(totals, pa.float64()),
        "probability": pa.array([probability(total) for total in totals], pa.float64()),
        "lifted_weight": pa.array(lifted, pa.float64()),
        "lifted_probability": pa.array([probability(total) for total in lifted], pa.float64()),
    }
    create(connection, "totals", pa.table(table))
    connection.execute(
        "create table edges as select coalesce(id_l, l)::integer as l, coalesce(id_r, r)::integer as r, "
        "coalesce(kind, 'score') as kind, "
        f"case when kind is null then weight else coalesce(lifted_weight, {LINK_WEIGHT}) end as weight, "
        "case when kind is null then probability "
        f"else coalesce(lifted_probability, {probability(LINK_WEIGHT)}) end as probability, {bits} "
        f"from (select * from scored join totals using ({bits})) full join links on id_l = l and id_r = r"
    )
