"""Conditions as plain Python functions of two rows: the scorer of single pairs needs no engine."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import singledispatch
from typing import Any

from identity.conditions.tree import (
    Alike,
    AtLeast,
    Condition,
    Crossed,
    DayAndMonthSwapped,
    Either,
    EitherEnds,
    Equal,
    Every,
    Flagged,
    Missing,
    Not,
    Overlap,
    SameOrMissing,
    Slip,
    Text,
    YearsApart,
)
from identity.similarity import one_slip, thousandths

Row = Mapping[str, Any]
"""Column -> text, tuple of texts, or truth value; an absent value is empty."""
Check = Callable[[Row, Row], bool]

_NO_DIGIT = re.compile("[^0-9]")


@singledispatch
def check(condition: Condition) -> Check:
    """A function that says whether the condition holds of two rows."""
    raise TypeError(f"{type(condition).__name__} is no condition (name one of identity.conditions)")


@check.register
def _every(condition: Every) -> Check:
    first, *others = (check(part) for part in condition.parts)
    if not others:
        return first
    rest = _every(Every(condition.parts[1:]))
    return lambda left, right: first(left, right) and rest(left, right)


@check.register
def _either(condition: Either) -> Check:
    first, *others = (check(part) for part in condition.parts)
    if not others:
        return first
    rest = _either(Either(condition.parts[1:]))
    return lambda left, right: first(left, right) or rest(left, right)


@check.register
def _not(condition: Not) -> Check:
    part = check(condition.part)
    return lambda left, right: not part(left, right)


@check.register
def _missing(condition: Missing) -> Check:
    columns = condition.columns
    if len(columns) == 1:
        (column,) = columns
        return lambda left, right: not (left[column] and right[column])
    return lambda left, right: not all(left[column] and right[column] for column in columns)


@check.register
def _equal(condition: Equal) -> Check:
    column, read = condition.text.column, _reader(condition.text)
    if condition.text.taken == "whole":
        return lambda left, right: bool(left[column]) and left[column] == right[column]
    return lambda left, right: bool(left[column] and right[column]) and read(left[column]) == read(right[column])


@check.register
def _same_or_missing(condition: SameOrMissing) -> Check:
    column = condition.column
    return lambda left, right: bool(left[column] == right[column])


@check.register
def _alike(condition: Alike) -> Check:
    return _resembling(condition.column, condition.column, condition.thousandths)


@check.register
def _crossed(condition: Crossed) -> Check:
    one_way = _resembling(condition.one, condition.other, condition.thousandths)
    return lambda left, right: one_way(left, right) and one_way(right, left)


def _resembling(one: str, other: str, least: int) -> Check:
    def resembles(left: Row, right: Row) -> bool:
        a, b = left[one], right[other]
        return bool(a and b) and (a == b or thousandths(a, b) >= least)

    return resembles


@check.register
def _slip(condition: Slip) -> Check:
    column, shortest = condition.column, condition.shortest

    def differs_by_a_slip(left: Row, right: Row) -> bool:
        a, b = left[column], right[column]
        return bool(a and b) and len(a) >= shortest <= len(b) and one_slip(a, b)

    return differs_by_a_slip


@check.register
def _at_least(condition: AtLeast) -> Check:
    column, letters = condition.column, condition.letters
    return lambda left, right: len(left[column]) >= letters <= len(right[column])


@check.register
def _overlap(condition: Overlap) -> Check:
    column, least = condition.column, condition.least
    if least == 1:
        return lambda left, right: any(value in right[column] for value in left[column])
    return lambda left, right: len(set(left[column]).intersection(right[column])) >= least


@check.register
def _flagged(condition: Flagged) -> Check:
    column = condition.column
    return lambda left, right: bool(left[column] and right[column])


@check.register
def _years_apart(condition: YearsApart) -> Check:
    column, years = condition.column, frozenset(condition.years)

    def lie_so_far_apart(left: Row, right: Row) -> bool:
        a, b = left[column], right[column]
        return bool(a and b) and abs(int(a[:4]) - int(b[:4])) in years

    return lie_so_far_apart


@check.register
def _day_and_month_swapped(condition: DayAndMonthSwapped) -> Check:
    column = condition.column

    def are_swapped(left: Row, right: Row) -> bool:
        a, b = left[column], right[column]
        return bool(a and b) and a[5:7] == b[8:10] and a[8:10] == b[5:7]

    return are_swapped


@check.register
def _either_ends(condition: EitherEnds) -> Check:
    column, ending = condition.column, condition.ending
    return lambda left, right: left[column].endswith(ending) or right[column].endswith(ending)


def _reader(text: Text) -> Callable[[str], str]:
    letters = text.letters
    match text.taken:
        case "start":
            return lambda value: value[:letters]
        case "end":
            return lambda value: value[-letters:]
        case "without_end":
            return lambda value: value[: max(len(value) - letters, 0)]
        case "domain":
            return lambda value: value.split("@")[1] if "@" in value else ""
        case "digits":
            return lambda value: _NO_DIGIT.sub("", value)
    return lambda value: value
