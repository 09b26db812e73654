"""Shopify's search syntax: terms `field:value` with comparators, quotes, wildcards, AND, OR, NOT, - and parentheses
(shopify.dev, "Shopify API search syntax").

Two habits of the vendor are kept. A field that a search does not know is passed over, with a warning in the answer, so
the search finds too much. And `>` on a time lets the time itself through, as clients have reported of `updated_at`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from onevoice.sandbox.state import Fields

Test = Callable[[Fields], bool]
Make = Callable[["Term", datetime], Test]
"""Of one term and the present moment, the test of a row; ValueError, OverflowError for a value that cannot be meant."""

_TOKEN = re.compile(
    r"""\s*(?:(?P<open>\()|(?P<close>\))
    |(?P<negated>-)?(?:(?P<name>[A-Za-z_][\w.]*)\s*:\s*(?P<comparator><=|>=|<|>)?\s*)?
     (?P<value>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s()"']+))""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Term:
    """`name:comparator value`; a bare word has no name."""

    name: str
    comparator: str
    value: str
    quoted: bool


@dataclass(slots=True)
class Query:
    """A parsed search query."""

    test: Test
    warnings: list[dict[str, str]] = field(default_factory=list)


def parse_query(text: str, fields: Mapping[str, Make], now: datetime) -> Query:
    """Build the test of a query; `fields` are the search fields of the type, '' the bare words."""
    parser = _Parser(text, fields, now)
    return Query(parser.alternatives(), parser.warnings)


class _Parser:
    """Recursive descent; what cannot be parsed ends the query, as in a search box."""

    def __init__(self, text: str, fields: Mapping[str, Make], now: datetime) -> None:
        self._tokens = list(_TOKEN.finditer(text))
        self._fields = fields
        self._now = now
        self._next = 0
        self.warnings: list[dict[str, str]] = []

    def alternatives(self) -> Test:
        """Groups joined by OR."""
        groups = [self._together()]
        while self._take_word("OR"):
            groups.append(self._together())
        return groups[0] if len(groups) == 1 else lambda row: any(test(row) for test in groups)

    def _together(self) -> Test:
        """Terms that must all hold, with or without AND between them."""
        tests: list[Test] = []
        while (token := self._peek()) is not None and not token["close"] and not _is_word(token, "OR"):
            if self._take_word("AND"):
                continue
            tests.append(self._one())
        return tests[0] if len(tests) == 1 else lambda row: all(test(row) for test in tests)

    def _one(self) -> Test:
        if self._take_word("NOT"):
            following = self._peek()
            if following is None or following["close"]:
                return _everything
            inner = self._one()
            return lambda row: not inner(row)
        token = self._tokens[self._next]
        self._next += 1
        if token["open"]:
            inner = self.alternatives()
            self._next += 1
            return inner
        test = self._term(token)
        return (lambda row: not test(row)) if token["negated"] else test

    def _term(self, token: re.Match[str]) -> Test:
        raw = token["value"]
        quoted = raw[0] in "'\""
        value = re.sub(r"\\(.)", r"\1", raw[1:-1]) if quoted else raw
        term = Term(token["name"] or "", token["comparator"] or "", value, quoted)
        make = self._fields.get(term.name)
        if make is None:
            return self._passed_over(term.name, "Invalid search field for this query.", "invalid_field")
        try:
            return make(term, self._now)
        except (ValueError, OverflowError):
            return self._passed_over(term.name, f"Input `{value}` is not a valid value.", "invalid_value")

    def _passed_over(self, name: str, message: str, code: str) -> Test:
        self.warnings.append({"field": name, "message": message, "code": code})
        return _everything

    def _peek(self) -> re.Match[str] | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _take_word(self, word: str) -> bool:
        token = self._peek()
        if token is None or not _is_word(token, word):
            return False
        self._next += 1
        return True


def _is_word(token: re.Match[str], word: str) -> bool:
    return token["value"] == word and not token["name"] and not token["negated"]


def _everything(_row: Fields) -> bool:
    return True


_STAMP = "%Y-%m-%dT%H:%M:%SZ"
_COARSE = (
    (re.compile(r"\d{4}"), "%Y"),
    (re.compile(r"\d{4}-\d\d"), "%Y-%m"),
    (re.compile(r"\d{4}-\d\d-\d\d"), "%Y-%m-%d"),
)


def time_field(name: str) -> Make:
    """A time: `>=`, `>`, `<`, `<=`, or the second, day, month or year it lies in. Stored text sorts as its time."""

    def make(term: Term, now: datetime) -> Test:
        if term.value == "*":
            return lambda row: bool(row.get(name))
        start, end = (text.strftime(_STAMP) for text in _span(term.value, now))
        tests: dict[str, Callable[[str], bool]] = {
            ">": lambda text: text >= start,
            ">=": lambda text: text >= start,
            "<": lambda text: text < start,
            "<=": lambda text: text < end,
            "": lambda text: start <= text < end,
        }
        test = tests[term.comparator]
        return lambda row: bool(row.get(name)) and test(row[name])

    return make


def _span(value: str, now: datetime) -> tuple[datetime, datetime]:
    """The first moment that a text means, and the first after it."""
    if value == "now":
        return now, now + timedelta(seconds=1)
    for shape, written in _COARSE:
        if shape.fullmatch(value):
            start = datetime.strptime(value, written).replace(tzinfo=UTC)
            if written == "%Y":
                return start, start.replace(year=start.year + 1)
            end = start + timedelta(days=1 if written == "%Y-%m-%d" else 32)
            return start, end if written == "%Y-%m-%d" else end.replace(day=1)
    moment = datetime.fromisoformat(value)
    moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).replace(microsecond=0)
    return moment, moment + timedelta(seconds=1)


def number_field(read: Callable[[Fields], float]) -> Make:
    """A number: with a comparator, or equal."""

    def make(term: Term, _now: datetime) -> Test:
        wanted = float(term.value)
        tests: dict[str, Callable[[float], bool]] = {
            ">": lambda found: found > wanted,
            ">=": lambda found: found >= wanted,
            "<": lambda found: found < wanted,
            "<=": lambda found: found <= wanted,
            "": lambda found: found == wanted,
        }
        test = tests[term.comparator]
        return lambda row: test(read(row))

    return make


def text_field(read: Callable[[Fields], Any]) -> Make:
    """Text: quoted it is the whole value, bare its words in any order, with * at the end for the start of a word."""

    def make(term: Term, _now: datetime) -> Test:
        wanted = term.value.casefold()
        if wanted == "*":
            return lambda row: bool(read(row))
        if term.quoted:
            return lambda row: wanted in _texts(read(row))
        words = _words(wanted.removesuffix("*"))
        if wanted.endswith("*"):
            return lambda row: any(_starts(words, _words(text)) for text in _texts(read(row)))
        return lambda row: any(words <= _words(text) for text in _texts(read(row)))

    return make


def flag_field(read: Callable[[Fields], bool]) -> Make:
    """`true` or `false`."""

    def make(term: Term, _now: datetime) -> Test:
        if term.value not in {"true", "false"}:
            raise ValueError(term.value)
        return lambda row: read(row) == (term.value == "true")

    return make


def _texts(value: Any) -> list[str]:
    found = value if isinstance(value, list) else [value or ""]
    return [str(one).casefold() for one in found]


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text))


def _starts(words: frozenset[str], found: frozenset[str]) -> bool:
    return all(any(one.startswith(word) for one in found) for word in words)
