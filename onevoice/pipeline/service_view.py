"""What a person at the service desk has to know of a customer in the first second. Pure: items in, sentences out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from onevoice.model import Item
from onevoice.pipeline.purchases import is_cart, is_closed, is_dated_order

TOP_SHARE = 0.2
"""Of the customers who spent anything in the last twelve months, these are the best ones."""
CART_DAYS = 7
"""Days after which a cart that was left counts as forgotten; the shops' own reminders end by then."""
COMPLAINT = "complaint"


@dataclass(frozen=True, slots=True)
class LastOrder:
    """What the customer bought last."""

    at: datetime
    categories: Sequence[str]
    channel: str | None
    system: str
    full_price: bool | None
    """None where the system does not tell the price."""


@dataclass(frozen=True, slots=True)
class OpenCart:
    """What the customer left in a cart and has not bought since."""

    at: datetime
    categories: Sequence[str]
    system: str


@dataclass(frozen=True, slots=True)
class Visit:
    """One check-in of today."""

    at: datetime
    store: str


@dataclass(frozen=True, slots=True)
class Member:
    """The membership of one programme."""

    programme: str
    label: str
    is_member: bool
    tier: str | None
    tier_until: date | None
    points: str | None
    since: date | None


@dataclass(frozen=True, slots=True)
class ServiceView:
    """Everything the desk is shown; `in_words` says it in sentences."""

    members: Sequence[Member]
    last_order: LastOrder | None
    bought_today: bool
    top_by_spend: bool | None
    """None where nobody's spend is known."""
    annual_spend: str | None
    open_cart: OpenCart | None
    complaint_since: datetime | None
    visits_today: Sequence[Visit]


def service_view(
    items: Iterable[Item],
    members: Sequence[Member],
    annual_spend: str | None,
    top_from: float | None,
    *,
    now: datetime,
    zone: ZoneInfo,
) -> ServiceView:
    """The view of one customer at a moment; from an annual spend of `top_from` on customers are the best ones."""
    items = list(items)
    today = now.astimezone(zone).date()
    order = _last_order(items)
    spend = Decimal(annual_spend) if annual_spend is not None else Decimal(0)
    return ServiceView(
        members=members,
        last_order=order,
        bought_today=order is not None and order.at.astimezone(zone).date() == today,
        top_by_spend=None if top_from is None else spend > 0 and spend >= Decimal(repr(top_from)),
        annual_spend=annual_spend,
        open_cart=_open_cart(items, now),
        complaint_since=_complaint(items, now),
        visits_today=_visits(items, today, zone),
    )


def in_words(view: ServiceView, now: datetime, zone: ZoneInfo) -> list[str]:
    """The view as sentences, the most pressing first."""
    return list(_sentences(view, now.astimezone(zone).date(), zone))


def _bought(items: Iterable[Item]) -> list[tuple[datetime, Item]]:
    return [(_moment(item.data["ordered_at"]), item) for item in items if is_dated_order(item)]


def _last_order(items: Iterable[Item]) -> LastOrder | None:
    orders = _bought(items)
    if not orders:
        return None
    at, last = max(orders, key=lambda pair: (pair[0], str(pair[1].source)))
    lines = [item.data for moment, item in orders if item.source == last.source and moment == at]
    return LastOrder(
        at=at,
        categories=_categories(lines),
        channel=next((line["channel"] for line in lines if line.get("channel")), None),
        system=last.source.system,
        full_price=_full_price(lines),
    )


def _full_price(lines: Iterable[Mapping[str, Any]]) -> bool | None:
    """Whether everything was paid at the list price; None when a price is not told."""
    prices = [(line.get("total"), line.get("list_total")) for line in lines]
    if any(paid is None or asked is None for paid, asked in prices):
        return None
    totals = [(Decimal(str(paid)), Decimal(str(asked))) for paid, asked in prices]
    return sum(paid for paid, _ in totals) > 0 and all(paid == asked for paid, asked in totals)


def _open_cart(items: Iterable[Item], now: datetime) -> OpenCart | None:
    """The newest cart of the last days that was neither closed nor bought (an order of its category came later)."""
    items = list(items)
    orders = _bought(items)
    carts = [(_moment(item.data["abandoned_at"]), item) for item in items if is_cart(item) and not is_closed(item)]
    open_ones = [
        (at, item)
        for at, item in carts
        if now - timedelta(days=CART_DAYS) <= at <= now + timedelta(days=1)
        and not any(when > at and order.data.get("category") == item.data.get("category") for when, order in orders)
    ]
    if not open_ones:
        return None
    at, newest = max(open_ones, key=lambda pair: (pair[0], str(pair[1].source)))
    lines = [item.data for when, item in open_ones if item.source == newest.source and when == at]
    return OpenCart(at, _categories(lines), newest.source.system)


def _complaint(items: Iterable[Item], now: datetime) -> datetime | None:
    """When the oldest open complaint was opened; `now` where its system does not say."""
    opened = [
        _moment(item.data["opened_at"]) if item.data.get("opened_at") else now
        for item in items
        if item.kind == "case" and (item.data.get("kind") or "").lower() == COMPLAINT and item.data.get("is_open")
    ]
    return min(opened, default=None)


def _visits(items: Iterable[Item], today: date, zone: ZoneInfo) -> list[Visit]:
    found = [
        Visit(_moment(item.data["at"]), item.data.get("store") or "")
        for item in items
        if item.kind == "visit" and item.data.get("at")
    ]
    return sorted((v for v in found if v.at.astimezone(zone).date() == today), key=lambda visit: visit.at)


def _categories(lines: Iterable[Mapping[str, Any]]) -> list[str]:
    return sorted({str(line["category"]) for line in lines if line.get("category")})


def _sentences(view: ServiceView, today: date, zone: ZoneInfo) -> Iterable[str]:
    if view.complaint_since:
        yield f"Has an open complaint since {_when(view.complaint_since, today, zone)}."
    for member in view.members:
        yield _member_sentence(member)
    if view.last_order:
        order = view.last_order
        what = " and ".join(order.categories) or "something"
        price = {True: ", at full price", False: ", at a reduced price", None: ""}[order.full_price]
        just = "Just bought" if view.bought_today else "Last bought"
        yield f"{just} {what} {_where(order.channel, order.system)} {_when(order.at, today, zone)}{price}."
    else:
        yield "Has not bought anything that we know of."
    if view.top_by_spend:
        yield f"Among the top {TOP_SHARE:.0%} of customers by spend in the last twelve months."
    if view.open_cart:
        what = " and ".join(view.open_cart.categories) or "something"
        yield f"Left {what} in a cart {_when(view.open_cart.at, today, zone)} and has not bought it."
    for visit in view.visits_today:
        yield f"Checked in{f' at {visit.store}' if visit.store else ''} {_when(visit.at, today, zone)}."


def _member_sentence(member: Member) -> str:
    if not member.is_member:
        return f"Not a member of {member.label}."
    said = f"Member of {member.label}"
    said += f" since {_day(member.since)}" if member.since else ""
    if member.tier:
        said += f", tier {member.tier}" + (f" until {_day(member.tier_until)}" if member.tier_until else "")
    return said + (f", {Decimal(member.points):,f} points." if member.points is not None else ".")


def _where(channel: str | None, system: str) -> str:
    return {"store": "in the store", "web": "in the web shop"}.get(channel or "", f"({channel or system})")


def _when(at: datetime, today: date, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    if local.date() == today:
        return f"today at {local:%H:%M}"
    if local.date() == today - timedelta(days=1):
        return f"yesterday at {local:%H:%M}"
    return f"on {_day(local.date())}"


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
