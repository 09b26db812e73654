"""How rows are shown: the fields of each type that are more than a value of the row.

A source is a row, or a dict that a field of another type made. Every function takes (source, info, **arguments), as
graphql-core calls it; `info.context` is the Call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any
from zlib import crc32

from onevoice.sandbox.shopify.metafields import metafield_page, one_metafield
from onevoice.sandbox.shopify.search import by_id, ordered, page
from onevoice.sandbox.shopify.shop import CURRENCY, Info
from onevoice.sandbox.shopify.tables import gid, gid_number
from onevoice.sandbox.state import Fields

Resolver = Callable[..., Any]
NEVER = "NOT_SUBSCRIBED"


def _money(amount: Decimal, currency: str) -> dict[str, Any]:
    """A MoneyBag: the shop sells in one currency. Shopify leaves off zeros behind the first decimal place."""
    text = f"{amount:.2f}"
    shown = {"amount": text.removesuffix("0"), "currencyCode": currency}
    return {"shopMoney": shown, "presentmentMoney": shown}


def _total(lines: list[Fields], name: str) -> Decimal:
    return sum((Decimal(line[name]) for line in lines), Decimal(0))


def _currency(row: Fields) -> str:
    return next((str(line["currency"]) for line in row["lines"]), CURRENCY)


def _sum(name: str) -> Resolver:
    return lambda row, _info, **_args: _money(_total(row["lines"], name), _currency(row))


def _line_money(name: str) -> Resolver:
    return lambda line, _info, **_args: _money(Decimal(line[name]), line["currency"])


def _unit_money(name: str) -> Resolver:
    return lambda line, _info, **_args: _money(Decimal(line[name]) / line["quantity"], line["currency"])


def _saved(lines: list[Fields]) -> dict[str, Any]:
    return _money(_total(lines, "original") - _total(lines, "discounted"), lines[0]["currency"] if lines else CURRENCY)


def _email(row: Fields, _info: Info) -> dict[str, Any] | None:
    said = row.get("emailMarketing") or {}
    state = said.get("state") or NEVER
    if not row.get("email") or state == "REDACTED":
        return None
    return {
        "emailAddress": row["email"],
        "marketingState": state,
        "marketingOptInLevel": said.get("optInLevel"),
        "marketingUpdatedAt": said.get("updatedAt"),
        "openTrackingLevel": "UNKNOWN",
        "validFormat": "@" in row["email"],
    }


def _phone(row: Fields, _info: Info) -> dict[str, Any] | None:
    said = row.get("phoneMarketing") or {}
    if not row.get("phone"):
        return None
    return {
        "phoneNumber": row["phone"],
        "marketingState": said.get("state") or NEVER,
        "marketingOptInLevel": said.get("optInLevel"),
        "marketingUpdatedAt": said.get("updatedAt"),
        "marketingCollectedFrom": "SHOPIFY" if said.get("state") else None,
    }


def _email_consent(row: Fields, _info: Info) -> dict[str, Any] | None:
    said = row.get("emailMarketing") or {}
    if not row.get("email"):
        return None
    return {
        "marketingState": said.get("state") or NEVER,
        "marketingOptInLevel": said.get("optInLevel"),
        "consentUpdatedAt": said.get("updatedAt"),
    }


def _sms_consent(row: Fields, _info: Info) -> dict[str, Any] | None:
    said = row.get("phoneMarketing") or {}
    if not row.get("phone"):
        return None
    return {
        "marketingState": said.get("state") or NEVER,
        "marketingOptInLevel": said.get("optInLevel") or "UNKNOWN",
        "consentUpdatedAt": said.get("updatedAt"),
        "consentCollectedFrom": "SHOPIFY" if said.get("state") else None,
    }


def _address(row: Fields, _info: Info) -> dict[str, Any] | None:
    held = row.get("address")
    if not held:
        return None
    country = held.get("countryCodeV2")
    return {
        **held,
        "id": gid("MailingAddress", gid_number(row["id"])) + "?model_name=CustomerAddress",
        "firstName": row.get("firstName"),
        "lastName": row.get("lastName"),
        "name": _full_name(row) or None,
        "countryCode": country,
        "country": held.get("country") or country,
        "formattedArea": ", ".join(part for part in (held.get("city"), country) if part) or None,
    }


def _full_name(row: Fields) -> str:
    return " ".join(part for part in (row.get("firstName"), row.get("lastName")) if part)


def _display_name(row: Fields, _info: Info) -> str:
    return _full_name(row) or row.get("email") or row.get("phone") or ""


def _spent(row: Fields, info: Info) -> dict[str, Any]:
    kept = [order for order in info.context.shop.orders_of(row["id"]) if not order.get("cancelledAt")]
    total = sum((_total(order["lines"], "discounted") for order in kept), Decimal(0))
    amount: dict[str, Any] = _money(total, _currency(kept[0]) if kept else CURRENCY)["shopMoney"]
    return amount


def _orders(row: Fields, info: Info, **args: Any) -> dict[str, Any]:
    return page(ordered(info.context.shop.orders_of(row["id"]), by_id), args)


def _last_order(row: Fields, info: Info) -> Fields | None:
    return max(
        info.context.shop.orders_of(row["id"]), key=lambda order: (order["processedAt"], by_id(order)), default=None
    )


def _customer(row: Fields, info: Info) -> Fields | None:
    return info.context.shop.customers.get(row["customer"]) if row.get("customer") else None


def _customer_value(name: str) -> Resolver:
    return lambda row, info: (_customer(row, info) or {}).get(name)


def _lines(row: Fields, _info: Info, **args: Any) -> dict[str, Any]:
    return page(ordered(row["lines"], by_id), args)


def _product(line: Fields, _info: Info) -> dict[str, Any]:
    """Products are known by their title; the shop keeps no table of them."""
    number = 8_000_000_000_000 + crc32(line["title"].encode())
    return {"id": gid("Product", number), "title": line["title"], "productType": line["productType"]}


def _legacy_id(row: Fields, _info: Info) -> str:
    return str(gid_number(row["id"]))


def constant(value: Any) -> Resolver:
    """A field that is the same for everybody."""
    return lambda _row, _info, **_args: value


def of_row(name: str, otherwise: Any = None) -> Resolver:
    """A value of the row under another name, or one that may be left out."""
    return lambda row, _info, **_args: row.get(name) if row.get(name) is not None else otherwise


_LINE: Mapping[str, Resolver] = {
    "product": _product,
    "sku": constant(None),
    "variantTitle": constant(None),
}
_METAFIELDS: Mapping[str, Resolver] = {"metafield": one_metafield, "metafields": metafield_page}

VIEWS: Mapping[str, Mapping[str, Resolver]] = {
    "Customer": {
        **_METAFIELDS,
        "amountSpent": _spent,
        "defaultAddress": _address,
        "defaultEmailAddress": _email,
        "defaultPhoneNumber": _phone,
        "displayName": _display_name,
        "emailMarketingConsent": _email_consent,
        "smsMarketingConsent": _sms_consent,
        "lastOrder": _last_order,
        "legacyResourceId": _legacy_id,
        "locale": of_row("locale", "en"),
        "numberOfOrders": lambda row, info: str(len(info.context.shop.orders_of(row["id"]))),
        "orders": _orders,
        "state": constant("DISABLED"),
        "tags": of_row("tags", ()),
        "taxExempt": of_row("taxExempt", otherwise=False),
        "validEmailAddress": lambda row, _info: "@" in (row.get("email") or ""),
        "verifiedEmail": lambda row, _info: bool(row.get("email")),
    },
    "Order": {
        **_METAFIELDS,
        "closed": constant(value=False),
        "currencyCode": lambda row, _info: _currency(row),
        "currentTotalPriceSet": _sum("discounted"),
        "customer": _customer,
        "email": _customer_value("email"),
        "phone": _customer_value("phone"),
        "legacyResourceId": _legacy_id,
        "lineItems": _lines,
        "subtotalPriceSet": _sum("discounted"),
        "tags": of_row("tags", ()),
        "test": constant(value=False),
        "totalDiscountsSet": lambda row, _info: _saved(row["lines"]),
        "totalPriceSet": _sum("discounted"),
    },
    "LineItem": {
        **_LINE,
        "currentQuantity": of_row("quantity"),
        "discountedTotalSet": _line_money("discounted"),
        "discountedUnitPriceSet": _unit_money("discounted"),
        "isGiftCard": constant(value=False),
        "name": of_row("title"),
        "originalTotalSet": _line_money("original"),
        "originalUnitPriceSet": _unit_money("original"),
        "totalDiscountSet": lambda line, _info: _saved([line]),
        "vendor": constant(None),
    },
    "AbandonedCheckout": {
        "customer": _customer,
        "defaultCursor": lambda row, _info: str(gid_number(row["id"])),
        "lineItems": _lines,
        "name": lambda row, _info: f"#{gid_number(row['id'])}",
        "note": of_row("note", ""),
        "shippingAddress": constant(None),
        "subtotalPriceSet": _sum("discounted"),
        "totalLineItemsPriceSet": _sum("discounted"),
        "totalPriceSet": _sum("discounted"),
    },
    "AbandonedCheckoutLineItem": {
        **_LINE,
        "discountedTotalPriceSet": _line_money("discounted"),
        "discountedUnitPriceSet": _unit_money("discounted"),
        "originalTotalPriceSet": _line_money("original"),
        "originalUnitPriceSet": _unit_money("original"),
    },
    "Product": {**_METAFIELDS, "legacyResourceId": _legacy_id},
    "Shop": _METAFIELDS,
    "AppInstallation": _METAFIELDS,
}
