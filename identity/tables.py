"""Normalised records as an Arrow table, the form in which DuckDB and Splink read them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import pyarrow as pa

from identity.blocking import part_values
from identity.comparisons import is_list
from identity.records import NormalisedRecord

_MADE: dict[str, Callable[[NormalisedRecord], Any]] = {
    "whole": lambda n: " ".join((*n.givens, n.family)) if n.family or n.givens else "",
    "words": lambda n: tuple(sorted({word for word in (*n.givens, *n.families) if len(word) > 1})),
}
SHAREABLE = {"email": "email", "email_fixed": "email", "phones": "phone", "cards": "card_number"}
"""Column -> canonical field of the values that may turn out to be shared by many people."""


def records_table(
    records: Sequence[NormalisedRecord], columns: Collection[str], shared: Collection[str] = ()
) -> pa.Table:
    """One row per record, `id` its position; empty text and empty lists become null.

    `shared`: identifier values, written `field=value`, that belong to nobody; they become null too.
    """
    arrays: dict[str, pa.Array] = {"id": pa.array(range(len(records)), pa.int32())}
    for column in columns:
        if column == "known_given":
            arrays[column] = pa.array([record.known_given for record in records], pa.bool_())
            continue
        values = [_value(record, column) for record in records]
        if shared and column in SHAREABLE:
            values = [_own(value, SHAREABLE[column], shared) for value in values]
        arrays[column] = pa.array(
            [value or None for value in values], pa.list_(pa.string()) if is_list(column) else pa.string()
        )
    return pa.table(arrays)


def _value(record: NormalisedRecord, column: str) -> Any:
    if column in _MADE:
        return _MADE[column](record)
    if column.startswith("x_"):
        return "".join(part_values(record, column[2:])[:1])
    return getattr(record, column)


def _own(value: Any, field: str, shared: Collection[str]) -> Any:
    if isinstance(value, tuple):
        return tuple(one for one in value if f"{field}={one}" not in shared)
    return "" if f"{field}={value}" in shared else value
