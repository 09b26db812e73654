"""/v2/customers/groups, and who belongs to them."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from onevoice.sandbox.gate import Answer
from onevoice.sandbox.square.body import Body, query_number, read_body, read_query, shown, within
from onevoice.sandbox.square.customers_store import Customers
from onevoice.sandbox.square.errors import missing
from onevoice.sandbox.square.paging import Cursor, fingerprint, page, read_cursor
from onevoice.sandbox.square.seller import Seller

MOST_FOUND = 50
"""Groups on a page."""
_SEARCH = fingerprint("groups")


class Groups:
    """The endpoints for groups."""

    def __init__(self, seller: Seller, customers: Customers) -> None:
        self._seller = seller
        self._customers = customers
        self._table = seller.table("groups")

    async def every(self, request: Request) -> Answer:
        """GET /v2/customers/groups."""
        asked = read_query(request, "cursor", "limit")
        limit = within(query_number(asked, "limit"), MOST_FOUND, MOST_FOUND, "limit")
        found = sorted((row["name"], key) for key, row in self._table.rows.items())
        keys, end = page([*found], read_cursor(asked.text("cursor"), _SEARCH), limit, descending=False)
        answer: dict[str, Any] = {"groups": [self._shown(key) for key in keys]} if keys else {}
        if end:
            answer["cursor"] = Cursor(_SEARCH, end).text()
        return Answer(200, answer)

    async def create(self, request: Request) -> Answer:
        """POST /v2/customers/groups."""
        asked = (await read_body(request)).only("idempotency_key", "group").need("group")
        name = _name(asked)

        def create() -> Answer:
            return Answer(200, {"group": self._shown(self._table.insert({"name": name}))}, units=1)

        return self._seller.once("create group", asked.text("idempotency_key"), asked, create)

    async def read(self, request: Request) -> Answer:
        """GET /v2/customers/groups/{group}."""
        return Answer(200, {"group": self._shown(request.path_params["group"])})

    async def rename(self, request: Request) -> Answer:
        """PUT /v2/customers/groups/{group}."""
        name, key = _name((await read_body(request)).only("group").need("group")), request.path_params["group"]
        self._shown(key)
        self._table.update(key, {"name": name})
        return Answer(200, {"group": self._shown(key)}, units=1)

    async def delete(self, request: Request) -> Answer:
        """DELETE /v2/customers/groups/{group}."""
        group = request.path_params["group"]
        self._shown(group)
        for customer, row in list(self._customers.table.rows.items()):
            if group in (row.get("group_ids") or ()):
                left = [other for other in row["group_ids"] if other != group]
                self._customers.table.update(customer, {"group_ids": left}, actor="vendor")
        self._table.delete(group)
        return Answer(200, {}, units=1)

    async def add(self, request: Request) -> Answer:
        """PUT /v2/customers/{id}/groups/{group}; whoever is in the group stays in it."""
        customer, group, held = self._membership(request)
        return self._put(customer, held, held if group in held else [*held, group])

    async def remove(self, request: Request) -> Answer:
        """DELETE /v2/customers/{id}/groups/{group}; whoever is not in the group stays out of it."""
        customer, group, held = self._membership(request)
        return self._put(customer, held, [other for other in held if other != group])

    def _membership(self, request: Request) -> tuple[str, str, list[str]]:
        customer, group = request.path_params["id"], request.path_params["group"]
        row = self._customers.writable(customer)
        self._shown(group)
        return customer, group, row.get("group_ids") or []

    def _put(self, customer: str, held: list[str], groups: list[str]) -> Answer:
        if groups == held:
            # Nothing changes, so the profile keeps its stamp and version; it was a write all the same.
            self._seller.state.api_writes.record("customers", customer, {"group_ids": groups}, {"group_ids": held})
        else:
            self._customers.table.update(customer, {"group_ids": groups})
        return Answer(200, {}, units=1)

    def _shown(self, key: str) -> dict[str, Any]:
        row = self._table.get(key)
        if row is None:
            raise missing("Customer group", key)
        return shown(row, key)


def _name(asked: Body) -> str:
    told = asked.inner("group").only("id", "name", "created_at", "updated_at").need("name")
    return told.text("name", shortest=1)
