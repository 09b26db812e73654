"""POST /crm/v3/objects/contacts/search: filters over what the search index has seen so far."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from onevoice.sandbox.gate import Answer
from onevoice.sandbox.hubspot.contacts_store import RECORD_ID, Contacts
from onevoice.sandbox.hubspot.errors import invalid
from onevoice.sandbox.hubspot.portal import Portal, json_object, whole_number
from onevoice.sandbox.hubspot.schema import Property
from onevoice.sandbox.hubspot.values import comparable, stored_comparable
from onevoice.sandbox.state import Fields

MOST_FOUND = 200
"""Contacts on a page."""
END = 10_000
"""No page reaches beyond this many results of one search."""
MOST_GROUPS, MOST_FILTERS, MOST_FILTERS_IN_ALL = 5, 6, 18
KEPT_RESULTS = 8
"""Searches whose results are kept for their further pages."""
_SEARCHED = ("firstname", "lastname", "email", "phone")
"""Properties that `query` looks into."""

Found = tuple[str, Fields]
Test = Callable[[Any], bool]
Read = Callable[[str, Fields], Any]


@dataclass(frozen=True, slots=True)
class _Filter:
    """A test on one property, and the range of values that can pass it (None is open)."""

    one: Property
    read: Read
    test: Test
    low: Any = None
    high: Any = None


@dataclass(slots=True)
class _Index:
    """All contacts that search sees, in the order of one property; `keys` are its values, those without one first."""

    at: int
    rows: list[Found]
    keys: list[Any]
    nulls: int


class Search:
    """The search endpoint."""

    def __init__(self, portal: Portal, contacts: Contacts) -> None:
        self._portal = portal
        self._contacts = contacts
        self._table = portal.state.tables["contacts"]
        self._indexes: dict[str, _Index] = {}
        self._results: dict[str, tuple[int, list[Found]]] = {}

    async def search(self, request: Request) -> Answer:
        """Answer one page; `total` counts all that match."""
        body = await json_object(request)
        limit = whole_number(body.get("limit") or 10, "limit", 1, MOST_FOUND)
        after = whole_number(body.get("after") or 0, "after", 0, 10**9)
        if after + limit > END:
            raise invalid(f"There was a problem with the request: results beyond {END} cannot be reached")
        names = self._contacts.names(map(str, body.get("properties") or ()))
        found = self._found(body)
        page = [self._contacts.show(key, names, row) for key, row in found[after : after + limit]]
        answer: dict[str, Any] = {"total": len(found), "results": page}
        if after + limit < len(found):
            answer["paging"] = {"next": {"after": str(after + limit)}}
        return Answer(200, answer)

    def _found(self, body: Mapping[str, Any]) -> list[Found]:
        groups = self._groups(body.get("filterGroups") or [])
        name, descending = self._sort(body.get("sorts") or [])
        words = str(body.get("query") or "").casefold().split()
        self._table.seen()
        asked = repr((body.get("filterGroups"), name, descending, words))
        at, kept = self._results.pop(asked, (-1, []))
        if at != self._table.seen_changes:
            kept = [found for found in self._candidates(groups, name) if _passes(found, groups, words)]
            if descending:
                kept.reverse()
        self._results[asked] = (self._table.seen_changes, kept)
        while len(self._results) > KEPT_RESULTS:
            del self._results[next(iter(self._results))]
        return kept

    def _candidates(self, groups: Sequence[Sequence[_Filter]], name: str) -> Iterable[Found]:
        """The part of the sorted contacts that can match, by the ranges that the filters leave open on `name`."""
        index = self._index(name)
        ranges = [_range(group, name) for group in groups]
        if not ranges or any(bounds == (None, None) for bounds in ranges):
            return index.rows
        lows, highs = [low for low, _ in ranges], [high for _, high in ranges]
        start = 0 if None in lows else bisect_left(index.keys, min(lows))
        end = len(index.keys) if None in highs else bisect_right(index.keys, max(highs))
        return index.rows[index.nulls + start : index.nulls + end]

    def _index(self, name: str) -> _Index:
        seen = self._table.seen()
        index = self._indexes.get(name)
        if index is None or index.at != self._table.seen_changes:
            read = self._read(self._known(name))
            valued = [
                (read(key, row), (key, row)) for key, row in sorted(seen.items(), key=lambda found: int(found[0]))
            ]
            empty = [found for value, found in valued if value is None]
            filled = sorted((pair for pair in valued if pair[0] is not None), key=lambda pair: pair[0])
            rows = [*empty, *(found for _, found in filled)]
            index = _Index(self._table.seen_changes, rows, [value for value, _ in filled], len(empty))
            self._indexes[name] = index
        return index

    def _sort(self, sorts: object) -> tuple[str, bool]:
        """(property, descending). One sort at most; HubSpot takes `name`, `-name` and {propertyName, direction}."""
        if not isinstance(sorts, list) or len(sorts) > 1:
            raise invalid("Only one sort is supported")
        if not sorts:
            return RECORD_ID, False
        sort = sorts[0]
        if isinstance(sort, Mapping):
            return self._known(str(sort.get("propertyName"))).name, sort.get("direction") == "DESCENDING"
        return self._known(str(sort).removeprefix("-")).name, str(sort).startswith("-")

    def _groups(self, groups: object) -> list[list[_Filter]]:
        if not isinstance(groups, list) or len(groups) > MOST_GROUPS:
            raise invalid(f"filterGroups must be a list of at most {MOST_GROUPS}")
        built = []
        for group in groups:
            filters = group.get("filters") if isinstance(group, Mapping) else None
            if not isinstance(filters, list) or not 1 <= len(filters) <= MOST_FILTERS:
                raise invalid(f"every filter group must have 1 to {MOST_FILTERS} filters")
            built.append([self._filter(one) for one in filters])
        if sum(map(len, built)) > MOST_FILTERS_IN_ALL:
            raise invalid(f"a search can have at most {MOST_FILTERS_IN_ALL} filters")
        return built

    def _filter(self, asked: object) -> _Filter:
        if not isinstance(asked, Mapping):
            raise invalid("Invalid input JSON: a filter must be an object")
        one = self._known(str(asked.get("propertyName")))
        operator = str(asked.get("operator"))
        read = self._read(one)
        if operator in _PRESENCE:
            return _Filter(one, read, _PRESENCE[operator])
        if operator in {"IN", "NOT_IN"}:
            values = asked.get("values")
            if not isinstance(values, list) or not values:
                raise invalid(f"operator {operator} requires values")
            return _among(one, read, frozenset(self._value(one, value) for value in values), operator)
        value = self._value(one, asked.get("value"))
        if operator == "BETWEEN":
            high = self._value(one, asked.get("highValue"))
            return _Filter(one, read, lambda found: found is not None and value <= found <= high, value, high)
        if operator not in _AGAINST_ONE:
            raise invalid(f"Invalid input JSON: {operator} is not an operator")
        return _AGAINST_ONE[operator](one, read, value)

    def _value(self, one: Property, value: object) -> Any:
        found = comparable(one, value) if isinstance(value, str) else None
        if found is None:
            raise invalid(f"the filter on {one.name} needs a value of type {one.type}, as text")
        return found

    def _known(self, name: str) -> Property:
        one = self._portal.properties.find(name)
        if one is None:
            raise invalid(f"Property {name} does not exist")
        return one

    def _read(self, one: Property) -> Read:
        if one.name == RECORD_ID:
            return lambda key, _row: float(key)
        prepare, name = stored_comparable(one), one.name
        return lambda _key, row: prepare(row.get(name))


def _passes(found: Found, groups: Sequence[Sequence[_Filter]], words: Sequence[str]) -> bool:
    key, row = found
    if groups and not any(all(one.test(one.read(key, row)) for one in group) for group in groups):
        return False
    return not words or _mentions(row, words)


def _mentions(row: Fields, words: Sequence[str]) -> bool:
    text = " ".join(str(row.get(name) or "") for name in _SEARCHED).casefold()
    return all(word in text for word in words)


def _range(group: Sequence[_Filter], name: str) -> tuple[Any, Any]:
    lows = [one.low for one in group if one.one.name == name and one.low is not None]
    highs = [one.high for one in group if one.one.name == name and one.high is not None]
    return max(lows, default=None), min(highs, default=None)


def _among(one: Property, read: Read, values: frozenset[Any], operator: str) -> _Filter:
    if operator == "IN":
        return _Filter(one, read, lambda found: found in values, min(values), max(values))
    return _Filter(one, read, lambda found: found not in values)


def _token(value: str) -> Test:
    """CONTAINS_TOKEN: a word of the value, with * for any letters at its ends."""
    bare = value.strip("*")

    def test(found: Any) -> bool:
        words = str(found or "").replace("@", " ").replace(".", " ").split()
        if not value.startswith("*") and not value.endswith("*"):
            return bare in words or bare == found
        if value.startswith("*") and value.endswith("*"):
            return any(bare in word for word in [*words, str(found or "")])
        if value.startswith("*"):
            return any(word.endswith(bare) for word in [*words, str(found or "")])
        return any(word.startswith(bare) for word in [*words, str(found or "")])

    return test


_PRESENCE: dict[str, Test] = {
    "HAS_PROPERTY": lambda found: found is not None,
    "NOT_HAS_PROPERTY": lambda found: found is None,
}
_AGAINST_ONE: dict[str, Callable[[Property, Read, Any], _Filter]] = {
    "EQ": lambda one, read, value: _Filter(one, read, lambda found: found == value, value, value),
    "NEQ": lambda one, read, value: _Filter(one, read, lambda found: found != value),
    "LT": lambda one, read, value: _Filter(one, read, lambda f: f is not None and f < value, None, value),
    "LTE": lambda one, read, value: _Filter(one, read, lambda f: f is not None and f <= value, None, value),
    "GT": lambda one, read, value: _Filter(one, read, lambda f: f is not None and f > value, value, None),
    "GTE": lambda one, read, value: _Filter(one, read, lambda f: f is not None and f >= value, value, None),
    "CONTAINS_TOKEN": lambda one, read, value: _Filter(one, read, _token(str(value))),
    "NOT_CONTAINS_TOKEN": lambda one, read, value: _Filter(one, read, lambda f: not _token(str(value))(f)),
}
