"""How the same persons stand in the web shop, in the stores' tills and at the sender: drafts of three more systems.

About 45 % of the people have a Shopify customer, 40 % a Square customer, 55 % a Klaviyo profile. The shop knows e-mail,
names, an address, sometimes a phone; some people ordered as guests with a second address. A till knows a name and a
phone, seldom more. The sender knows an e-mail and a given name, a third of the phones. All of it is drawn from streams
of its own, so that the records of the other systems stay what they were.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, timedelta

from onevoice.sandbox.chance import stream
from onevoice.sandbox.population import noise
from onevoice.sandbox.population.drafts import KLAVIYO, SHOPIFY, SQUARE, Draft, age, noise_free, write_name
from onevoice.sandbox.population.evidence import attach
from onevoice.sandbox.population.people import Person

_SHARES = {SHOPIFY: 0.465, SQUARE: 0.405, KLAVIYO: 0.575}
_SECOND = {SHOPIFY: 0.05, SQUARE: 0.08, KLAVIYO: 0.03}
"""Of those in a system, the share that has a second record there."""
_NAMELESS = 0.015
"""Share of profiles that are an e-mail address and nothing else."""


@dataclass(slots=True)
class _Taken:
    """Addresses and numbers that a system keeps once, by (system, what)."""

    held: set[tuple[str, str]] = field(default_factory=set)

    def take(self, system: str, what: str) -> bool:
        """Whether it was free; then it is no more. Square keeps anything as often as it is told."""
        if not what or system == SQUARE:
            return bool(what)
        if (system, what) in self.held:
            return False
        self.held.add((system, what))
        return True


def draft_accounts(
    seed: int, people: list[Person], known: dict[int, list[Draft]], told: list[Draft], as_of: date
) -> list[Draft]:
    """Drafts of the three systems: those `told` as they are, and new ones for everybody without a hard case.

    `known` are the drafts of the other systems by person number; they are read only.
    """
    rng = stream(seed, "accounts")
    taken = _Taken()
    for draft in told:
        if draft.system in _SHARES:
            age(rng, draft, as_of)
            taken.take(draft.system, draft.email)
            taken.take(draft.system, draft.mobile)
    made = [draft for draft in told if draft.system in _SHARES]
    hard = {draft.person.number for drafts in known.values() for draft in drafts if draft.fixed}
    hard |= {draft.person.number for draft in told}
    for person in people:
        if person.number not in hard:
            made.extend(_of_person(rng, person, known.get(person.number, []), taken, as_of))
    return made


def _of_person(rng: random.Random, person: Person, known: list[Draft], taken: _Taken, as_of: date) -> list[Draft]:
    systems = [system for system, share in _SHARES.items() if rng.random() < share]
    systems += [system for system in systems if rng.random() < _SECOND[system]]
    if person.dated:
        # Only a birth date tells these persons apart, and only the tills ask for one.
        systems = [system for system in systems if system == SQUARE]
    joined = list(known)
    own: list[Draft] = []
    for system in systems:
        draft = _DRAFTED[system](rng, person, taken)
        if draft is None:
            continue
        age(rng, draft, as_of)
        if system == SQUARE:
            _other_number(draft, [known_one for known_one in own if known_one.system == SQUARE])
        attach(rng, draft, joined)
        if draft.mobile and not taken.take(system, draft.mobile):
            draft.mobile = ""
        if system != SQUARE and not (draft.email or draft.mobile):
            continue
        joined.append(draft)
        own.append(draft)
    return own


def _shop_customer(rng: random.Random, person: Person, taken: _Taken) -> Draft | None:
    draft = Draft(SHOPIFY, person, old=rng.random() < 0.3)
    write_name(rng, draft, initial=0.02)
    draft.email = _mailbox(rng, person, SHOPIFY, taken)
    if rng.random() < 0.5 or not draft.email:
        draft.mobile = _mobile(rng, person, draft)
    if rng.random() < 0.85:
        draft.address = noise.written_address(rng, person.addresses[0 if draft.old else -1])
    return draft if draft.email or draft.mobile else None


def _till_customer(rng: random.Random, person: Person, _: _Taken) -> Draft | None:
    draft = Draft(SQUARE, person, old=rng.random() < 0.35)
    write_name(rng, draft, initial=0.03)
    if rng.random() < 0.9:
        draft.mobile = _mobile(rng, person, draft)
    if person.emails and rng.random() < 0.18:
        draft.email = rng.choice(person.emails)
    if person.dated or rng.random() < 0.3:
        draft.birth = noise.written_birth(rng, person.birth, exact=person.dated or person.plain)
    if rng.random() < 0.15:
        draft.address = noise.written_address(rng, person.addresses[0 if draft.old else -1])
    return draft


def _profile(rng: random.Random, person: Person, taken: _Taken) -> Draft | None:
    draft = Draft(KLAVIYO, person, old=rng.random() < 0.25)
    draft.email = _mailbox(rng, person, KLAVIYO, taken)
    if rng.random() < 0.36 or not draft.email:
        draft.mobile = _mobile(rng, person, draft)
    if not draft.email and not draft.mobile:
        return None
    if draft.email not in person.emails or rng.random() >= _NAMELESS:
        write_name(rng, draft, initial=0.01)
        if rng.random() < 0.6:
            draft.family = ""
    if rng.random() < 0.45:
        draft.birth = noise.written_birth(rng, person.birth, exact=person.plain)
    return draft


_DRAFTED = {SHOPIFY: _shop_customer, SQUARE: _till_customer, KLAVIYO: _profile}


def _mailbox(rng: random.Random, person: Person, system: str, taken: _Taken) -> str:
    """An address of the person that the system does not hold yet; empty when there is none."""
    own = person.emails[::-1]
    if len(own) > 1 and rng.random() < 0.25:
        own.reverse()
    boxes = [*own, person.family_email]
    if person.family_email and rng.random() < 0.15:
        boxes.reverse()
    if own and rng.random() < 0.06:
        boxes.insert(0, noise_free(noise.email_variant(rng, own[0])))
    return next((box for box in boxes if taken.take(system, box)), "")


def _mobile(rng: random.Random, person: Person, draft: Draft) -> str:
    if not person.mobiles:
        return noise.e164(person.landline, person.country) if person.landline and rng.random() < 0.5 else ""
    return noise.e164(person.mobiles[0 if draft.old else -1], person.country)


def _other_number(draft: Draft, before: list[Draft]) -> None:
    """Who is twice in the tills mostly gave another number the second time: so they got two loyalty accounts."""
    person = draft.person
    given = {known.mobile for known in before}
    numbers = [noise.e164(digits, person.country) for digits in (*person.mobiles, person.landline) if digits]
    if draft.mobile in given:
        draft.mobile = next((number for number in numbers if number not in given), draft.mobile)


def newly_made(draft: Draft, as_of: date, days: int) -> None:
    """Let a record have been made so many days ago."""
    draft.created = as_of - timedelta(days=days)
    draft.changed = draft.created + timedelta(days=1)
