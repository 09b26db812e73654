"""Conditions of comparison levels: one small expression tree, told in DuckDB SQL, Spark SQL and plain Python.

Every predicate is two-valued (one on an absent value does not hold) and symmetric (swapping the two records changes
nothing), and so is every condition made of them. All three renderings give the same answer for the same two records.
"""

from identity.conditions.python import Check, Row, check
from identity.conditions.sql import DUCKDB, SPARK, Dialect
from identity.conditions.tree import (
    Alike,
    AtLeast,
    Condition,
    Crossed,
    DayAndMonthSwapped,
    EitherEnds,
    Equal,
    Every,
    Flagged,
    Missing,
    Overlap,
    SameOrMissing,
    Slip,
    Text,
    YearsApart,
    columns_of,
)

__all__ = [
    "DUCKDB",
    "SPARK",
    "Alike",
    "AtLeast",
    "Check",
    "Condition",
    "Crossed",
    "DayAndMonthSwapped",
    "Dialect",
    "EitherEnds",
    "Equal",
    "Every",
    "Flagged",
    "Missing",
    "Overlap",
    "Row",
    "SameOrMissing",
    "Slip",
    "Text",
    "YearsApart",
    "check",
    "columns_of",
]
