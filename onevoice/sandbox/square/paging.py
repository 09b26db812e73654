"""Pages of sorted results. A cursor says where the last page ended, so that records that come or go shift nothing."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import orjson

from onevoice.sandbox.square.errors import refusal

KEPT_RESULTS = 16
"""Searches whose results are kept for their further pages."""

Place = tuple[str, ...]
"""Where a record stands in the order: its sort values as text, then its id."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page of one search ended, and `until`, the end of time as its first page saw it (empty: not asked)."""

    search: str
    place: Place
    until: str = ""

    def text(self) -> str:
        """As the client carries it."""
        return urlsafe_b64encode(orjson.dumps([self.search, self.until, *self.place])).decode()


def read_cursor(text: str, search: str) -> Cursor | None:
    """The cursor that a request brought, None for none; refused when it is not of this search."""
    if not text:
        return None
    try:
        known, until, *place = orjson.loads(urlsafe_b64decode(text))
    except (ValueError, TypeError):
        raise refusal("INVALID_CURSOR", "The cursor is not valid.", "cursor") from None
    if known != search:
        raise refusal("INVALID_CURSOR", "The cursor belongs to another query.", "cursor")
    return Cursor(known, tuple(map(str, place)), until)


def fingerprint(*asked: object) -> str:
    """What two requests have in common when one continues the other."""
    return hashlib.blake2b(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS), digest_size=8).hexdigest()


class Results:
    """Sorted results of the latest searches, each kept until what they were made from changes."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[int, list[Place]]] = {}

    def sorted(self, search: str, changes: int, find: Callable[[], Sequence[Place]]) -> list[Place]:
        """Everything found, in ascending order; `changes` goes up when `find` could find something else."""
        at, found = self._kept.pop(search, (-1, []))
        if at != changes:
            found = sorted(find())
        self._kept[search] = (changes, found)
        while len(self._kept) > KEPT_RESULTS:
            del self._kept[next(iter(self._kept))]
        return found


def page(found: list[Place], cursor: Cursor | None, limit: int, *, descending: bool) -> tuple[list[str], Place | None]:
    """(record ids, where the page ends or None when nothing follows) of a list in ascending order."""
    if descending:
        end = bisect_left(found, cursor.place) if cursor else len(found)
        start = max(end - limit, 0)
        places, more = found[start:end][::-1], start > 0
    else:
        start = bisect_right(found, cursor.place) if cursor else 0
        places, more = found[start : start + limit], start + limit < len(found)
    return [place[-1] for place in places], places[-1] if more else None
