"""POST /v2/events: what happened to the seller's customers and loyalty accounts in the last 28 days.

Told are `customer.deleted` (with the merge it was part of), `customer.custom_attribute.owned.deleted` and
`loyalty.account.created`, `.updated`, `.deleted`. Of several changes of one account only the last is told. Searching
for events counts as switched on.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from starlette.requests import Request

from onevoice.sandbox.gate import Answer
from onevoice.sandbox.square.body import comparable, in_period, read_body, shown
from onevoice.sandbox.square.paging import Cursor, Place, Results, fingerprint, page, read_cursor
from onevoice.sandbox.square.seller import Seller

MOST_FOUND = 100
"""Events on a page."""
KEPT = timedelta(days=28)
MERCHANT = "MLONEVOICESANDBOX"
_MOST_TERMS = 100
_APPLICATION = "sq0idp-onevoice-sandbox"
_ACCOUNT = "loyalty.account"


class Events:
    """The endpoint for events."""

    def __init__(self, seller: Seller) -> None:
        self._seller = seller
        self._results = Results()

    async def search(self, request: Request) -> Answer:
        """Oldest first. All filters must hold."""
        asked = (await read_body(request)).only("query", "limit", "cursor")
        query = asked.inner("query").only("filter", "sort")
        told = query.inner("filter").only("event_types", "merchant_ids", "location_ids", "created_at")
        types, period = set(told.texts("event_types", _MOST_TERMS)), told.period("created_at")
        oldest = comparable((self._seller.state.clock.now() - KEPT).isoformat())
        events = {
            event["event_id"]: event
            for event in self._all()
            if (not types or event["type"] in types)
            and comparable(event["created_at"]) >= oldest
            and in_period(event["created_at"], period)
        }
        search = fingerprint("seller events", query.fields)
        places: list[Place] = sorted((comparable(event["created_at"]), key) for key, event in events.items())
        cursor, limit = read_cursor(asked.text("cursor"), search), asked.limit(MOST_FOUND, MOST_FOUND)
        keys, end = page(places, cursor, limit, descending=False)
        answer: dict[str, Any] = {"events": [events[key] for key in keys]} if keys else {}
        if end:
            answer["cursor"] = Cursor(search, end).text()
        return Answer(200, answer)

    def _all(self) -> Iterator[dict[str, Any]]:
        for noted in self._seller.state.events:
            if noted["field"] != "(record)" or noted["new"] != "deleted":
                continue
            if noted["table"] == "customers":
                yield self._customer_deleted(noted["key"], noted["at"])
            elif noted["table"] == "custom_attributes":
                yield _attribute_deleted(noted["key"], noted["at"])
            elif noted["table"] == "loyalty_accounts":
                yield _event(f"{_ACCOUNT}.deleted", noted["key"], noted["at"], {"deleted": True})
        for key, row in self._seller.table("loyalty_accounts").rows.items():
            account = {"object": {"loyalty_account": shown(row, key)}}
            yield _event(f"{_ACCOUNT}.created", key, row["created_at"], account)
            if row["updated_at"] != row["created_at"]:
                yield _event(f"{_ACCOUNT}.updated", key, row["updated_at"], account)

    def _customer_deleted(self, key: str, at: str) -> dict[str, Any]:
        merged = self._seller.table("merged_customers")
        into = (merged.get(key) or {}).get("merged_into")
        more: dict[str, Any] = {"deleted": True}
        if into:
            losers = sorted(loser for loser, row in merged.rows.items() if row["merged_into"] == into)
            context = {"merge": {"from_customer_ids": losers, "to_customer_id": into}}
            more["object"] = {"event_context": context}
        return _event("customer.deleted", key, at, more)


def _attribute_deleted(place: str, at: str) -> dict[str, Any]:
    """`place` is "customer id/key"; the event names both behind the application that owns the definition."""
    customer, _, key = place.partition("/")
    told = {"type": "custom_attribute", "id": f"{_APPLICATION}:{key}:CUSTOMER:{customer}", "deleted": True}
    kind = "customer.custom_attribute.owned.deleted"
    return {"merchant_id": MERCHANT, "type": kind, "event_id": f"{kind}:{place}:{at}", "created_at": at, "data": told}


def _event(kind: str, key: str, at: str, more: dict[str, Any]) -> dict[str, Any]:
    what = "customer" if kind.startswith("customer.") else "loyalty_account"
    return {
        "merchant_id": MERCHANT,
        "type": kind,
        "event_id": f"{kind}:{key}",
        "created_at": at,
        "data": {"type": what, "id": key, **more},
    }
