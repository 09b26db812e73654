"""How each person's identity landed in the CRMs and the till: one draft per record, with gaps, age and mistakes.

The web shop, the stores' tills with their loyalty accounts and the sender come after these, in `accounts`.

Every person is in at least one system; about 60 % have a Salesforce contact, 75 % a HubSpot contact, 45 % a till card,
and some 10 % a second contact in one of the CRMs. Nearly every two records of a person are joined, at least by way of
a third, by evidence that a careful reader would accept (`evidence`).
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta

from onevoice.sandbox.chance import stream
from onevoice.sandbox.population import noise
from onevoice.sandbox.population.evidence import join_up
from onevoice.sandbox.population.people import Person, native
from onevoice.sandbox.population.places import Address

SALESFORCE, HUBSPOT, TILL = "salesforce", "hubspot", "till"
SHOPIFY, SQUARE, KLAVIYO = "shopify", "square", "klaviyo"
STREAMS = {
    SALESFORCE: "Contact",
    HUBSPOT: "contacts",
    TILL: "cards",
    SHOPIFY: "customers",
    SQUARE: "customers",
    KLAVIYO: "profiles",
}
"""System -> its stream of customer records."""


@dataclass(slots=True)
class Draft:
    """The identity fields of one vendor record. Empty text is a missing value; `birth` is ISO text as written."""

    system: str
    person: Person
    given: str = ""
    family: str = ""
    birth: str = ""
    email: str = ""
    mobile: str = ""
    """Shopify, Square and Klaviyo have one field for a phone, which this is, in E.164."""
    landline: str = ""
    address: Address | None = None
    card: str = ""
    """The till's own card number, HubSpot's loyalty_number, or the number of the contact's Salesforce membership."""
    created: date = date.min
    changed: date = date.min
    old: bool = False
    """Written before the person's last move or marriage and never brought up to date."""
    fixed: bool = False
    """Part of a hard case: stays exactly as it was told."""
    key: str = ""
    """The vendor's record id, given once all drafts are in order."""

    @property
    def ref(self) -> tuple[str, str, str]:
        """(system, stream, key)."""
        return (self.system, STREAMS[self.system], self.key)

    @property
    def mailable(self) -> bool:
        """A CRM contact with an address that a campaign can write to."""
        return bool(self.email) and self.system in {SALESFORCE, HUBSPOT}


@dataclass(frozen=True, slots=True)
class _Habits:
    """What a system's records tend to hold: the chance that a known value is there."""

    birth: float
    email: float
    phone: float
    address: float
    old: float
    initial: float


_HABITS = {
    SALESFORCE: _Habits(birth=0.66, email=0.86, phone=0.72, address=0.90, old=0.55, initial=0.03),
    HUBSPOT: _Habits(birth=0.55, email=0.95, phone=0.62, address=0.72, old=0.25, initial=0.04),
    TILL: _Habits(birth=0.72, email=0.52, phone=0.78, address=0.82, old=0.45, initial=0.02),
}


def draft_records(seed: int, people: list[Person], told: list[Draft], as_of: date) -> list[Draft]:
    """Drafts of everybody: those `told` of the hard cases as they are, and new ones for all other people."""
    rng = stream(seed, "drafts")
    hard = {draft.person.number for draft in told}
    drafts = list(told)
    for draft in told:
        age(rng, draft, as_of)
    used = {noise_free(draft.email) for draft in told if draft.system == HUBSPOT and draft.email}
    for person in people:
        if person.number in hard:
            continue
        own = [_draft(rng, person, system, as_of) for system in _presence(rng)]
        for draft in own:
            if draft.system == HUBSPOT:
                _take_mailbox(rng, draft, used)
        join_up(rng, own)
        drafts.extend(own)
    return drafts


def noise_free(email: str) -> str:
    """An address as HubSpot keeps it: trimmed, small letters."""
    return email.strip().lower()


