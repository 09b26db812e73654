"""Runs a parsed statement: which records, in which order, and how they look in the answer."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from onevoice.sandbox.salesforce.columns import Column, Columns
from onevoice.sandbox.salesforce.errors import refusal
from onevoice.sandbox.salesforce.schema import Schema
from onevoice.sandbox.salesforce.soql import Condition, Order, Query
from onevoice.sandbox.salesforce.soql_filter import comparable, compile_condition, named_ids, open_range
from onevoice.sandbox.salesforce.values import find
from onevoice.sandbox.state import Fields, VendorState

MAX_OFFSET = 2000
"""Highest OFFSET the vendor accepts."""
_STAMPS = ("SystemModstamp", "LastModifiedDate")

Found = tuple[str, Fields]
"""A record id and the record."""


@dataclass(slots=True)
class _Index:
    """All visible records of an object in one order; `keys` are the first field's values of those that have one."""

    at: int
    rows: list[Found]
    keys: list[Any]
    nulls: int


class Runner:
    """Answers statements from what queries see, keeping the sorted lists that were needed last."""

    def __init__(self, schema: Schema, state: VendorState) -> None:
        self._schema = schema
        self._state = state
        self._indexes: dict[tuple[str, tuple[Order, ...]], _Index] = {}

    def run(self, query: Query, *, with_deleted: bool) -> list[Found]:
        """The records a statement finds, in its order."""
        entity = self._entity(query.entity)
        columns = Columns(self._schema, self._state, entity)
        test = compile_condition(query.where, columns) if query.where else None
        if query.offset > MAX_OFFSET:
            raise refusal(400, "NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {MAX_OFFSET}")
        last = None if query.limit is None else query.offset + query.limit
        found: list[Found] = []
        for key, row in self._candidates(query, columns):
            if (with_deleted or not row.get("IsDeleted")) and (test is None or test(key, row)):
                found.append((key, row))
                if len(found) == last:
                    break
        return found[query.offset : last]

    def columns(self, query: Query) -> tuple[str, list[Column]]:
        """The object and the columns of a statement, checked."""
        entity = self._entity(query.entity)
        columns = Columns(self._schema, self._state, entity)
        return entity, [columns.find(path) for path in query.paths]

    def _entity(self, name: str) -> str:
        self._schema.fields(name)
        return self._schema.entity(name)

    def _candidates(self, query: Query, columns: Columns) -> Iterable[Found]:
        ids = named_ids(query.where)
        if ids is not None:
            return self._sorted(self._named(columns.entity, ids), query.orders, columns)
        orders = query.orders or (Order(self._driver(query.where, columns)),)
        index = self._index(orders, columns)
        field = columns.find(orders[0].path).field
        low, high = (None, None) if orders[0].descending else open_range(query.where, orders[0].path, field)
        if low is None and high is None:
            return index.rows
        start = 0 if low is None else bisect_left(index.keys, low)
        end = len(index.keys) if high is None else bisect_right(index.keys, high)
        first = 0 if orders[0].nulls_last else index.nulls
        return index.rows[first + start : first + end]

    def _driver(self, where: Condition | None, columns: Columns) -> str:
        """Without ORDER BY the vendor promises no order: read along a stamp that is filtered, else along the id."""
        for stamp in _STAMPS:
            if open_range(where, stamp, columns.find(stamp).field) != (None, None):
                return stamp
        return "Id"

    def _named(self, entity: str, ids: list[str]) -> Iterator[Found]:
        seen = self._state.tables[entity].seen()
        full = {key for text in ids if (key := find(self._state, entity, text)) is not None}
        return ((key, seen[key]) for key in sorted(full) if key in seen)

    def _index(self, orders: tuple[Order, ...], columns: Columns) -> _Index:
        table = self._state.tables[columns.entity]
        seen = table.seen()
        index = self._indexes.get((columns.entity, orders))
        if index is None or index.at != table.seen_changes:
            rows = self._sorted(seen.items(), orders, columns)
            first = columns.find(orders[0].path)
            keys = [comparable(first.field, first.read(key, row)) for key, row in rows]
            filled = [key for key in keys if key is not None]
            index = _Index(table.seen_changes, rows, filled, len(keys) - len(filled))
            self._indexes[columns.entity, orders] = index
        return index

    def _sorted(self, rows: Iterable[Found], orders: tuple[Order, ...], columns: Columns) -> list[Found]:
        """Sorted by id, then stably by each field from the last to the first."""
        done = sorted(rows, key=lambda found: found[0])
        for order in reversed(orders):
            column = columns.find(order.path)
            done = _by(done, column, order)
        return done


def _by(rows: list[Found], column: Column, order: Order) -> list[Found]:
    field, read = column.field, column.read
    filled: list[tuple[Any, Found]] = []
    empty: list[Found] = []
    for found in rows:
        value = comparable(field, read(*found))
        if value is None:
            empty.append(found)
        else:
            filled.append((value, found))
    filled.sort(key=_value, reverse=order.descending)
    done = [found for _, found in filled]
    return [*done, *empty] if order.nulls_last else [*empty, *done]


def _value(pair: tuple[Any, Found]) -> Any:
    return pair[0]


def attributes(entity: str, key: str, version: str) -> dict[str, str]:
    """The `attributes` of a record in an answer."""
    return {"type": entity, "url": f"/services/data/v{version}/sobjects/{entity}/{key}"}


def render(entity: str, columns: list[Column], rows: Iterable[Found], version: str) -> list[dict[str, Any]]:
    """Records as an answer shows them; parents are nested objects, null when missing."""
    plain = [(column.field.name, column.read) for column in columns if not column.steps]
    nested = [column for column in columns if column.steps]
    answer = []
    for key, row in rows:
        shown: dict[str, Any] = {"attributes": attributes(entity, key, version)}
        for name, read in plain:
            shown[name] = read(key, row)
        for column in nested:
            _nest(shown, column, key, row, version)
        answer.append(shown)
    return answer


def _nest(shown: dict[str, Any], column: Column, key: str, row: Fields, version: str) -> None:
    node = shown
    for step in column.steps:
        parent_id = step.parent_id(key, row)
        if parent_id is None:
            node[step.relation] = None
            return
        node = node.setdefault(step.relation, {"attributes": attributes(step.parent, parent_id, version)})
    node[column.field.name] = column.read(key, row)
