"""Scores of candidate pairs with Splink on DuckDB: Fellegi-Sunter weights from a frozen model.

Blocking is ours, not Splink's: candidate pairs come from the same keys that the store indexes. A pair's score is a
function of its two records, of which of their values are shared by many, and of the model.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import log2

import duckdb
import pyarrow as pa
from splink import DuckDBAPI, Linker

from identity.blocking import count_degrees, in_use, is_shared, keys_of
from identity.model import Model
from identity.records import Degree, Edge, NormalisedRecord
from identity.tables import records_table
from onevoice.configfile.identity_file import IdentityFile
from onevoice.model import Ref

_THREADS = 2
DIGITS = 6
"""Weights are kept to a millionth of a bit: far below any meaning, above any difference in the order of adding."""


@contextmanager
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    """An in-memory DuckDB of its own."""
    connection = duckdb.connect(config={"threads": _THREADS})
    try:
        yield connection
    finally:
        connection.close()


def score_pairs(
    records: Sequence[NormalisedRecord],
    changed: Collection[Ref] | None,
    model: Model,
    config: IdentityFile,
    degrees: Mapping[str, Degree] | None = None,
) -> list[Edge]:
    """Edges of all candidate pairs from the review threshold up, sorted by (left, right).

    With `changed`, only pairs that hold a changed record. `degrees` of the keys in the whole base; left out, the
    records given are the whole base.
    """
    ordered = sorted(records, key=lambda record: record.ref)
    known = count_degrees(ordered, config) if degrees is None else degrees
    with engine() as connection:
        pairs = _candidates(connection, ordered, changed, config, known)
        if not pairs:
            return []
        shared = frozenset(key for key, degree in known.items() if is_shared(key, degree, config.guards))
        table = records_table(ordered, model.columns, shared, model.common)
        rows = _predict(connection, table, model, floor_of(config))
    return _edges(rows, ordered, [figures.comparison.name for figures in model.comparisons])


def _candidates(
    connection: duckdb.DuckDBPyConnection,
    records: Sequence[NormalisedRecord],
    changed: Collection[Ref] | None,
    config: IdentityFile,
    degrees: Mapping[str, Degree],
) -> int:
    """Write the table `pairs` of positions (left below right); return how many there are."""
    live = [(at, key) for at, key in keys_of(records, config) if in_use(key, degrees[key], config.guards)]
    codes: dict[str, int] = {}
    keys = pa.table(
        {
            "id": pa.array([at for at, _ in live], pa.int32()),
            "code": pa.array([codes.setdefault(key, len(codes)) for _, key in live], pa.int32()),
        }
    )
    fresh = range(len(records)) if changed is None else [at for at, r in enumerate(records) if r.ref in changed]
    connection.register("keys_in", keys)
    connection.register("fresh_in", pa.table({"id": pa.array(fresh, pa.int32())}))
    one_way = "a.id < b.id" if changed is None else "a.id <> b.id"
    sql = (
        "create table pairs as select distinct least(a.id, b.id) as join_key_l, greatest(a.id, b.id) as join_key_r, "
        "'0' as match_key from keys_in a join fresh_in f on f.id = a.id join keys_in b on b.code = a.code and "
    )
    connection.execute(sql + one_way)
    return int(connection.execute("select count(*) from pairs").fetchall()[0][0])


def _predict(
    connection: duckdb.DuckDBPyConnection, table: pa.Table, model: Model, floor: float | None
) -> dict[str, list[float]]:
    """Score the table `pairs`; column -> values."""
    connection.register("records_in", table)
    connection.execute("create table records as select * from records_in")
    found = connection.sql(f"{predict(connection, model, floor)} order by id_l, id_r").to_arrow_table()
    result: dict[str, list[float]] = found.to_pydict()
    result["prior"] = [model.prior_weight]
    return result


def predict(connection: duckdb.DuckDBPyConnection, model: Model, floor: float | None) -> str:
    """Score the table `pairs` over the table `records`.

    Return the query of the pairs that weigh at least `floor` bits and agree on more than names, or of all pairs when
    there is no floor: id_l, id_r, and one column of bits per comparison.
    """
    api = DuckDBAPI(connection)
    linker = Linker(api.register("records"), model.splink_settings(), log_level=None)
    linker.table_management.register_blocked_pairs_for_predict(api.register("pairs"))
    scored = linker.inference.predict(threshold_match_weight=floor, warning_mode="never")
    names = [figures.comparison.name for figures in model.comparisons]
    supported = (
        "true"
        if floor is None
        else " or ".join(f'round("mw_{n}", {DIGITS}) > {round(w, DIGITS)}' for n, w in model.support.items()) or "false"
    )
    weights = ", ".join(f'round("mw_{name}", {DIGITS}) as "{name}"' for name in names)
    return f"select id_l, id_r, {weights} from {scored.physical_name} where {supported}"  # noqa: S608 names are ours


def floor_of(config: IdentityFile) -> float:
    """Bits from which a pair is kept."""
    return log2(config.thresholds.review / (1 - config.thresholds.review))


def total_of(prior: float, weights: Iterable[float]) -> float:
    """Match weight of a pair from the bits of its comparisons."""
    return round(prior + sum(weights), DIGITS)


def _edges(rows: Mapping[str, list[float]], records: Sequence[NormalisedRecord], names: Sequence[str]) -> list[Edge]:
    (prior,) = rows["prior"]
    edges = []
    for left, right, *weights in zip(rows["id_l"], rows["id_r"], *(rows[name] for name in names), strict=True):
        total = total_of(prior, weights)
        edges.append(
            Edge(
                records[int(left)].ref,
                records[int(right)].ref,
                total,
                probability(total),
                "score",
                dict(zip(names, weights, strict=True)),
            )
        )
    return edges


def probability(weight: float) -> float:
    """Chance of a match that a weight in bits stands for, to six digits."""
    if weight > 100:
        return 1.0
    odds = float(2.0**weight)
    return round(odds / (1 + odds), DIGITS)
