"""Which records make a fact what it is. Pure: items and known facts in, the items that bear witness out.

Where many items say the same (a hundred orders make "has ordered"), the latest few stand for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from onevoice.model import Item
from onevoice.pipeline.purchases import at_full_price, is_cart, is_closed, is_dated_order, is_order

Facts = Mapping[str, Any]
Select = Callable[[Sequence[Item], Facts], Iterable[Item]]

MOST = 5
"""Items that stand for many."""


def witnesses(fact: str, items: Sequence[Item], facts: Facts) -> list[Item]:
    """The items behind one fact; `items` are all of the customer's, also what belongs to their memberships.

    Empty for a fact that stands on no item: where somebody lives, or what they said about being written to.
    """
    select = _SELECT.get(fact)
    return list(select(items, facts)) if select else []


def _of(items: Iterable[Item], kind: str) -> list[Item]:
    return [item for item in items if item.kind == kind]


def _latest(items: Iterable[Item], field: str, most: int = 1) -> list[Item]:
    """The items with the latest values of a field; several lines of one record count once."""
    found: dict[str, Item] = {}
    for item in sorted(items, key=lambda one: (str(one.data.get(field) or ""), str(one.source)), reverse=True):
        found.setdefault(str(item.source), item)
    return list(found.values())[:most]


def _orders(items: Iterable[Item]) -> list[Item]:
    return [item for item in items if is_order(item)]


def _has_ordered(items: Sequence[Item], _: Facts) -> list[Item]:
    return _latest(_orders(items), "ordered_at", MOST)


def _last_order(items: Sequence[Item], _: Facts) -> list[Item]:
    return _latest((item for item in items if is_dated_order(item)), "ordered_at")


def _at_full_price(items: Sequence[Item], _: Facts) -> list[Item]:
    return _latest((item for item in items if is_dated_order(item) and at_full_price(item.data)), "ordered_at")


def _carts(items: Iterable[Item]) -> list[Item]:
    return [item for item in items if is_cart(item) and not is_closed(item)]


def _bought_since(items: Sequence[Item], cart: Item) -> list[Item]:
    left = _moment(cart.data["abandoned_at"])
    later = (
        item
        for item in items
        if is_dated_order(item)
        and cart.data.get("category")
        and item.data.get("category") == cart.data["category"]
        and _moment(item.data["ordered_at"]) > left
    )
    return _latest(later, "ordered_at")


def _bought_cart(items: Sequence[Item], _: Facts) -> list[Item]:
    bought = [item for item in items if is_cart(item) and (is_closed(item) or _bought_since(items, item))]
    return [item for cart in _latest(bought, "abandoned_at") for item in (cart, *_bought_since(items, cart))]


def _open_cart(items: Sequence[Item], _: Facts) -> list[Item]:
    return _latest((cart for cart in _carts(items) if not _bought_since(items, cart)), "abandoned_at")


def _last_cart(items: Sequence[Item], _: Facts) -> list[Item]:
    return _latest(_carts(items), "abandoned_at")


def _complaints(items: Iterable[Item]) -> list[Item]:
    return [case for case in _of(items, "case") if (case.data.get("kind") or "").lower() == "complaint"]


def _open_complaints(items: Sequence[Item], _: Facts) -> list[Item]:
    return _latest((case for case in _complaints(items) if case.data.get("is_open")), "opened_at", MOST)


def _closed_complaint(items: Sequence[Item], _: Facts) -> list[Item]:
    return _latest((case for case in _complaints(items) if case.data.get("closed_at")), "closed_at")


def _memberships(items: Sequence[Item], _: Facts) -> list[Item]:
    return _latest(_of(items, "membership"), "enrolled_on", MOST)


def _tier(items: Sequence[Item], facts: Facts) -> list[Item]:
    """The holds of the tier in force; where none is, what there is of tiers, and the memberships they hang on."""
    holds = _of(items, "tier_hold")
    held = [item for item in holds if str(item.data.get("tier") or "").casefold() == facts.get("tier")]
    held += [
        m
        for m in _of(items, "membership")
        if m.data.get("tier") and str(m.data["tier"]).casefold() == facts.get("tier")
    ]
    return _latest(held, "until", MOST) or [*_latest(holds, "until", MOST), *_memberships(items, facts)]


def _points(items: Sequence[Item], _: Facts) -> list[Item]:
    return [
        item
        for item in items
        if item.kind == "balance" or (item.kind == "membership" and item.data.get("points") is not None)
    ]


def _expiries(items: Sequence[Item], facts: Facts) -> list[Item]:
    """The expiry that comes next; where none does, the accounts that would have it."""
    on = facts.get("points_next_expiry_on")
    found = [item for item in _of(items, "point_expiry") if item.data.get("expires_on") == on]
    return found or _points(items, facts)


def _reward(kind: str) -> Select:
    def select(items: Sequence[Item], _: Facts) -> list[Item]:
        return _latest((item for item in _of(items, "reward") if item.data.get("kind") == kind), "granted_on")

    return select


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


_SELECT: Mapping[str, Select] = {
    **dict.fromkeys(("is_member", "membership_status", "memberships", "has_perks"), _memberships),
    **dict.fromkeys(("tier", "tier_rank", "tier_until"), _tier),
    "points": _points,
    "points_next_expiry_on": _expiries,
    **dict.fromkeys(("orders_total", "annual_spend"), _has_ordered),
    **dict.fromkeys(("last_order_at", "last_order_on", "last_order_in_cart_category_at"), _last_order),
    "last_full_price_on": _at_full_price,
    **dict.fromkeys(("cart_at", "cart_on", "cart_category"), _last_cart),
    "bought_cart_on": _bought_cart,
    "open_cart_on": _open_cart,
    "open_complaint": _open_complaints,
    "complaint_closed_on": _closed_complaint,
    "birthday_reward_on": _reward("birthday"),
    "welcome_reward_on": _reward("welcome"),
}
PROVEN_BY_ITEMS = frozenset(_SELECT)
"""Facts that stand on items; the others are a customer's own fields, or what they said."""
