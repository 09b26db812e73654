"""/v2/customers and its bulk calls."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from starlette.requests import Request

from onevoice.sandbox.gate import Answer, RefusalError
from onevoice.sandbox.square.body import Body, query_number, read_body, read_query
from onevoice.sandbox.square.customers_store import WRITABLE, Customers
from onevoice.sandbox.square.seller import Seller

MOST = 100
"""Customers in one bulk call."""


class CustomerPages:
    """The endpoints for one customer and for many by id."""

    def __init__(self, seller: Seller, customers: Customers) -> None:
        self._seller = seller
        self._customers = customers

    async def create(self, request: Request) -> Answer:
        """POST /v2/customers."""
        asked = (await read_body(request)).only("idempotency_key", *WRITABLE)
        return self._create(asked.text("idempotency_key"), asked)

    async def read(self, request: Request) -> Answer:
        """GET /v2/customers/{id}."""
        return self._show(self._customers.find(request.path_params["id"]))

    async def update(self, request: Request) -> Answer:
        """PUT /v2/customers/{id}."""
        return self._update(request.path_params["id"], await read_body(request))

    async def delete(self, request: Request) -> Answer:
        """DELETE /v2/customers/{id}."""
        version = query_number(read_query(request, "version"), "version")
        self._customers.delete(request.path_params["id"], version)
        return Answer(200, {}, units=1)

    async def create_many(self, request: Request) -> Answer:
        """POST /v2/customers/bulk-create: a map by idempotency key."""
        entries = (await read_body(request)).only("customers").entries("customers", MOST)
        return self._seller.each("responses", entries, lambda key, entry: self._create(key, entry.only(*WRITABLE)))

    async def read_many(self, request: Request) -> Answer:
        """POST /v2/customers/bulk-retrieve: a direct read, no lag."""
        keys = (await read_body(request)).only("customer_ids").texts("customer_ids", MOST, least=1)
        answers: dict[str, Any] = {}
        for key in keys:
            try:
                answers[key] = self._show(self._customers.find(key)).body
            except RefusalError as refused:
                answers[key] = refused.answer.body
        return Answer(200, {"responses": answers})

    async def update_many(self, request: Request) -> Answer:
        """POST /v2/customers/bulk-update: a map by customer id."""
        entries = (await read_body(request)).only("customers").entries("customers", MOST)
        return self._seller.each("responses", entries, self._update)

    async def delete_many(self, request: Request) -> Answer:
        """POST /v2/customers/bulk-delete."""
        keys = (await read_body(request)).only("customer_ids").texts("customer_ids", MOST, least=1)

        def delete(key: str, _entry: Body) -> Answer:
            self._customers.delete(key, None)
            return Answer(200, {}, units=1)

        return self._seller.each("responses", dict.fromkeys(keys, Body({})), delete)

    def _create(self, idempotency_key: str, asked: Body) -> Answer:
        def create() -> Answer:
            return replace(self._show(self._customers.create(asked)), units=1)

        return self._seller.once("create customer", idempotency_key, asked, create)

    def _update(self, key: str, asked: Body) -> Answer:
        self._customers.update(key, asked.only("version", *WRITABLE))
        return replace(self._show(key), units=1)

    def _show(self, key: str) -> Answer:
        return Answer(200, {"customer": self._customers.show(key)})
