"""Text to a checked, typed tree: the second wall. What is not allowed by name here cannot be reached.

sqlglot does the parsing; every node it makes is looked up in a list of allowed ones, with exactly the arguments that
are known, and typed against the vocabulary.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import cast

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError

from onevoice.configfile.words import did_you_mean
from onevoice.model import FieldType
from onevoice.policy.language import terms
from onevoice.policy.language.numbers import check_numbers
from onevoice.policy.language.refused import Refused
from onevoice.policy.language.terms import Term, depends_on_day
from onevoice.policy.language.tokens import checked_tokens

MAX_DAYS = 36_500
"""Longest interval: a hundred years."""
MAX_NUMBER = 10**12
MAX_PATTERN = 100

_B, _T, _I, _M, _D, _S = (
    FieldType.BOOLEAN,
    FieldType.TEXT,
    FieldType.INTEGER,
    FieldType.DECIMAL,
    FieldType.DATE,
    FieldType.DATETIME,
)
_NUMBERS = frozenset({_I, _M})

_COMPARES: Mapping[type[exp.Expr], terms.CompareOp] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}

CLOCKS = frozenset({"now", "today", "current_date", "current_timestamp", "get_current_timestamp", "getdate", "sysdate"})
FUNCTIONS = "CAST(... AS DATE), COALESCE, LOWER, UPPER, NEXT_ANNIVERSARY"

_UNKNOWN: Mapping[type[exp.Expr], str] = {
    exp.Alias: "a sign, AND or OR is missing after this",
    exp.Placeholder: "parameters are not allowed (write the value)",
    exp.Parameter: "parameters are not allowed (write the value)",
    exp.Star: "a star stands for no fact (name the fact)",
}

_AN = {_B: "a yes or no", _T: "a text", _I: "a whole number", _M: "a number", _D: "a date", _S: "a date with time"}


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Names an expression may use, with their types."""

    types: Mapping[str, FieldType]
    derived: Mapping[str, Term] = field(default_factory=dict)
    """Names that stand for a term over other names."""

    def names(self) -> tuple[str, ...]:
        """Every name."""
        return (*self.types, *self.derived)


def parse(text: str, vocabulary: Vocabulary, wanted: FieldType = FieldType.BOOLEAN) -> Term:
    """The tree of `text`, whose value has the type `wanted`; raises Refused at the first fault."""
    checked_tokens(text)
    try:
        tree = sqlglot.parse_one(text, dialect="duckdb")
    except ParseError as error:
        raise Refused(_parse_offset(text, error), "this is not a complete condition here") from error
    term = _Reader(text, vocabulary).term(tree)
    if term.type is not wanted:
        raise Refused(_start(tree), f"this is {_AN[term.type]} where {_AN[wanted]} is expected")
    check_numbers(term, _start(tree))
    return term


def _parse_offset(text: str, error: ParseError) -> int:
    """sqlglot gives the line, and the column of the LAST character of the word it stumbled on."""
    found = error.errors[0] if error.errors else {}
    lines = text.splitlines(keepends=True)
    line = min(int(found.get("line") or 1), len(lines) or 1)
    column = int(found.get("col") or 1) - max(len(str(found.get("highlight") or "")), 1)
    return min(sum(map(len, lines[: line - 1])) + max(column, 0), max(len(text) - 1, 0))


def _start(node: exp.Expr) -> int:
    """Offset of the first word of a node that carries a position."""
    starts = [part.meta["start"] for part in node.walk() if "start" in part.meta]
    return min(starts, default=0)


