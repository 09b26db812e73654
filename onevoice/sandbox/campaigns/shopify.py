"""The web shop's campaigns: reminders of abandoned checkouts, a discount code, a welcome code."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date

from onevoice.sandbox.campaigns.selecting import Message, Row, days_since, instant, share, suppressed
from onevoice.sandbox.state import VendorState

NO_DISCOUNT = "onevoice-no-discount"
_UNREACHABLE = frozenset({"UNSUBSCRIBED", "INVALID", "REDACTED"})
_CART_DAYS = 7
_NEW_DAYS = 14


def shopify_messages(state: VendorState, day: date) -> Iterator[Message]:
    """All messages of the shop, by customer."""
    campaigns = _Shopify(state, day)
    for key, row in state.tables["customers"].rows.items():
        if row.get("email") and (row.get("emailMarketing") or {}).get("state") not in _UNREACHABLE:
            yield from campaigns.to(key, row)


def metafield(row: Row, name: str) -> str | None:
    """The text of one of the hub's metafields on a customer; None when it is not set."""
    held = row.get("metafields", {}).get(f"onevoice.{name}")
    return held["value"] if held else None


class _Shopify:
    def __init__(self, state: VendorState, day: date) -> None:
        self._day = day
        self._orders: dict[str, list[Row]] = defaultdict(list)
        for order in state.tables["orders"].rows.values():
            if order.get("customer"):
                self._orders[order["customer"]].append(order)
        self._carts: dict[str, list[Row]] = defaultdict(list)
        for cart in state.tables["checkouts"].rows.values():
            if not cart.get("completedAt") and 0 <= days_since(cart["createdAt"], day) <= _CART_DAYS:
                self._carts[cart["customer"]].append(cart)
        self._campaigns: dict[str, Callable[[str, Row], bool]] = {
            "cart_reminder": self._left_a_cart,
            "discount": lambda key, row: share("discount", key, 2) and NO_DISCOUNT not in row.get("tags", ()),
            "welcome": self._is_new,
        }

    def to(self, key: str, row: Row) -> Iterator[Message]:
        for family, selects in self._campaigns.items():
            if selects(key, row):
                yield Message(("shopify", "customers", key), family, row["email"])

    def _left_a_cart(self, key: str, row: Row) -> bool:
        if suppressed(metafield(row, "no_cart_reminder_until"), self._day):
            return False
        return any(not self._bought_since(key, cart) for cart in self._carts.get(key, ()))

    def _bought_since(self, key: str, cart: Row) -> bool:
        wanted = {line["productType"] for line in cart["lines"]}
        return any(
            instant(order["processedAt"]) > instant(cart["createdAt"])
            and wanted & {line["productType"] for line in order["lines"]}
            for order in self._orders.get(key, ())
        )

    def _is_new(self, key: str, row: Row) -> bool:
        fresh = 0 <= days_since(row["createdAt"], self._day) <= _NEW_DAYS
        told = suppressed(metafield(row, "no_welcome_until"), self._day)
        return fresh and not told and not self._orders.get(key)
