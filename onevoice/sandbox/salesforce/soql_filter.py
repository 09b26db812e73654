"""A WHERE clause as a function over records, and the range of one field that it leaves open."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from onevoice.sandbox.salesforce.columns import Column, Columns
from onevoice.sandbox.salesforce.errors import refusal
from onevoice.sandbox.salesforce.schema import TEXTUAL, FieldDef
from onevoice.sandbox.salesforce.soql import Comparison, Condition, Group, Literal, Membership, Negation
from onevoice.sandbox.state import Fields

Test = Callable[[str, Fields], bool]
Range = tuple[Any, Any]
"""Lowest and highest value, both included; None on a side is open."""

_IDS = frozenset({"id", "reference"})
_LITERAL_KIND = {"date": "date", "datetime": "datetime", "double": "number", "boolean": "boolean"}
_ORDERED = frozenset({"<", "<=", ">", ">="})
_LIKE_PART = re.compile(r"\\(.)|([%_])|([^\\%_]+)", re.DOTALL)


def compile_condition(condition: Condition, columns: Columns) -> Test:
    """The condition as a function of (record id, record); refuses unknown fields and values of the wrong type."""
    match condition:
        case Comparison():
            return _comparison(condition, columns)
        case Membership():
            return _membership(condition, columns)
        case Negation():
            test = compile_condition(condition.part, columns)
            return lambda key, row: not test(key, row)
        case Group():
            tests = tuple(compile_condition(part, columns) for part in condition.parts)
            if condition.every:
                return lambda key, row: all(test(key, row) for test in tests)
            return lambda key, row: any(test(key, row) for test in tests)


def comparable(field: FieldDef, value: Any) -> Any:
    """The value in the form in which it is compared and sorted: text without regard to case, ids by 15 characters."""
    if isinstance(value, str) and field.type in TEXTUAL:
        return value.casefold()
    if isinstance(value, str) and field.type in _IDS:
        return value[:15]
    return value


def open_range(condition: Condition | None, path: str, field: FieldDef) -> Range:
    """The values that `path` may have where the condition holds; wider than the truth is allowed, narrower is not."""
    match condition:
        case Comparison(path=named, operator=operator, literal=literal) if named.lower() == path.lower():
            return _comparison_range(operator, comparable(field, literal.value))
        case Group(every=every, parts=parts):
            ranges = [open_range(part, path, field) for part in parts]
            lows, highs = [low for low, _ in ranges], [high for _, high in ranges]
            if every:
                known_lows, known_highs = [v for v in lows if v is not None], [v for v in highs if v is not None]
                return max(known_lows, default=None), min(known_highs, default=None)
            return None if None in lows else min(lows), None if None in highs else max(highs)
    return None, None


def named_ids(condition: Condition | None) -> list[str] | None:
    """The record ids to which the condition limits a query by `Id =` or `Id IN`; None when it does not."""
    match condition:
        case Comparison(path=path, operator="=", literal=Literal(value=str(value))) if path.lower() == "id":
            return [value]
        case Membership(path=path, literals=literals, negated=False) if path.lower() == "id":
            return [str(literal.value) for literal in literals]
        case Group(every=True, parts=parts):
            return next((found for part in parts if (found := named_ids(part)) is not None), None)
    return None


def _comparison_range(operator: str, value: Any) -> Range:
    if value is None or operator in {"!=", "LIKE"}:
        return None, None
    return (None if operator in {"<", "<="} else value), (None if operator in {">", ">="} else value)


def _checked(condition: Comparison | Membership, columns: Columns) -> Column:
    column = columns.find(condition.path)
    field = column.field
    if not field.filterable:
        raise refusal(400, "INVALID_FIELD", f"field '{field.name}' can not be filtered in a query call")
    literals = condition.literals if isinstance(condition, Membership) else (condition.literal,)
    wanted = _LITERAL_KIND.get(field.type, "text")
    for literal in literals:
        if literal.kind not in {wanted, "null"}:
            quotes = "should be enclosed in quotes" if wanted == "text" else "should not be enclosed in quotes"
            raise refusal(
                400,
                "INVALID_FIELD",
                f"value of filter criterion for field '{field.name}' must be of type {field.type} and {quotes}",
            )
        if field.type == "id" and literal.kind == "text" and len(str(literal.value)) not in {15, 18}:
            raise refusal(400, "INVALID_QUERY_FILTER_OPERATOR", f"invalid ID field: {literal.value}")
    return column


def _comparison(condition: Comparison, columns: Columns) -> Test:
    column = _checked(condition, columns)
    field, read = column.field, column.read
    if condition.operator == "LIKE":
        return _like(condition, column)
    value = comparable(field, condition.literal.value)
    fold = field.type in TEXTUAL or field.type in _IDS
    if condition.operator in _ORDERED:
        return _ordered(condition.operator, column, value)
    if condition.operator == "=":
        if fold:
            return lambda key, row: comparable(field, read(key, row)) == value
        return lambda key, row: bool(read(key, row) == value)
    if fold:
        return lambda key, row: comparable(field, read(key, row)) != value
    return lambda key, row: bool(read(key, row) != value)


def _ordered(operator: str, column: Column, value: Any) -> Test:
    field, read = column.field, column.read
    if value is None:
        return lambda _key, _row: False
    if operator == "<":
        return lambda key, row: (found := comparable(field, read(key, row))) is not None and found < value
    if operator == "<=":
        return lambda key, row: (found := comparable(field, read(key, row))) is not None and found <= value
    if operator == ">":
        return lambda key, row: (found := comparable(field, read(key, row))) is not None and found > value
    return lambda key, row: (found := comparable(field, read(key, row))) is not None and found >= value


def _membership(condition: Membership, columns: Columns) -> Test:
    column = _checked(condition, columns)
    field, read = column.field, column.read
    values = frozenset(comparable(field, literal.value) for literal in condition.literals)
    if condition.negated:
        return lambda key, row: comparable(field, read(key, row)) not in values
    return lambda key, row: comparable(field, read(key, row)) in values


def _like(condition: Comparison, column: Column) -> Test:
    if column.field.type not in TEXTUAL:
        raise refusal(400, "INVALID_QUERY_FILTER_OPERATOR", f"invalid operator on {column.field.type} field")
    pattern = "".join(
        re.escape(escaped or plain or "") if not wild else {"%": ".*", "_": "."}[wild]
        for escaped, wild, plain in _LIKE_PART.findall(condition.literal.raw)
    )
    matches = re.compile(pattern, re.IGNORECASE | re.DOTALL).fullmatch
    read = column.read
    return lambda key, row: (found := read(key, row)) is not None and matches(found) is not None
