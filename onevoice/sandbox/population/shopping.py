"""Orders in the shops and on the web, carts left, and the date that the service team last saw an order.

Every order stands on a till card, on a HubSpot contact, or, for somebody whom neither of them knows, on the Salesforce
contact. Days that lie close to a limit of any rule or campaign are left out, so that a run that takes an hour or two
sees the same facts at its end as at its beginning.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta

from onevoice.sandbox.chance import stream
from onevoice.sandbox.population.drafts import HUBSPOT, SALESFORCE, TILL, Draft

CATEGORIES = ("shoes", "clothing", "toys", "garden", "books", "beauty", "home", "sports")
_LIMITS = (range(83, 98), range(114, 128), range(173, 189))


@dataclass(frozen=True, slots=True)
class Bought:
    """An order: where it stands, when, what; prices in pence where the record shows them, else 0."""

    draft: Draft
    at: datetime
    category: str
    listed: int = 0
    paid: int = 0


@dataclass(slots=True)
class Basket:
    """The shopping life of one person. `last_seen` is by `id` of the Salesforce draft."""

    orders: list[Bought] = field(default_factory=list)
    cart: Bought | None = None
    old_carts: list[Bought] = field(default_factory=list)
    last_seen: dict[int, date] = field(default_factory=dict)


class Shopping:
    """Lets everybody shop; `cart_bought` and `cart_lapsed` are persons with a planted contradiction about a cart."""

    def __init__(self, seed: int, as_of: date, cart_bought: set[int], cart_lapsed: set[int]) -> None:
        self._rng: random.Random = stream(seed, "shopping")
        self._as_of = as_of
        self._bought = cart_bought
        self._lapsed = cart_lapsed

    def basket(self, person: int, drafts: list[Draft]) -> Basket:
        """What one person did."""
        basket = Basket()
        web = [draft for draft in drafts if draft.system == HUBSPOT]
        tills = [draft for draft in drafts if draft.system == TILL]
        contacts = [draft for draft in drafts if draft.system == SALESFORCE]
        if person in self._bought:
            self._cart_then_bought(basket, web, tills)
        elif web or tills:
            life = "lapsed" if person in self._lapsed else self._rng.choice(_LIVES)
            self._shop(basket, life, web, tills)
            if web:
                self._leave_cart(basket, web, sure=person in self._lapsed)
        elif contacts and self._rng.random() < 0.55:
            self._seen_by_service_only(basket, contacts)
            return basket
        if basket.orders:
            for contact in contacts:
                self._service_saw(basket, contact, sure=person in self._lapsed)
        basket.orders.sort(key=lambda order: order.at)
        return basket

    def _day(self, low: int, high: int) -> int:
        """Days ago, clear of every limit."""
        while True:
            days = self._rng.randint(low, high)
            if not any(days in limit for limit in _LIMITS):
                return days

    def _at(self, days: int) -> datetime:
        clock = time(self._rng.randint(9, 18), self._rng.randrange(60), tzinfo=UTC)
        return datetime.combine(self._as_of - timedelta(days=days), clock)

    def _order(self, basket: Basket, draft: Draft, days: int, category: str = "") -> None:
        basket.orders.append(Bought(draft, self._at(days), category or self._rng.choice(CATEGORIES)))

    def _history(self, basket: Basket, draft: Draft, before: int) -> None:
        """Up to four more orders on the same record, some weeks or months apart."""
        days = before
        for _ in range(self._rng.choice((0, 0, 1, 2, 4))):
            days = self._day(days + 40, days + 200)
            self._order(basket, draft, days)

    def _shop(self, basket: Basket, life: str, web: list[Draft], tills: list[Draft]) -> None:
        rng = self._rng
        if life == "none":
            return
        holders = [*tills, *web] if rng.random() < 0.6 else [*web, *tills]
        latest = (
            self._day(3, 80) if life == "active" else self._day(98, 113) if life == "cooling" else self._day(130, 800)
        )
        self._order(basket, holders[0], latest)
        self._history(basket, holders[0], latest)
        for holder in holders[1:]:
            luck = rng.random()
            if luck < 0.70:
                earlier = self._day(max(130, latest + 1), max(131, latest) + 700)
            elif luck < 0.82 and life == "active":
                earlier = self._day(latest, 82)
            else:
                continue
            self._order(basket, holder, earlier)
            self._history(basket, holder, earlier)

    def _cart_then_bought(self, basket: Basket, web: list[Draft], tills: list[Draft]) -> None:
        rng = self._rng
        days, category = rng.randint(3, 5), rng.choice(CATEGORIES)
        basket.cart = Bought(rng.choice([draft for draft in web if draft.mailable]), self._at(days), category)
        self._order(basket, tills[0], days - rng.randint(1, 2), category)
        if rng.random() < 0.7:
            self._order(basket, basket.cart.draft, self._day(130, 700))

    def _leave_cart(self, basket: Basket, web: list[Draft], *, sure: bool) -> None:
        rng = self._rng
        luck = rng.random()
        mailable = [draft for draft in web if draft.mailable]
        if sure or luck < 0.045:
            draft = rng.choice(mailable or web)
            basket.cart = Bought(draft, self._at(rng.randint(2, 5)), rng.choice(CATEGORIES))
            # HubSpot shows the last order only: one that counts must not hide behind a later one.
            latest = max((order.at for order in basket.orders if order.draft is draft), default=None)
            if not sure and luck < 0.015 and (latest is None or latest < basket.cart.at):
                self._order(basket, draft, 1, basket.cart.category if luck < 0.010 else "")
        elif luck < 0.13:
            basket.old_carts.append(Bought(rng.choice(web), self._at(rng.randint(10, 60)), rng.choice(CATEGORIES)))

    def _service_saw(self, basket: Basket, contact: Draft, *, sure: bool) -> None:
        rng = self._rng
        ages = [((self._as_of - order.at.date()).days, order.draft) for order in basket.orders]
        newest, oldest = min(ages, key=lambda age: age[0]), max(ages, key=lambda age: age[0])
        luck = rng.random()
        if luck < 0.35 and not sure:
            return
        if luck < 0.60 and newest[0] < 83 and not sure:
            basket.last_seen[id(contact)] = self._as_of - timedelta(days=newest[0])
            return
        days = oldest[0]
        if days < 189:
            days = self._day(190, 800)
            self._order(basket, oldest[1], days)
        basket.last_seen[id(contact)] = self._as_of - timedelta(days=days)

    def _seen_by_service_only(self, basket: Basket, contacts: list[Draft]) -> None:
        days = self._day(190, 800) if self._rng.random() < 0.7 else self._day(5, 80)
        self._order(basket, contacts[0], days)
        basket.last_seen[id(contacts[0])] = self._as_of - timedelta(days=days)


def priced(seed: int, receipts: Iterable[Bought]) -> list[Bought]:
    """The till's orders with their prices, about 60 % of them at the list's."""
    rng = stream(seed, "till receipts")
    found = []
    for order in receipts:
        listed = rng.randint(500, 18_000)
        paid = listed if rng.random() < 0.6 else listed * rng.choice((70, 80, 90)) // 100
        found.append(replace(order, listed=listed, paid=paid))
    return found


_LIVES = ("active",) * 42 + ("cooling",) * 6 + ("lapsed",) * 34 + ("none",) * 18
