"""James, of whom nothing is left to chance: Gold, in all five systems, and every campaign's share falls on him.

At the start he left no cart, has not ordered for weeks, and refused nothing; what he does then is up to POST /happen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from onevoice.sandbox.campaigns.selecting import share
from onevoice.sandbox.population import noise
from onevoice.sandbox.population.drafts import HUBSPOT, KLAVIYO, SALESFORCE, SHOPIFY, SQUARE, Draft
from onevoice.sandbox.population.ledger import Enrolment
from onevoice.sandbox.population.people import Person, Town
from onevoice.sandbox.population.points import Holding
from onevoice.sandbox.population.trade import Sale

_NUMBER = "LC91000001"
_FAR_SERIAL = 1_000_000
"""His record ids are looked for from here on, past those of everybody else."""
_SHARES = {
    SALESFORCE: (("discount", 3), ("newsletter", 2)),
    HUBSPOT: (("discount", 3),),
    SHOPIFY: (("discount", 2),),
    SQUARE: (("discount", 2),),
    KLAVIYO: (("discount", 3), ("newsletter", 2), ("discount sms", 3)),
}


@dataclass(frozen=True, slots=True)
class James:
    """The person, the records, the membership, the loyalty account, and what he bought in the last year."""

    person: Person
    drafts: list[Draft]
    enrolment: Enrolment
    holding: Holding
    sales: list[Sale]


def tell_james(town: Town, as_of: date) -> James:
    """Add James to the town."""
    person = town.person("James", "Harcourt", 46, gender="m")
    birth = as_of - timedelta(days=46 * 365 + 120)
    person.birth = birth
    person.emails = [f"james.harcourt{town.count}@outlook.com"]
    mail, mobile, home = person.emails[0], person.mobiles[0], person.addresses[-1]
    phone = noise.e164(mobile, "GB")
    contact = Draft(SALESFORCE, person, "James", "Harcourt", birth.isoformat(), mail, mobile, "", home, _NUMBER)
    till = Draft(SQUARE, person, "James", "Harcourt", birth.isoformat(), "", phone)
    shop = Draft(SHOPIFY, person, "James", "Harcourt", "", mail, phone, address=home)
    drafts = [
        contact,
        Draft(HUBSPOT, person, "James", "Harcourt", "", mail, mobile, "", home, _NUMBER),
        shop,
        till,
        Draft(KLAVIYO, person, "James", "Harcourt", "", mail, phone),
    ]
    for draft in drafts:
        draft.fixed = True
        draft.created, draft.changed = as_of - timedelta(days=1500), as_of - timedelta(days=100)
    since = as_of - timedelta(days=140)
    tiers: list[tuple[str, date, date | None]] = [("Gold", since, as_of + timedelta(days=225))]
    enrolment = Enrolment(contact, _NUMBER, "Active", as_of - timedelta(days=1400), None, tiers, 2480)
    deadline = as_of + timedelta(days=190)
    holding = Holding(till, 2480, 9120, as_of - timedelta(days=1300), [(2480, deadline)])
    sales = [_sale(shop, as_of, days, paid) for days, paid in ((38, 42_000), (105, 61_500), (160, 38_000))]
    sales += [_sale(till, as_of, days, paid) for days, paid in ((52, 27_500), (210, 55_000), (300, 48_000))]
    return James(person, drafts, enrolment, holding, sorted(sales, key=lambda sale: sale.at))


def james_key(draft: Draft, new_id: Callable[[int], str]) -> str:
    """A record id of his that every share of that system's campaigns falls on."""
    serial = _FAR_SERIAL
    while not all(share(campaign, new_id(serial), parts) for campaign, parts in _SHARES[draft.system]):
        serial += 1
    return new_id(serial)


def _sale(draft: Draft, as_of: date, days: int, paid: int) -> Sale:
    at = datetime.combine(as_of - timedelta(days=days), time(14, 30), tzinfo=UTC)
    return Sale(draft, at, at, "sports" if paid % 1000 else "home", paid, paid)
