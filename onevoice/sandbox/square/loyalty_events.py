"""POST /v2/loyalty/events/search: the ledger of every change of a balance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request

from onevoice.sandbox.gate import Answer
from onevoice.sandbox.square.body import Body, comparable, read_body, shown
from onevoice.sandbox.square.errors import refusal
from onevoice.sandbox.square.paging import Cursor, Place, Results, fingerprint, page, read_cursor
from onevoice.sandbox.square.seller import Seller
from onevoice.sandbox.state import Fields

MOST_FOUND = 30
"""Events on a page."""
_MOST_TERMS = 100
_TYPES = (
    "ACCUMULATE_POINTS",
    "ACCUMULATE_PROMOTION_POINTS",
    "ADJUST_POINTS",
    "CREATE_REWARD",
    "DELETE_REWARD",
    "EXPIRE_POINTS",
    "OTHER",
    "REDEEM_REWARD",
)

Test = Callable[[Fields], bool]


class LoyaltyEvents:
    """The endpoint for events."""

    def __init__(self, seller: Seller) -> None:
        self._table = seller.table("loyalty_events")
        self._results = Results()

    async def search(self, request: Request) -> Answer:
        """Newest first. All filters must hold."""
        asked = (await read_body(request)).only("query", "limit", "cursor")
        query = asked.inner("query").only("filter")
        told = query.inner("filter").only(*_FILTERS)
        tests = [make(told.inner(name)) for name, make in _FILTERS.items() if told.has(name)]
        search = fingerprint("events", query.fields)

        def find() -> list[Place]:
            return [
                (comparable(row["created_at"]), key)
                for key, row in self._table.rows.items()
                if all(test(row) for test in tests)
            ]

        found = self._results.sorted(search, self._table.changes, find)
        cursor, limit = read_cursor(asked.text("cursor"), search), asked.limit(MOST_FOUND, MOST_FOUND)
        keys, end = page(found, cursor, limit, descending=True)
        answer: dict[str, Any] = {"events": [shown(self._table.rows[key], key) for key in keys]} if keys else {}
        if end:
            answer["cursor"] = Cursor(search, end).text()
        return Answer(200, answer)


def _account(asked: Body) -> Test:
    wanted = asked.only("loyalty_account_id").need("loyalty_account_id").text("loyalty_account_id")
    return lambda row: row["loyalty_account_id"] == wanted


def _type(asked: Body) -> Test:
    wanted = asked.only("types").need("types").texts("types", len(_TYPES))
    for one in wanted:
        if one not in _TYPES:
            raise refusal("INVALID_ENUM_VALUE", f"`{one}` is not a valid enum value.", asked.path("types"))
    return lambda row: row["type"] in wanted


def _time(asked: Body) -> Test:
    """The start belongs to the range, the end does not."""
    start, end = asked.only("created_at").need("created_at").period("created_at")

    def test(row: Fields) -> bool:
        at = comparable(row["created_at"])
        return (not start or at >= start) and (not end or at < end)

    return test


def _location(asked: Body) -> Test:
    wanted = set(asked.only("location_ids").need("location_ids").texts("location_ids", _MOST_TERMS))
    return lambda row: row.get("location_id") in wanted


def _order(asked: Body) -> Test:
    wanted = asked.only("order_id").need("order_id").text("order_id")
    return lambda row: any(isinstance(part, dict) and part.get("order_id") == wanted for part in row.values())


_FILTERS: dict[str, Callable[[Body], Test]] = {
    "loyalty_account_filter": _account,
    "type_filter": _type,
    "date_time_filter": _time,
    "location_filter": _location,
    "order_filter": _order,
}
