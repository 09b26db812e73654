"""What people do while the sandbox runs: carts, purchases, points, complaints, as POST /happen is told.

Each happening changes the vendor's records as the vendor itself would, and the truth with them. It gives the keys of
what it made. ValueError says what is wrong with what was asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from onevoice.sandbox.klaviyo.tables import klaviyo_stamp
from onevoice.sandbox.records.shopify import line
from onevoice.sandbox.records.square import order_fields, points_event
from onevoice.sandbox.shopify.tables import shopify_stamp
from onevoice.sandbox.square.tables import square_stamp
from onevoice.sandbox.state import Table, salesforce_stamp
from onevoice.sandbox.truth import Ref, same_mailbox
from onevoice.sandbox.world import World

Made = dict[str, Any]
_HAND = "hand"
_CART_PENCE = 12_000
_POINTS_LIVE_DAYS = 365


class Happenings:
    """Lets things happen in one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._kinds: dict[str, Callable[[Mapping[str, Any]], Made]] = {
            "shop_cart": self.shop_cart,
            "store_order": self.store_order,
            "accumulate_points": self.accumulate_points,
            "open_case": self.open_case,
        }

    def happen(self, said: Mapping[str, Any]) -> Made:
        """Let one thing happen; `said` has `what`, one of the kinds, and what that kind needs."""
        kind = self._kinds.get(str(said.get("what")))
        if kind is None:
            raise ValueError(f"happen: nothing is called {said.get('what')!r} (allowed: {', '.join(self._kinds)})")
        return kind(said)

    def shop_cart(self, said: Mapping[str, Any]) -> Made:
        """`customer` (global id) leaves a cart with something of `category` in the web shop, which tells the sender."""
        customer, category = _text(said, "customer"), _text(said, "category")
        row = _existing(self._world.shopify.tables["customers"], customer, "customer")
        now = self._world.clock.now()
        table = self._world.shopify.tables["checkouts"]
        key = table.spec.new_id(len(table) + 1)
        fields = {
            "id": key,
            "customer": customer,
            "createdAt": shopify_stamp(now),
            "completedAt": None,
            "lines": [line(1_000_000_000 + len(table), category, _CART_PENCE, _CART_PENCE, "GBP")],
        }
        table.insert(fields, key=key, actor=_HAND)
        self._world.truth.learn("cart", ["shopify", "customers", customer], now.isoformat(), category)
        told = self._tell_sender(row.get("email") or "")
        return {"system": "shopify", "stream": "abandonedCheckouts", "key": key, "told": told}

    def _tell_sender(self, address: str) -> list[str]:
        """The shop's integration puts the moment of the cart on the sender's profile of the same address."""
        profiles = self._world.klaviyo.tables["profiles"]
        found = [
            key
            for key, row in profiles.rows.items()
            if address and row.get("email") and same_mailbox(row["email"]) == same_mailbox(address)
        ]
        at = klaviyo_stamp(self._world.clock.now())
        for key in found:
            properties = {**(profiles.rows[key].get("properties") or {}), "cart_abandoned_at": at}
            profiles.update(key, {"properties": properties}, actor="vendor")
        return found

    def store_order(self, said: Mapping[str, Any]) -> Made:
        """`customer` (Square id) buys something of `category` in a store: paid `total`, list price `list_total`."""
        customer, category = _text(said, "customer"), _text(said, "category")
        _existing(self._world.square.tables["customers"], customer, "customer")
        total, listed = _pence(said, "total"), _pence(said, "list_total")
        now = self._world.clock.now()
        store = next(iter(self._world.square.tables["locations"].rows))
        table = self._world.square.tables["orders"]
        key = table.insert(order_fields(customer, store, now, category, listed, total), actor=_HAND)
        full = 0 < total == listed
        ref: Ref = ("square", "customers", customer)
        self._world.truth.learn("buy", list(ref), now.isoformat(), category, full)
        return {"system": "square", "stream": "orders", "key": key}

    def accumulate_points(self, said: Mapping[str, Any]) -> Made:
        """The loyalty `account` (Square id) earns `points`, which expire after a year."""
        key, points = _text(said, "account"), said.get("points")
        if not isinstance(points, int) or isinstance(points, bool) or points < 1:
            raise ValueError("happen: points must be a whole number from 1")
        table = self._world.square.tables["loyalty_accounts"]
        row = _existing(table, key, "account")
        now = self._world.clock.now()
        expires = now.date() + timedelta(days=_POINTS_LIVE_DAYS)
        deadline = {"points": points, "expires_at": f"{expires.isoformat()}T00:00:00.000Z"}
        changes = {
            "balance": row["balance"] + points,
            "lifetime_points": row["lifetime_points"] + points,
            "expiring_point_deadlines": [*row.get("expiring_point_deadlines", ()), deadline],
        }
        table.update(key, changes, actor=_HAND)
        store = next(iter(self._world.square.tables["locations"].rows))
        event = {**points_event(key, row["program_id"], store, points), "created_at": square_stamp(now)}
        made = self._world.square.tables["loyalty_events"].insert(event, actor=_HAND)
        customer = ["square", "customers", row["customer_id"]]
        self._world.truth.learn("credit", customer, key, points, expires.isoformat())
        return {"system": "square", "stream": "loyalty_accounts", "key": key, "event": made}

    def open_case(self, said: Mapping[str, Any]) -> Made:
        """A case of `type` is opened for `contact` (Salesforce id); a Complaint weighs, others do not."""
        contact, kind = _text(said, "contact"), _text(said, "type")
        _existing(self._world.salesforce.tables["Contact"], contact, "contact")
        table = self._world.salesforce.tables["Case"]
        now = self._world.clock.now()
        fields = {
            "ContactId": contact,
            "CaseNumber": f"{len(table) + 1:08d}",
            "Type": kind,
            "Status": "New",
            "IsClosed": False,
            "CreatedDate": salesforce_stamp(now),
            "ClosedDate": None,
            "Subject": f"{kind} about an order",
            "IsDeleted": False,
        }
        key = table.insert(fields, actor=_HAND)
        if kind == "Complaint":
            self._world.truth.learn("complain", ["salesforce", "Contact", contact], key, now.date().isoformat())
        return {"system": "salesforce", "stream": "Case", "key": key}


def _text(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f"happen: {name} must be text")
    return value


def _pence(said: Mapping[str, Any], name: str) -> int:
    """An amount in pounds, as a number or as text ("89.90"), in pence."""
    try:
        pence = round(float(said[name]) * 100)
    except (KeyError, TypeError, ValueError):
        raise ValueError(f"happen: {name} must be an amount of money") from None
    if pence < 0:
        raise ValueError(f"happen: {name} must not be below nought")
    return pence


def _existing(table: Table, key: str, what: str) -> dict[str, Any]:
    row = table.get(key)
    if row is None:
        raise ValueError(f"happen: there is no {what} {key}")
    return row