class _Reader:
    """Turns sqlglot's nodes into terms."""

    def __init__(self, text: str, vocabulary: Vocabulary) -> None:
        self.text = text
        self.vocabulary = vocabulary

    def term(self, node: exp.Expr) -> Term:
        """One node, by its exact class."""
        compare = _COMPARES.get(type(node))
        if compare is not None:
            left, right = self.pair(node)
            return self.compare(compare, left, right, node)
        read = _READERS.get(type(node))
        if read is None:
            raise Refused(_start(node), self.unknown(node))
        return read(self, node)

    def unknown(self, node: exp.Expr) -> str:
        """Why a node is not allowed."""
        reason = _UNKNOWN.get(type(node))
        if reason:
            return reason
        word = re.match(r"\w+", self.text[_start(node) :])
        name = word.group() if word and isinstance(node, exp.Func) and "start" in node.meta else node.key.upper()
        if name.lower() in CLOCKS:
            return f"the function {name} is not part of the rule language (a rule knows no clock, use as_of)"
        return f"{name} is not part of the rule language (functions: {FUNCTIONS})"

    def only(self, node: exp.Expr, *known: str) -> None:
        """Refuse a node that carries anything beyond what is known here."""
        extra = [name for name, value in node.args.items() if value not in (None, False, []) and name not in known]
        if extra:
            raise Refused(_start(node), f"{_named(node)} cannot be written in this way in a rule")

    def inside(self, node: exp.Expr, key: str = "this") -> Term:
        """The term of one argument."""
        return self.term(cast("exp.Expr", node.args[key]))

    def pair(self, node: exp.Expr) -> tuple[Term, Term]:
        """Both sides of an operator."""
        self.only(node, "this", "expression")
        return self.inside(node), self.inside(node, "expression")

    def condition(self, node: exp.Expr) -> Term:
        """A term that is yes or no."""
        term = self.term(node)
        if term.type is not _B:
            raise Refused(_start(node), f"this is {_AN[term.type]} where a condition is expected (compare it)")
        return term

    def column(self, node: exp.Expr) -> Term:
        if node.args.get("table") is not None:
            raise Refused(_start(node), "facts have no table before them (write the fact alone)")
        name = node.name
        derived = self.vocabulary.derived.get(name)
        if derived is not None:
            return derived
        kind = self.vocabulary.types.get(name)
        if kind is None:
            nearest = did_you_mean(name, self.vocabulary.names())
            raise Refused(
                _start(node), f'"{name}" is not known here{nearest or " (the names are listed in docs/rules.md)"}'
            )
        return terms.Fact(kind, name)

    def literal(self, node: exp.Expr) -> Term:
        text = str(node.this)
        if node.args.get("is_string"):
            return terms.Constant(_T, text)
        if not re.fullmatch(r"[0-9]{1,13}(\.[0-9]{1,4})?", text):
            raise Refused(_start(node), f"the number {text[:20]} is not allowed (at most 4 digits after the point)")
        value = Decimal(text)
        if value > MAX_NUMBER:
            raise Refused(_start(node), f"the number {text} is too large (at most {MAX_NUMBER:,})")
        return terms.Constant(_M, value) if "." in text else terms.Constant(_I, int(text))

    def boolean(self, node: exp.Expr) -> Term:
        return terms.Constant(_B, bool(node.this))

    def negative(self, node: exp.Expr) -> Term:
        self.only(node, "this")
        of = self.inside(node)
        if of.type not in _NUMBERS:
            raise Refused(_start(node), f"a minus before {_AN[of.type]}")
        return terms.Arithmetic(of.type, "-", terms.Constant(_I, 0), of)

    def paren(self, node: exp.Expr) -> Term:
        self.only(node, "this")
        return self.inside(node)

    def junction(self, node: exp.Expr) -> Term:
        self.only(node, "this", "expression")
        every = isinstance(node, exp.And)
        items: list[Term] = []
        for side in (node.this, node.expression):
            term = self.condition(side)
            same = isinstance(term, terms.Junction) and term.every is every
            items += term.parts() if same else (term,)
        return terms.Junction(_B, every=every, items=tuple(items))

    def negation(self, node: exp.Expr) -> Term:
        self.only(node, "this")
        return terms.Not(_B, self.condition(node.this))

    def compare(self, op: terms.CompareOp, left: Term, right: Term, node: exp.Expr) -> Term:
        self.comparable(left, right, node)
        if left.type is _B and op not in {"=", "<>"}:
            raise Refused(_start(node), "a yes or no can only be equal or not (write the condition alone)")
        return terms.Compare(_B, op, left, right)

    def comparable(self, left: Term, right: Term, node: exp.Expr) -> None:
        """Refuse comparing values of different types: databases convert them, each in its own way."""
        if left.type is right.type or {left.type, right.type} <= _NUMBERS:
            return
        hint = ""
        types = {left.type, right.type}
        if types == {_D, _S}:
            hint = " (write CAST(... AS DATE) around the one with time)"
        elif types == {_D, _T}:
            hint = " (write a date as DATE '2026-11-22')"
        raise Refused(_start(node), f"{_AN[left.type]} is compared with {_AN[right.type]}{hint}")

    def among(self, node: exp.Expr) -> Term:
        self.only(node, "this", "expressions")
        value = self.inside(node)
        if not node.expressions:
            raise Refused(_start(node), "IN needs a list of values")
        items = tuple(self.compare("=", value, self.term(each), node) for each in node.expressions)
        return items[0] if len(items) == 1 else terms.Junction(_B, every=False, items=items)

    def between(self, node: exp.Expr) -> Term:
        self.only(node, "this", "low", "high")
        value = self.inside(node)
        low = self.compare(">=", value, self.inside(node, "low"), node)
        high = self.compare("<=", value, self.inside(node, "high"), node)
        return terms.Junction(_B, every=True, items=(low, high))

    def is_(self, node: exp.Expr) -> Term:
        self.only(node, "this", "expression")
        if isinstance(node.expression, exp.Null):
            return terms.IsNull(_B, self.inside(node))
        if isinstance(node.expression, exp.Boolean):
            return terms.Is(_B, self.condition(node.this), bool(node.expression.this))
        raise Refused(_start(node), "IS goes with NULL, TRUE or FALSE only")

    def coalesce(self, node: exp.Expr) -> Term:
        self.only(node, "this", "expressions", "is_nvl", "is_null")
        items = tuple(self.term(each) for each in (node.this, *node.expressions))
        return terms.Coalesce(self.common(items, node), items)

    def case(self, node: exp.Expr) -> Term:
        self.only(node, "ifs", "default")
        branches = []
        for branch in node.args["ifs"]:
            self.only(branch, "this", "true")
            branches.append((self.condition(branch.this), self.inside(branch, "true")))
        otherwise = self.inside(node, "default") if node.args.get("default") is not None else None
        values = [value for _, value in branches]
        kind = self.common(values if otherwise is None else [*values, otherwise], node)
        return terms.Case(kind, tuple(branches), otherwise)

    def common(self, items: tuple[Term, ...] | list[Term], node: exp.Expr) -> FieldType:
        """The one type of several values."""
        for item in items[1:]:
            self.comparable(items[0], item, node)
        return _M if any(item.type is _M for item in items) else items[0].type

    def sum(self, node: exp.Expr) -> Term:
        self.only(node, "this", "expression")
        sign = -1 if isinstance(node, exp.Sub) else 1
        if isinstance(node.expression, exp.Interval):
            return self.shift(node, self.inside(node), sign * self.days(node.expression))
        left, right = self.pair(node)
        if left.type in {_D, _S}:
            raise Refused(
                _start(node),
                "days are added to and taken from a date as INTERVAL '90' DAY; two dates are compared, "
                "as in last_order_on > as_of - INTERVAL '90' DAY",
            )
        return self.arithmetic("-" if sign < 0 else "+", left, right, node)

    def product(self, node: exp.Expr) -> Term:
        left, right = self.pair(node)
        return self.arithmetic("*", left, right, node)

    def arithmetic(self, op: str, left: Term, right: Term, node: exp.Expr) -> Term:
        if not {left.type, right.type} <= _NUMBERS:
            wrong = left if left.type not in _NUMBERS else right
            raise Refused(_start(node), f"{_AN[wrong.type]} cannot be reckoned with")
        if op == "*" and left.type is right.type is _M:
            raise Refused(_start(node), "of two factors one must be a whole number")
        kind = _M if _M in {left.type, right.type} else _I
        return terms.Arithmetic(kind, "+" if op == "+" else "-" if op == "-" else "*", left, right)

    def shift(self, node: exp.Expr, of: Term, days: int) -> Term:
        if of.type not in {_D, _S}:
            raise Refused(_start(node), f"an interval cannot be added to {_AN[of.type]}")
        return terms.Shift(of.type, of, days)

    def days(self, node: exp.Interval) -> int:
        unit = str(node.args.get("unit") or "").upper()
        text = str(node.this.this) if isinstance(node.this, exp.Literal) else ""
        if unit not in {"DAY", "DAYS"} or not re.fullmatch(r"[0-9]{1,5}", text) or int(text) > MAX_DAYS:
            raise Refused(_start(node), f"an interval is written INTERVAL '90' DAY, with 0 to {MAX_DAYS:,} days")
        return int(text)

    def cast(self, node: exp.Expr) -> Term:
        self.only(node, "this", "to")
        if node.args["to"].this is not exp.DataType.Type.DATE:
            raise Refused(_start(node), "only CAST(... AS DATE) is part of the rule language")
        if isinstance(node.this, exp.Literal) and node.this.is_string:
            return terms.Constant(_D, _written_date(node.this))
        of = self.inside(node)
        if of.type not in {_D, _S}:
            raise Refused(_start(node), f"{_AN[of.type]} cannot be made a date")
        return of if of.type is _D else terms.DayOf(_D, of)

    def fold(self, node: exp.Expr) -> Term:
        self.only(node, "this")
        of = self.inside(node)
        if of.type is not _T:
            raise Refused(_start(node), f"{_named(node)} takes a text, and this is {_AN[of.type]}")
        return terms.Fold(_T, of, upper=isinstance(node, exp.Upper))

    def like(self, node: exp.Expr) -> Term:
        self.only(node, "this", "expression")
        of = self.inside(node)
        if of.type is not _T:
            raise Refused(_start(node), f"LIKE takes a text, and this is {_AN[of.type]}")
        pattern = node.expression
        if not isinstance(pattern, exp.Literal) or not pattern.is_string:
            raise Refused(_start(node), "the pattern after LIKE is a text in single quotes")
        if len(pattern.name) > MAX_PATTERN or pattern.name.count("%") > 4:
            raise Refused(_start(pattern), f"a pattern has at most {MAX_PATTERN} characters and four %")
        return terms.Like(_B, of, pattern.name)

    def function(self, node: exp.Expr) -> Term:
        name = str(node.this)
        if name.upper() != "NEXT_ANNIVERSARY":
            raise Refused(_start(node), self.unknown(node))
        if len(node.expressions) != 1:
            raise Refused(_start(node), "NEXT_ANNIVERSARY takes one date")
        of = self.term(node.expressions[0])
        if of.type is not _D or depends_on_day(of):
            raise Refused(_start(node), "NEXT_ANNIVERSARY takes one date that is a fact")
        return terms.Anniversary(_D, of)


