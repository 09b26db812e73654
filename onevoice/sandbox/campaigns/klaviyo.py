"""The sender's campaigns by e-mail and SMS, by its profiles' own properties."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

from onevoice.sandbox.campaigns.selecting import Message, Row, birthday, days_since, share, suppressed
from onevoice.sandbox.state import VendorState
from onevoice.sandbox.truth import SMS

_CART_DAYS = 7
_EXPIRY_DAYS = 30


def klaviyo_messages(state: VendorState, day: date) -> Iterator[Message]:
    """All messages of the sender, by profile."""
    for key, row in state.tables["profiles"].rows.items():
        if _mailable(row):
            yield from _mails(key, row, day)
        if row.get("phone_number") and (row.get("sms_marketing") or {}).get("consent") == "SUBSCRIBED":
            yield from _texts(key, row, day)


def _mailable(row: Row) -> bool:
    said = row.get("email_marketing") or {}
    return bool(row.get("email")) and not said.get("suppression") and said.get("consent") != "UNSUBSCRIBED"


def _mails(key: str, row: Row, day: date) -> Iterator[Message]:
    held = row.get("properties") or {}
    for family, selects in _BY_MAIL.items():
        if selects(key, held, day) and not suppressed(held.get(f"onevoice_no_{family}_until"), day):
            yield Message(("klaviyo", "profiles", key), family, row["email"], _shown(family, held))


def _texts(key: str, row: Row, day: date) -> Iterator[Message]:
    held = row.get("properties") or {}
    left = days_since(held.get("cart_abandoned_at"), day)
    for family, selected in (
        ("discount", share("discount sms", key, 3)),
        ("cart_reminder", 0 <= left <= _CART_DAYS),
    ):
        if selected and not suppressed(held.get(f"onevoice_no_{family}_sms_until"), day):
            yield Message(("klaviyo", "profiles", key), family, row["phone_number"], channel=SMS)


def _shown(family: str, held: Mapping[str, Any]) -> str | None:
    names = _SHOWN.get(family)
    values = (held.get(name) for name in names or ())
    found = next((value for value in values if value is not None and value != ""), None)
    if found is None:
        return None
    return str(found)[:10] if family == "points_expiry" else str(found)


def _nudge(_: str, held: Mapping[str, Any], __: date) -> bool:
    left = held.get("loyalty_points_to_gold")
    return left is not None and 1 <= float(left) <= 300 and str(held.get("loyalty_tier") or "").lower() != "gold"


def _expires(_: str, held: Mapping[str, Any], day: date) -> bool:
    on = held.get("loyalty_points_expire_on")
    return bool(on) and 0 <= (date.fromisoformat(str(on)[:10]) - day).days <= _EXPIRY_DAYS


def _birthday(_: str, held: Mapping[str, Any], day: date) -> bool:
    return birthday(held.get("birth_date"), day) and str(held.get("birthday_reward_on") or "")[:4] != str(day.year)


_BY_MAIL: dict[str, Callable[[str, Mapping[str, Any], date], bool]] = {
    "discount": lambda key, _held, _day: share("discount", key, 3),
    "win_back": lambda _, held, day: days_since(held.get("last_order_on"), day) > 120,
    "newsletter": lambda key, _held, _day: share("newsletter", key, 2),
    "birthday": _birthday,
    "points_balance": lambda _, held, _day: float(held.get("loyalty_points") or 0) > 0,
    "points_expiry": _expires,
    "tier_nudge": _nudge,
}
_SHOWN = {
    "points_balance": ("onevoice_points", "loyalty_points"),
    "points_expiry": ("onevoice_points_next_expiry_on", "loyalty_points_expire_on"),
}
"""What a message states: the first of these properties that is set."""
