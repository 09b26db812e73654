"""/v2/loyalty: the programme, its accounts, and the points that go in and out."""

from __future__ import annotations

import re
import uuid
from typing import Any

from starlette.requests import Request

from onevoice.sandbox.gate import Answer
from onevoice.sandbox.square.body import Body, comparable, read_body, shown
from onevoice.sandbox.square.errors import missing, refusal
from onevoice.sandbox.square.paging import Cursor, Place, Results, fingerprint, page, read_cursor
from onevoice.sandbox.square.points import earned, next_deadlines
from onevoice.sandbox.square.seller import Seller
from onevoice.sandbox.square.tables import square_stamp
from onevoice.sandbox.state import Fields

MOST_FOUND, USUAL_FOUND = 200, 30
"""Accounts on a page."""
MOST_ASKED = 30
"""Customer ids or phone numbers in one search."""
_LONGEST_KEY = 128
_PHONE = re.compile(r"\+\d{9,16}")


class Loyalty:
    """The endpoints for the programme and its accounts."""

    def __init__(self, seller: Seller) -> None:
        self._seller = seller
        self._programs = seller.table("loyalty_programs")
        self._accounts = seller.table("loyalty_accounts")
        self._events = seller.table("loyalty_events")
        self._results = Results()

    async def programs(self, _request: Request) -> Answer:
        """GET /v2/loyalty/programs."""
        found = [shown(row, key) for key, row in self._programs.rows.items()]
        return Answer(200, {"programs": found} if found else {})

    async def program(self, request: Request) -> Answer:
        """GET /v2/loyalty/programs/{id or main}."""
        asked = request.path_params["id"]
        key = next(iter(self._programs.rows), "") if asked == "main" else asked
        row = self._programs.get(key)
        if row is None:
            raise missing("Loyalty program", asked)
        return Answer(200, {"program": shown(row, key)})

    async def search(self, request: Request) -> Answer:
        """POST /v2/loyalty/accounts/search, oldest first; a query that asks for nothing finds all."""
        asked = (await read_body(request)).only("query", "limit", "cursor")
        query = asked.inner("query").only("mappings", "customer_ids")
        customers = set(query.texts("customer_ids", MOST_ASKED))
        phones = {_phone(one) for one in query.objects("mappings", MOST_ASKED)}
        if customers and phones:
            raise refusal("CONFLICTING_PARAMETERS", "mappings and customer_ids cannot be combined.", "query")
        search = fingerprint("accounts", query.fields)

        def find() -> list[Place]:
            return [
                (comparable(row["created_at"]), key)
                for key, row in self._accounts.rows.items()
                if (not customers or row.get("customer_id") in customers)
                and (not phones or row["mapping"].get("phone_number") in phones)
            ]

        found = self._results.sorted(search, self._accounts.changes, find)
        cursor, limit = read_cursor(asked.text("cursor"), search), asked.limit(MOST_FOUND, USUAL_FOUND)
        keys, end = page(found, cursor, limit, descending=False)
        answer: dict[str, Any] = {"loyalty_accounts": [self._shown(key) for key in keys]} if keys else {}
        if end:
            answer["cursor"] = Cursor(search, end).text()
        return Answer(200, answer)

    async def read(self, request: Request) -> Answer:
        """GET /v2/loyalty/accounts/{id}."""
        return Answer(200, {"loyalty_account": self._shown(request.path_params["id"])})

    async def create(self, request: Request) -> Answer:
        """POST /v2/loyalty/accounts: one for a phone number, which only one account can have."""
        asked = (await read_body(request)).only("loyalty_account", "idempotency_key")
        told = asked.need("loyalty_account", "idempotency_key").inner("loyalty_account").need("program_id", "mapping")
        told.only("program_id", "mapping", "customer_id", "enrolled_at")
        return self._seller.once("create account", _key(asked), asked, lambda: self._create(told))

    async def accumulate(self, request: Request) -> Answer:
        """POST /v2/loyalty/accounts/{id}/accumulate: what an order earns, or a number of points."""
        asked = (await read_body(request)).only("accumulate_points", "idempotency_key", "location_id")
        told = asked.need("accumulate_points", "idempotency_key", "location_id").inner("accumulate_points")
        told.only("points", "order_id", "loyalty_program_id")
        key = request.path_params["id"]
        self._shown(key)

        def accumulate() -> Answer:
            details = self._accumulated(told)
            event = self._change(key, details["points"], "accumulate_points", details, asked.text("location_id"))
            return Answer(200, {"events": [event]}, units=1)

        return self._seller.once(f"accumulate {key}", _key(asked), asked, accumulate)

    async def adjust(self, request: Request) -> Answer:
        """POST /v2/loyalty/accounts/{id}/adjust: points more or fewer, by hand."""
        asked = (await read_body(request)).only("adjust_points", "idempotency_key", "allow_negative_balance")
        told = asked.need("adjust_points", "idempotency_key").inner("adjust_points").need("points")
        told.only("points", "reason", "loyalty_program_id")
        key = request.path_params["id"]
        self._shown(key)

        def adjust() -> Answer:
            points, reason = told.whole("points") or 0, told.text("reason", 3_500)
            balance = self._accounts.rows[key]["balance"] + points
            if points < 0 and balance < 0 and not asked.flag("allow_negative_balance"):
                raise refusal("BAD_REQUEST", "The balance would become negative.", told.path("points"))
            details = {"points": points, **({"reason": reason} if reason else {})}
            return Answer(200, {"event": self._change(key, points, "adjust_points", details, "")}, units=1)

        return self._seller.once(f"adjust {key}", _key(asked), asked, adjust)

    def _create(self, told: Body) -> Answer:
        if told.text("program_id") not in self._programs:
            raise missing("Loyalty program", told.text("program_id"))
        phone = _phone(told.inner("mapping"))
        if any(row["mapping"].get("phone_number") == phone for row in self._accounts.rows.values()):
            raise refusal("BAD_REQUEST", "An account has this phone number already.", told.path("mapping"))
        now = square_stamp(self._seller.state.clock.now())
        row: Fields = {
            "program_id": told.text("program_id"),
            "mapping": {"id": str(uuid.uuid4()), "phone_number": phone, "created_at": now},
            "balance": 0,
            "lifetime_points": 0,
        }
        row.update({name: told.text(name) for name in ("customer_id", "enrolled_at") if told.has(name)})
        return Answer(200, {"loyalty_account": self._shown(self._accounts.insert(row))}, units=1)

    def _accumulated(self, told: Body) -> dict[str, Any]:
        """The event's own part: the points, and the order they came from."""
        if told.has("points") == told.has("order_id"):
            raise refusal("BAD_REQUEST", "Exactly one of points and order_id must be set.", told.where)
        if told.has("points"):
            points = told.whole("points") or 0
            if points < 1:
                raise refusal("VALUE_TOO_LOW", "The value must be 1 or more.", told.path("points"))
            return {"points": points}
        order = told.text("order_id")
        row = self._seller.table("orders").get(order)
        if row is None:
            raise missing("Order", order)
        if any(order == (event.get("accumulate_points") or {}).get("order_id") for event in self._events.rows.values()):
            raise refusal("BAD_REQUEST", "Points were accumulated for this order already.", told.path("order_id"))
        points = earned(next(iter(self._programs.rows.values()), {}), row)
        if not points:
            raise refusal("BAD_REQUEST", "The order earns no points.", told.path("order_id"))
        return {"points": points, "order_id": order}

    def _change(self, key: str, points: int, kind: str, details: dict[str, Any], location: str) -> dict[str, Any]:
        """Move the balance, write the event, and return it."""
        account = self._accounts.rows[key]
        now = self._seller.state.clock.now()
        balance = account["balance"] + points
        program = self._programs.get(account["program_id"]) or {}
        deadlines = next_deadlines(program, account.get("expiring_point_deadlines") or (), points, balance, now)
        changes: Fields = {"balance": balance, "expiring_point_deadlines": deadlines}
        changes["lifetime_points"] = account["lifetime_points"] + max(points, 0)
        if kind == "accumulate_points" and not account.get("enrolled_at"):
            changes["enrolled_at"] = square_stamp(now)
        self._accounts.update(key, changes)
        event: Fields = {
            "type": kind.upper(),
            "loyalty_account_id": key,
            "source": "LOYALTY_API",
            kind: {"loyalty_program_id": account["program_id"], **details},
        }
        if location:
            event["location_id"] = location
        made = self._events.insert(event, actor="vendor")
        return shown(self._events.rows[made], made)

    def _shown(self, key: str) -> dict[str, Any]:
        row = self._accounts.get(key)
        if row is None:
            raise missing("Loyalty account", key)
        return shown(row, key)


def _phone(mapping: Body) -> str:
    """The phone number of a mapping, the only thing an account can be mapped to."""
    phone = mapping.only("id", "phone_number", "created_at").need("phone_number").text("phone_number")
    if not _PHONE.fullmatch(phone):
        raise refusal("INVALID_PHONE_NUMBER", "Expected phone_number in E.164 form.", mapping.path("phone_number"))
    return phone


def _key(asked: Body) -> str:
    return asked.text("idempotency_key", _LONGEST_KEY, shortest=1)
