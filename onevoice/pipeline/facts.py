"""What is known of a customer, as the typed facts that rules may ask about. Pure: items in, JSON facts out.

Everything is a function of the items, the merged status and the consent state, so a profile can be recomputed at any
time, also as of an earlier day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from onevoice.model import Item, LoyaltyStatus, Membership, PointExpiry, TierHold
from onevoice.pipeline.purchases import at_full_price, is_cart, is_closed, is_dated_order, is_order

COMPLAINT = "complaint"
YEAR = timedelta(days=365)
"""What "annual" spend looks back on."""
REWARDS = ("birthday", "welcome")
"""Kinds of reward that rules may ask about."""
DEFAULT_WALLET = "points"


@dataclass(frozen=True, slots=True)
class Reading:
    """How items are read: the run's day, where the company's days begin, and what it counts its money in."""

    today: date
    zone: ZoneInfo
    currency: str


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
            part.data.get("wallet") or DEFAULT_WALLET: part.data["available"]
            for part in parts
            if part.kind == "balance"
        }
        if item.data.get("points") is not None:
            points.setdefault(DEFAULT_WALLET, item.data["points"])
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
                expiries=_expiries(parts),
            )
        )
    return sorted(found, key=lambda membership: membership.source)


def _expiries(parts: Iterable[Item]) -> tuple[PointExpiry, ...]:
    found = (
        PointExpiry(
            part.data.get("wallet") or DEFAULT_WALLET,
            Decimal(part.data["points"]),
            date.fromisoformat(part.data["expires_on"]),
        )
        for part in parts
        if part.kind == "point_expiry"
    )
    return tuple(sorted(found, key=lambda expiry: (expiry.expires_on, expiry.wallet, expiry.points)))


def facts_of(
    items: Iterable[Item],
    golden: Mapping[str, Any],
    status: LoyaltyStatus | None,
    denied: Mapping[str, bool],
    reading: Reading,
) -> dict[str, Any]:
    """Facts by name, as JSON values; a fact that is not known is left out.

    `denied` says by channel whether no address or number of the customer may be written to.
    """
    items = list(items)
    facts = {
        **_status_facts(status),
        **_order_facts(items, reading),
        **_cart_facts(items, reading.zone),
        **_case_facts(items, reading.zone),
        **_reward_facts(items),
        **{f"{channel}_denied": no for channel, no in denied.items()},
        "country": golden.get("country"),
        "birth_date": golden.get("birth_date"),
    }
    return {name: value for name, value in facts.items() if value is not None}


def next_change(items: Iterable[Item], reading: Reading) -> date | None:
    """First day after today on which the same items may give other facts; None: never.

    An order leaves the year, or its day comes: a clock ahead of ours dates it into tomorrow.
    """
    days = [
        _date_in(_moment(order["ordered_at"]), reading.zone)
        for order in _orders(items)
        if order.get("total") is not None
    ]
    edges = (day if day > reading.today else day + YEAR for day in days)
    return min((edge for edge in edges if edge > reading.today), default=None)


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
        "points_next_expiry_on": status.points_next_expiry_on.isoformat() if status.points_next_expiry_on else None,
        "memberships": len(status.memberships),
    }


def _orders(items: Iterable[Item]) -> list[Mapping[str, Any]]:
    """Order lines that stand: of orders with a time that were not cancelled."""
    return [item.data for item in items if is_dated_order(item)]


def _order_facts(items: Iterable[Item], reading: Reading) -> dict[str, Any]:
    items = list(items)
    lines = _orders(items)
    last = max((_moment(line["ordered_at"]) for line in lines), default=None)
    facts: dict[str, Any] = {"orders_total": _count(items)}
    if last:
        facts["last_order_at"], facts["last_order_on"] = last.isoformat(), _day_in(last, reading.zone)
    full = max((_moment(line["ordered_at"]) for line in lines if at_full_price(line)), default=None)
    if full:
        facts["last_full_price_on"] = _day_in(full, reading.zone)
    spent = [
        Decimal(line["total"])
        for line in lines
        if line.get("total") is not None
        and line.get("currency", reading.currency) == reading.currency
        and _within_a_year(_date_in(_moment(line["ordered_at"]), reading.zone), reading.today)
    ]
    if spent:
        facts["annual_spend"] = str(sum(spent))
    return facts


def _within_a_year(day: date, today: date) -> bool:
    return day <= today and today - day < YEAR


def _count(items: Iterable[Item]) -> int:
    """Orders that stand: the lines of one record are one order, or as many as the record says it sums up."""
    counted: dict[str, int] = {}
    for item in items:
        if is_order(item):
            source = str(item.source)
            counted[source] = max(counted.get(source, 0), int(item.data.get("orders", 1)))
    return sum(counted.values())


def _cart_facts(items: Iterable[Item], zone: ZoneInfo) -> dict[str, Any]:
    """Of the carts that the customer left: the latest one, the latest bought since, and the latest still open.

    A cart is bought when something of its category was ordered later, in any channel, or when the shop says so: other
    systems may hold a copy of it that nobody closes.
    """
    items = list(items)
    left_behind = [item for item in items if is_cart(item)]
    bought = [_moment(cart.data["abandoned_at"]) for cart in left_behind if is_closed(cart)]
    carts = [cart.data for cart in left_behind if not is_closed(cart)]
    facts: dict[str, Any] = {}
    later: dict[str, datetime] = {}
    for order in _orders(items):
        if category := order.get("category"):
            moment = _moment(order["ordered_at"])
            later[category] = max(moment, later.get(category, moment))
    waiting: list[datetime] = []
    for cart in carts:
        left, ordered = _moment(cart["abandoned_at"]), later.get(cart.get("category") or "")
        (bought if ordered and ordered > left else waiting).append(left)
    if bought:
        facts["bought_cart_on"] = _day_in(max(bought), zone)
    if waiting:
        facts["open_cart_on"] = _day_in(max(waiting), zone)
    return facts | _latest_cart(carts, later, zone)


def _latest_cart(carts: Sequence[Mapping[str, Any]], later: Mapping[str, datetime], zone: ZoneInfo) -> dict[str, Any]:
    """The cart that was left last, and the last order of its category (`later` by category)."""
    if not carts:
        return {}
    cart = max(carts, key=lambda c: (_moment(c["abandoned_at"]), c.get("category") or ""))
    left, category = _moment(cart["abandoned_at"]), cart.get("category")
    facts = {"cart_at": left.isoformat(), "cart_on": _day_in(left, zone), "cart_category": category}
    if ordered := later.get(category or ""):
        facts["last_order_in_cart_category_at"] = ordered.isoformat()
    return facts


def _reward_facts(items: Iterable[Item]) -> dict[str, Any]:
    granted = [item.data for item in items if item.kind == "reward"]
    return {
        f"{kind}_reward_on": max((r["granted_on"] for r in granted if r["kind"] == kind), default=None)
        for kind in REWARDS
    }


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
    return _date_in(moment, zone).isoformat()


def _date_in(moment: datetime, zone: ZoneInfo) -> date:
    """The day of a moment where the company is; at the ends of time, which vendors write for "never", in UTC."""
    try:
        return moment.astimezone(zone).date()
    except OverflowError:
        return moment.date()


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text[:10]) if text else None
