"""SOQL text to a query tree.

The part of the language that clients of a CRM use: SELECT of fields over any number of parent relationships, COUNT(),
COUNT(field), WHERE, ORDER BY, LIMIT, OFFSET. As at the vendor, AND and OR of one level need parentheses between them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime

MAX_LENGTH = 100_000
"""Characters a statement may have (SOQL limits of the vendor)."""

_TOKEN = re.compile(
    r"""\s*(?:
      '(?P<text>(?:[^'\\]|\\.)*)'
    | (?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:?\d\d))
    | (?P<date>\d{4}-\d\d-\d\d)
    | (?P<number>[+-]?\d+(?:\.\d+)?)
    | (?P<name>[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z][A-Za-z0-9_]*)*)
    | (?P<sign><=|>=|!=|<>|[=<>(),])
    | (?P<end>$)
    )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_COMPARES = {"=": "=", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


class MalformedQueryError(Exception):
    """The text is not SOQL; the message says where it stopped making sense."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant. `kind` is text, number, boolean, null, date or datetime; dates and datetimes are ISO text, datetimes
    in UTC with milliseconds. `raw` is the text between the quotes as written, which LIKE needs."""

    kind: str
    value: str | float | bool | None
    raw: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """`path operator literal`; operator is one of = != < <= > >= LIKE."""

    path: str
    operator: str
    literal: Literal


@dataclass(frozen=True, slots=True)
class Membership:
    """`path [NOT] IN (literal, ...)`."""

    path: str
    literals: tuple[Literal, ...]
    negated: bool


@dataclass(frozen=True, slots=True)
class Negation:
    """`NOT part`."""

    part: Condition


@dataclass(frozen=True, slots=True)
class Group:
    """Parts joined by AND (`every`) or by OR."""

    every: bool
    parts: tuple[Condition, ...]


Condition = Comparison | Membership | Negation | Group


@dataclass(frozen=True, slots=True)
class Order:
    """One ORDER BY term; the vendor sorts nulls first unless told otherwise, in both directions."""

    path: str
    descending: bool = False
    nulls_last: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A statement. `count` is None, "" for COUNT(), or the field of COUNT(field)."""

    paths: tuple[str, ...]
    entity: str
    count: str | None = None
    where: Condition | None = None
    orders: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int = 0


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    column: int


def parse(text: str) -> Query:
    """Parse one statement, or raise MalformedQueryError."""
    if len(text) > MAX_LENGTH:
        raise MalformedQueryError(f"SOQL statements cannot be longer than {MAX_LENGTH} characters.")
    return _Parser(_tokens(text)).statement()


def _tokens(text: str) -> list[_Token]:
    found = []
    position = 0
    while True:
        match = _TOKEN.match(text, position)
        if match is None:
            start = len(text) - len(text[position:].lstrip())
            raise MalformedQueryError(f"line 1:{start} no viable alternative at character '{text[start]}'")
        kind = match.lastgroup or ""
        found.append(_Token(kind, match.group(kind), match.start(kind)))
        if kind == "end":
            return found
        position = match.end()


class _Parser:
    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def statement(self) -> Query:
        self._need("SELECT")
        paths, count = self._selection()
        self._need("FROM")
        entity = self._name()
        where = self._condition() if self._take("WHERE") else None
        orders = self._orders() if self._take("ORDER") else ()
        limit = self._whole_number() if self._take("LIMIT") else None
        offset = self._whole_number() if self._take("OFFSET") else 0
        if self._now().kind != "end":
            raise self._unexpected()
        return Query(paths, entity, count, where, orders, limit, offset)

    def _selection(self) -> tuple[tuple[str, ...], str | None]:
        first = self._name()
        if first.upper() == "COUNT" and self._sign("("):
            counted = "" if self._now().text == ")" else self._name()
            self._need_sign(")")
            return (), counted
        paths = [first]
        while self._sign(","):
            paths.append(self._name())
        return tuple(paths), None

    def _condition(self) -> Condition:
        parts = [self._part()]
        joint = self._take("AND") or self._take("OR")
        word = joint
        while word:
            parts.append(self._part())
            word = self._take("AND") or self._take("OR")
            if word and word != joint:
                self._at -= 1
                raise self._unexpected()
        return parts[0] if len(parts) == 1 else Group(joint == "AND", tuple(parts))

    def _part(self) -> Condition:
        if self._take("NOT"):
            return Negation(self._part())
        if self._sign("("):
            inside = self._condition()
            self._need_sign(")")
            return inside
        path = self._name()
        if self._take("NOT"):
            self._need("IN")
            return Membership(path, self._literals(), negated=True)
        if self._take("IN"):
            return Membership(path, self._literals(), negated=False)
        if self._take("LIKE"):
            return Comparison(path, "LIKE", self._literal())
        token = self._now()
        if token.kind != "sign" or token.text not in _COMPARES:
            raise self._unexpected()
        self._at += 1
        return Comparison(path, _COMPARES[token.text], self._literal())

    def _literals(self) -> tuple[Literal, ...]:
        self._need_sign("(")
        found = [self._literal()]
        while self._sign(","):
            found.append(self._literal())
        self._need_sign(")")
        return tuple(found)

    def _literal(self) -> Literal:
        token = self._now()
        self._at += 1
        match token.kind:
            case "text":
                return Literal("text", _unescape(token.text), token.text)
            case "number":
                return Literal("number", float(token.text))
            case "date":
                return Literal("date", self._checked_date(token.text))
            case "datetime":
                return Literal("datetime", self._checked_datetime(token.text))
            case "name" if token.text.lower() in {"true", "false"}:
                return Literal("boolean", token.text.lower() == "true")
            case "name" if token.text.lower() == "null":
                return Literal("null", None)
        self._at -= 1
        raise self._unexpected()

    def _checked_date(self, text: str) -> str:
        try:
            return date.fromisoformat(text).isoformat()
        except ValueError:
            raise MalformedQueryError(f"invalid date: {text}") from None

    def _checked_datetime(self, text: str) -> str:
        try:
            moment = datetime.fromisoformat(text).astimezone(UTC)
        except ValueError:
            raise MalformedQueryError(f"invalid dateTime: {text}") from None
        return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}+0000"

    def _orders(self) -> tuple[Order, ...]:
        self._need("BY")
        found = [self._order()]
        while self._sign(","):
            found.append(self._order())
        return tuple(found)

    def _order(self) -> Order:
        path = self._name()
        descending = bool(self._take("DESC"))
        if not descending:
            self._take("ASC")
        nulls_last = False
        if self._take("NULLS"):
            nulls_last = bool(self._take("LAST"))
            if not nulls_last:
                self._need("FIRST")
        return Order(path, descending, nulls_last)

    def _whole_number(self) -> int:
        token = self._now()
        if token.kind != "number" or not token.text.isdigit():
            raise self._unexpected()
        self._at += 1
        return int(token.text)

    def _now(self) -> _Token:
        return self._tokens[self._at]

    def _take(self, word: str) -> str:
        token = self._now()
        if token.kind == "name" and token.text.upper() == word:
            self._at += 1
            return word
        return ""

    def _sign(self, sign: str) -> bool:
        token = self._now()
        if token.kind == "sign" and token.text == sign:
            self._at += 1
            return True
        return False

    def _need(self, word: str) -> None:
        if not self._take(word):
            raise self._unexpected()

    def _need_sign(self, sign: str) -> None:
        if not self._sign(sign):
            raise self._unexpected()

    def _name(self) -> str:
        token = self._now()
        if token.kind != "name":
            raise self._unexpected()
        self._at += 1
        return token.text

    def _unexpected(self) -> MalformedQueryError:
        token = self._now()
        what = "<EOF>" if token.kind == "end" else token.text
        return MalformedQueryError(f"ERROR at Row:1:Column:{token.column + 1}\nunexpected token: '{what}'")


def _unescape(raw: str) -> str:
    return _ESCAPED.sub(lambda match: _ESCAPES.get(match.group(1), match.group(1)), raw)
