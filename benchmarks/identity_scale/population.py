"""A population as large as wanted, and what four systems wrote down of it: persons in households, with planted truth.

Names and slips of the pen are the sandbox's; surnames, numbers and addresses are made here, because a million records
need more of them than the sandbox keeps. The matcher's own tables are not used. The same seed gives the same records.
"""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import accumulate, product
from typing import Any

from onevoice.sandbox.population import noise
from onevoice.sandbox.population.lexicon import CULTURES, NICKNAMES
from onevoice.sandbox.population.people import fold
from onevoice.sandbox.population.places import Address, Gazetteer

RECORDS_A_PERSON = 2.35
SYSTEMS = ("salesforce", "hubspot", "shopify", "till")
_TODAY = date(2026, 6, 1)


def _words(text: str) -> list[str]:
    return text.split()


_HEADS = _words(
    """Ad Al Ar Bar Bas Ben Bick Black Bod Brack Brad Bran Brem Bro Bur Cal Car Chal Ches Clay Col Cran Cul Dal Den
    Dor Dun East El Ems Fan Far Fen Fros Gar Gil Gold Gran Had Hal Ham Har Hat Haw Hen Hol Hor Hux Ing Kel Ken Kin
    Lan Lang Leigh Lin Lock Lud Mar Mel Mid Mor Nor Oak Os Ox Pad Pen Pick Pres Ral Red Rock Rush Sal Sel Shel
    Sher Stan Stock Sut Thorn Til Tre Wal War Wed Wel West Whit Win Wood Wor Wy"""
)
_TAILS = _words(
    """bank beck bourne bridge brook burn bury by combe cote croft dale den ding don field ford gate grave ham hill
    holt hurst ington kin land ley ling low man mere mond more mouth nell ning over pole ridge rick ridge shall
    shaw sham son stead stock stone thwaite ton tree vale wall well wick wood worth yard"""
)
_MAILS = ("gmail.com",) * 8 + ("outlook.com", "hotmail.com", "yahoo.co.uk", "icloud.com", "btinternet.com", "web.de")
_SHOPS = 40
"""Shop counters whose number stands in customers' records."""


@dataclass(slots=True)
class _Person:
    number: int
    given: str
    family: str
    culture: str
    birth: date
    home: Address
    landline: str
    house_mail: str
    mobile: str
    mail: str
    card: str
    former_family: str = ""
    former_home: Address | None = None
    former_mail: str = ""
    twin: bool = False
    """Somebody of the household has the same birth date: the given name stays readable."""
    taken: set[str] = field(default_factory=set)


class _Draw:
    """Weighted choice, the commoner the earlier; `flat` makes the common ones less so."""

    def __init__(self, names: list[str], flat: float) -> None:
        self._names = names
        self._sums = list(accumulate(1 / (place + flat) for place in range(len(names))))

    def __call__(self, rng: random.Random) -> str:
        return self._names[bisect_left(self._sums, rng.random() * self._sums[-1])]


