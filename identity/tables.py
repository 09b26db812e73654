"""Normalised records as an Arrow table, the form in which DuckDB and Splink read them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from operator import attrgetter
from types import MappingProxyType
from typing import Any

import pyarrow as pa

from identity.blocking import key_part, part_values
from identity.comparisons import is_list
from identity.names import core
from identity.records import NormalisedRecord

Reader = Callable[[NormalisedRecord], Any]

_MADE: dict[str, Reader] = {
    "joined": lambda n: "".join(n.givens),
    "core": lambda n: core(n.families),
    "whole": lambda n: " ".join((*n.givens, n.family)) if n.family or n.givens else "",
    "words": lambda n: tuple(sorted({word for word in (*n.givens, *n.families) if len(word) > 1})),
}
_READS = {
    "joined": ("givens",),
    "core": ("families",),
    "whole": ("givens", "family"),
    "words": ("givens", "families"),
    "given_common": ("given",),
    "family_common": ("family",),
}
_COMMON = {"given_common": "given", "family_common": "family"}
FLAGS = frozenset({"known_given", *_COMMON})
"""Columns of truth values; they are never null."""
SHAREABLE = {"email": "email", "email_fixed": "email", "phones": "phone", "cards": "card_number"}
"""Column -> canonical field of the values that may turn out to be shared by many people."""

_NO_NAMES: Mapping[str, Collection[str]] = MappingProxyType({})


def records_table(
    records: Sequence[NormalisedRecord],
    columns: Collection[str],
    shared: Collection[str] = (),
    common: Mapping[str, Collection[str]] = _NO_NAMES,
) -> pa.Table:
    """One row per record, `id` its position; empty text and empty lists become null.

    `shared`: identifier values, written `field=value`, that belong to nobody; they become null too.
    `common`: names that many bear, as the model holds them (Model.common).
    """
    arrays: dict[str, pa.Array] = {"id": pa.array(range(len(records)), pa.int32())}
    for column, read in readers(columns, common).items():
        values = [read(record) for record in records]
        if column in FLAGS:
            arrays[column] = pa.array(values, pa.bool_())
            continue
        if shared and column in SHAREABLE:
            values = [own(value, SHAREABLE[column], shared) for value in values]
        arrays[column] = pa.array(
            [value or None for value in values], pa.list_(pa.string()) if is_list(column) else pa.string()
        )
    return pa.table(arrays)


def readers(columns: Collection[str], common: Mapping[str, Collection[str]] = _NO_NAMES) -> dict[str, Reader]:
    """Column -> how it is read off a record: a text, a tuple of texts, or a truth value."""
    names = {name: frozenset(borne) for name, borne in common.items()}
    return {column: _reader(column, names) for column in columns}


def _reader(column: str, common: Mapping[str, frozenset[str]]) -> Reader:
    if column in _MADE:
        return _MADE[column]
    if column in _COMMON:
        name = _COMMON[column]
        borne = common.get(name, frozenset())
        return lambda record: getattr(record, name) in borne
    if column.startswith("x_"):
        field = column.removeprefix("x_")
        return lambda record: "".join(part_values(record, field)[:1])
    return attrgetter(column)


def reads(column: str) -> tuple[str, ...]:
    """Fields of the normalised record that a column of the table is made of."""
    if column.startswith("x_"):
        return key_part(column.removeprefix("x_")).reads
    return _READS.get(column, (column,))


def own(value: Any, field: str, shared: Collection[str]) -> Any:
    """A value of a shareable column without what belongs to nobody."""
    if isinstance(value, tuple):
        return tuple(one for one in value if f"{field}={one}" not in shared)
    return "" if f"{field}={value}" in shared else value
