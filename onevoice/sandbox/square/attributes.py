"""Custom attributes: /v2/customers/custom-attribute-definitions, and the values of customers."""

from __future__ import annotations

import re
from typing import Any

from starlette.requests import Request

from onevoice.sandbox.gate import Answer
from onevoice.sandbox.square.attributes_store import Attributes, attribute_type
from onevoice.sandbox.square.body import Body, query_flag, query_number, read_body, read_query, within
from onevoice.sandbox.square.customers_store import Customers
from onevoice.sandbox.square.errors import refusal, refuse_stale
from onevoice.sandbox.square.paging import Cursor, fingerprint, page, read_cursor
from onevoice.sandbox.square.seller import Seller

MOST_UPSERTED = 25
"""Values in one bulk call."""
MOST_SHOWN, USUAL_SHOWN = 100, 20
_KEY = re.compile(r"[a-zA-Z0-9._-]{1,60}")
_VISIBILITIES = ("VISIBILITY_HIDDEN", "VISIBILITY_READ_ONLY", "VISIBILITY_READ_WRITE_VALUES")
_LONGEST_KEY = 45
"""An idempotency key of these endpoints."""
_STAMPED = ("version", "created_at", "updated_at")


class AttributePages:
    """The endpoints for definitions and values."""

    def __init__(self, seller: Seller, customers: Customers, attributes: Attributes) -> None:
        self._seller = seller
        self._customers = customers
        self._attributes = attributes
        self._definitions = seller.table("custom_attribute_definitions")

    async def definitions(self, request: Request) -> Answer:
        """GET /v2/customers/custom-attribute-definitions."""
        asked = read_query(request, "limit", "cursor")
        keys, cursor = _paged("definitions", sorted(self._definitions.rows), asked)
        return Answer(
            200, _listing("custom_attribute_definitions", map(self._attributes.show_definition, keys), cursor)
        )

    async def definition(self, request: Request) -> Answer:
        """GET /v2/customers/custom-attribute-definitions/{key}."""
        wanted = query_number(read_query(request, "version"), "version")
        shown = self._attributes.show_definition(request.path_params["key"])
        _refuse_future(wanted, shown["version"])
        return Answer(200, {"custom_attribute_definition": shown})

    async def define(self, request: Request) -> Answer:
        """POST /v2/customers/custom-attribute-definitions."""
        asked = (await read_body(request)).only("custom_attribute_definition", "idempotency_key")
        told = asked.need("custom_attribute_definition").inner("custom_attribute_definition")

        def define() -> Answer:
            key = told.need("key", "schema").text("key")
            if not _KEY.fullmatch(key):
                raise refusal("VALUE_REGEX_MISMATCH", "A key has 1 to 60 letters, digits, . _ or -.", told.path("key"))
            if key in self._definitions:
                raise refusal("CONFLICT", f"A custom attribute definition with key `{key}` exists.", told.path("key"))
            attribute_type(told.fields["schema"], told.path("schema"))
            described = self._described(told, {"visibility": "VISIBILITY_HIDDEN"})
            self._definitions.insert({"key": key, "schema": told.fields["schema"], **described}, key=key)
            return Answer(200, {"custom_attribute_definition": self._attributes.show_definition(key)}, units=1)

        told.only("key", "schema", "name", "description", "visibility", *_STAMPED)
        return self._seller.once("define", asked.text("idempotency_key", _LONGEST_KEY), asked, define)

    async def redefine(self, request: Request) -> Answer:
        """PUT /v2/customers/custom-attribute-definitions/{key}: name, description, visibility."""
        asked = (await read_body(request)).only("custom_attribute_definition", "idempotency_key")
        told = asked.need("custom_attribute_definition").inner("custom_attribute_definition")
        key = request.path_params["key"]

        def redefine() -> Answer:
            refuse_stale(told.whole("version"), self._attributes.show_definition(key)["version"])
            self._definitions.update(key, self._described(told, self._attributes.definition(key)))
            return Answer(200, {"custom_attribute_definition": self._attributes.show_definition(key)}, units=1)

        told.only("name", "description", "visibility", *_STAMPED)
        return self._seller.once(f"redefine {key}", asked.text("idempotency_key", _LONGEST_KEY), asked, redefine)

    async def undefine(self, request: Request) -> Answer:
        """DELETE /v2/customers/custom-attribute-definitions/{key}."""
        self._attributes.forget(request.path_params["key"])
        return Answer(200, {}, units=1)

    async def upsert_many(self, request: Request) -> Answer:
        """POST /v2/customers/custom-attributes/bulk-upsert: a map by ids of the client's choice."""
        entries = (await read_body(request)).only("values").entries("values", MOST_UPSERTED)
        for entry in entries.values():
            entry.only("customer_id", "custom_attribute", "idempotency_key").need("customer_id", "custom_attribute")

        def upsert(_key: str, entry: Body) -> Answer:
            customer = entry.text("customer_id", shortest=1)
            attribute = entry.inner("custom_attribute").only("key", "value", "visibility", *_STAMPED)
            key = attribute.need("key").text("key")

            def put() -> Answer:
                self._attributes.put(customer, key, attribute)
                shown = self._attributes.show(customer, key, with_definition=False)
                return Answer(200, {"customer_id": customer, "custom_attribute": shown}, units=1)

            return self._seller.once("upsert", entry.text("idempotency_key", _LONGEST_KEY), entry, put)

        return self._seller.each("values", entries, upsert)

    async def values(self, request: Request) -> Answer:
        """GET /v2/customers/{id}/custom-attributes."""
        asked = read_query(request, "limit", "cursor", "with_definitions")
        customer = self._customers.find(request.path_params["id"])
        told = query_flag(asked, "with_definitions")
        keys, cursor = _paged(f"values of {customer}", self._attributes.keys(customer), asked)
        shown = (self._attributes.show(customer, key, with_definition=told) for key in keys)
        return Answer(200, _listing("custom_attributes", shown, cursor))

    async def value(self, request: Request) -> Answer:
        """GET /v2/customers/{id}/custom-attributes/{key}."""
        asked = read_query(request, "with_definition", "version")
        customer, told = self._customers.find(request.path_params["id"]), query_flag(asked, "with_definition")
        shown = self._attributes.show(customer, request.path_params["key"], with_definition=told)
        _refuse_future(query_number(asked, "version"), shown["version"])
        return Answer(200, {"custom_attribute": shown})

    async def upsert(self, request: Request) -> Answer:
        """POST /v2/customers/{id}/custom-attributes/{key}."""
        asked = (await read_body(request)).only("custom_attribute", "idempotency_key").need("custom_attribute")
        attribute = asked.inner("custom_attribute").only("key", "value", "visibility", *_STAMPED)
        customer, key = request.path_params["id"], request.path_params["key"]

        def put() -> Answer:
            self._attributes.put(customer, key, attribute)
            shown = self._attributes.show(customer, key, with_definition=False)
            return Answer(200, {"custom_attribute": shown}, units=1)

        return self._seller.once(f"upsert {customer}/{key}", asked.text("idempotency_key", _LONGEST_KEY), asked, put)

    async def take(self, request: Request) -> Answer:
        """DELETE /v2/customers/{id}/custom-attributes/{key}."""
        self._attributes.take(request.path_params["id"], request.path_params["key"])
        return Answer(200, {}, units=1)

    def _described(self, told: Body, before: dict[str, Any]) -> dict[str, Any]:
        """What sellers see of a definition; one they can see needs a name and a description."""
        described = {
            name: told.text(name, 255) if told.has(name) else before.get(name) for name in ("name", "description")
        }
        visibility = told.choice("visibility", _VISIBILITIES, before["visibility"])
        if visibility != "VISIBILITY_HIDDEN":
            for name, value in described.items():
                if not value:
                    raise refusal("MISSING_REQUIRED_PARAMETER", f"Field must be set: {name}", told.path(name))
        return {**described, "visibility": visibility}


def _paged(search: str, keys: list[str], asked: Body) -> tuple[list[str], str]:
    """(keys on the page, cursor to the next) of sorted keys."""
    name = fingerprint(search)
    limit = within(query_number(asked, "limit"), MOST_SHOWN, USUAL_SHOWN, "limit")
    shown, end = page([(key,) for key in keys], read_cursor(asked.text("cursor"), name), limit, descending=False)
    return shown, Cursor(name, end).text() if end else ""


def _listing(name: str, shown: Any, cursor: str) -> dict[str, Any]:
    """A page as an answer; nothing found is an empty object."""
    found = list(shown)
    return {**({name: found} if found else {}), **({"cursor": cursor} if cursor else {})}


def _refuse_future(wanted: int | None, current: int) -> None:
    if wanted is not None and wanted > current:
        raise refusal(
            "BAD_REQUEST", f"The version {wanted} was asked for, the current version is {current}.", "version"
        )
