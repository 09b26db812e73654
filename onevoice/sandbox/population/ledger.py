"""Memberships and their tiers, and what HubSpot's lagging copy says of them."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta

from onevoice.sandbox.chance import stream
from onevoice.sandbox.population.drafts import HUBSPOT, SALESFORCE, TILL, Draft

STATUSES = ("Active",) * 86 + ("Pending",) * 4 + ("Suspended",) * 4 + ("Inactive",) * 6


@dataclass(slots=True)
class Enrolment:
    """A membership to be, on one Salesforce contact. A tier is (name, since, until or None)."""

    draft: Draft
    number: str
    status: str
    enrolled: date
    ended: date | None
    tiers: list[tuple[str, date, date | None]]
    points: int


@dataclass(slots=True)
class Copy:
    """HubSpot's loyalty properties of one contact, as they were copied some time ago."""

    number: str = ""
    member: str = ""
    tier: str = ""


class Ledger:
    """Enrols people, hands out the till's card numbers, and lets HubSpot's copies lag."""

    def __init__(self, seed: int, by_person: dict[int, list[Draft]], as_of: date) -> None:
        self._rng = stream(seed, "ledger")
        self._as_of = as_of
        self._card = self._rng.randrange(1_000_000)
        self.enrolments: list[Enrolment] = []
        self.copies: dict[int, Copy] = {}
        """By `id` of the HubSpot draft."""
        for drafts in by_person.values():
            self._enrol([draft for draft in drafts if draft.system == SALESFORCE and not draft.fixed])
        self._number_cards(by_person)
        self._copy(by_person)

    def _number(self, kind: str) -> str:
        self._card += 1
        return f"{kind}{10_000_000 + self._card * 618_033 % 80_000_000}"

    def _days(self, low: int, high: int) -> date:
        return self._as_of - timedelta(days=self._rng.randint(low, high))

    def _enrol(self, contacts: list[Draft]) -> None:
        rng = self._rng
        if not contacts or rng.random() >= 0.64:
            return
        first = self._membership(contacts[0], rng.choice(STATUSES))
        for other in contacts[1:]:
            luck = rng.random()
            if luck < 0.5:
                self._membership(other, rng.choice(STATUSES))
            elif luck < 0.6 and first.status == "Active":
                self._membership(other, "Merged")

    def _membership(self, draft: Draft, status: str) -> Enrolment:
        rng = self._rng
        pending = status == "Pending"
        enrolled = self._days(2, 11) if pending else self._days(60, max(61, (self._as_of - draft.created).days))
        ended = self._days(60, 400) if status == "Inactive" else None
        number = draft.card = self._number("LC")
        points = 0 if pending or status == "Merged" else rng.randrange(0, 4000, 5)
        tiers = [] if pending else self._tiers(enrolled)
        enrolment = Enrolment(draft, number, status, min(enrolled, ended or enrolled), ended, tiers, points)
        self.enrolments.append(enrolment)
        return enrolment

    def _tiers(self, enrolled: date) -> list[tuple[str, date, date | None]]:
        rng = self._rng
        luck = rng.random()
        if luck < 0.48:
            return [("Blue", enrolled, None)]
        name = "Silver" if luck < 0.80 else "Gold"
        if rng.random() < 0.25:
            over = self._days(6, 200)
            return [(name, over - timedelta(days=365), over)]
        until = self._as_of + timedelta(days=rng.randint(5, 300))
        since = until - timedelta(days=365)
        history: list[tuple[str, date, date | None]] = []
        if name == "Gold" and rng.random() < 0.3:
            history.append(("Silver", since - timedelta(days=200), since - timedelta(days=1)))
        return [*history, (name, since, until)]

    def _number_cards(self, by_person: dict[int, list[Draft]]) -> None:
        rng = self._rng
        member_numbers = [enrolment.number for enrolment in self.enrolments]
        for drafts in by_person.values():
            own = [draft.card for draft in drafts if draft.system == SALESFORCE and draft.card]
            for draft in drafts:
                if draft.system == TILL and not draft.card:
                    known = own and rng.random() < 0.92
                    draft.card = own.pop(0) if known else self._number("ST")
            numbers = [draft.card for draft in drafts if draft.system == SALESFORCE and draft.card]
            for draft in drafts:
                if draft.system == HUBSPOT and not draft.fixed and numbers:
                    self._hubspot_number(draft, numbers, member_numbers)

    def _hubspot_number(self, draft: Draft, numbers: list[str], everybody: list[str]) -> None:
        rng = self._rng
        known = rng.random() < 0.84
        draft.card = rng.choice(numbers) if known and rng.random() < 0.75 else ""
        if draft.card and rng.random() < 0.003:
            draft.card = rng.choice(everybody)
        self.copies[id(draft)] = Copy(draft.card, "true" if known else rng.choice(("false", "")))

    def _copy(self, by_person: dict[int, list[Draft]]) -> None:
        best: dict[int, Enrolment] = {}
        for enrolment in self.enrolments:
            best.setdefault(enrolment.draft.person.number, enrolment)
        for person, drafts in by_person.items():
            for draft in drafts:
                if draft.system != HUBSPOT:
                    continue
                copy = self.copies.setdefault(id(draft), Copy(draft.card, self._rng.choice(("false", ""))))
                if copy.member == "true":
                    copy.tier = lagging(self._rng, best[person])


def lagging(rng: random.Random, enrolment: Enrolment) -> str:
    """The tier that HubSpot was told last: often an earlier one, and kept after it ended."""
    name = enrolment.tiers[-1][0].lower() if enrolment.tiers else ""
    luck = rng.random()
    if name == "gold":
        return "silver" if luck < 0.38 else name
    if name == "silver":
        return "gold" if luck < 0.18 else "blue" if luck < 0.27 else name
    return name
