"""The fields of QueryRoot."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from onevoice.sandbox.shopify.definitions import definitions
from onevoice.sandbox.shopify.errors import top_error
from onevoice.sandbox.shopify.query import flag_field, number_field, text_field, time_field
from onevoice.sandbox.shopify.search import Found, Searchable, by_id, page
from onevoice.sandbox.shopify.shop import APP_ID, CURRENCY, SHOP_ID, Call, Info
from onevoice.sandbox.shopify.tables import gid_kind, gid_number
from onevoice.sandbox.state import Fields, Table

MOST_COUNTED = 10_000
"""Where a count stops unless it is told otherwise."""

Resolver = Callable[..., Any]


def _total(row: Fields) -> float:
    return float(sum(Decimal(line["discounted"]) for line in row["lines"]))


def _consented(row: Fields) -> bool:
    return (row.get("emailMarketing") or {}).get("state") == "SUBSCRIBED"


def _state_of(consent: str) -> Callable[[Fields], Any]:
    """The marketing state (shopify.dev, changelog of 2025-03-26, names the search terms)."""
    return lambda row: (row.get(consent) or {}).get("state") or "NOT_SUBSCRIBED"


def _words_of(*names: str) -> Callable[[Fields], Any]:
    return lambda row: [row[name] for name in names if row.get(name)]


def _name(row: Fields) -> str:
    return f"{row.get('lastName') or ''} {row.get('firstName') or ''}".casefold()


def _place(row: Fields) -> str:
    held = row.get("address") or {}
    return f"{held.get('countryCodeV2') or ''} {held.get('city') or ''}"


_ID = {"id": number_field(by_id)}
_CREATED = {"CREATED_AT": lambda row: row["createdAt"]}
_UPDATED = {"UPDATED_AT": lambda row: row["updatedAt"]}

CUSTOMERS = Searchable(
    fields={
        **_ID,
        "": text_field(_words_of("firstName", "lastName", "email", "phone")),
        "updated_at": time_field("updatedAt"),
        "customer_date": time_field("createdAt"),
        "email": text_field(lambda row: row.get("email")),
        "phone": text_field(lambda row: row.get("phone")),
        "first_name": text_field(lambda row: row.get("firstName")),
        "last_name": text_field(lambda row: row.get("lastName")),
        "tag": text_field(lambda row: list(row.get("tags") or ())),
        "accepts_marketing": flag_field(_consented),
        "email_marketing_state": text_field(_state_of("emailMarketing")),
        "sms_marketing_state": text_field(_state_of("phoneMarketing")),
    },
    sorts={**_CREATED, **_UPDATED, "NAME": _name, "LOCATION": _place},
)
ORDERS = Searchable(
    fields={
        **_ID,
        "": text_field(_words_of("name")),
        "name": text_field(lambda row: row.get("name")),
        "created_at": time_field("createdAt"),
        "updated_at": time_field("updatedAt"),
        "processed_at": time_field("processedAt"),
        "customer_id": number_field(lambda row: gid_number(row.get("customer") or "")),
        "test": flag_field(lambda _row: False),
    },
    sorts={
        **_CREATED,
        **_UPDATED,
        "PROCESSED_AT": lambda row: row["processedAt"],
        "TOTAL_PRICE": _total,
        "ORDER_NUMBER": lambda row: row.get("name") or "",
    },
)
CHECKOUTS = Searchable(
    fields={
        **_ID,
        "": text_field(lambda row: [line["title"] for line in row["lines"]]),
        "created_at": time_field("createdAt"),
        "updated_at": time_field("updatedAt"),
    },
    sorts={**_CREATED, "TOTAL_PRICE": _total},
)


def _found(info: Info, table: Table, kind: Searchable, args: Mapping[str, Any]) -> Found:
    call = info.context
    query = args.get("query") or ""
    now = call.shop.state.clock.now()
    found, warnings = call.shop.searches.run(table, kind, query, args.get("sortKey") or "ID", now)
    if warnings:
        call.warnings.append({"path": info.path.as_list(), "query": query, "warnings": warnings})
    return found


def _list(table: str, scope: str, kind: Searchable) -> Resolver:
    def resolve(_root: object, info: Info, **args: Any) -> dict[str, Any]:
        call = info.context
        call.need(scope, info.field_name)
        return page(_found(info, call.shop.state.tables[table], kind, args), args)

    return resolve


def _count(table: str, scope: str, kind: Searchable) -> Resolver:
    def resolve(_root: object, info: Info, **args: Any) -> dict[str, Any]:
        call = info.context
        call.need(scope, info.field_name)
        count = len(_found(info, call.shop.state.tables[table], kind, args).rows)
        limit = args.get("limit", MOST_COUNTED)
        if limit is not None and limit < 0:
            raise top_error("limit must not be negative", "BAD_REQUEST")
        if limit is None or count <= limit:
            return {"count": count, "precision": "EXACT"}
        return {"count": limit, "precision": "AT_LEAST"}

    return resolve


def _tables(call: Call) -> dict[str, tuple[Table, str]]:
    return {
        "Customer": (call.shop.customers, "read_customers"),
        "Order": (call.shop.orders, "read_orders"),
        "AbandonedCheckout": (call.shop.checkouts, "read_orders"),
    }


def _by_id(call: Call, key: str, what: str, only: str = "") -> Fields | None:
    """A read by id, which does not lag; None for what is not there."""
    kind = gid_kind(key)
    if not kind:
        raise top_error(f"Invalid global id '{key}'", "RESOURCE_NOT_FOUND")
    if only and kind != only:
        raise top_error(f"Invalid id: {key}", "RESOURCE_NOT_FOUND")
    if kind not in (known := _tables(call)):
        return None
    table, scope = known[kind]
    call.need(scope, what)
    return table.get(key)


def _one(kind: str) -> Resolver:
    return lambda _root, info, **args: _by_id(info.context, args["id"], info.field_name, kind)


def _nodes(_root: object, info: Info, **args: Any) -> list[Fields | None]:
    return [_by_id(info.context, key, info.field_name) for key in args["ids"]]


def _by_identifier(_root: object, info: Info, **args: Any) -> Fields | None:
    """By id, e-mail address or phone number; the shop has no unique custom ids."""
    call = info.context
    call.need("read_customers", info.field_name)
    ((name, value),) = args["identifier"].items()
    if name == "id":
        return _by_id(call, value, info.field_name, "Customer")
    column = {"emailAddress": "email", "phoneNumber": "phone"}.get(name)
    if column is None:
        raise top_error("Metafield definition of type 'id' is required when using custom ids.", "NOT_FOUND")
    wanted = value.strip().casefold()
    rows = call.shop.customers.rows.values()
    return next((row for row in rows if (row.get(column) or "").casefold() == wanted), None)


def _shop(_root: object, info: Info) -> dict[str, Any]:
    call = info.context
    return {
        "id": SHOP_ID,
        "name": "Onevoice Outdoor",
        "email": "shop@onevoice.example",
        "myshopifyDomain": "onevoice-sandbox.myshopify.com",
        "url": call.shop.config.url,
        "currencyCode": CURRENCY,
        "ianaTimezone": "Etc/UTC",
        "createdAt": "2019-03-04T09:00:00Z",
        "updatedAt": "2026-01-15T09:00:00Z",
        "plan": {"publicDisplayName": "Advanced", "partnerDevelopment": False, "shopifyPlus": False},
    }


def _app(_root: object, info: Info) -> dict[str, Any]:
    call = info.context
    scopes = [{"handle": scope, "description": scope.replace("_", " ").capitalize()} for scope in call.scopes]
    return {"id": APP_ID, "accessScopes": scopes}


READS: Mapping[str, Resolver] = {
    "abandonedCheckouts": _list("checkouts", "read_orders", CHECKOUTS),
    "abandonedCheckoutsCount": _count("checkouts", "read_orders", CHECKOUTS),
    "currentAppInstallation": _app,
    "customer": _one("Customer"),
    "customerByIdentifier": _by_identifier,
    "customers": _list("customers", "read_customers", CUSTOMERS),
    "customersCount": _count("customers", "read_customers", CUSTOMERS),
    "metafieldDefinitions": definitions,
    "node": lambda _root, info, **args: _by_id(info.context, args["id"], info.field_name),
    "nodes": _nodes,
    "order": _one("Order"),
    "orders": _list("orders", "read_orders", ORDERS),
    "ordersCount": _count("orders", "read_orders", ORDERS),
    "shop": _shop,
}
SETUP_READS = frozenset({"currentAppInstallation", "metafieldDefinitions", "shop"})
"""Reads that ask about the account and not about records."""
