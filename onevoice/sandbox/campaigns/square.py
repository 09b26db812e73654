"""What the tills print on receipts: an invitation to join, a discount on the next purchase.

A receipt is printed when somebody buys; the judge takes who bought in the last 30 days.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from onevoice.sandbox.campaigns.selecting import Message, Row, days_since, share, suppressed
from onevoice.sandbox.state import VendorState
from onevoice.sandbox.truth import RECEIPT

NO_JOIN = "onevoice_no_join"
_DAYS = 30


def square_messages(state: VendorState, day: date) -> Iterator[Message]:
    """All lines on receipts, by customer."""
    tables = state.tables
    members = {row.get("customer_id") for row in tables["loyalty_accounts"].rows.values()}
    not_to_join = {key for key, row in tables["groups"].rows.items() if row["name"] == NO_JOIN}
    for key in dict.fromkeys(_buyers(state, day)):
        row = tables["customers"].rows.get(key)
        if row is None:
            continue
        ref = ("square", "customers", key)
        if key not in members and not not_to_join.intersection(row.get("group_ids", ())):
            yield Message(ref, "join", "", channel=RECEIPT)
        if share("discount", key, 2) and not suppressed(attribute(row, "onevoice_no_discount_until"), day):
            yield Message(ref, "discount", "", channel=RECEIPT)


def attribute(row: Row, key: str) -> str | None:
    """The value of a custom attribute of a customer; None when it is not set."""
    held = row.get("custom_attributes", {}).get(key)
    return held["value"] if held else None


def _buyers(state: VendorState, day: date) -> Iterator[str]:
    """Customer ids, in order of their orders."""
    for order in state.tables["orders"].rows.values():
        bought = order["state"] != "CANCELED" and 0 <= days_since(order["created_at"], day) <= _DAYS
        if bought and order.get("customer_id"):
            yield order["customer_id"]
