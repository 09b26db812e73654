"""The web shop of a world. Nothing here is drawn that a verdict depends on."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from onevoice.sandbox.chance import stream
from onevoice.sandbox.population.drafts import Draft
from onevoice.sandbox.population.permissions import Permissions
from onevoice.sandbox.population.trade import Left, Sale
from onevoice.sandbox.records.writing import currency, moment, pounds
from onevoice.sandbox.shopify.tables import gid, shopify_stamp
from onevoice.sandbox.state import VendorState
from onevoice.sandbox.truth import EMAIL, SMS

_LINES = 9_000_000_000_000
_TAGS = ("newsletter-popup", "wholesale-no", "gift-buyer")


class ShopifyRecords:
    """Writes the shop."""

    def __init__(self, seed: int, state: VendorState, permissions: Permissions) -> None:
        self._rng = stream(seed, "shopify records")
        self._state = state
        self._permissions = permissions
        self._lines = 0

    def customer(self, draft: Draft) -> None:
        """One customer."""
        rng, home = self._rng, draft.address
        made = moment(draft.created, rng)
        fields = {
            "id": draft.key,
            "firstName": draft.given or None,
            "lastName": draft.family or None,
            "email": draft.email or None,
            "emailMarketing": self._consent(draft, EMAIL),
            "phone": draft.mobile or None,
            "phoneMarketing": self._consent(draft, SMS),
            "address": {
                "address1": home.street,
                "city": home.city,
                "zip": home.postcode,
                "province": home.region or None,
                "countryCodeV2": home.country,
                "phone": None,
            }
            if home
            else None,
            "tags": [tag for tag in _TAGS if rng.random() < 0.06],
            "metafields": {},
            "createdAt": shopify_stamp(made),
        }
        stamp = max(made, moment(draft.changed, rng))
        self._state.tables["customers"].insert(fields, stamp, draft.key, actor="seed")

    def _consent(self, draft: Draft, channel: str) -> dict[str, Any]:
        refused = self._permissions.refusals.get((id(draft), channel))
        granted = self._permissions.granted.get((id(draft), channel))
        on = refused.on if refused else granted
        return {
            "state": "UNSUBSCRIBED" if refused else "SUBSCRIBED" if granted else "NOT_SUBSCRIBED",
            "optInLevel": "SINGLE_OPT_IN" if on else None,
            "updatedAt": shopify_stamp(moment(on, self._rng)) if on else None,
        }

    def order(self, sale: Sale) -> None:
        """One order of one line."""
        table = self._state.tables["orders"]
        key = table.spec.new_id(len(table) + 1)
        at = shopify_stamp(sale.at)
        fields = {
            "id": key,
            "name": f"#{1000 + len(table)}",
            "customer": sale.draft.key,
            "createdAt": at,
            "processedAt": at,
            "cancelledAt": shopify_stamp(sale.at + timedelta(hours=3)) if sale.cancelled else None,
            "lines": [self._line(sale.draft, sale.category, sale.listed, sale.paid)],
        }
        table.insert(fields, sale.at + timedelta(hours=3 if sale.cancelled else 0), key, actor="seed")

    def checkout(self, left: Left) -> None:
        """One checkout that was begun."""
        table = self._state.tables["checkouts"]
        key = table.spec.new_id(len(table) + 1)
        fields = {
            "id": key,
            "customer": left.draft.key,
            "createdAt": shopify_stamp(left.at),
            "completedAt": _stamp(left.completed),
            "lines": [self._line(left.draft, left.category, left.total, left.total)],
        }
        table.insert(fields, left.completed or left.at, key, actor="seed")

    def _line(self, draft: Draft, category: str, listed: int, paid: int) -> dict[str, Any]:
        self._lines += 1
        return line(self._lines, category, listed, paid, currency(draft.person.country))


def line(number: int, category: str, listed: int, paid: int, money: str) -> dict[str, Any]:
    """A line of an order or checkout; prices in pence."""
    return {
        "id": gid("LineItem", _LINES + number),
        "title": f"{category.capitalize()} no. {number % 90 + 10}",
        "productType": category,
        "quantity": 1,
        "original": pounds(listed),
        "discounted": pounds(paid),
        "currency": money,
    }


def _stamp(at: datetime | None) -> str | None:
    return shopify_stamp(at) if at else None
