"""The one function Spark is taught: how alike two texts are, as an integer, so that no engine rounds in its own way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import pyarrow as pa

from identity.similarity import one_slip, thousandths

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

MEASURES: Mapping[str, Callable[[str, str], int]] = {
    "jaro_winkler": thousandths,
    "slip": lambda a, b: int(one_slip(a, b)),
}
"""Jaro-Winkler similarity in thousandths; 1 for at most one slip, else 0."""


def likeness(measure: pa.Array, one: pa.Array, other: pa.Array) -> pa.Array:
    """One measure over two columns of texts; null where a text is absent."""
    if not len(measure):
        return pa.array([], pa.int32())
    how = MEASURES[measure[0].as_py()]
    pairs = zip(one.to_pylist(), other.to_pylist(), strict=True)
    return pa.array([None if a is None or b is None else how(a, b) for a, b in pairs], pa.int32())


def register(session: SparkSession) -> None:
    """Let SQL of this session call `likeness`."""
    from pyspark.sql.functions import arrow_udf  # noqa: PLC0415  an extra

    session.udf.register("likeness", arrow_udf(likeness, "int"))
