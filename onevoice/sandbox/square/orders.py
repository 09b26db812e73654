"""/v2/orders and /v2/locations: what the tills sold, and where they stand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request

from onevoice.sandbox.gate import Answer
from onevoice.sandbox.square.body import Body, comparable, in_period, read_body, read_query, shown
from onevoice.sandbox.square.errors import missing, refusal
from onevoice.sandbox.square.paging import Cursor, Place, Results, fingerprint, page, read_cursor
from onevoice.sandbox.square.seller import Seller
from onevoice.sandbox.state import Fields

MOST_FOUND, USUAL_FOUND = 1_000, 500
"""Orders on a page."""
MOST_LOCATIONS = 10
MOST_READ = 100
"""Orders read by id in one call."""
_MOST_TERMS = 10
_SORTS = ("CREATED_AT", "UPDATED_AT", "CLOSED_AT")
_STATES = ("OPEN", "COMPLETED", "CANCELED", "DRAFT")

Test = Callable[[Fields], bool]


class Orders:
    """The endpoints for orders and locations."""

    def __init__(self, seller: Seller) -> None:
        self._state = seller.state
        self._table = seller.table("orders")
        self._locations = seller.table("locations")
        self._results = Results()

    async def search(self, request: Request) -> Answer:
        """POST /v2/orders/search. Without an end of time, the first page's moment is the end for all its pages."""
        asked = (await read_body(request)).only("location_ids", "cursor", "query", "limit", "return_entries")
        asked.need("location_ids")
        locations = asked.texts("location_ids", MOST_LOCATIONS, least=1)
        query = asked.inner("query").only("filter", "sort")
        sort = query.inner("sort").only("sort_field", "sort_order")
        field = sort.choice("sort_field", _SORTS, "CREATED_AT").lower()
        search = fingerprint(sorted(locations), query.fields)
        cursor = read_cursor(asked.text("cursor"), search)
        until = cursor.until if cursor else self._state.clock.now().isoformat(timespec="microseconds")
        tests = [_among("location_id", self._known(locations)), *_tests(query.inner("filter"), field, until)]

        def find() -> list[Place]:
            return [
                (comparable(row[field]), key)
                for key, row in self._table.rows.items()
                if row.get(field) and all(test(row) for test in tests)
            ]

        found = self._results.sorted(f"{search}{until}", self._table.changes, find)
        limit = asked.limit(MOST_FOUND, USUAL_FOUND)
        keys, end = page(found, cursor, limit, descending=sort.choice("sort_order", ("ASC", "DESC"), "DESC") == "DESC")
        answer = self._listing(keys, entries=asked.flag("return_entries"))
        if end:
            answer["cursor"] = Cursor(search, end, until).text()
        return Answer(200, answer)

    async def read_many(self, request: Request) -> Answer:
        """POST /v2/orders/batch-retrieve; orders that do not exist are passed over."""
        asked = (await read_body(request)).only("location_id", "order_ids").need("order_ids")
        keys = asked.texts("order_ids", MOST_READ, least=1)
        place = asked.text("location_id")
        rows = ((key, self._table.get(key)) for key in keys)
        found = [shown(row, key) for key, row in rows if row and place in {"", row["location_id"]}]
        return Answer(200, {"orders": found} if found else {})

    async def read(self, request: Request) -> Answer:
        """GET /v2/orders/{id}."""
        key = request.path_params["id"]
        row = self._table.get(key)
        if row is None:
            raise missing("Order", key)
        return Answer(200, {"order": shown(row, key)})

    async def locations(self, request: Request) -> Answer:
        """GET /v2/locations, by name."""
        read_query(request)
        rows = sorted(self._locations.rows.items(), key=lambda item: (item[1].get("name") or "", item[0]))
        return Answer(200, {"locations": [shown(row, key) for key, row in rows]} if rows else {})

    async def location(self, request: Request) -> Answer:
        """GET /v2/locations/{id}."""
        key = request.path_params["id"]
        row = self._locations.get(key)
        if row is None:
            raise missing("Location", key)
        return Answer(200, {"location": shown(row, key)})

    def _known(self, locations: list[str]) -> set[str]:
        for key in locations:
            if key not in self._locations:
                raise refusal("INVALID_VALUE", f"Location `{key}` is none of this seller's.", "location_ids")
        return set(locations)

    def _listing(self, keys: list[str], *, entries: bool) -> dict[str, Any]:
        if not keys:
            return {}
        if not entries:
            return {"orders": [shown(self._table.rows[key], key) for key in keys]}
        rows = [(key, self._table.rows[key]) for key in keys]
        short = ("location_id", "version")
        return {
            "order_entries": [
                {"order_id": key, **{name: row[name] for name in short if row.get(name) is not None}}
                for key, row in rows
            ]
        }


def _tests(asked: Body, sort_field: str, until: str) -> list[Test]:
    asked.only("state_filter", "date_time_filter", "source_filter", "customer_filter")
    tests: list[Test] = [_span(asked.inner("date_time_filter"), sort_field, until)]
    if asked.has("state_filter"):
        states = asked.inner("state_filter").only("states").need("states").texts("states", len(_STATES), least=1)
        for state in states:
            if state not in _STATES:
                raise refusal(
                    "INVALID_ENUM_VALUE", f"`{state}` is not a valid enum value.", "query.filter.state_filter.states"
                )
        tests.append(_among("state", set(states)))
    if asked.has("customer_filter"):
        customers = asked.inner("customer_filter").only("customer_ids").texts("customer_ids", _MOST_TERMS)
        tests.append(_among("customer_id", set(customers)))
    if asked.has("source_filter"):
        names = set(asked.inner("source_filter").only("source_names").texts("source_names", _MOST_TERMS))
        tests.append(lambda row: (row.get("source") or {}).get("name") in names)
    return tests


def _among(name: str, wanted: set[str]) -> Test:
    return lambda row: row.get(name) in wanted


def _span(asked: Body, sort_field: str, until: str) -> Test:
    """The one range of time; both its ends belong to it, and it must be of the field that sorts."""
    named = [name for name in ("created_at", "updated_at", "closed_at") if asked.has(name)]
    asked.only("created_at", "updated_at", "closed_at")
    if len(named) > 1:
        raise refusal("CONFLICTING_PARAMETERS", "Only one time range can be filtered for.", asked.where)
    if named and named != [sort_field]:
        raise refusal("BAD_REQUEST", "The sort_field must be the field of the date_time_filter.", asked.where)
    start, end = asked.period(sort_field) if named else ("", "")
    return lambda row: in_period(row.get(sort_field), (start, end or until))
