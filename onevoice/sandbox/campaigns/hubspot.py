"""HubSpot's campaigns, by its contacts' own properties; the newsletter looks at a list instead."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

from onevoice.sandbox.campaigns.selecting import (
    Message,
    Row,
    birthday,
    days_since,
    instant,
    rewarded,
    share,
    suppressed,
)
from onevoice.sandbox.state import VendorState
from onevoice.sandbox.tables import OPTOUT_PROPERTY

NEWSLETTER_LIST = "onevoice_no_newsletter"


def hubspot_messages(state: VendorState, day: date) -> Iterator[Message]:
    """All messages of HubSpot's campaigns, by contact."""
    campaigns = _HubSpot(state, day)
    for key, row in state.tables["contacts"].rows.items():
        if row.get("email") and row.get("hs_email_optout") != "true" and row.get(OPTOUT_PROPERTY) != "true":
            yield from campaigns.to(key, row)


class _HubSpot:
    def __init__(self, state: VendorState, day: date) -> None:
        self._day = day
        self._not_newsletter: set[str] = set()
        for row in state.tables["lists"].rows.values():
            if row["name"] == NEWSLETTER_LIST:
                self._not_newsletter |= row["members"]
        self._campaigns: dict[str, Callable[[Row], bool]] = {
            "join": lambda row: row.get("loyalty_member") != "true",
            "first_order": lambda row: row.get("web_orders") in {None, "", "0"},
            "win_back": lambda row: days_since(row.get("web_last_order_at"), day) > 120,
            "cart_reminder": self._has_open_cart,
            "tier_perk": lambda row: row.get("loyalty_tier") in {"silver", "gold"},
            "birthday": lambda row: (
                birthday(row.get("date_of_birth"), day) and not rewarded(row.get("birthday_reward_on"), day)
            ),
            "points_balance": lambda row: float(row.get("loyalty_points") or 0) > 0,
            "discount": lambda row: share("discount", row["hs_object_id"], 3),
        }

    def to(self, key: str, row: Row) -> Iterator[Message]:
        ref = ("hubspot", "contacts", key)
        for family, selects in self._campaigns.items():
            if selects(row) and not suppressed(row.get(f"onevoice_no_{family}_until"), self._day):
                yield Message(ref, family, row["email"], _shown(family, row))
        if key not in self._not_newsletter:
            yield Message(ref, "newsletter", row["email"])

    def _has_open_cart(self, row: Row) -> bool:
        left = row.get("cart_abandoned_at")
        if not left or days_since(left, self._day) > 7:
            return False
        ordered = row.get("web_last_order_at")
        same = row.get("web_last_order_category") == row.get("cart_category")
        return not (ordered and same and instant(ordered) > instant(left))


def _shown(family: str, row: Row) -> str | None:
    if family == "tier_perk":
        return str(row.get("onevoice_tier") or row["loyalty_tier"])
    return str(row.get("onevoice_points") or row["loyalty_points"]) if family == "points_balance" else None
