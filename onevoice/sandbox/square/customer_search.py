"""POST /v2/customers/search and GET /v2/customers: what the index has seen so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request

from onevoice.sandbox.gate import Answer
from onevoice.sandbox.square.attribute_filter import AttributeFilters, text_test
from onevoice.sandbox.square.body import (
    Body,
    comparable,
    in_period,
    query_flag,
    query_number,
    read_body,
    read_query,
    within,
)
from onevoice.sandbox.square.customers_store import PUBLIC, Customers
from onevoice.sandbox.square.errors import refusal
from onevoice.sandbox.square.paging import Cursor, Place, Results, fingerprint, page, read_cursor
from onevoice.sandbox.square.seller import Seller
from onevoice.sandbox.state import Fields

MOST_FOUND = 100
"""Customers on a page."""
_SORTS = ("DEFAULT", "CREATED_AT")
_ORDERS = ("ASC", "DESC")
_MOST_IDS = 1_000

Test = Callable[[str, Fields], bool]


class CustomerSearch:
    """Lists and searches, which see changes late."""

    def __init__(self, seller: Seller, customers: Customers, attributes: AttributeFilters) -> None:
        self._customers = customers
        self._attributes = attributes
        self._values = seller.table("custom_attributes")
        self._results = Results()

    async def search(self, request: Request) -> Answer:
        """POST /v2/customers/search."""
        asked = (await read_body(request)).only("cursor", "limit", "query", "count")
        query = asked.inner("query").only("filter", "sort")
        sort = query.inner("sort").only("field", "order")
        tests = self._tests(query.inner("filter"))
        field, order = sort.choice("field", _SORTS, "DEFAULT"), sort.choice("order", _ORDERS, "ASC")
        search = fingerprint(query.fields)
        return self._page(
            search,
            tests,
            (field, order),
            asked.limit(MOST_FOUND, MOST_FOUND),
            asked.text("cursor"),
            asked.flag("count"),
        )

    async def every(self, request: Request) -> Answer:
        """GET /v2/customers."""
        asked = read_query(request, "cursor", "limit", "sort_field", "sort_order", "count")
        limit = within(query_number(asked, "limit"), MOST_FOUND, MOST_FOUND, "limit")
        sort = asked.choice("sort_field", _SORTS, "DEFAULT"), asked.choice("sort_order", _ORDERS, "ASC")
        return self._page(fingerprint("list", *sort), [], sort, limit, asked.text("cursor"), query_flag(asked, "count"))

    def _page(
        self, search: str, tests: list[Test], sort: tuple[str, str], limit: int, cursor_text: str, count: bool
    ) -> Answer:
        cursor = read_cursor(cursor_text, search)
        seen = self._customers.table.seen()
        self._values.seen()

        def find() -> list[Place]:
            return [
                _place(sort[0], key, row)
                for key, row in seen.items()
                if any(row.get(name) for name in PUBLIC) and all(test(key, row) for test in tests)
            ]

        changes = self._customers.table.seen_changes + self._values.seen_changes
        found = self._results.sorted(f"{search}{sort[0]}", changes, find)
        keys, end = page(found, cursor, limit, descending=sort[1] == "DESC")
        answer: dict[str, Any] = {}
        if keys:
            answer["customers"] = [self._customers.show(key, seen[key]) for key in keys]
        if end:
            answer["cursor"] = Cursor(search, end).text()
        if count:
            answer["count"] = len(found)
        return Answer(200, answer)

    def _tests(self, asked: Body) -> list[Test]:
        asked.only(*_FILTERS, "custom_attribute")
        tests = [make(asked, name) for name, make in _FILTERS.items() if asked.has(name)]
        if asked.has("custom_attribute"):
            tests.append(self._attributes.test(asked.inner("custom_attribute")))
        return tests


def _place(field: str, key: str, row: Mapping[str, Any]) -> Place:
    created = comparable(row["created_at"])
    if field == "CREATED_AT":
        return created, key
    return str(row.get("given_name") or ""), str(row.get("family_name") or ""), created, key


def _stamp(asked: Body, name: str) -> Test:
    period = asked.period(name)
    return lambda _key, row: in_period(row.get(name), period)


def _text(asked: Body, name: str) -> Test:
    test = text_test(asked.inner(name))
    return lambda _key, row: bool(row.get(name)) and test(row[name])


def _members(asked: Body, name: str) -> Test:
    value = asked.inner(name).only("all", "any", "none")
    every, some, none = (set(value.texts(term, _MOST_IDS)) for term in ("all", "any", "none"))

    def test(_key: str, row: Fields) -> bool:
        held = set(row.get(name) or ())
        return every <= held and (not some or bool(some & held)) and not none & held

    return test


def _source(asked: Body, name: str) -> Test:
    told = asked.inner(name).only("values", "rule")
    wanted = set(told.texts("values", _MOST_IDS))
    included = told.choice("rule", ("INCLUDE", "EXCLUDE"), "INCLUDE") == "INCLUDE"
    if not wanted:
        raise refusal("MISSING_REQUIRED_PARAMETER", "Field must be set: values", told.path("values"))
    return lambda _key, row: (row.get(name) in wanted) is included


_FILTERS: dict[str, Callable[[Body, str], Test]] = {
    "creation_source": _source,
    "created_at": _stamp,
    "updated_at": _stamp,
    "email_address": _text,
    "phone_number": _text,
    "reference_id": _text,
    "group_ids": _members,
    "segment_ids": _members,
}