class Population:
    """Records of persons, household by household."""

    def __init__(self, records: int, seed: int) -> None:
        self._rng = random.Random(f"{seed}:identity_scale")
        self._wanted = records
        self._towns = Gazetteer(self._rng, max(records, 50_000))
        made = [head + tail for head, tail in product(_HEADS, _TAILS)]
        self._rng.shuffle(made)
        self._families = {
            c.name: _Draw([*c.families, *made] if c.name == "british" else list(c.families), 60.0) for c in CULTURES
        }
        self._givens = {
            (c.name, g): _Draw(list(names), 8.0) for c in CULTURES for g, names in (("f", c.female), ("m", c.male))
        }
        self._shares = list(accumulate(c.share if c.name != "british" else 1.2 for c in CULTURES))
        self._numbers = 0
        self._persons = 0
        self._mailboxes: set[str] = set()
        self._earlier_mobiles: list[str] = []

    def records(self) -> Iterator[dict[str, Any]]:
        """Exactly as many records as wanted; `person` is the truth, everything else what a system holds."""
        made = 0
        while True:
            for person in self._household():
                for _ in range(self._times()):
                    if made == self._wanted:
                        return
                    yield self._written(person, made)
                    made += 1

    def _times(self) -> int:
        """Records of one person: 1 to 8, RECORDS_A_PERSON on average."""
        luck, times = self._rng.random(), 1
        for chance in (0.66, 0.37, 0.19, 0.08, 0.035, 0.012, 0.003):
            times += luck < chance
        return times

    def _household(self) -> list[_Person]:
        rng = self._rng
        culture = CULTURES[bisect_left(self._shares, rng.random() * self._shares[-1])]
        family, home = self._families[culture.name](rng), self._towns.address()
        landline = self._landline()
        house_mail = self._mailbox(f"{_letters(family)}.family", "") if rng.random() < 0.12 else ""
        size = 1 + (rng.random() < 0.62) + (rng.random() < 0.34) + (rng.random() < 0.25) + (rng.random() < 0.1)
        taken: set[str] = set()
        members: list[_Person] = []
        for place in range(size):
            member = self._person(culture.name, family, home, "fm"[place % 2 if place < 2 else rng.randrange(2)], taken)
            member.landline, member.house_mail = landline, house_mail
            if place >= 2:
                member.birth = members[0].birth + timedelta(days=rng.randint(20 * 365, 40 * 365))
                if place == 3 and rng.random() < 0.03:
                    member.birth, member.twin, members[2].twin = members[2].birth, True, True
            members.append(member)
        if size > 2 and rng.random() < 0.02:  # a son of his father's name; only their dates tell
            members[-1].given = members[1 if members[-1].number % 2 else 0].given
        return members

    def _person(self, culture: str, family: str, home: Address, gender: str, taken: set[str]) -> _Person:
        rng = self._rng
        given = self._givens[culture, gender](rng)
        while given in taken:
            given = self._givens[culture, gender](rng)
        taken.update({given, *NICKNAMES.get(given, ())})
        birth = _TODAY - timedelta(days=int(rng.triangular(18, 88, 42) * 365.25))
        self._persons += 1
        mobile = self._mobile()
        if self._persons % 200 == 0:  # numbers are given out again
            mobile = self._earlier_mobiles[rng.randrange(len(self._earlier_mobiles))]
        elif rng.random() < 0.05:
            self._earlier_mobiles.append(mobile)
        person = _Person(
            self._persons,
            given,
            family,
            culture,
            birth,
            home,
            "",
            "",
            mobile,
            self._own_mail(given, family, birth),
            f"LC{self._persons:08d}",
        )
        if rng.random() < 0.05:
            person.former_home = self._towns.address()
        if gender == "f" and rng.random() < 0.04:
            person.former_family = self._families[culture](rng)
        if rng.random() < 0.08:
            person.former_mail = self._own_mail(given, person.former_family or family, birth)
        return person

    def _own_mail(self, given: str, family: str, birth: date) -> str:
        rng, first, last = self._rng, _letters(given), _letters(family)
        stem = rng.choice(
            (f"{first}.{last}", f"{first}{last}", f"{first[0]}{last}", f"{last}.{first}", f"{first}_{last}")
        )
        return self._mailbox(stem, rng.choice(("", f"{birth.year % 100:02d}", str(rng.randint(1, 999)))))

    def _mailbox(self, stem: str, tail: str) -> str:
        domain = self._rng.choice(_MAILS)
        box = stem.replace(".", "").replace("_", "")
        while (mail := f"{box}{tail}@{domain}") in self._mailboxes:
            tail = str(self._rng.randint(1, 999_999))
        self._mailboxes.add(mail)
        return f"{stem}{tail}@{domain}"

    def _mobile(self) -> str:
        self._numbers += 1
        return f"07{self._numbers * 387_420_489 % 900_000_007 + 100_000_000:09d}"

    def _landline(self) -> str:
        self._numbers += 1
        return f"01{self._numbers * 387_420_489 % 900_000_007 + 100_000_000:09d}"

    def _written(self, person: _Person, number: int) -> dict[str, Any]:
        """One system's record of a person: what it asks for, as somebody wrote it."""
        rng = self._rng
        system = SYSTEMS[rng.randrange(4)]
        till, shop = system == "till", system == "shopify"
        given = person.given if person.twin else noise.written_given(rng, person.given, initial=0.03)
        family = person.former_family if person.former_family and rng.random() < 0.35 else person.family
        family = noise.slip(rng, family) if rng.random() < 0.02 else family
        if rng.random() < 0.008:
            given, family = family, given
        held = rng.random() < (0.85 if till else 0.35)
        row: dict[str, Any] = {
            "ref": f"{system}/{'contact' if system == 'salesforce' else 'customers'}/{number:07d}",
            "given_name": noise.cased(rng, given),
            "family_name": noise.cased(rng, family),
            "birth_date": noise.written_birth(rng, person.birth, exact=person.twin) if rng.random() < 0.55 else None,
            "email": self._mail_in(person) if rng.random() < (0.45 if till else 0.8) else None,
            "phone": self._phone_in(person, till=till) if rng.random() < (0.6 if shop else 0.7) else None,
            "street": None,
            "city": None,
            "postcode": None,
            "country": "GB",
            "card_number": self._card_in(person) if held else None,
            "updated_at": (_TODAY - timedelta(days=rng.randrange(900))).isoformat() + "T08:00:00+00:00",
            "person": person.number,
        }
        if rng.random() < 0.65:
            moved = person.former_home is not None and rng.random() < 0.4
            place = noise.written_address(rng, person.former_home if moved and person.former_home else person.home)
            row.update(street=place.street, city=place.city, postcode=place.postcode)
        return row

    def _mail_in(self, person: _Person) -> str:
        rng, luck = self._rng, self._rng.random()
        if luck < 0.004:
            return rng.choice(noise.JUNK_EMAILS)
        if person.house_mail and luck < 0.4:
            return person.house_mail
        mail = person.former_mail if person.former_mail and luck < 0.5 else person.mail
        if luck > 0.99:
            return noise.email_slip(rng, mail)
        return noise.email_variant(rng, mail) if luck > 0.88 else mail

    def _phone_in(self, person: _Person, *, till: bool) -> str:
        rng, luck = self._rng, self._rng.random()
        if luck < 0.004:
            return rng.choice(noise.JUNK_PHONES)
        if till and luck < 0.008:
            return f"01999555{rng.randrange(_SHOPS):03d}"
        return noise.written_phone(rng, person.landline if luck < 0.25 else person.mobile, "GB")

    def _card_in(self, person: _Person) -> str:
        luck = self._rng.random()
        if luck < 0.002:  # the cashier's slip: somebody else's card
            return f"LC{self._rng.randint(1, person.number):08d}"
        return person.card.lower() if luck > 0.97 else person.card


def _letters(name: str) -> str:
    return "".join(c for c in fold(name, german=True).lower() if c.isalpha()) or "x"
