"""POST /crm/v3/objects/contacts/search: filters over what the search index has seen so far."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
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
"""Searches whose results are kept for their further pages, and sorted lists."""
_SEARCHED = ("firstname", "lastname", "email", "phone")
"""Properties that `query` looks into."""

Found = tuple[str, Fields]
Test = Callable[[Any], bool]
Read = Callable[[str, Fields], Any]
Passes = Callable[[str, Fields], bool]


@dataclass(frozen=True, slots=True)
class _Filter:
    """A test on one property, and the range of values that can pass it (None is open)."""

    asked: str
    """The filter as it was asked for."""
    one: Property
    read: Read
    test: Test
    low: Any = None
    high: Any = None
    low_open: bool = False
    """The value `low` itself does not pass."""
    high_open: bool = False

    @property
    def bounded(self) -> bool:
        """Whether the range says everything that the test does."""
        return self.low is not None or self.high is not None


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
        self._indexes: dict[tuple[str, ...], _Index] = {}
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
            kept = self._matching(groups, name, words)
            if descending:
                kept.reverse()
        self._results[asked] = (self._table.seen_changes, kept)
        while len(self._results) > KEPT_RESULTS:
            del self._results[next(iter(self._results))]
        return kept

    def _matching(self, groups: Sequence[Sequence[_Filter]], name: str, words: Sequence[str]) -> list[Found]:
        """In the order of `name`. What the sorted values decide by themselves is not tested row by row."""
        if len(groups) == 1:
            decided = [one for one in groups[0] if one.one.name == name and one.bounded]
            index = self._index(name, [one for one in groups[0] if one not in decided])
            found = _narrowed(index, decided)
        else:
            found = self._index(name).rows
            if groups:
                tests = [_all(group) for group in groups]
                found = [(key, row) for key, row in found if any(test(key, row) for test in tests)]
        return [one for one in found if _mentions(one[1], words)] if words else list(found)

    def _index(self, name: str, filters: Sequence[_Filter] = ()) -> _Index:
        """The contacts that pass `filters`, sorted by `name`. Kept, for a client that walks by record id asks for the
        same again and again."""
        seen = self._table.seen()
        asked = (name, *(one.asked for one in filters))
        index = self._indexes.pop(asked, None)
        if index is None or index.at != self._table.seen_changes:
            index = self._passing(self._index(name), filters) if filters else self._sorted(name, seen)
        self._indexes[asked] = index
        while len(self._indexes) > KEPT_RESULTS:
            del self._indexes[next(iter(self._indexes))]
        return index

    def _sorted(self, name: str, seen: Mapping[str, Fields]) -> _Index:
        read = self._read(self._known(name))
        valued = [(read(key, row), (key, row)) for key, row in sorted(seen.items(), key=lambda found: int(found[0]))]
        empty = [found for value, found in valued if value is None]
        filled = sorted((pair for pair in valued if pair[0] is not None), key=lambda pair: pair[0])
        rows = [*empty, *(found for _, found in filled)]
        return _Index(self._table.seen_changes, rows, [value for value, _ in filled], len(empty))

    def _passing(self, index: _Index, filters: Sequence[_Filter]) -> _Index:
        test = _all(filters)
        empty = [found for found in index.rows[: index.nulls] if test(*found)]
        filled = [
            (value, found) for value, found in zip(index.keys, index.rows[index.nulls :], strict=True) if test(*found)
        ]
        rows = [*empty, *(found for _, found in filled)]
        return _Index(index.at, rows, [value for value, _ in filled], len(empty))

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
        make = partial(_Filter, repr(sorted(asked.items(), key=str)), one, self._read(one))
        if operator in _PRESENCE:
            return make(_PRESENCE[operator])
        if operator in {"IN", "NOT_IN"}:
            values = asked.get("values")
            if not isinstance(values, list) or not values:
                raise invalid(f"operator {operator} requires values")
            wanted = frozenset(self._value(one, value) for value in values)
            return make((lambda found: found in wanted) if operator == "IN" else (lambda found: found not in wanted))
        value = self._value(one, asked.get("value"))
        if operator == "BETWEEN":
            high = self._value(one, asked.get("highValue"))
            return make(lambda found: found is not None and value <= found <= high, value, high)
        if operator not in _AGAINST_ONE:
            raise invalid(f"Invalid input JSON: {operator} is not an operator")
        return _AGAINST_ONE[operator](make, value)

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


def _all(filters: Sequence[_Filter]) -> Passes:
    """Every filter holds."""
    pairs = [(one.read, one.test) for one in filters]
    if len(pairs) == 1:
        ((read, test),) = pairs
        return lambda key, row: test(read(key, row))
    return lambda key, row: all(test(read(key, row)) for read, test in pairs)


def _narrowed(index: _Index, ranges: Sequence[_Filter]) -> list[Found]:
    """The rows whose value of the sorted property lies in every range."""
    if not ranges:
        return index.rows
    start, end = 0, len(index.keys)
    for one in ranges:
        if one.low is not None:
            start = max(start, (bisect_right if one.low_open else bisect_left)(index.keys, one.low))
        if one.high is not None:
            end = min(end, (bisect_left if one.high_open else bisect_right)(index.keys, one.high))
    return index.rows[index.nulls + start : index.nulls + max(start, end)]


def _mentions(row: Fields, words: Sequence[str]) -> bool:
    text = " ".join(str(row.get(name) or "") for name in _SEARCHED).casefold()
    return all(word in text for word in words)


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
_AGAINST_ONE: dict[str, Callable[[Callable[..., _Filter], Any], _Filter]] = {
    "EQ": lambda make, value: make(lambda found: found == value, value, value),
    "NEQ": lambda make, value: make(lambda found: found != value),
    "LT": lambda make, value: make(lambda found: found is not None and found < value, high=value, high_open=True),
    "LTE": lambda make, value: make(lambda found: found is not None and found <= value, high=value),
    "GT": lambda make, value: make(lambda found: found is not None and found > value, value, low_open=True),
    "GTE": lambda make, value: make(lambda found: found is not None and found >= value, value),
    "CONTAINS_TOKEN": lambda make, value: make(_token(str(value))),
    "NOT_CONTAINS_TOKEN": lambda make, value: make(lambda found: not _token(str(value))(found)),
}
