"""The persons of a world, in households: who shares a surname, an address, a landline, an e-mail box with whom.

Everything here is true; what the vendors wrote down of it, with gaps and mistakes, is made in `drafts`.
"""

from __future__ import annotations

import random
import unicodedata
from bisect import bisect_left
from dataclasses import dataclass, field
from datetime import date
from itertools import accumulate

from onevoice.sandbox.chance import stream
from onevoice.sandbox.population.lexicon import CULTURES, CYRILLIC, NICKNAMES, Culture
from onevoice.sandbox.population.places import Address, Gazetteer, Numbers

_SPECIAL = str.maketrans({"ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "ß": "ss", "ı": "i", "đ": "d", "æ": "ae"})  # noqa: RUF001
_GERMAN = str.maketrans({"ü": "ue", "ö": "oe", "ä": "ae", "Ü": "Ue", "Ö": "Oe", "Ä": "Ae", "ß": "ss"})
_CULTURES = {culture.name: culture for culture in CULTURES}
_MAIL_DOMAINS = ["gmail.com"] * 9 + ["outlook.com", "hotmail.com", "hotmail.co.uk", "yahoo.com", "yahoo.co.uk"] * 2
_MAIL_DOMAINS += ["icloud.com", "icloud.com", "btinternet.com", "aol.com", "proton.me", "sky.com", "mail.example"]


@dataclass(slots=True)
class Person:
    """One human being. Lists of contact points and addresses are oldest first; the last is the one in use."""

    number: int
    given: str
    family: str
    gender: str
    birth: date
    culture: str
    household: int
    addresses: list[Address]
    mobiles: list[str]
    emails: list[str]
    landline: str = ""
    former_family: str = ""
    """The surname before a marriage; empty when it never changed."""
    family_email: str = ""
    """A mail box the household shares."""
    plain: bool = False
    """Records must carry the given name in full and without error: only it tells a twin from the other."""
    spelled: bool = False
    """Records must not have a mere initial: it would fit somebody else of the household as well."""
    dated: bool = False
    """Records must carry the right birth date: only it tells a father from a son of the same name."""

    @property
    def country(self) -> str:
        """ISO country of the present address."""
        return self.addresses[-1].country


def fold(text: str, *, german: bool = False) -> str:
    """Latin letters without marks; `german` writes umlauts as ae, oe, ue."""
    text = text.translate(_GERMAN) if german else text
    return "".join(c for c in unicodedata.normalize("NFKD", text.translate(_SPECIAL)) if not unicodedata.combining(c))


def years_before(as_of: date, years: float) -> date:
    """The day about so many years earlier."""
    return date.fromordinal(as_of.toordinal() - int(years * 365.25))


class _Names:
    """Draws names of a culture, the commoner the earlier in its list."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._weights = {
            names: list(accumulate(1 / (place + 6) for place in range(len(names))))
            for culture in CULTURES
            for names in (culture.female, culture.male, culture.families)
        }
        self._shares = list(accumulate(culture.share for culture in CULTURES))

    def culture(self) -> Culture:
        return CULTURES[bisect_left(self._shares, self._rng.random() * self._shares[-1])]

    def draw(self, names: tuple[str, ...]) -> str:
        weights = self._weights[names]
        return names[bisect_left(weights, self._rng.random() * weights[-1])]

    def given(self, culture: Culture, gender: str, taken: set[str]) -> str:
        names = culture.female if gender == "f" else culture.male
        for _ in range(30):
            name = self.draw(names)
            close = any(name.startswith(other) or other.startswith(name) for other in taken)
            if not close and not taken & set(NICKNAMES.get(name, ())):
                break
        taken.add(name)
        taken.update(NICKNAMES.get(name, ()))
        return name


@dataclass(slots=True)
class Mailboxes:
    """E-mail addresses, each given to one person or household only."""

    rng: random.Random
    taken: set[str] = field(default_factory=set)

    def personal(self, given: str, family: str, birth: date) -> str:
        """An address made of the person's name, as people make them."""
        rng = self.rng
        first = "".join(c for c in fold(given, german=True).lower() if c.isalpha())
        last = "".join(c for c in fold(family, german=True).lower() if c.isalpha())
        nick = NICKNAMES.get(given)
        if nick and rng.random() < 0.12:
            first = rng.choice(nick).lower()
        shape = rng.choice(["{f}.{l}", "{f}{l}", "{f}.{l}", "{i}{l}", "{f}_{l}", "{l}.{f}", "{i}.{l}"])
        stem = shape.format(f=first, l=last, i=first[:1])
        tail = rng.choice(["", "", f"{birth.year % 100:02d}", str(rng.randint(1, 999))])
        return self._free(stem, tail)

    def household(self, family: str) -> str:
        """An address that a family shares."""
        last = "".join(c for c in fold(family, german=True).lower() if c.isalpha())
        return self._free(self.rng.choice(["{l}.family", "the{l}s", "{l}family", "{l}.home"]).format(l=last), "")

    def _free(self, stem: str, tail: str) -> str:
        domain = self.rng.choice(_MAIL_DOMAINS)
        while True:
            address = f"{stem}{tail}@{domain}"
            # Strangers' addresses differ by more than a dot or an underscore.
            box = stem.replace(".", "").replace("_", "") + tail + domain
            if box not in self.taken:
                self.taken.add(box)
                return address
            tail = str(self.rng.randint(1, 9999))


class Town:
    """Builds the households of one world until there are enough persons."""

    def __init__(self, seed: int, people: int, as_of: date) -> None:
        self._rng = stream(seed, "people")
        self._names = _Names(self._rng)
        self._as_of = as_of
        self._count = people
        self._households = 0
        self.gazetteer = Gazetteer(stream(seed, "places"), people)
        self.numbers = Numbers(stream(seed, "numbers"))
        self.mail = Mailboxes(stream(seed, "mail"))
        self.people: list[Person] = []

    def person(self, given: str, family: str, age: float, *, gender: str = "f", culture: str = "british") -> Person:
        """A person living alone with a home and a mobile number and nothing else (the hard cases begin so)."""
        self._households += 1
        person = Person(
            number=len(self.people),
            given=given,
            family=family,
            gender=gender,
            birth=years_before(self._as_of, age),
            culture=culture,
            household=self._households,
            addresses=[self.gazetteer.address()],
            mobiles=[self.numbers.mobile("GB")],
            emails=[],
        )
        self.people.append(person)
        return person

    def settle(self) -> None:
        """Fill up with households, then let numbers be used again by strangers."""
        rng = self._rng
        shapes = ["single"] * 70 + ["couple"] * 19 + ["family"] * 7 + ["parent"] * 3 + ["namesakes"]
        while len(self.people) < self._count:
            self._household(rng.choice(shapes))
        del self.people[self._count :]
        self._hand_on_numbers()

    @property
    def count(self) -> int:
        """How many persons the town is to have."""
        return self._count

    def make_room(self, persons: int) -> None:
        """Let the last who settled move on; as many others can be added with `person`."""
        del self.people[-persons:]

    def _household(self, shape: str) -> None:
        rng = self._rng
        culture = self._names.culture()
        family = self._names.draw(culture.families)
        start = len(self.people)
        taken: set[str] = set()
        self._households += 1
        home = self.gazetteer.address("US" if rng.random() < 0.06 else "GB")
        age = rng.choice((22, 30, 38, 46, 54, 62, 70, 78)) + rng.random() * 8
        first = rng.choice("fm")
        self._add(culture, family, first, age, home, taken)
        if shape in {"couple", "family"}:
            second = ("m" if first == "f" else "f") if rng.random() < 0.93 else first
            other = family if rng.random() < 0.8 else self._names.draw(culture.families)
            self._add(culture, other, second, max(20, age + rng.gauss(0, 3)), home, taken)
        if shape in {"family", "parent"}:
            self._children(culture, family, home, taken)
        if shape == "namesakes":
            self._namesakes(culture, family, home)
        self._share(self.people[start:], home)

    def _children(self, culture: Culture, family: str, home: Address, taken: set[str]) -> None:
        rng = self._rng
        if rng.random() < 0.13:
            age = 15 + rng.random() * 12
            for gender in (rng.choice("fm"), rng.choice("fm")):
                self._add(culture, family, gender, age, home, taken).plain = True
            self.people[-1].birth = self.people[-2].birth
            return
        for _ in range(rng.choice((1, 1, 1, 2, 2, 3))):
            self._add(culture, family, rng.choice("fm"), 15 + rng.random() * 14, home, taken)

    def _namesakes(self, culture: Culture, family: str, home: Address) -> None:
        senior = self.people[-1]
        senior.birth = years_before(self._as_of, 52 + self._rng.random() * 25)
        junior = self._add(culture, family, senior.gender, 20 + self._rng.random() * 10, home, set())
        junior.given = senior.given
        junior.emails = [self.mail.personal(junior.given, family, junior.birth)] if junior.emails else []
        senior.dated = junior.dated = True
        senior.former_family = ""

    def _add(self, culture: Culture, family: str, gender: str, age: float, home: Address, taken: set[str]) -> Person:
        rng = self._rng
        given = self._names.given(culture, gender, taken)
        birth = years_before(self._as_of, age)
        person = Person(
            number=len(self.people),
            given=given,
            family=family,
            gender=gender,
            birth=birth,
            culture=culture.name,
            household=self._households,
            addresses=[home],
            mobiles=[],
            emails=[],
        )
        if rng.random() < (0.95 if age > 18 else 0.85):
            person.mobiles.append(self.numbers.mobile(home.country))
        if rng.random() < (0.94 if age < 70 else 0.86):
            person.emails.append(self.mail.personal(given, family, birth))
        self.people.append(person)
        return person

    def _share(self, members: list[Person], home: Address) -> None:
        """The landline and the mail box of a household, its moves, and the moves and marriages of its members."""
        rng = self._rng
        landline = self.numbers.landline(home.country) if rng.random() < (0.60 if len(members) > 1 else 0.3) else ""
        family_email = self.mail.household(members[0].family) if len(members) > 1 and rng.random() < 0.32 else ""
        former = self.gazetteer.address(home.country) if rng.random() < 0.07 else None
        initials = [member.given[0] for member in members]
        for member in members:
            member.landline = landline
            member.spelled = initials.count(member.given[0]) > 1
            member.family_email = family_email
            if former:
                member.addresses.insert(0, former)
            self._life(member, grown=len(members) > 1)

    def _life(self, person: Person, *, grown: bool) -> None:
        rng = self._rng
        person.emails = person.emails[:1]
        if person.emails and rng.random() < 0.22:
            person.emails.insert(0, self.mail.personal(person.given, person.family, person.birth))
        if grown and len(person.addresses) == 1 and not person.plain and not person.dated and rng.random() < 0.06:
            person.addresses.append(self.gazetteer.address(person.country))
            person.landline = ""
        moved = len(person.addresses) > 1
        if person.mobiles and rng.random() < (0.35 if moved else 0.10):
            person.mobiles.append(self.numbers.mobile(person.country))
        adult = (self._as_of - person.birth).days > 24 * 365
        if person.gender == "f" and adult and not person.dated and rng.random() < 0.07:
            families = _CULTURES[person.culture].families
            person.former_family = self._names.draw(families)

    def _hand_on_numbers(self) -> None:
        """A mobile number given up by one person is another's a year later."""
        rng = self._rng
        donors = [person for person in self.people if len(person.mobiles) > 1]
        rng.shuffle(donors)
        for donor in donors[: len(self.people) // 60]:
            receiver = self.people[rng.randrange(len(self.people))]
            if receiver.mobiles and receiver.household != donor.household and receiver.given != donor.given:
                receiver.mobiles[-1] = donor.mobiles[0]


def native(name: str, culture: str) -> str:
    """The name in the person's own script, where it has one."""
    return CYRILLIC.get(name, name) if culture == "slavic" else name
