"""Terms to DuckDB SQL with the answers of the closures, row for row, unknown values included.

Numbers are reckoned with as 128-bit whole numbers (decimals as ten-thousandths), so nothing is rounded; the day is
written into the text, so nothing depends on the engine's clock or time zone. Columns bear the names of the facts;
times are UTC timestamps without a zone.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from onevoice.model import FieldType
from onevoice.policy.language import terms
from onevoice.policy.language.numbers import SCALE
from onevoice.policy.language.terms import AS_OF, Term

_NUMBERS = frozenset({FieldType.INTEGER, FieldType.DECIMAL})


def sql_of(term: Term, as_of: date) -> str:
    """A DuckDB expression for the term on the day `as_of`."""
    return _Writer(as_of).sql(term)


def date_sql(day: date) -> str:
    """A day as DuckDB writes it."""
    return f"DATE '{day.isoformat()}'"


def column_sql(name: str) -> str:
    """A column name, quoted."""
    return '"' + name.replace('"', '""') + '"'


class _Writer:
    def __init__(self, as_of: date) -> None:
        self.as_of = as_of

    def sql(self, term: Term) -> str:
        if term.type in _NUMBERS:
            return self.number(term, scaled=term.type is FieldType.DECIMAL)
        return _WRITERS[type(term)](self, term)

    def number(self, term: Term, *, scaled: bool) -> str:
        """A number as a whole one; `scaled` in ten-thousandths."""
        if isinstance(term, terms.Constant):
            return f"CAST({int(Decimal(str(term.value)) * (SCALE if scaled else 1))} AS HUGEINT)"
        if isinstance(term, terms.Coalesce):
            return f"COALESCE({', '.join(self.number(item, scaled=scaled) for item in term.items)})"
        if isinstance(term, terms.Case):
            return self.case_of(term, lambda value: self.number(value, scaled=scaled))
        if isinstance(term, terms.Arithmetic) and term.op != "*":
            left, right = (self.number(side, scaled=scaled) for side in term.parts())
            return f"({left} {term.op} {right})"
        if term.type is FieldType.DECIMAL:
            return self.decimal(term)
        whole = self.product(term) if isinstance(term, terms.Arithmetic) else self.whole(term)
        return f"({whole} * {SCALE})" if scaled else whole

    def decimal(self, term: Term) -> str:
        if isinstance(term, terms.Arithmetic):
            return self.product(term)
        assert isinstance(term, terms.Fact)  # noqa: S101  (nothing else is a decimal)
        return f"CAST(CAST({column_sql(term.name)} AS DECIMAL(30, 4)) * {SCALE} AS HUGEINT)"

    def product(self, term: terms.Arithmetic) -> str:
        """One factor at most is scaled, and then so is the product."""
        left, right = (self.number(side, scaled=side.type is FieldType.DECIMAL) for side in term.parts())
        return f"({left} * {right})"

    def whole(self, term: Term) -> str:
        if isinstance(term, terms.Age):
            born, today = self.sql(term.of), self.as_of.month * 100 + self.as_of.day
            years = f"{self.as_of.year} - year({born})"
            return f"CAST({years} - CASE WHEN month({born}) * 100 + day({born}) > {today} THEN 1 ELSE 0 END AS HUGEINT)"
        assert isinstance(term, terms.Fact)  # noqa: S101  (nothing else is a whole number)
        return f"CAST({column_sql(term.name)} AS HUGEINT)"

    def constant(self, term: terms.Constant) -> str:
        if isinstance(term.value, bool):
            return "TRUE" if term.value else "FALSE"
        if isinstance(term.value, date):
            return date_sql(term.value)
        return "'" + str(term.value).replace("'", "''") + "'"

    def fact(self, term: terms.Fact) -> str:
        return date_sql(self.as_of) if term.name == AS_OF else column_sql(term.name)

    def compare(self, term: terms.Compare) -> str:
        sides = (term.left, term.right)
        if term.left.type in _NUMBERS:
            scaled = any(side.type is FieldType.DECIMAL for side in sides)
            left, right = (self.number(side, scaled=scaled) for side in sides)
        else:
            left, right = map(self.sql, sides)
        return f"({left} {term.op} {right})"

    def junction(self, term: terms.Junction) -> str:
        return "(" + (" AND " if term.every else " OR ").join(map(self.sql, term.items)) + ")"

    def negation(self, term: terms.Not) -> str:
        return f"(NOT {self.sql(term.of)})"

    def is_null(self, term: terms.IsNull) -> str:
        return f"({self.sql(term.of)} IS NULL)"

    def is_(self, term: terms.Is) -> str:
        return f"({self.sql(term.of)} IS NOT DISTINCT FROM {'TRUE' if term.value else 'FALSE'})"

    def coalesce(self, term: terms.Coalesce) -> str:
        return f"COALESCE({', '.join(map(self.sql, term.items))})"

    def case(self, term: terms.Case) -> str:
        return self.case_of(term, self.sql)

    def case_of(self, term: terms.Case, value: Callable[[Term], str]) -> str:
        branches = " ".join(f"WHEN {self.sql(when)} THEN {value(then)}" for when, then in term.branches)
        otherwise = "" if term.otherwise is None else f" ELSE {value(term.otherwise)}"
        return f"(CASE {branches}{otherwise} END)"

    def shift(self, term: terms.Shift) -> str:
        of = self.sql(term.of)
        if term.type is FieldType.DATE:
            return clamped_sql(f"{of} + {term.days}", "DATE '0001-01-01'", "DATE '9999-12-31'")
        moved = f"{of} + INTERVAL ({term.days}) DAY"
        return clamped_sql(moved, "TIMESTAMP '0001-01-01 00:00:00'", "TIMESTAMP '9999-12-31 23:59:59.999999'")

    def day_of(self, term: terms.DayOf) -> str:
        return f"CAST({self.sql(term.of)} AS DATE)"

    def fold(self, term: terms.Fold) -> str:
        return f"{'upper' if term.upper else 'lower'}({self.sql(term.of)})"

    def like(self, term: terms.Like) -> str:
        pattern = term.pattern.replace("'", "''")
        return f"({self.sql(term.of)} LIKE '{pattern}')"

    def anniversary(self, term: terms.Anniversary) -> str:
        return anniversary_sql(self.sql(term.of), self.as_of)


def clamped_sql(moved: str, first: str, last: str) -> str:
    """A moved date that stays inside the calendar; unknown stays unknown."""
    return f"(CASE WHEN {moved} > {last} THEN {last} WHEN {moved} < {first} THEN {first} ELSE {moved} END)"


def anniversary_sql(of: str, as_of: date) -> str:
    """The first anniversary of the date `of` on or after the day."""
    this_year = _anniversary_in(as_of.year, of)
    following = _anniversary_in(as_of.year + 1, of) if as_of.year < date.max.year else date_sql(date.max)
    today = date_sql(as_of)
    return f"(CASE WHEN {of} IS NULL THEN NULL WHEN {this_year} >= {today} THEN {this_year} ELSE {following} END)"


def _anniversary_in(year: int, of: str) -> str:
    if calendar.isleap(year):
        return f"make_date({year}, month({of}), day({of}))"
    leap_day = f"month({of}) = 2 AND day({of}) = 29"
    month = f"CASE WHEN {leap_day} THEN 3 ELSE month({of}) END"
    return f"make_date({year}, {month}, CASE WHEN {leap_day} THEN 1 ELSE day({of}) END)"


_WRITERS: Mapping[type[Term], Callable[[_Writer, Any], str]] = {
    terms.Constant: _Writer.constant,
    terms.Fact: _Writer.fact,
    terms.Compare: _Writer.compare,
    terms.Junction: _Writer.junction,
    terms.Not: _Writer.negation,
    terms.IsNull: _Writer.is_null,
    terms.Is: _Writer.is_,
    terms.Coalesce: _Writer.coalesce,
    terms.Case: _Writer.case,
    terms.Shift: _Writer.shift,
    terms.DayOf: _Writer.day_of,
    terms.Fold: _Writer.fold,
    terms.Like: _Writer.like,
    terms.Anniversary: _Writer.anniversary,
}
