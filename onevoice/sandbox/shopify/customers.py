"""Customers that a mutation names, and customerUpdate."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from onevoice.sandbox.calls import PARTIAL_FAILURE
from onevoice.sandbox.shopify.errors import UserError, UserRefusalError, not_done
from onevoice.sandbox.shopify.shop import Shop
from onevoice.sandbox.state import Fields

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_PHONE = re.compile(r"\+[1-9]\d{6,14}")
_PLAIN = ("firstName", "lastName", "locale", "note", "taxExempt", "tags")
_OWN_MUTATIONS = {
    "emailMarketingConsent": "customerEmailMarketingConsentUpdate",
    "smsMarketingConsent": "customerSmsMarketingConsentUpdate",
}


def known_customer(shop: Shop, key: str, place: tuple[str, ...]) -> Fields:
    """The customer of an id as it is now, or a refusal that points at `place`."""
    row = shop.customers.get(key)
    if row is None:
        raise not_done(place, "Customer does not exist", "INVALID")
    refuse_rejected(shop, key, place)
    return row


def refuse_rejected(shop: Shop, key: str, place: tuple[str, ...], index: int | None = None) -> None:
    """Refuse a write to a customer that the fault `reject_some` picks."""
    if shop.limits.rejects(key):
        error = UserError(place, "The customer is locked by another process and cannot be changed", "INVALID", index)
        raise UserRefusalError([error], PARTIAL_FAILURE)


def update_customer(shop: Shop, arguments: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
    """customerUpdate: what is left out stays; tags are replaced as a whole; consent has mutations of its own."""
    given = arguments["input"]
    for name, mutation in _OWN_MUTATIONS.items():
        if given.get(name) is not None:
            raise not_done((name,), f"To update {name}, please use the {mutation} Mutation instead")
    if not given.get("id"):
        raise not_done(("id",), "Customer ID is required")
    row = known_customer(shop, given["id"], ("id",))
    changes = {name: given[name] for name in _PLAIN if name in given}
    changes.update(_contact(shop, row, given, "email", _EMAIL))
    changes.update(_contact(shop, row, given, "phone", _PHONE))
    changed = any(row.get(name) != value for name, value in changes.items())
    return {"customer": shop.customers.update(row["id"], changes)}, int(changed)


def _contact(shop: Shop, row: Fields, given: Mapping[str, Any], name: str, shape: re.Pattern[str]) -> Fields:
    """A new e-mail address or number: well formed, and nobody else's."""
    if name not in given:
        return {}
    value = given[name] or None
    if value is not None and not shape.fullmatch(value):
        raise not_done((name,), f"{name.capitalize()} is invalid")
    holders = (one["id"] for one in shop.customers.rows.values() if value and _same(one.get(name), value))
    if any(holder != row["id"] for holder in holders):
        raise not_done((name,), f"{name.capitalize()} has already been taken")
    return {name: value}


def _same(held: str | None, value: str) -> bool:
    return (held or "").casefold() == value.casefold()
