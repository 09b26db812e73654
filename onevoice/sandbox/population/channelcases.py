"""Hard cases of the web shop, the tills' customer lists and the sender, C01 to C04, and what makes each hard."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date

from onevoice.sandbox.chance import stream
from onevoice.sandbox.population import noise
from onevoice.sandbox.population.drafts import KLAVIYO, SALESFORCE, SHOPIFY, SQUARE, Draft, age
from onevoice.sandbox.population.people import Town

PERSONS = 6
"""How many persons the cases take."""


def tell_channel_cases(seed: int, town: Town, as_of: date) -> dict[str, list[Draft]]:
    """Add the persons of the cases to the town and give the records of each case by its name."""
    rng = stream(seed, "channel cases")
    cases = {name: tell(rng, town) for name, tell in _CASES.items()}
    for drafts in cases.values():
        for draft in drafts:
            draft.fixed = True
            age(rng, draft, as_of)
    return cases


def _guest_checkouts(rng: random.Random, town: Town) -> list[Draft]:
    """One person: a guest checkout with a second address made a second customer, and the newsletter knows that one."""
    p = town.person(rng.choice(("Rosalind", "Imogen", "Harriet")), rng.choice(("Pemberton", "Ainsworth", "Quayle")), 37)
    first = f"{p.given}.{p.family}{rng.randint(100, 999)}@gmail.com".lower()
    second = f"{p.given[0]}{p.family}{rng.randint(100, 999)}@icloud.com".lower()
    home, phone = p.addresses[-1], noise.e164(p.mobiles[0], "GB")
    return [
        Draft(SHOPIFY, p, p.given, p.family, "", first, phone, address=home),
        Draft(SHOPIFY, p, p.given, p.family, "", second, address=home),
        Draft(KLAVIYO, p, p.given, "", "", second, phone),
    ]


def _one_box_two_shoppers(rng: random.Random, town: Town) -> list[Draft]:
    """Two persons: she shops and he reads the newsletter, both by the mail box of the family."""
    family = rng.choice(("Okonjo", "Mbeki", "Banda"))
    she = town.person(rng.choice(("Adaeze", "Thandi", "Zola")), family, 41)
    he = town.person(rng.choice(("Kwame", "Sipho", "Tendai")), family, 44, gender="m")
    he.household, he.addresses = she.household, list(she.addresses)
    box = f"{family}.home{rng.randint(100, 999)}@outlook.com".lower()
    return [
        Draft(SHOPIFY, she, she.given, family, "", box, noise.e164(she.mobiles[0], "GB"), address=she.addresses[-1]),
        Draft(KLAVIYO, he, he.given, family, "", box, noise.e164(he.mobiles[0], "GB")),
    ]


def _one_phone_two_buyers(rng: random.Random, town: Town) -> list[Draft]:
    """Two persons of one household give the same phone at the till."""
    family = rng.choice(("Byrne", "Doyle", "Kavanagh"))
    one = town.person(rng.choice(("Siobhan", "Aoife", "Niamh")), family, 52)
    other = town.person(rng.choice(("Declan", "Cormac", "Eamon")), family, 54, gender="m")
    other.household, other.addresses = one.household, list(one.addresses)
    phone = noise.e164(one.mobiles[0], "GB")
    return [
        Draft(SQUARE, one, one.given, family, one.birth.isoformat(), "", phone),
        Draft(SQUARE, other, other.given, family, other.birth.isoformat(), "", phone),
    ]


def _address_only(rng: random.Random, town: Town) -> list[Draft]:
    """One person: the newsletter was ordered with an address and nothing else."""
    p = town.person(rng.choice(("Leopold", "Ambrose", "Percival")), rng.choice(("Strand", "Weald", "Fenwick")), 63)
    box = f"{p.given}.{p.family}{rng.randint(100, 999)}@proton.me".lower()
    return [
        Draft(KLAVIYO, p, email=box),
        Draft(SALESFORCE, p, p.given, p.family, p.birth.isoformat(), box, address=p.addresses[-1]),
    ]


_CASES: dict[str, Callable[[random.Random, Town], list[Draft]]] = {
    "C01": _guest_checkouts,
    "C02": _one_box_two_shoppers,
    "C03": _one_phone_two_buyers,
    "C04": _address_only,
}
