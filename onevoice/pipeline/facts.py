"""What is known of a customer, as the typed facts that rules may ask about. Pure: items in, JSON facts out.

Everything is a function of the items, the merged status and the consent state, so a profile can be recomputed at any
time, also as of an earlier day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from onevoice.model import Item, LoyaltyStatus, Membership, TierHold

COMPLAINT = "complaint"


def memberships_of(items: Iterable[Item], owned: Mapping[str, Iterable[Item]]) -> list[Membership]:
    """Memberships among a customer's items, with the tiers and balances that `owned` holds by membership ref."""
    found = []
    for item in items:
        if item.kind != "membership":
            continue
        parts = list(owned.get(str(item.source), ()))
        tiers = [
            TierHold(part.data["tier"], _day(part.data.get("since")), _day(part.data.get("until")))
            for part in parts
            if part.kind == "tier_hold" and part.data.get("tier")
        ]
        if item.data.get("tier"):
            tiers.append(TierHold(item.data["tier"], None, _day(item.data.get("tier_until"))))
        points = {
            part.data.get("wallet") or "points": part.data["available"] for part in parts if part.kind == "balance"
        }
        if item.data.get("points") is not None:
            points.setdefault("points", item.data["points"])
        found.append(
            Membership(
                source=item.source,
                programme=item.data["programme"],
                status=item.data.get("status") or "",
                type=item.data.get("type") or "individual",
                number=item.data.get("number") or "",
                enrolled_on=_day(item.data.get("enrolled_on")),
                ends_on=_day(item.data.get("ends_on")),
                tiers=tuple(sorted(tiers, key=lambda hold: (hold.tier, str(hold.since), str(hold.until)))),
                points=points,
            )
        )
    return sorted(found, key=lambda membership: membership.source)


def facts_of(
    items: Iterable[Item],
    golden: Mapping[str, Any],
    status: LoyaltyStatus | None,
    *,
    email_denied: bool,
    zone: ZoneInfo,
) -> dict[str, Any]:
    """Facts by name, as JSON values; a fact that is not known is left out."""
    items = list(items)
    facts = {
        **_status_facts(status),
        **_order_facts(items, zone),
        **_case_facts(items, zone),
        "email_denied": email_denied,
        "country": golden.get("country"),
        "birth_date": golden.get("birth_date"),
    }
    return {name: value for name, value in facts.items() if value is not None}


def _status_facts(status: LoyaltyStatus | None) -> dict[str, Any]:
    if status is None:
        return {"is_member": False, "has_perks": False, "memberships": 0, "tier_rank": 0}
    return {
        "is_member": status.is_member,
        "has_perks": status.has_perks,
        "membership_status": status.status,
        "tier": status.tier,
        "tier_rank": status.tier_rank or 0,
        "tier_until": status.tier_until.isoformat() if status.tier_until else None,
        "points": str(sum(status.points.values())) if status.points else None,
        "memberships": len(status.memberships),
    }


def _order_facts(items: Iterable[Item], zone: ZoneInfo) -> dict[str, Any]:
    orders = [item.data for item in items if item.kind == "order" and item.data.get("ordered_at")]
    carts = [item.data for item in items if item.kind == "cart" and item.data.get("abandoned_at")]
    last = max((_moment(order["ordered_at"]) for order in orders), default=None)
    facts: dict[str, Any] = {"orders_total": sum(int(order.get("orders", 1)) for order in orders)}
    if last:
        facts["last_order_at"], facts["last_order_on"] = last.isoformat(), _day_in(last, zone)
    if carts:
        cart = max(carts, key=lambda c: (_moment(c["abandoned_at"]), c.get("category") or ""))
        left = _moment(cart["abandoned_at"])
        facts["cart_at"], facts["cart_on"] = left.isoformat(), _day_in(left, zone)
        facts["cart_category"] = cart.get("category")
        same = [
            _moment(o["ordered_at"]) for o in orders if cart.get("category") and o.get("category") == cart["category"]
        ]
        if same:
            facts["last_order_in_cart_category_at"] = max(same).isoformat()
    return facts


def _case_facts(items: Iterable[Item], zone: ZoneInfo) -> dict[str, Any]:
    complaints = [i.data for i in items if i.kind == "case" and (i.data.get("kind") or "").lower() == COMPLAINT]
    closed = [_moment(case["closed_at"]) for case in complaints if case.get("closed_at") and not case.get("is_open")]
    facts: dict[str, Any] = {"open_complaint": any(bool(case.get("is_open")) for case in complaints)}
    if closed:
        facts["complaint_closed_on"] = _day_in(max(closed), zone)
    return facts


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _day_in(moment: datetime, zone: ZoneInfo) -> str:
    """The day of a moment where the company is; at the ends of time, which vendors write for "never", in UTC."""
    try:
        return moment.astimezone(zone).date().isoformat()
    except OverflowError:
        return moment.date().isoformat()


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text[:10]) if text else None
