"""Klaviyo's filter language: equals(email,"a@b.example"), and(greater-than(updated,2026-11-22T09:00:00Z), ...).

Texts stand in quotes, datetimes do not (a quoted datetime is refused, as Klaviyo refuses it). greater-than and
less-than leave their bound out. Several conditions hold together, in and(...) or separated by commas.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from onevoice.sandbox.gate import RefusalError
from onevoice.sandbox.klaviyo.errors import invalid_parameter
from onevoice.sandbox.state import Fields

MOST_VALUES = 100
"""Values that any() takes."""

EQUALS, ANY = frozenset({"equals"}), frozenset({"any", "equals"})
AROUND = frozenset({"greater-than", "less-than"})
ORDERED = frozenset({"greater-or-equal", "greater-than", "less-or-equal", "less-than"})

Passes = Callable[[str, Fields], bool]
Read = Callable[[str, Fields], Sequence[str | None]]

_WORD = re.compile(r"[A-Za-z_][\w.-]*")
_QUOTED = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"")
_BARE = re.compile(r"[^,()\[\]'\"\s]+")


@dataclass(frozen=True, slots=True)
class Filterable:
    """A field that may be filtered: by which operators, and how its values are read off a record."""

    operators: frozenset[str]
    read: Read
    instant: bool = False
    any_capitals: bool = False


@dataclass(frozen=True, slots=True)
class _Value:
    text: str
    quoted: bool


@dataclass(frozen=True, slots=True)
class _Condition:
    operator: str
    field: str
    values: tuple[_Value, ...]
    listed: bool


def compile_filter(text: str, fields: Mapping[str, Filterable]) -> Passes:
    """The test that a filter makes; refused when it is not understood. An empty text passes everything."""
    if not text:
        return lambda _key, _row: True
    tests = [_test(condition, fields) for condition in _Reader(text).conditions()]
    if len(tests) == 1:
        return tests[0]
    return lambda key, row: all(test(key, row) for test in tests)


def instant(text: str | None) -> datetime | None:
    """A time as the account keeps it; without an offset it is UTC. ValueError when it is none."""
    if not text:
        return None
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class _Reader:
    """Reads a filter from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def conditions(self) -> list[_Condition]:
        found = self._listed()
        if self._at != len(self._text):
            raise self._error()
        return found

    def _listed(self) -> list[_Condition]:
        found = self._expression()
        while self._take(","):
            found += self._expression()
        return found

    def _expression(self) -> list[_Condition]:
        operator = self._word()
        self._need("(")
        if operator == "and":
            inner = self._listed()
            self._need(")")
            return inner
        field = self._word()
        self._need(",")
        listed = self._take("[")
        values = [self._value()]
        while listed and self._take(","):
            values.append(self._value())
        if listed:
            self._need("]")
        self._need(")")
        return [_Condition(operator, field, tuple(values), listed)]

    def _value(self) -> _Value:
        quoted = self._match(_QUOTED)
        if quoted:
            return _Value(re.sub(r"\\(.)", r"\1", quoted[1] if quoted[1] is not None else quoted[2]), quoted=True)
        bare = self._match(_BARE)
        if not bare:
            raise self._error()
        return _Value(bare[0], quoted=False)

    def _word(self) -> str:
        found = self._match(_WORD)
        if not found:
            raise self._error()
        return found[0]

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        self._skip_spaces()
        found = pattern.match(self._text, self._at)
        if found:
            self._at = found.end()
        return found

    def _take(self, sign: str) -> bool:
        self._skip_spaces()
        if not self._text.startswith(sign, self._at):
            return False
        self._at += 1
        return True

    def _need(self, sign: str) -> None:
        if not self._take(sign):
            raise self._error()

    def _skip_spaces(self) -> None:
        while self._text.startswith(" ", self._at):
            self._at += 1

    def _error(self) -> RefusalError:
        return invalid_parameter(f"Invalid filter provided: not understood from character {self._at}", "filter")


def _test(condition: _Condition, fields: Mapping[str, Filterable]) -> Passes:
    known = fields.get(condition.field)
    if known is None:
        raise invalid_parameter(f"Invalid filter provided: '{condition.field}' is not a filterable field", "filter")
    if condition.operator not in known.operators:
        raise invalid_parameter(
            f"Invalid filter provided: '{condition.operator}' is not allowed on '{condition.field}'", "filter"
        )
    if condition.listed != (condition.operator == "any") or len(condition.values) > MOST_VALUES:
        raise invalid_parameter(
            f"Invalid filter provided: any takes a list of 1 to {MOST_VALUES} values, other operators one", "filter"
        )
    if known.instant:
        return _time_test(condition, known)
    if not all(value.quoted for value in condition.values):
        raise invalid_parameter(f"Invalid filter provided: '{condition.field}' needs a text in quotes", "filter")
    fold = str.lower if known.any_capitals else str
    wanted = {fold(value.text) for value in condition.values}
    return lambda key, row: any(value is not None and fold(value) in wanted for value in known.read(key, row))


def _time_test(condition: _Condition, known: Filterable) -> Passes:
    value = condition.values[0]
    try:
        bound = None if value.quoted else instant(value.text)
    except ValueError:
        bound = None
    if bound is None:
        raise invalid_parameter(
            f"Invalid filter provided: '{condition.field}' needs a datetime in ISO 8601 without quotes", "filter"
        )
    compare, limit = _COMPARISONS[condition.operator], bound

    def passes(key: str, row: Fields) -> bool:
        moments = map(instant, known.read(key, row))
        return any(moment is not None and compare(moment, limit) for moment in moments)

    return passes


_COMPARISONS: Mapping[str, Callable[[datetime, datetime], bool]] = {
    "greater-than": lambda found, bound: found > bound,
    "greater-or-equal": lambda found, bound: found >= bound,
    "less-than": lambda found, bound: found < bound,
    "less-or-equal": lambda found, bound: found <= bound,
}