def _written_date(node: exp.Expr) -> date:
    text = node.name
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise Refused(_start(node), f"'{text[:20]}' is not a day of the calendar (write DATE '2026-11-22')")


def _named(node: exp.Expr) -> str:
    """How people call an allowed node that is used in a way that is not."""
    return node.sql_name() if isinstance(node, exp.Func) else node.key.upper()


_READERS: Mapping[type[exp.Expr], Callable[[_Reader, exp.Expr], Term]] = {
    exp.Column: _Reader.column,
    exp.Literal: _Reader.literal,
    exp.Boolean: _Reader.boolean,
    exp.Neg: _Reader.negative,
    exp.Paren: _Reader.paren,
    exp.And: _Reader.junction,
    exp.Or: _Reader.junction,
    exp.Not: _Reader.negation,
    exp.In: _Reader.among,
    exp.Between: _Reader.between,
    exp.Is: _Reader.is_,
    exp.Coalesce: _Reader.coalesce,
    exp.Case: _Reader.case,
    exp.Add: _Reader.sum,
    exp.Sub: _Reader.sum,
    exp.Mul: _Reader.product,
    exp.Cast: _Reader.cast,
    exp.Lower: _Reader.fold,
    exp.Upper: _Reader.fold,
    exp.Like: _Reader.like,
    exp.Anonymous: _Reader.function,
}
