"""Orders in the web shop and at the tills of the stores, with prices, and carts left in the shop.

They come on top of what `shopping` told, and fit it: who has a fresh cart there buys nothing here that would touch it.
Days close to a limit of any rule or campaign are left out, as there.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from onevoice.sandbox.chance import stream
from onevoice.sandbox.population.accounts import newly_made
from onevoice.sandbox.population.drafts import SHOPIFY, SQUARE, Draft
from onevoice.sandbox.population.shopping import CATEGORIES, Basket

_LIMITS = (range(12, 17), range(28, 33), range(83, 98), range(114, 128), range(173, 189))
_LIVES = ("active",) * 40 + ("lapsed",) * 35 + ("none",) * 25
_OPEN_HOURS = (9, 18)


@dataclass(frozen=True, slots=True)
class Sale:
    """An order with its prices in pence. `arrived` is when the system heard of it: a till may have been offline."""

    draft: Draft
    at: datetime
    arrived: datetime
    category: str
    listed: int
    paid: int
    cancelled: bool = False


@dataclass(frozen=True, slots=True)
class Left:
    """A checkout that was begun; `completed` when it became an order after all."""

    draft: Draft
    at: datetime
    category: str
    total: int
    completed: datetime | None = None


@dataclass(slots=True)
class Trade:
    """What one person did in the web shop and the stores."""

    sales: list[Sale] = field(default_factory=list)
    carts: list[Left] = field(default_factory=list)


class Trading:
    """Lets everybody trade."""

    def __init__(self, seed: int, as_of: date) -> None:
        self._rng: random.Random = stream(seed, "trade")
        self._as_of = as_of

    def trade(self, drafts: list[Draft], basket: Basket) -> Trade:
        """What one person did; `drafts` are the person's of the three systems, `basket` what is known already."""
        rng, trade = self._rng, Trade()
        shop = [draft for draft in drafts if draft.system == SHOPIFY]
        tills = [draft for draft in drafts if draft.system == SQUARE]
        life = self._life(basket)
        if shop and basket.cart is None and rng.random() < 0.065:
            # Somebody who has just come to the shop, and has not ordered there.
            newly_made(shop[-1], self._as_of, rng.randint(3, 11))
            shop = shop[:-1]
        for draft, share in [*((draft, 0.68) for draft in shop), *((draft, 0.85) for draft in tills)]:
            if rng.random() < share and life != "none":
                self._orders(trade, draft, life)
        if shop and basket.cart is None:
            self._carts(trade, [draft for draft in shop if draft.email], tills)
        self._call_off(trade)
        trade.sales.sort(key=lambda sale: sale.at)
        return trade

    def _life(self, basket: Basket) -> str:
        if basket.cart:
            return "lapsed"
        if not basket.orders:
            return self._rng.choice(_LIVES)
        newest = min((self._as_of - order.at.date()).days for order in basket.orders)
        keeps = self._rng.random() < 0.75
        return "active" if (newest < 83) == keeps else "lapsed"

    def _day(self, low: int, high: int) -> int:
        while True:
            days = self._rng.randint(low, high)
            if not any(days in limit for limit in _LIMITS):
                return days

    def _at(self, days: int) -> datetime:
        clock = time(self._rng.randint(*_OPEN_HOURS), self._rng.randrange(60), tzinfo=UTC)
        return datetime.combine(self._as_of - timedelta(days=days), clock)

    def _sell(self, trade: Trade, draft: Draft, at: datetime, category: str = "") -> Sale:
        rng = self._rng
        listed = rng.randrange(800, 18_000, 10)
        paid = listed if rng.random() < 0.6 else listed * rng.choice((70, 80, 90)) // 100
        arrived = at
        if draft.system == SQUARE and rng.random() < 0.04:
            arrived = min(at + timedelta(hours=rng.randint(2, 70)), self._at(1))
        sale = Sale(draft, at, max(at, arrived), category or rng.choice(CATEGORIES), listed, paid)
        trade.sales.append(sale)
        return sale

    def _orders(self, trade: Trade, draft: Draft, life: str) -> None:
        rng = self._rng
        if life == "active":
            latest = self._day(*rng.choice(((2, 11), (2, 11), (17, 27), (33, 80), (33, 80))))
        else:
            latest = self._day(130, 800)
        self._sell(trade, draft, self._at(latest))
        days = latest
        for _ in range(rng.choice((0, 0, 1, 1, 2, 4))):
            days = self._day(days + 40, days + 200)
            self._sell(trade, draft, self._at(days))

    def _carts(self, trade: Trade, shop: list[Draft], tills: list[Draft]) -> None:
        rng = self._rng
        luck = rng.random()
        if not shop or luck > 0.19:
            return
        draft, category = rng.choice(shop), rng.choice(CATEGORIES)
        if luck > 0.08:
            at = self._at(rng.randint(10, 60))
            trade.carts.append(Left(draft, at, category, rng.randrange(800, 18_000, 10)))
            return
        at = self._at(rng.randint(3, 5))
        cart = Left(draft, at, category, rng.randrange(800, 18_000, 10))
        if luck < 0.03 and tills:
            self._sell(trade, rng.choice(tills), self._at(rng.randint(1, 2)), category)
        elif luck < 0.04:
            sale = self._sell(trade, draft, at + timedelta(hours=1), category)
            cart = Left(draft, at, category, sale.paid, completed=sale.at)
        trade.carts.append(cart)

    def _call_off(self, trade: Trade) -> None:
        """Now and then an order was cancelled; the person ordered again since, so it decides nothing but itself."""
        rng = self._rng
        if len(trade.sales) < 2 or trade.carts or rng.random() > 0.05:
            return
        place = min(range(len(trade.sales)), key=lambda n: trade.sales[n].at)
        first = trade.sales[place]
        trade.sales[place] = Sale(
            first.draft, first.at, first.arrived, first.category, first.listed, first.paid, cancelled=True
        )
