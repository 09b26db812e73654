"""What counts as an order, as bought at full price, as a cart left behind: one reading for facts, proofs, views."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from onevoice.model import Item


def is_order(item: Item) -> bool:
    """Whether an item is an order line that stands: not one that was cancelled."""
    return item.kind == "order" and not item.data.get("cancelled_at")


def is_dated_order(item: Item) -> bool:
    """Whether an item is an order line that stands and says when it was ordered."""
    return is_order(item) and bool(item.data.get("ordered_at"))


def at_full_price(line: Mapping[str, Any]) -> bool:
    """Whether something was paid for a line, and no less than its list price; false where a price is not told."""
    if line.get("total") is None or line.get("list_total") is None:
        return False
    return Decimal(line["total"]) > 0 and Decimal(line["total"]) >= Decimal(line["list_total"])


def is_cart(item: Item) -> bool:
    """Whether an item is a cart that somebody left, closed since or not."""
    return item.kind == "cart" and bool(item.data.get("abandoned_at"))


def is_closed(cart: Item) -> bool:
    """Whether the shop itself says that the cart became an order."""
    return bool(cart.data.get("closed_at"))
