"""Reading orders: the sales of every store, those that a till took while offline included."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from connectors._manifest import StreamEntry
from connectors._watermark import Span, finished, spans
from connectors.square.client import Client, Row, rows_of
from connectors.square.walk import Search, pages, span_filter, stamp
from onevoice.protocols import Json, Page, Record

PAGE = 500
"""Orders of one search; Square allows a thousand, and answers slowly then."""
BY_IDS = 100
LOCATIONS = 10
"""Locations of one search at most."""


class Orders:
    """The stream `orders`."""

    def __init__(self, client: Client, entry: StreamEntry) -> None:
        self._client = client
        self._entry = entry

    def read(self, cursor: Json | None, as_of: datetime) -> Iterator[Page]:
        """Yield the orders that changed, ten locations at a time.

        A till that was offline hands its orders in up to 72 hours late, with times in the past: the manifest's lookback
        is longer than that. The watermark's `id` is the first location of the ten that are being read.
        """
        locations = self.locations()
        windows = spans(cursor, as_of - self._entry.settle, self._entry.lookback)
        resumed = cursor is not None and cursor["stamp"] is not None
        for number, span in enumerate(windows):
            low = span.stamp
            todo, place = locations, low
            if number == 0 and resumed:
                low, place = span.since, span.stamp
                todo = [location for location in locations if location >= span.id]
            for start in range(0, len(todo), LOCATIONS):
                yield from self._window(todo[start : start + LOCATIONS], replace(span, since=low), place)
                place = low
        yield Page([], finished(windows[-1].through))

    def fetch(self, keys: Sequence[str]) -> Iterator[Record]:
        """Yield the orders as they are now, in the order of `keys`."""
        for start in range(0, len(keys), BY_IDS):
            batch = keys[start : start + BY_IDS]
            answer = self._client.call(
                "read", "POST", "/orders/batch-retrieve", stream="orders", json={"order_ids": list(batch)}
            )
            found = {row["id"]: row for row in rows_of(answer, "orders", self._client.system, "orders")}
            for key in batch:
                yield _record(found[key]) if key in found else Record(key, {}, deleted=True)

    def locations(self) -> list[str]:
        """Ids of all locations in their order, closed ones too: they have sold."""
        return sorted(str(row["id"]) for row in self.stores())

    def stores(self) -> Sequence[Row]:
        """The seller's locations."""
        answer = self._client.call("read", "GET", "/locations", stream="orders")
        return rows_of(answer, "locations", self._client.system, "orders")

    def _window(self, locations: Sequence[str], span: Span, place: datetime | None) -> Iterator[Page]:
        """Orders of these locations in the window from `place` on."""
        search = self._search(locations, span.through)
        for rows, reached in pages(search, "updated_at", place):
            yield Page([_record(row) for row in rows], span.at(reached, locations[0]).cursor())

    def _search(self, locations: Sequence[str], high: datetime) -> Search:
        """Orders of these locations, by time of change."""

        def search(low: datetime | None, place: str | None) -> tuple[Sequence[Row], str | None]:
            when: Mapping[str, Any] = {"date_time_filter": {"updated_at": span_filter(low, high)}}
            body: dict[str, Any] = {
                "location_ids": list(locations),
                "limit": PAGE,
                "query": {"filter": when, "sort": {"sort_field": "UPDATED_AT", "sort_order": "ASC"}},
            }
            if place:
                body["cursor"] = place
            answer = self._client.call("search", "POST", "/orders/search", stream="orders", json=body)
            return rows_of(answer, "orders", self._client.system, "orders"), answer.get("cursor")

        return search


def _record(row: Row) -> Record:
    return Record(str(row["id"]), row, stamp(row, "updated_at"))
