"""Canonical columns -> normalised columns: each part of normalise() once for every distinct value it is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import pyarrow as pa

from identity import address, contact, names
from identity.batch.columns import BETWEEN, SEVERAL, Canonical, distinct
from identity.batch.workers import Each
from identity.blocking import key_part, surname_key
from identity.model import Model
from identity.normalise import PARTS, SPECIAL, Part, other_fields, rules_of
from identity.records import NormalisedRecord
from identity.tables import reads, records_table
from onevoice.configfile.identity_file import IdentityFile
from onevoice.model import Ref

KEY = "key:"
"""Prefix of the columns of blocking values: `key:email`."""
MODEL = "model:"
"""Prefix of the columns that the model reads."""
_LIST = pa.list_(pa.string())
_PAIRS = pa.list_(pa.list_(pa.string()))
_TYPES: Mapping[object, pa.DataType] = {"": pa.string(), (): _LIST, False: pa.bool_()}
_SCHEMA = {name: _TYPES.get(default) for name, default in NormalisedRecord._field_defaults.items()} | {"text": _PAIRS}
_MET_ONCE = (contact.email, contact.phone, address.street, address.postcode, address.plain, names.split_name)
"""Functions that remember what they were asked; a run never asks them again, and memory is dear."""
_NOBODY = Ref("", "", "")
_PAGE = 50_000


@dataclass(frozen=True, slots=True)
class Made:
    """One part of the normalised form: a row for every distinct input, and which of them each record has."""

    rows: pa.Table
    """Columns of the normalised form, and with prefixes KEY and MODEL what keys and the model are made of."""
    codes: pa.Int32Array

    def spread(self, column: str) -> pa.DictionaryArray:
        """A column for all records, each distinct row once."""
        return pa.DictionaryArray.from_arrays(self.codes, self.rows.column(column).combine_chunks())


@dataclass(frozen=True, slots=True)
class Base:
    """All records of a run. A record is named by its position in `refs`, which are sorted."""

    refs: pa.StringArray
    parts: tuple[Made, ...]

    def holding(self, column: str) -> int:
        """Number of the part that a column belongs to."""
        return next(at for at, part in enumerate(self.parts) if column in part.rows.column_names)

    def fields(self, part: int) -> list[str]:
        """Columns of the normalised form that a part holds."""
        return [name for name in self.parts[part].rows.column_names if name in _SCHEMA]

    def rows(self, part: int, rows: pa.Int32Array) -> pa.Table:
        """These rows of one part, as the normalised form has them."""
        return self.parts[part].rows.select(self.fields(part)).take(rows)

    def only(self, positions: Sequence[int]) -> pa.Table:
        """The normalised form of the records at these positions, with their refs."""
        wanted = pa.array(positions, pa.int32())
        columns = {"ref": self.refs.take(wanted)}
        for at, part in enumerate(self.parts):
            rows = self.rows(at, part.codes.take(wanted))
            columns.update((name, rows.column(name)) for name in rows.column_names)
        return pa.table(columns)


def records_of(table: pa.Table) -> list[NormalisedRecord]:
    """Rows as Resolver knows them; columns that are not there stay empty."""
    names = [name for name in table.column_names if name != "ref"]
    columns = [_frozen(name, table.column(name).to_pylist()) for name in names]
    refs = (
        [Ref.parse(ref) for ref in table.column("ref").to_pylist()]
        if "ref" in table.column_names
        else [_NOBODY] * table.num_rows
    )
    return [
        NormalisedRecord(ref, **dict(zip(names, values, strict=True)))
        for ref, values in zip(refs, zip(*columns, strict=True), strict=True)
    ]


def _frozen(name: str, values: list[Any]) -> list[Any]:
    """Values as a record holds them: tuples instead of lists."""
    if name == "text":
        return [tuple((key, text) for key, text in pairs) for pairs in values]
    return [tuple(value) for value in values] if _SCHEMA[name] == _LIST else values


def normalise_all(given: Canonical, config: IdentityFile, model: Model, each: Each) -> Base:
    """Normalise a base."""
    others = tuple(sorted(given.columns.keys() - SPECIAL))
    absent = pa.nulls(len(given.refs), pa.string())
    inputs = []
    tasks = []
    for number, part in enumerate((*PARTS, Part(others, other_fields))):
        columns = [given.columns.get(name, absent) for name in part.reads] or [absent]
        codes, values = distinct(columns)
        inputs.append(codes)
        for start in range(0, max(len(values[0]), 1), _PAGE):
            # A copy: a slice would take all of its column along to the other process.
            page = [pa.concat_arrays([column.slice(start, _PAGE)]) for column in values]
            tasks.append(_Task(number, part.reads, page, config, model))
    pages: list[list[pa.Table]] = [[] for _ in inputs]
    for task, rows in zip(tasks, each(_make_rows, tasks), strict=True):
        pages[task.part].append(rows)
    return Base(
        given.refs, tuple(Made(pa.concat_tables(p).combine_chunks(), c) for p, c in zip(pages, inputs, strict=True))
    )


@dataclass(frozen=True, slots=True)
class _Task:
    """Distinct inputs of one part, as many as one go takes."""

    part: int
    """Position in PARTS; one beyond it, the other fields."""
    reads: tuple[str, ...]
    values: list[pa.StringArray]
    config: IdentityFile
    model: Model


def _make_rows(task: _Task) -> pa.Table:
    """Everything that is made of these inputs, one row each."""
    rules = rules_of(task.config)
    form = PARTS[task.part].form if task.part < len(PARTS) else other_fields
    held = form({}, rules).keys()
    inputs = [_values(name, column) for name, column in zip(task.reads, task.values, strict=False)]
    rows = [form(dict(zip(task.reads, row, strict=True)), rules) for row in zip(*inputs, strict=True)]
    if not inputs:
        rows = [form({}, rules)] * len(task.values[0])
    records = cast("list[NormalisedRecord]", [SimpleNamespace(**row) for row in rows])
    columns = {name: pa.array([row[name] for row in rows], _SCHEMA[name]) for name in held}
    for name in sorted({name for rule in task.config.blocking for name in rule}):
        part = key_part(name)
        if held >= set(part.reads):
            values = [[value for value in part.values(record) if value] for record in records]
            columns[KEY + name] = pa.array(values, _LIST)
    if "family" in held:
        columns["surname"] = pa.array([surname_key(record) for record in records], pa.string())
    wanted = [column for column in task.model.columns if held >= set(reads(column))]
    table = records_table(records, wanted, common=task.model.common)
    for met_once in _MET_ONCE:
        met_once.cache_clear()
    return pa.table({**columns, **{MODEL + name: table.column(name) for name in wanted}})


def _values(name: str, column: pa.StringArray) -> list[Any]:
    values = column.to_pylist()
    if name in SEVERAL:
        return [value.split(BETWEEN) if value and BETWEEN in value else value for value in values]
    return cast("list[Any]", values)
