"""The tables of a shop, empty, and how Shopify writes ids and times."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

from onevoice.sandbox.state import Clock, TableSpec, VendorState

SHOPIFY_LAG_SECONDS = 4.0
"""How long searches lag behind. Shopify names no figure; a search 3 s after a consent change was seen to show the old
state."""
_FIRST_ID = 7_000_000_000_000
_KINDS = {"customers": "Customer", "orders": "Order", "checkouts": "AbandonedCheckout"}
_LOGGED = {"customers": {"emailMarketing", "phoneMarketing"}}


def shopify_stamp(moment: datetime) -> str:
    """As Shopify writes datetimes: 2026-11-20T08:00:00Z. Whole seconds."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def gid(kind: str, number: int) -> str:
    """A global id: gid://shopify/Customer/7000000000001."""
    return f"gid://shopify/{kind}/{number}"


def gid_number(one: str) -> int:
    """The number at the end of a global id; 0 when there is none."""
    digits = one.rpartition("/")[2].partition("?")[0]
    return int(digits) if digits.isascii() and digits.isdigit() else 0


def gid_kind(one: str) -> str:
    """The type in a global id, '' when it is none."""
    parts = one.split("/")
    return parts[3] if len(parts) == 5 and parts[:3] == ["gid:", "", "shopify"] and gid_number(one) else ""


def shopify_state(clock: Clock) -> VendorState:
    """A shop without records. Every table goes by global id, which a row also holds as `id`.

    `customers`: {id, firstName, lastName, email | None, emailMarketing {state, optInLevel, updatedAt}, phone (E.164) |
    None, phoneMarketing {state, optInLevel, updatedAt}, address {address1, city, zip, province, countryCodeV2, phone} |
    None, tags [..], metafields {"onevoice.tier": {"type", "value"}}, createdAt, updatedAt}. `state` is one of the API's
    marketing states; an address whose state is REDACTED is not shown. A name or note that is left out is empty, a
    consent that is left out NOT_SUBSCRIBED.
    `orders`: {id, name, customer: global id | None, createdAt, processedAt, updatedAt, cancelledAt | None, lines}, each
    line {id, title, productType, quantity, original, discounted, currency}; `original` and `discounted` are the totals
    of the line as text ("59.90").
    `checkouts`: {id, customer, createdAt, updatedAt, completedAt | None, lines}, lines as in orders.

    Times are text as `shopify_stamp` writes it. numberOfOrders and amountSpent are computed from the orders; Shopify
    moves a customer's updatedAt when an order comes in: whoever inserts an order calls
    `customers.update(global_id, {}, actor="vendor")`.
    """
    state = VendorState("shopify", clock, SHOPIFY_LAG_SECONDS)
    for name, kind in _KINDS.items():
        state.add_table(
            TableSpec(
                name=name,
                stamp_fields=("updatedAt",),
                created_field="createdAt",
                stamp_text=shopify_stamp,
                new_id=partial(_new_id, kind),
                logged_fields=frozenset(_LOGGED.get(name, ())),
            )
        )
    return state


def _new_id(kind: str, serial: int) -> str:
    return gid(kind, _FIRST_ID + serial * 32_768)
