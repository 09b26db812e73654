"""Walking HubSpot's search index without losing a row.

The index sorts by one property only, answers at most 10,000 rows a query, and numbers its pages by position: a record
that is edited while we read leaves its place, and every later one moves up past us. So no page number is used where a
time can be: each query begins at the newest time reached, and rows of that very millisecond that were seen before are
dropped. Where one millisecond holds more rows than a page, they are drained in the order of their record ids.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors._watermark import Span, moment
from connectors.hubspot.client import Client
from onevoice.errors import ContractBroken, Unavailable
from onevoice.protocols import Record

PAGE = 200
"""Rows of one search answer at most."""
MOST_GROUPS = 5
"""Groups of filters that one search takes."""
CAP = 10_000
"""Rows of one query at most; asking for more is answered 400."""
STAMP = "lastmodifieddate"
"""Contacts only; other objects call it hs_lastmodifieddate."""
KEY = "hs_object_id"
MILLISECOND = timedelta(milliseconds=1)
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)

Rows = Sequence[Record]
Filter = Mapping[str, str | Sequence[str]]
Filters = Sequence[Filter]


class Walk:
    """One walk over a window; yields records with the place that is reached once they are stored.

    With `any_of`, only those that pass one of these filters, at most `MOST_GROUPS`.
    """

    def __init__(self, client: Client, properties: Sequence[str], any_of: Filters = ()) -> None:
        self._client = client
        self._properties = list(properties)
        self._any_of = any_of

    def pages(self, span: Span) -> Iterator[tuple[Rows, Span]]:
        """Every record whose stamp lies in the window, from the span's place on."""
        low = span.stamp or _BEGINNING
        if span.id:
            for rows, last in self._ties(low, span.id):
                yield rows, span.at(low, last)
            low += MILLISECOND
        seen: frozenset[str] = frozenset()
        after = 0
        while low <= span.through:
            found, total = self._search(_between(low, span.through), STAMP, after)
            inside = [row for row in found if low <= _stamp(row) <= span.through]
            if after + len(found) >= total:
                yield [row for row in inside if row.key not in seen], span.at(span.through + MILLISECOND)
                return
            newest = max(map(_stamp, inside), default=low)
            if newest > low:
                yield [row for row in inside if row.key not in seen], span.at(newest)
                seen = frozenset(row.key for row in inside if _stamp(row) == newest)
                low, after = newest, 0
            elif len(inside) == len(found) and inside:
                for rows, last in self._ties(low, "0"):
                    yield rows, span.at(low, last)
                low, after, seen = low + MILLISECOND, 0, frozenset()
            else:
                # The index is behind: these rows were edited since it last looked, and will be read in a later window.
                yield [row for row in inside if row.key not in seen], span.at(low)
                after = self._further(after, len(found))

    def _ties(self, stamp: datetime, last: str) -> Iterator[tuple[Rows, str]]:
        """All rows of one millisecond with an id above `last`, by id."""
        while True:
            filters = [_filter(STAMP, "EQ", _millis(stamp)), _filter(KEY, "GT", last)]
            found, total = self._search(filters, KEY, 0)
            inside = [row for row in found if _stamp(row) == stamp]
            if found:
                last = max((row.key for row in found), key=int)
            yield inside, last
            if len(found) >= total:
                return

    def _search(self, filters: Filters, sort: str, after: int) -> tuple[Rows, int]:
        groups = [[*filters, one] for one in self._any_of] or [list(filters)]
        body: dict[str, Any] = {
            "filterGroups": [{"filters": group} for group in groups],
            "sorts": [sort],
            "properties": self._properties,
            "limit": PAGE,
        }
        if after:
            body["after"] = str(after)
        answer = self._client.call("search", "crm.contacts.search_api.do_search", body, stream="contacts")
        try:
            rows, total = [record(row) for row in answer["results"]], int(answer["total"])
        except (KeyError, TypeError, ValueError) as exc:
            raise ContractBroken(f"{self._where}: the search answer is not one", **self._place) from exc
        if total > after + len(rows) and not rows:
            raise Unavailable(f"{self._where}: a search promised {total} rows and gave none (run again)", **self._place)
        return rows, total

    def _further(self, after: int, rows: int) -> int:
        if after + rows + PAGE > CAP:
            raise Unavailable(
                f"{self._where}: the search index is too far behind to be read (run again later)", **self._place
            )
        return after + rows

    @property
    def _where(self) -> str:
        return f"{self._client.system}.contacts"

    @property
    def _place(self) -> Any:
        return {"system": self._client.system, "stream": "contacts"}


def record(row: Mapping[str, Any]) -> Record:
    """A contact as HubSpot answers it, as a record; KeyError or ValueError when it is not one."""
    properties = {name: value for name, value in row["properties"].items() if value is not None}
    return Record(str(row["id"]), properties, moment(properties.get(STAMP) or row["updatedAt"]))


def _stamp(row: Record) -> datetime:
    if row.updated_at is None:
        raise ContractBroken("a contact without a time of change")
    return row.updated_at


def _between(low: datetime, high: datetime) -> Filters:
    return [_filter(STAMP, "GTE", _millis(low)), _filter(STAMP, "LTE", _millis(high))]


def holds(name: str, words: Sequence[str]) -> Filter:
    """The filter for contacts whose property holds one of these words. HubSpot wants them in small letters for a text,
    and as they are for a list of choices."""
    values = sorted({*words, *(word.lower() for word in words)})
    return {"propertyName": name, "operator": "IN", "values": values}


def _filter(name: str, operator: str, value: str) -> Filter:
    return {"propertyName": name, "operator": operator, "value": value}


def _millis(value: datetime) -> str:
    """Milliseconds since 1970 as text, exactly."""
    return str((value - _BEGINNING) // MILLISECOND)