def _presence(rng: random.Random) -> list[str]:
    systems = [name for name, share in ((SALESFORCE, 0.585), (HUBSPOT, 0.725), (TILL, 0.44)) if rng.random() < share]
    if not systems:
        systems = [rng.choice((SALESFORCE, HUBSPOT, HUBSPOT))]
    if SALESFORCE in systems and rng.random() < 0.08:
        systems.append(SALESFORCE)
    elif HUBSPOT in systems and rng.random() < 0.075:
        systems.append(HUBSPOT)
    if TILL in systems and rng.random() < 0.04:
        systems.append(TILL)
    return systems


def age(rng: random.Random, draft: Draft, as_of: date) -> None:
    """Say when the record was made and last changed."""
    draft.created = as_of - timedelta(days=rng.randint(60, 2600))
    span = (as_of - draft.created).days
    draft.changed = draft.created + timedelta(days=rng.randint(span // 2 if draft.old else span * 3 // 4, span - 2))


def _draft(rng: random.Random, person: Person, system: str, as_of: date) -> Draft:
    habits = _HABITS[system]
    draft = Draft(system, person, old=rng.random() < habits.old)
    age(rng, draft, as_of)
    write_name(rng, draft, initial=habits.initial)
    if person.dated or rng.random() < habits.birth:
        draft.birth = noise.written_birth(rng, person.birth, exact=person.dated or person.plain)
    if rng.random() < habits.email:
        draft.email = _email(rng, draft)
    if rng.random() < habits.phone:
        _write_phone(rng, draft)
    if rng.random() < habits.address:
        draft.address = noise.written_address(rng, person.addresses[0 if draft.old else -1])
    return draft


def write_name(rng: random.Random, draft: Draft, *, initial: float) -> None:
    """The person's name as it was written on the record; `initial` is the chance of a mere first letter."""
    person = draft.person
    given, family = person.given, person.former_family if draft.old and person.former_family else person.family
    if not person.plain:
        given = noise.written_given(rng, given, initial=0.0 if person.spelled else initial)
        if rng.random() < 0.022:
            family = noise.slip(rng, family)
    if person.culture == "slavic" and rng.random() < 0.15:
        given, family = native(given, person.culture), native(family, person.culture)
    else:
        given, family = (noise.without_marks(rng, name, person.culture) for name in (given, family))
    if not person.plain and len(given) > 1 and rng.random() < 0.01:
        given, family = family, given
    draft.given, draft.family = noise.cased(rng, given), noise.cased(rng, family)


def _email(rng: random.Random, draft: Draft) -> str:
    person = draft.person
    luck = rng.random()
    own = person.emails[0 if draft.old or rng.random() < 0.15 else -1] if person.emails else ""
    if person.family_email and luck < (0.42 if own else 0.85):
        return person.family_email
    if draft.system != HUBSPOT and luck > 0.985:
        return rng.choice(noise.JUNK_EMAILS)
    if not own:
        return ""
    if luck < 0.60:
        return own
    if rng.random() < 0.16:
        return noise.email_variant(rng, own)
    return noise.email_slip(rng, own) if rng.random() < 0.03 else own


def _write_phone(rng: random.Random, draft: Draft) -> None:
    person = draft.person
    luck = rng.random()
    if draft.system == TILL and luck < 0.02:
        draft.mobile = rng.choice(noise.SHOP_PHONES)
        return
    if luck > 0.988:
        draft.mobile = rng.choice(noise.JUNK_PHONES)
        return
    if person.mobiles and not (person.landline and rng.random() < 0.28):
        digits = person.mobiles[0 if draft.old else -1]
        draft.mobile = noise.written_phone(rng, digits, person.country)
    if person.landline and (not draft.mobile or rng.random() < 0.25):
        draft.landline = noise.written_phone(rng, person.landline, person.country)


def _take_mailbox(rng: random.Random, draft: Draft, used: set[str]) -> None:
    """HubSpot keeps an address once in a portal: a second contact has another one of the person's, or none."""
    person = draft.person
    for address in (draft.email, *person.emails[::-1], *(noise.email_variant(rng, own) for own in person.emails)):
        if address and noise_free(address) not in used:
            draft.email = noise_free(address)
            used.add(draft.email)
            return
    draft.email = ""
