"""Loyalty accounts at the tills, which keep the points, and what HubSpot and Klaviyo were told of points and tiers.

Copies lag: an earlier number, one account of two, a day of expiry that has moved since, a tier that rose since.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, timedelta

from onevoice.sandbox.chance import stream
from onevoice.sandbox.population.drafts import HUBSPOT, KLAVIYO, SQUARE, Draft
from onevoice.sandbox.population.ledger import Enrolment, lagging


@dataclass(slots=True)
class Holding:
    """A loyalty account to be, of one Square customer. The deadlines' points add up to a balance above nought."""

    draft: Draft
    balance: int
    lifetime: int
    enrolled: date
    deadlines: list[tuple[int, date]]


@dataclass(slots=True)
class PointsCopy:
    """What a record of HubSpot or Klaviyo says; HubSpot holds `points` only. None is an empty field."""

    points: int | None = None
    expires: date | None = None
    tier: str = ""
    to_gold: int | None = None


@dataclass(slots=True)
class Points:
    """Everybody's accounts and copies; copies by `id` of the draft."""

    holdings: list[Holding] = field(default_factory=list)
    copies: dict[int, PointsCopy] = field(default_factory=dict)


def share_out_points(
    seed: int,
    accounts: dict[int, list[Draft]],
    contacts: dict[int, list[Draft]],
    enrolments: list[Enrolment],
    as_of: date,
) -> Points:
    """`accounts` are the drafts of the three newer systems, `contacts` those of the older, by person."""
    return _Draw(seed, as_of).all(accounts, contacts, enrolments)


class _Draw:
    """One pass over everybody."""

    def __init__(self, seed: int, as_of: date) -> None:
        self._rng: random.Random = stream(seed, "points")
        self._as_of = as_of
        self._numbers: set[str] = set()
        self._points = Points()

    def all(
        self, accounts: dict[int, list[Draft]], contacts: dict[int, list[Draft]], enrolments: list[Enrolment]
    ) -> Points:
        best: dict[int, Enrolment] = {}
        for enrolment in enrolments:
            best.setdefault(enrolment.draft.person.number, enrolment)
        for person in sorted({*accounts, *contacts}):
            held = [self._open(draft) for draft in accounts.get(person, ()) if self._may_hold(draft)]
            self._points.holdings.extend(held)
            for draft in [*contacts.get(person, ()), *accounts.get(person, ())]:
                if draft.system in {HUBSPOT, KLAVIYO} and not draft.fixed:
                    self._points.copies[id(draft)] = self._copy(draft, held, best.get(person))
        return self._points

    def _may_hold(self, draft: Draft) -> bool:
        """An account hangs on a number, and a number on one account."""
        if draft.system != SQUARE or not draft.mobile or draft.mobile in self._numbers:
            return False
        if not draft.fixed and self._rng.random() > 0.68:
            return False
        self._numbers.add(draft.mobile)
        return True

    def _open(self, draft: Draft) -> Holding:
        rng = self._rng
        age = max(2, (self._as_of - draft.created).days)
        enrolled = self._as_of - timedelta(days=rng.randint(1, age))
        luck = rng.random()
        if luck < 0.06:
            return Holding(
                draft, -rng.randrange(5, 200, 5) if luck < 0.02 else 0, rng.randrange(0, 500, 5), enrolled, []
            )
        soon, later = rng.random() < 0.34, rng.random() < 0.75
        deadlines = [(rng.randrange(20, 900, 5), self._soon())] if soon else []
        if later or not soon:
            deadlines.append((rng.randrange(50, 2500, 5), self._later()))
        balance = sum(points for points, _ in deadlines)
        return Holding(draft, balance, balance + rng.randrange(0, 3000, 5), enrolled, deadlines)

    def _soon(self) -> date:
        return self._as_of + timedelta(days=self._rng.randint(3, 27))

    def _later(self) -> date:
        return self._as_of + timedelta(days=self._rng.randint(36, 360))

    def _copy(self, draft: Draft, held: list[Holding], enrolment: Enrolment | None) -> PointsCopy:
        rng, copy = self._rng, PointsCopy()
        if held and rng.random() < 0.82:
            copy.points = self._told_points(held)
            copy.expires = self._told_expiry(held) if draft.system == KLAVIYO else None
        elif enrolment and rng.random() < 0.02:
            # An account that was closed since.
            copy.points = rng.randrange(50, 900, 5)
        if enrolment and enrolment.status == "Active" and rng.random() < 0.9:
            gold = enrolment.tiers[-1][0] == "Gold"
            copy.tier = "silver" if gold and rng.random() < 0.4 else lagging(rng, enrolment)
            if copy.tier != "gold":
                copy.to_gold = rng.randrange(20, 300 if gold else 1200, 5)
        return copy

    def _told_points(self, held: list[Holding]) -> int:
        rng = self._rng
        known = sum(holding.balance for holding in held) if rng.random() < 0.5 else held[0].balance
        return known if rng.random() < 0.65 else max(0, known + rng.choice((-250, -120, -60, 80, 150, 400)))

    def _told_expiry(self, held: list[Holding]) -> date | None:
        rng = self._rng
        days = [on for holding in held for points, on in holding.deadlines if points > 0]
        if not days:
            return self._soon() if rng.random() < 0.3 else None
        true, luck = min(days), rng.random()
        if luck < 0.22:
            return self._soon()
        return self._later() if luck < 0.30 else true
