"""Square's own SDK against a sandbox with nothing changed but the base URL: drive.py URL TOKEN NAME...

Runs in the SDK's environment. The seller has customers of these given names, each with an order, and all but the last
with a loyalty account. The SDK makes what it can of an answer and never says that it did not fit; so the bodies as they
came are validated here against the SDK's own types, strictly, and may have no field that these do not know. Whatever is
amiss raises.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel
from square import Square
from square.core.api_error import ApiError

TYPES = "https://developer-production-s.squarecdn.com/schemas/v1/common.json#squareup.common."

Model = TypeVar("Model", bound=BaseModel)

bodies: list[bytes] = []
"""The answers so far, as they came."""


def main(url: str, token: str, *names: str) -> None:
    """Read, write and search everything that the hub touches."""
    heard = httpx.Client(timeout=60, event_hooks={"response": [lambda answer: bodies.append(answer.read())]})
    api = Square(base_url=url, token=token, httpx_client=heard)
    people = _customers(api, names)
    _groups(api, people[0])
    _attributes(api, people)
    location = _orders(api, people)
    _loyalty(api, people, location)
    _is_refused(lambda: api.customers.get("nobody"), 404, "NOT_FOUND")
    _is_refused(Square(base_url=url, token="wrong").locations.list, 401, "UNAUTHORIZED")


def _customers(api: Square, names: tuple[str, ...]) -> list[str]:
    """Read in pages, searched, created, changed; the ids of those that were there."""
    listed = _listed(api.customers.list(limit=2, sort_field="CREATED_AT", sort_order="ASC"))
    _same([one.given_name for one in listed], list(names))
    found, cursor = [], None
    query = {
        "sort": {"field": "CREATED_AT", "order": "ASC"},
        "filter": {"updated_at": {"start_at": "2026-01-01T00:00:00Z"}},
    }
    while True:
        more = {"cursor": cursor} if cursor else {}
        page = _fit(api.customers.search(limit=2, query=query, count=True, **more))
        found += [one.id for one in page.customers]
        _same(page.count, len(names))
        cursor = page.cursor
        if not cursor:
            break
    _same(found, [one.id for one in listed])
    nobody = _fit(api.customers.search(query={"filter": {"email_address": {"exact": "nobody@shop.example"}}}))
    _same(nobody.customers, None)
    made = _fit(
        api.customers.create(given_name="New", email_address="new@shop.example", idempotency_key="one")
    ).customer
    changed = _fit(api.customers.update(made.id, email_address="newer@shop.example", version=made.version)).customer
    _same(
        (changed.email_address, changed.version, changed.preferences.email_unsubscribed),
        ("newer@shop.example", 1, False),
    )
    no_retries = {"max_retries": 0}
    _is_refused(lambda: api.customers.update(made.id, note="x", version=0, request_options=no_retries), 409, "CONFLICT")
    bulk = _fit(
        api.customers.bulk_update_customers(customers={made.id: {"note": "x"}, "nobody": {"note": "x"}})
    ).responses
    _same((bulk[made.id].customer.note, bulk["nobody"].errors[0].code), ("x", "NOT_FOUND"))
    read = _fit(api.customers.bulk_retrieve_customers(customer_ids=[made.id, "nobody"])).responses
    _same((read[made.id].customer.version, read["nobody"].errors[0].code), (2, "NOT_FOUND"))
    _same(_fit(api.customers.delete(made.id, version=2)).errors, None)
    return found


def _groups(api: Square, customer: str) -> None:
    group = _fit(api.customers.groups.create(group={"name": "onevoice_no_join"}, idempotency_key="two")).group
    _same([one.name for one in _listed(api.customers.groups.list())], ["onevoice_no_join"])
    _fit(api.customers.groups.add(customer, group.id))
    _same(_fit(api.customers.get(customer)).customer.group_ids, [group.id])
    _fit(api.customers.groups.remove(customer, group.id))
    _same(_fit(api.customers.get(customer)).customer.group_ids, None)


def _attributes(api: Square, people: list[str]) -> None:
    for key, kind in (("onevoice_tier", "String"), ("onevoice_no_discount_until", "Date")):
        told = {"key": key, "schema": {"$ref": TYPES + kind}, "visibility": "VISIBILITY_HIDDEN"}
        _fit(api.customers.custom_attribute_definitions.create(custom_attribute_definition=told))
    defined = [one.key for one in _listed(api.customers.custom_attribute_definitions.list())]
    _same(defined, ["onevoice_no_discount_until", "onevoice_tier"])
    values = {
        "good": {"customer_id": people[0], "custom_attribute": {"key": "onevoice_tier", "value": "gold"}},
        "bad": {"customer_id": people[0], "custom_attribute": {"key": "onevoice_no_discount_until", "value": "soon"}},
    }
    told = _fit(api.customers.custom_attribute_definitions.batch_upsert(values=values)).values
    _same((told["good"].custom_attribute.version, told["bad"].errors[0].code), (1, "INVALID_VALUE"))
    held = _listed(api.customers.custom_attributes.list(people[0], with_definitions=True))
    _same([(one.key, one.value, one.definition.version) for one in held], [("onevoice_tier", "gold", 1)])
    date = {"value": "2026-12-31"}
    _fit(api.customers.custom_attributes.upsert(people[1], "onevoice_no_discount_until", custom_attribute=date))
    _fit(api.customers.custom_attributes.delete(people[1], "onevoice_no_discount_until"))
    _same(_listed(api.customers.custom_attributes.list(people[1])), [])


def _orders(api: Square, people: list[str]) -> str:
    """Searched in pages and read by id; the id of the one location."""
    (location,) = _fit(api.locations.list()).locations
    query = {
        "filter": {"date_time_filter": {"updated_at": {"start_at": "2026-01-01T00:00:00Z"}}},
        "sort": {"sort_field": "UPDATED_AT", "sort_order": "ASC"},
    }
    found, cursor = [], None
    while True:
        more = {"cursor": cursor} if cursor else {}
        page = _fit(api.orders.search(location_ids=[location.id], query=query, limit=2, **more))
        found += page.orders
        cursor = page.cursor
        if not cursor:
            break
    _same([one.customer_id for one in found], people)
    _same((found[0].line_items[0].total_money.amount, found[0].line_items[0].metadata), (4_999, {"category": "shoes"}))
    read = _fit(api.orders.batch_get(order_ids=[found[0].id, "unknown"]))
    _same([one.id for one in read.orders], [found[0].id])
    return str(location.id)


def _loyalty(api: Square, people: list[str], location: str) -> None:
    program = _fit(api.loyalty.programs.get("main")).program
    page = _fit(api.loyalty.accounts.search(limit=3))
    rest = _fit(api.loyalty.accounts.search(limit=3, cursor=page.cursor))
    accounts = [*page.loyalty_accounts, *rest.loyalty_accounts]
    _same([one.customer_id for one in accounts], people[:-1])
    _same({one.program_id for one in accounts}, {program.id})
    (mine,) = _fit(api.loyalty.accounts.search(query={"customer_ids": [people[1]]})).loyalty_accounts
    for _ in range(2):
        earned = _fit(
            api.loyalty.accounts.accumulate_points(
                mine.id, accumulate_points={"points": 7}, idempotency_key="three", location_id=location
            )
        )
        _same(earned.events[0].accumulate_points.points, 7)
    taken = _fit(
        api.loyalty.accounts.adjust(mine.id, adjust_points={"points": -2, "reason": "return"}, idempotency_key="four")
    )
    _same(taken.event.type, "ADJUST_POINTS")
    after = _fit(api.loyalty.accounts.get(mine.id)).loyalty_account
    _same(
        (after.balance, after.lifetime_points, sum(one.points for one in after.expiring_point_deadlines)), (45, 97, 45)
    )
    asked = {"filter": {"loyalty_account_filter": {"loyalty_account_id": mine.id}}}
    events = _fit(api.loyalty.search_events(query=asked, limit=30)).events
    _same([one.type for one in events], ["ADJUST_POINTS", "ACCUMULATE_POINTS"])


def _fit(answer: Model) -> Model:
    """The answer, when its body fits the SDK's own type for it and has no field that is not there."""
    for one in _models(type(answer).model_validate_json(bodies[-1], strict=True)):
        if one.model_extra:
            raise AssertionError(f"{type(one).__name__}: the SDK knows no {', '.join(sorted(one.model_extra))}")
    return answer


def _listed(pager: Any) -> list[Any]:
    """Everything on all pages."""
    found = []
    for page in pager.iter_pages():
        _fit(page.response)
        found += page.items or []
    return found


def _models(value: object) -> Iterator[BaseModel]:
    """All models within."""
    inner: Iterable[object] = ()
    if isinstance(value, BaseModel):
        yield value
        inner = [getattr(value, name) for name in type(value).model_fields]
    elif isinstance(value, dict):
        inner = value.values()
    elif isinstance(value, list):
        inner = value
    for one in inner:
        yield from _models(one)


def _is_refused(call: Callable[[], object], status: int, code: str) -> None:
    try:
        call()
    except ApiError as error:
        _same((error.status_code, error.errors[0].code), (status, code))
    else:
        raise AssertionError(f"a refusal with status {status} was expected, and there was none")


def _same(got: object, expected: object) -> None:
    if got != expected:
        raise AssertionError(f"expected {expected!r}, got {got!r}")


if __name__ == "__main__":
    main(*sys.argv[1:])
