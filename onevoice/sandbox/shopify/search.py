"""Connections: what a search finds, in its order, cut into pages by opaque cursors.

A cursor holds the sort value and the id of a record, and a page begins behind them whatever has changed since: in an
order by id nothing is lost or told twice, in an order by change time a record that changes meanwhile comes again at the
end.
"""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any

import orjson

from onevoice.sandbox.shopify.errors import top_error
from onevoice.sandbox.shopify.query import Make, parse_query
from onevoice.sandbox.shopify.tables import gid_number
from onevoice.sandbox.state import Fields, Table

KEPT_RESULTS = 6
"""Searches whose results are kept for their further pages."""
MOST_PAGED = 25_000
"""Records that can be reached page by page (shopify.dev, "Shopify API limits")."""

Place = tuple[Any, int]
Sort = Callable[[Fields], Any]
"""What a row is sorted by: text or a number, never None."""


@dataclass(frozen=True, slots=True)
class Found:
    """Rows in order, and the (sort value, id) of each."""

    rows: Sequence[Fields]
    places: Sequence[Place]


@dataclass(frozen=True, slots=True)
class Searchable:
    """How one type is searched. `by_id` is the fallback of sort keys that mean relevance."""

    fields: Mapping[str, Make]
    sorts: Mapping[str, Sort]


def by_id(row: Fields) -> int:
    """The order of ids."""
    return gid_number(row["id"])


def ordered(rows: Iterable[Fields], sort: Sort) -> Found:
    """Rows by a value, and by id where that is the same."""
    placed = sorted((((sort(row), gid_number(row["id"])), row) for row in rows), key=itemgetter(0))
    return Found([row for _, row in placed], [place for place, _ in placed])


class Searches:
    """Runs searches over what the index has seen, and keeps the last results."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str, str], tuple[int, Found, list[dict[str, str]]]] = {}

    def run(
        self, table: Table, kind: Searchable, query: str, sort_key: str, now: datetime
    ) -> tuple[Found, list[dict[str, str]]]:
        """Everything that matches, ascending, and the warnings about the query."""
        seen = table.seen()
        asked = (table.spec.name, query, sort_key)
        at, found, warnings = self._kept.pop(asked, (-1, _NONE, []))
        if at != table.seen_changes or "now" in query:
            parsed = parse_query(query, kind.fields, now)
            matching = filter(parsed.test, seen.values()) if query.strip() else seen.values()
            found, warnings = ordered(matching, kind.sorts.get(sort_key, by_id)), parsed.warnings
        self._kept[asked] = (table.seen_changes, found, warnings)
        while len(self._kept) > KEPT_RESULTS:
            del self._kept[next(iter(self._kept))]
        return found, warnings


_NONE = Found((), ())


def page(found: Found, arguments: Mapping[str, Any], show: Callable[[Fields], Any] = lambda row: row) -> dict[str, Any]:
    """One page as a connection: `first` and `after`, or `last` and `before`, in either direction."""
    backwards = arguments.get("reverse") is True
    start, end = _bounds(found, arguments, backwards=backwards)
    first, last = arguments.get("first"), arguments.get("last")
    low, high = start, end
    if (first is not None) != backwards:
        high = min(end, start + int(first if first is not None else last or 0))
    else:
        low = max(start, end - int(first if first is not None else last or 0))
    if (len(found.rows) - low if backwards else high) > MOST_PAGED:
        raise top_error(f"Pagination is limited to {MOST_PAGED} objects. Use filters.", "BAD_REQUEST")
    chosen = list(range(low, high))
    before, after = low > 0, high < len(found.rows)
    if backwards:
        chosen.reverse()
        before, after = after, before
    edges = [{"cursor": _cursor(found.places[one]), "node": show(found.rows[one])} for one in chosen]
    return {
        "edges": edges,
        "nodes": [edge["node"] for edge in edges],
        "pageInfo": {
            "hasNextPage": after,
            "hasPreviousPage": before,
            "startCursor": edges[0]["cursor"] if edges else None,
            "endCursor": edges[-1]["cursor"] if edges else None,
        },
    }


def _bounds(found: Found, arguments: Mapping[str, Any], *, backwards: bool) -> tuple[int, int]:
    """The stretch of rows that the cursors leave, in ascending order."""
    after, before = arguments.get("after"), arguments.get("before")
    low, high = (before, after) if backwards else (after, before)
    start = bisect_right(found.places, _place(low, found)) if low is not None else 0
    end = bisect_left(found.places, _place(high, found)) if high is not None else len(found.places)
    return start, max(start, end)


def _cursor(place: Place) -> str:
    value, number = place
    return base64.b64encode(orjson.dumps({"last_id": number, "last_value": value})).decode()


def _place(cursor: str, found: Found) -> Place:
    """What a cursor says; it must be of this order, as its sort value shows."""
    try:
        told = orjson.loads(base64.b64decode(cursor, validate=True))
        place = (told["last_value"], int(told["last_id"]))
    except (binascii.Error, ValueError, KeyError, TypeError):
        raise _invalid_cursor() from None
    if found.places and type(place[0]) is not type(found.places[0][0]):
        raise _invalid_cursor()
    return place


def _invalid_cursor() -> Exception:
    return top_error("Invalid cursor for current pagination sort.", "BAD_REQUEST")
