"""Candidate pairs and their bits, in Spark SQL."""

from __future__ import annotations

import pyarrow as pa

from identity.comparisons import kind_of
from identity.conditions import SPARK
from identity.model import ComparisonFigures, Model
from identity.score import DIGITS, floor_of
from identity.spark.likeness import register
from identity.spark.session import spark_session
from onevoice.configfile.identity_file import IdentityFile


def score_on_spark(records: pa.Table, keys: pa.Table, model: Model, config: IdentityFile) -> pa.Table:
    """Pairs that share a key and weigh enough: `id_l` below `id_r`, and the bits of every comparison of the model.

    `records`: as records_table makes it. `keys`: `key`, `id`, for every key in use. The pairs and bits are those that
    Splink gives on DuckDB (identity/score.py).
    """
    with spark_session() as session:
        register(session)
        session.createDataFrame(records).createOrReplaceTempView("records")
        session.createDataFrame(keys).createOrReplaceTempView("keys")
        return session.sql(_query(records.column_names, model, config)).toArrow()


def _query(columns: list[str], model: Model, config: IdentityFile) -> str:
    both = ", ".join(f"l.{name} as {name}_l, r.{name} as {name}_r" for name in columns)
    bits = ", ".join(f"{_bits(figures, model)} as `{figures.comparison.name}`" for figures in model.comparisons)
    total = " + ".join(f"`{figures.comparison.name}`" for figures in model.comparisons)
    supported = " or ".join(f"`{name}` > {round(floor, DIGITS)!r}D" for name, floor in model.support.items())
    return (
        "with candidates as "  # noqa: S608 all names are ours
        "(select distinct a.id as a, b.id as b from keys a join keys b on a.key = b.key and a.id < b.id), "
        f"pairs as (select {both} from candidates join records l on l.id = a join records r on r.id = b), "
        f"scored as (select id_l, id_r, {bits} from pairs) "
        f"select * from scored where {model.prior_weight!r}D + {total} >= {floor_of(config)!r}D and ({supported})"
    )


def _bits(figures: ComparisonFigures, model: Model) -> str:
    kind = kind_of(figures.comparison)
    *weights, rest = (f"{round(weight, DIGITS)!r}D" for weight in model.weights[figures.comparison.name])
    whens = " ".join(
        f"when {SPARK.render(level.condition)} then {weight}"
        for level, weight in zip(kind.levels, weights, strict=True)
    )
    return f"case when {SPARK.render(kind.silent)} then 0D {whens} else {rest} end"
