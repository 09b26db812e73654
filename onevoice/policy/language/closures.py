"""Terms to Python closures: three-valued logic, exactly as SQL has it. None is unknown."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from onevoice.policy.language import terms
from onevoice.policy.language.calendar import age_at, next_anniversary, shifted
from onevoice.policy.language.terms import AS_OF, Term

Row = Mapping[str, Any]
"""Typed facts by name, `as_of` among them; a fact that is missing is unknown."""
Evaluate = Callable[[Row], Any]

_OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
}

# Characters whose one-character capital is not what str.upper gives: found by comparing every character with DuckDB.
_UPPER = {"ß": "ẞ"}
_LOWER = {"İ": "i"}


def compile_term(term: Term) -> Evaluate:
    """A function from typed facts to the term's value."""
    return _COMPILERS[type(term)](term)


def _constant(term: terms.Constant) -> Evaluate:
    value = term.value
    return lambda _row: value


def _fact(term: terms.Fact) -> Evaluate:
    name = term.name
    return lambda row: row.get(name)


def _binary(term: terms.Compare | terms.Arithmetic) -> Evaluate:
    apply = _OPERATORS[term.op]
    left, right = compile_term(term.left), compile_term(term.right)

    def evaluate(row: Row) -> Any:
        a = left(row)
        if a is None:
            return None
        b = right(row)
        return None if b is None else apply(a, b)

    return evaluate


def _junction(term: terms.Junction) -> Evaluate:
    items = tuple(map(compile_term, term.items))
    decisive = not term.every

    def evaluate(row: Row) -> Any:
        unknown = False
        for item in items:
            value = item(row)
            if value is decisive:
                return decisive
            unknown = unknown or value is None
        return None if unknown else not decisive

    return evaluate


def _not(term: terms.Not) -> Evaluate:
    of = compile_term(term.of)

    def evaluate(row: Row) -> Any:
        value = of(row)
        return None if value is None else not value

    return evaluate


def _is_null(term: terms.IsNull) -> Evaluate:
    of = compile_term(term.of)
    return lambda row: of(row) is None


def _is(term: terms.Is) -> Evaluate:
    of, wanted = compile_term(term.of), term.value
    return lambda row: of(row) is wanted


def _coalesce(term: terms.Coalesce) -> Evaluate:
    items = tuple(map(compile_term, term.items))

    def evaluate(row: Row) -> Any:
        for item in items:
            value = item(row)
            if value is not None:
                return value
        return None

    return evaluate


def _case(term: terms.Case) -> Evaluate:
    branches = tuple((compile_term(when), compile_term(then)) for when, then in term.branches)
    otherwise = compile_term(term.otherwise) if term.otherwise is not None else None

    def evaluate(row: Row) -> Any:
        for when, then in branches:
            if when(row) is True:
                return then(row)
        return None if otherwise is None else otherwise(row)

    return evaluate


def _strict(of: Term, change: Callable[[Any], Any]) -> Evaluate:
    """A change of a known value."""
    inner = compile_term(of)

    def evaluate(row: Row) -> Any:
        value = inner(row)
        return None if value is None else change(value)

    return evaluate


def _shift(term: terms.Shift) -> Evaluate:
    days = term.days
    return _strict(term.of, lambda moment: shifted(moment, days))


def _day_of(term: terms.DayOf) -> Evaluate:
    return _strict(term.of, _utc_day)


def _utc_day(moment: datetime) -> date:
    return moment.astimezone(UTC).date()


def _fold(term: terms.Fold) -> Evaluate:
    return _strict(term.of, upper if term.upper else lower)


def lower(text: str) -> str:
    """Small letters, one for one: no letter becomes two, and none depends on its neighbours."""
    if text.isascii():
        return text.lower()
    return "".join(_LOWER.get(c) or (low if len(low := c.lower()) == 1 else c) for c in text)


def upper(text: str) -> str:
    """Capitals, one for one."""
    if text.isascii():
        return text.upper()
    return "".join(_UPPER.get(c) or _capital(c) for c in text)


def _capital(character: str) -> str:
    for capital in (character.upper(), character.title()):
        if len(capital) == 1:
            return capital
    return character


def _like(term: terms.Like) -> Evaluate:
    wild = {"%": ".*", "_": "."}
    pattern = re.compile("".join(wild.get(c) or re.escape(c) for c in term.pattern), re.DOTALL)
    return _strict(term.of, lambda text: pattern.fullmatch(text) is not None)


def _age(term: terms.Age) -> Evaluate:
    of = compile_term(term.of)

    def evaluate(row: Row) -> Any:
        value = of(row)
        return None if value is None else age_at(value, row[AS_OF])

    return evaluate


def _anniversary(term: terms.Anniversary) -> Evaluate:
    of = compile_term(term.of)

    def evaluate(row: Row) -> Any:
        value = of(row)
        return None if value is None else next_anniversary(value, row[AS_OF])

    return evaluate


_COMPILERS: Mapping[type[Term], Callable[[Any], Evaluate]] = {
    terms.Constant: _constant,
    terms.Fact: _fact,
    terms.Compare: _binary,
    terms.Arithmetic: _binary,
    terms.Junction: _junction,
    terms.Not: _not,
    terms.IsNull: _is_null,
    terms.Is: _is,
    terms.Coalesce: _coalesce,
    terms.Case: _case,
    terms.Shift: _shift,
    terms.DayOf: _day_of,
    terms.Fold: _fold,
    terms.Like: _like,
    terms.Age: _age,
    terms.Anniversary: _anniversary,
}
