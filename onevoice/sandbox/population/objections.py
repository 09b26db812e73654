"""Who opted out and where, who complained, and which persons carry a planted contradiction about a cart.

Shares of the population are quotas over shuffled lists, not dice: every class of contradiction is there for every seed.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta

from onevoice.sandbox.chance import stream
from onevoice.sandbox.population.drafts import HUBSPOT, SALESFORCE, TILL, Draft, noise_free
from onevoice.sandbox.population.noise import JUNK_EMAILS


@dataclass(frozen=True, slots=True)
class Said:
    """An opt-out from marketing e-mail on the address of one CRM contact."""

    draft: Draft
    on: date


@dataclass(frozen=True, slots=True)
class ServiceCase:
    """A case in Salesforce; only `kind` Complaint keeps promotions away."""

    draft: Draft
    kind: str
    status: str
    opened: date
    closed: date | None


@dataclass(slots=True)
class Objections:
    """The outcome: opt-outs, cases, and the persons with a planted cart."""

    opt_outs: list[Said] = field(default_factory=list)
    cases: list[ServiceCase] = field(default_factory=list)
    cart_bought: set[int] = field(default_factory=set)
    cart_lapsed: set[int] = field(default_factory=set)


def raise_objections(seed: int, by_person: dict[int, list[Draft]], as_of: date) -> Objections:
    """Give each objection to its share of the people."""
    return _Draw(seed, by_person, as_of).all()


class _Draw:
    """One pass through the shuffled people; nobody opts out, complains and has a planted cart at once."""

    def __init__(self, seed: int, by_person: dict[int, list[Draft]], as_of: date) -> None:
        self._rng: random.Random = stream(seed, "objections")
        self._as_of = as_of
        self._by_person = by_person
        self._order = [person for person, drafts in by_person.items() if not any(draft.fixed for draft in drafts)]
        self._rng.shuffle(self._order)
        self._taken: set[int] = set()
        self._found = Objections()

    def all(self) -> Objections:
        for fits, share, act in (
            (_writable_in_both, 0.030, lambda drafts: self._opt_out(drafts, SALESFORCE)),
            (_writable_in_both, 0.026, lambda drafts: self._opt_out(drafts, HUBSPOT)),
            (self._shares_mailbox(), 0.006, self._opt_out_shared),
            (_writable, 0.022, self._opt_out_anywhere),
            (_complains, 0.026, self._complain),
            (_cart_and_till, 0.020, lambda drafts: self._found.cart_bought.add(drafts[0].person.number)),
            (_lapses, 0.026, lambda drafts: self._found.cart_lapsed.add(drafts[0].person.number)),
        ):
            self._give(fits, share, act)
        self._other_cases()
        return self._found

    def _give(self, fits: Callable[[list[Draft]], bool], share: float, act: Callable[[list[Draft]], None]) -> None:
        left = -(-len(self._by_person) * share // 1)
        for person in self._order:
            if left <= 0:
                return
            drafts = self._by_person[person]
            if person not in self._taken and fits(drafts):
                self._taken.add(person)
                act(drafts)
                left -= 1

    def _days(self, low: int, high: int) -> date:
        return self._as_of - timedelta(days=self._rng.randint(low, high))

    def _say(self, draft: Draft) -> None:
        on = self._days(8, 600)
        draft.created = min(draft.created, on - timedelta(days=20))
        draft.changed = max(on, draft.created + timedelta(days=1))
        self._found.opt_outs.append(Said(draft, on))

    def _opt_out(self, drafts: list[Draft], system: str) -> None:
        self._say(self._rng.choice([draft for draft in drafts if draft.system == system and _own_address(draft)]))

    def _opt_out_anywhere(self, drafts: list[Draft]) -> None:
        self._say(self._rng.choice([draft for draft in drafts if _own_address(draft)]))

    def _shares_mailbox(self) -> Callable[[list[Draft]], bool]:
        """Fits whoever's record holds an address that another person's contact holds as well."""
        owners: dict[str, set[int]] = {}
        for person, drafts in self._by_person.items():
            for draft in drafts:
                if draft.mailable and draft.email not in JUNK_EMAILS:
                    owners.setdefault(noise_free(draft.email), set()).add(person)
        self._shared = {address for address, people in owners.items() if len(people) > 1}
        return lambda drafts: any(draft.mailable and noise_free(draft.email) in self._shared for draft in drafts)

    def _opt_out_shared(self, drafts: list[Draft]) -> None:
        self._say(next(d for d in drafts if d.mailable and noise_free(d.email) in self._shared))

    def _complain(self, drafts: list[Draft]) -> None:
        rng = self._rng
        draft = rng.choice([draft for draft in drafts if draft.system == SALESFORCE])
        if rng.random() < 0.25:
            closed = self._days(1, 4)
            case = ServiceCase(draft, "Complaint", "Closed", closed - timedelta(days=rng.randint(2, 20)), closed)
        else:
            case = ServiceCase(draft, "Complaint", rng.choice(("New", "Working", "Escalated")), self._days(1, 40), None)
        self._found.cases.append(case)

    def _other_cases(self) -> None:
        """Cases that keep nothing away: questions, returns, complaints closed long ago."""
        rng = self._rng
        for person in self._order:
            contacts = [draft for draft in self._by_person[person] if draft.system == SALESFORCE]
            if not contacts or rng.random() > 0.16:
                continue
            kind = rng.choice(("Question", "Question", "Return", "Complaint"))
            opened = self._days(40, 700)
            if kind != "Complaint" and rng.random() < 0.3:
                self._found.cases.append(ServiceCase(contacts[0], kind, "Working", opened, None))
            else:
                closed = min(opened + timedelta(days=rng.randint(1, 25)), self._as_of - timedelta(days=12))
                self._found.cases.append(ServiceCase(contacts[0], kind, "Closed", opened, closed))


def _own_address(draft: Draft) -> bool:
    return draft.mailable and draft.email not in JUNK_EMAILS


def _writable(drafts: list[Draft]) -> bool:
    return any(_own_address(draft) for draft in drafts)


def _writable_in_both(drafts: list[Draft]) -> bool:
    return {SALESFORCE, HUBSPOT} <= {draft.system for draft in drafts if _own_address(draft)}


def _complains(drafts: list[Draft]) -> bool:
    return _writable(drafts) and any(draft.system == SALESFORCE for draft in drafts)


def _cart_and_till(drafts: list[Draft]) -> bool:
    return any(d.system == HUBSPOT and d.mailable for d in drafts) and any(d.system == TILL for d in drafts)


def _lapses(drafts: list[Draft]) -> bool:
    return any(draft.system == HUBSPOT and draft.mailable for draft in drafts)
