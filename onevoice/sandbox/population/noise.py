"""How clerks, customers and web forms write things down."""

from __future__ import annotations

import random
from datetime import date

from onevoice.sandbox.population.lexicon import NICKNAMES
from onevoice.sandbox.population.people import fold
from onevoice.sandbox.population.places import STREET_SHORT, Address

JUNK_EMAILS = ("test@test.com", "noemail@example.com", "none@none.com", "a@a.com", "na@example.com")
JUNK_PHONES = ("0000000000", "07000000000", "01234567890", "9999999999")
JUNK_BIRTHS = ("1970-01-01", "1900-01-01")
SHOP_PHONES = tuple(f"030699901{counter:02d}" for counter in range(1, 13))
_KEYS = "qwertyuiopasdfghjklzxcvbnm"
_DOMAIN_SLIPS = {
    "gmail.com": ("gmial.com", "gmail.co", "gmai.com"),
    "hotmail.com": ("hotmial.com", "hotmail.co"),
    "yahoo.com": ("yaho.com", "yahoo.co"),
    "outlook.com": ("outlok.com",),
}


def slip(rng: random.Random, text: str) -> str:
    """One slip of the finger past the first letter; short texts stay."""
    if len(text) < 4:
        return text
    place = rng.randrange(1, len(text) - 1)
    kind = rng.randrange(4)
    if kind == 0:
        return text[:place] + text[place + 1 :]
    if kind == 1:
        return text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    letter = rng.choice(_KEYS)
    return text[:place] + letter + text[place + (kind == 2) :]


def written_given(rng: random.Random, given: str, *, initial: float) -> str:
    """A given name as someone wrote it: nickname, slip, initial (with that chance), or in full."""
    luck = rng.random()
    nicknames = NICKNAMES.get(given)
    if luck < 0.16 and nicknames:
        return rng.choice(nicknames)
    if luck < 0.16 + initial:
        return given[0]
    return slip(rng, given) if luck > 0.975 else given


def cased(rng: random.Random, text: str) -> str:
    """Now and then all capitals or all small."""
    luck = rng.random()
    if luck < 0.02:
        return text.upper()
    return text.lower() if luck < 0.04 else text


def without_marks(rng: random.Random, text: str, culture: str) -> str:
    """Foreign letters as a form without them takes them, about half of the time."""
    return fold(text, german=culture == "german" and rng.random() < 0.7) if rng.random() < 0.5 else text


def email_variant(rng: random.Random, email: str) -> str:
    """The same mail box written otherwise: dots and tags where the provider ignores them, capitals."""
    local, _, domain = email.partition("@")
    luck = rng.random()
    if domain == "gmail.com" and luck < 0.5:
        if luck < 0.2 and len(local) > 4:
            place = rng.randrange(2, len(local) - 1)
            return f"{local[:place]}.{local[place:]}@{domain}".replace("..", ".")
        if luck < 0.38:
            return f"{local}+{rng.choice(('shop', 'sale', 'club', 'news'))}@{domain}"
        return f"{local.replace('.', '')}@googlemail.com"
    return email.upper() if luck < 0.75 else email.title()


def email_slip(rng: random.Random, email: str) -> str:
    """A mistyped address: a known slip of the domain, or of the name before it."""
    local, _, domain = email.partition("@")
    if domain in _DOMAIN_SLIPS and rng.random() < 0.6:
        return f"{local}@{rng.choice(_DOMAIN_SLIPS[domain])}"
    return f"{slip(rng, local)}@{domain}"


def written_phone(rng: random.Random, digits: str, country: str) -> str:
    """A number in one of the shapes people write."""
    shape = rng.randrange(5)
    if country == "US":
        area, rest, line = digits[:3], digits[3:6], digits[6:]
        return (digits, f"({area}) {rest}-{line}", f"+1{digits}", f"{area}-{rest}-{line}", f"+1 {area} {rest} {line}")[
            shape
        ]
    body = digits[1:]
    if shape < 2:
        return digits
    return (f"{digits[:5]} {digits[5:]}", f"+44{body}", f"+44 (0){body[:4]} {body[4:]}")[shape - 2]


def e164(digits: str, country: str) -> str:
    """A national number with its country code, as the web shop and the sender keep it."""
    return f"+1{digits}" if country == "US" else f"+44{digits[1:]}"


def written_birth(rng: random.Random, birth: date, *, exact: bool) -> str:
    """ISO date; unless `exact` now and then a placeholder, day and month swapped, or a digit off."""
    luck = 1.0 if exact else rng.random()
    if luck < 0.02:
        return rng.choice(JUNK_BIRTHS)
    if luck < 0.028 and birth.day <= 12:
        return birth.replace(day=birth.month, month=birth.day).isoformat()
    if luck < 0.036:
        return (
            birth.replace(year=birth.year + rng.choice((-10, -1, 1, 10))).isoformat()
            if birth.day < 29
            else birth.isoformat()
        )
    return birth.isoformat()


def written_address(rng: random.Random, address: Address) -> Address:
    """An address with the street type cut short, a slip, or the post code run together."""
    street, city, postcode = address.street, address.city, address.postcode
    head, _, tail = street.rpartition(" ")
    if tail in STREET_SHORT and rng.random() < 0.3:
        street = f"{head} {STREET_SHORT[tail]}"
    if rng.random() < 0.03:
        number, _, name = street.partition(" ")
        street = f"{number} {slip(rng, name)}"
    if rng.random() < 0.02:
        city = slip(rng, city)
    if rng.random() < 0.12:
        postcode = rng.choice((postcode.lower(), postcode.replace(" ", ""), postcode.replace(" ", "").lower()))
    return Address(street, city, postcode, address.region, address.country)
