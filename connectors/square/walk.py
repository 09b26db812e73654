"""Walking a search so that every page ends at a time from which a later run can go on.

Square's page cursors live for minutes, and a row that changes while we read may leave its place. So a query begins
anew at the newest time reached, and rows that were seen there already are dropped. Only where one moment holds more
rows than a page is Square's own cursor followed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from connectors._watermark import iso, moment
from connectors.square.client import Row
from onevoice.errors import ContractBroken

MILLISECOND = timedelta(milliseconds=1)

Search = Callable[[datetime | None, str | None], tuple[Sequence[Row], str | None]]
"""(begin at this time, Square's cursor) -> rows in ascending order of that time, and the cursor of the next page."""


def pages(search: Search, by: str, low: datetime | None) -> Iterator[tuple[Sequence[Row], datetime]]:
    """Every row from `low` on in the order of the time `by`, with the time that is reached with each page."""
    seen: frozenset[str] = frozenset()
    place: str | None = None
    while True:
        rows, further = search(low, place)
        fresh = [row for row in rows if row["id"] not in seen]
        newest = max((stamp(row, by) for row in rows), default=low)
        if fresh and newest is not None:
            yield fresh, newest
        if not further:
            return
        ids = frozenset(row["id"] for row in rows)
        if newest is not None and (low is None or newest > low):
            low, place, seen = newest, None, ids
        else:
            place, seen = further, seen | ids


def span_filter(low: datetime | None, high: datetime | None) -> dict[str, str]:
    """A TimeRange that surely holds both ends: Square says of few endpoints whether its ends are inclusive."""
    bounds = {"start_at": low and low - MILLISECOND, "end_at": high and high + MILLISECOND}
    return {name: iso(value) for name, value in bounds.items() if value}


def stamp(row: Row, by: str) -> datetime:
    """A time of a row; ContractBroken when it has none."""
    try:
        return moment(row[by])
    except (KeyError, TypeError, ValueError) as exc:
        raise ContractBroken(f"a row of Square has no usable {by}") from exc
