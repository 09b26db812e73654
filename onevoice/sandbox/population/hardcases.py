"""The cases that break matchers, one of each in every world, with names that vary by seed.

The cases are those of the identity note: what must become one person and what must stay apart. Each is told as drafts
that later steps leave as they are.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from onevoice.sandbox.chance import stream
from onevoice.sandbox.population.drafts import HUBSPOT, SALESFORCE, TILL, Draft
from onevoice.sandbox.population.people import Person, Town, fold
from onevoice.sandbox.population.places import Address

FEWEST_PEOPLE = 50
"""The cases take 43 persons."""

_SHOP_COUNTER = "03069 990199"
_JUNK = ("test@test.com", "0000000000", "1970-01-01")


class _Teller:
    """Tells the cases of one world."""

    def __init__(self, seed: int, town: Town) -> None:
        self.rng: random.Random = stream(seed, "hard cases")
        self.town = town
        self.cards = 0
        self.drafts: list[Draft] = []
        self.cases: dict[str, list[Draft]] = {}

    def tell(self, case: str, *drafts: Draft) -> None:
        for draft in drafts:
            draft.fixed = True
        self.cases[case] = list(drafts)
        self.drafts.extend(drafts)

    def pick(self, words: str) -> str:
        return self.rng.choice(words.split())

    def card(self) -> str:
        self.cards += 1
        return f"ST9{self.cards:07d}"

    def person(self, given: str, family: str, age: float, gender: str = "f", culture: str = "british") -> Person:
        return self.town.person(given, family, age, gender=gender, culture=culture)

    def housemate(self, of: Person, given: str, family: str, age: float, gender: str = "f") -> Person:
        person = self.town.person(given, family, age, gender=gender, culture=of.culture)
        person.household, person.addresses = of.household, list(of.addresses)
        return person


def _born(person: Person) -> str:
    return person.birth.isoformat()


def _home(person: Person) -> Address:
    return person.addresses[-1]


def _family_email(t: _Teller) -> None:
    family = t.pick("Okafor Adebayo Mensah Boateng Nwosu")
    martin = t.person(t.pick("Martin Simon Graham"), family, 45, "m")
    ngozi = t.housemate(martin, t.pick("Ngozi Amara Folake"), family, 42)
    chidi = t.housemate(martin, t.pick("Chidi Emeka Tunde"), family, 17, "m")
    mail = f"{family.lower()}.family{t.rng.randint(10, 99)}@yahoo.com"
    home, phone = _home(martin), martin.mobiles[0]
    t.tell(
        "H01",
        Draft(HUBSPOT, martin, martin.given, family, "", mail, phone, address=home),
        Draft(TILL, ngozi, ngozi.given, family, _born(ngozi), mail, address=home, card=t.card()),
        Draft(TILL, chidi, chidi.given, family, _born(chidi), mail, card=t.card()),
        Draft(SALESFORCE, martin, martin.given, family, _born(martin), mail, address=home),
    )


def _changed_surname(t: _Teller) -> None:
    given, before, after = t.pick("Priya Meera Anjali"), t.pick("Raman Iyer Nair"), t.pick("Whitfield Lockwood Kershaw")
    person = t.person(given, after, 36)
    person.former_family, card, phone = before, t.card(), person.mobiles[0]
    person.addresses.append(t.town.gazetteer.address())
    old, new = person.addresses
    tag = t.rng.randint(10, 99)
    t.tell(
        "H02",
        Draft(
            SALESFORCE, person, given, before, _born(person), f"{given}.{before}{tag}@gmail.com".lower(), phone, "", old
        ),
        Draft(HUBSPOT, person, given, after, "", f"{given}.{after}{tag}@outlook.com".lower(), phone, "", new, card),
        Draft(TILL, person, given, after, _born(person), "", "+44 " + phone[1:], "", new, card),
    )


def _reused_phone(t: _Teller) -> None:
    one = t.person(t.pick("Gareth Rhys Callum"), t.pick("Lindqvist Holmgren Sandberg"), 54, "m")
    other = t.person(t.pick("Beatriz Ximena Raquel"), t.pick("Sandoval Cordero Medina"), 33)
    phone = one.mobiles[0]
    mails = [f"{p.given[0]}{p.family}{t.rng.randint(100, 999)}@icloud.com".lower() for p in (one, other)]
    t.tell(
        "H03",
        Draft(SALESFORCE, one, one.given, one.family, _born(one), mails[0], phone, address=_home(one)),
        Draft(HUBSPOT, other, other.given, other.family, "", mails[1], phone, address=_home(other)),
    )


def _swapped(t: _Teller) -> None:
    p = t.person(t.pick("Haruki Kenji Takeshi"), t.pick("Tanaka Suzuki Watanabe"), 38, "m", "east_asian")
    mail = f"{p.given[0]}{p.family}{p.birth.year}@proton.me".lower()
    t.tell(
        "H04",
        Draft(HUBSPOT, p, p.given, p.family, _born(p), mail, address=_home(p)),
        Draft(TILL, p, p.family, p.given, _born(p), "", p.mobiles[0], address=_home(p), card=t.card()),
    )


def _gmail_dots(t: _Teller) -> None:
    p = t.person(t.pick("Oluwaseun Temitope Ifeoma"), t.pick("Adeyemi Balogun Afolabi"), 29)
    name, tag = (p.given + p.family), t.rng.randint(10, 99)
    dotted = f"{p.given[0]}.{p.given[1:]}.{p.family}{tag}+sale@gmail.com".lower()
    t.tell(
        "H05",
        Draft(SALESFORCE, p, p.given, p.family, "", dotted),
        Draft(HUBSPOT, p, p.given, p.family, "", f"{name}{tag}@googlemail.com".lower()),
    )


def _dots_elsewhere(t: _Teller) -> None:
    family = t.pick("Farquhar Sinclair Drummond") + t.pick("son by ton")
    one, other = t.person("James", family, 51, "m"), t.person("Jane", family, 47)
    t.tell(
        "H05b",
        Draft(SALESFORCE, one, "James", family, "", f"j.{family}@outlook.com".lower(), address=_home(one)),
        Draft(HUBSPOT, other, "Jane", family, "", f"j{family}@outlook.com".lower(), address=_home(other)),
    )


def _chain(t: _Teller) -> None:
    family = t.pick("Lister Garside Jowett")
    annabel = t.person(t.pick("Annabel Amelia Alison"), family, 47)
    arthur = t.housemate(annabel, t.pick("Arthur Albert Angus"), family, 75, "m")
    mail, phone = f"{family}.{t.rng.randint(100, 999)}@btinternet.com".lower(), t.town.numbers.landline("GB")
    t.tell(
        "H06",
        Draft(SALESFORCE, annabel, annabel.given, family, _born(annabel), mail, address=_home(annabel)),
        Draft(HUBSPOT, annabel, "A", family, "", mail, "", phone),
        Draft(TILL, arthur, arthur.given, family, _born(arthur), "", "", phone, _home(arthur), t.card()),
    )


def _shop_phone(t: _Teller) -> None:
    givens = ["Ivy", "Leo", "Zara", "Hugo", "Mona", "Otto", "Nina", "Sami", "Ruth", "Dev", "Tess", "Yuri"]
    families = [
        "Marsden",
        "Petrov",
        "Hussain",
        "Brandt",
        "Silva",
        "Keller",
        "Rossi",
        "Haddad",
        "Boyle",
        "Kapoor",
        "Nolan",
        "Sokolov",
    ]
    t.rng.shuffle(families)
    people = [
        t.person(given, family, 20 + 4 * place)
        for place, (given, family) in enumerate(zip(givens, families, strict=True))
    ]
    t.tell(
        "H07",
        *(Draft(TILL, p, p.given, p.family, "", "", "", _SHOP_COUNTER, _home(p), t.card()) for p in people),
    )


def _shared_card(t: _Teller) -> None:
    family, card = t.pick("Berg Dahl Lund"), t.card()
    tomas = t.person(t.pick("Tomas Anders Nils"), family, 58, "m")
    sara = t.housemate(tomas, t.pick("Sara Karin Ulla"), family, 55)
    mail = f"{sara.given}.{family}{t.rng.randint(100, 999)}@icloud.com".lower()
    t.tell(
        "H08",
        Draft(TILL, tomas, tomas.given, family, _born(tomas), "", tomas.mobiles[0], "", _home(tomas), card),
        Draft(HUBSPOT, sara, sara.given, family, _born(sara), mail, "", "", _home(sara), card),
    )


def _transliterated(t: _Teller) -> None:
    polish = t.person(t.pick("Łukasz Paweł Michał"), t.pick("Żółciński Gołębiowski Śliwiński"), 41, "m", "polish")
    german = t.person(t.pick("Jürgen Günther Björn"), t.pick("Müller Schröder Krüger"), 60, "m", "german")
    russian = t.person("Dmitry", "Ivanov", 34, "m", "slavic")
    letters = fold(polish.given + polish.family[0]).lower()
    t.tell(
        "H09a",
        Draft(
            SALESFORCE,
            polish,
            polish.given,
            polish.family,
            _born(polish),
            f"{letters}{t.rng.randint(10, 99)}@gmail.com",
            address=_home(polish),
        ),
        Draft(
            TILL, polish, fold(polish.given), fold(polish.family), _born(polish), address=_home(polish), card=t.card()
        ),
    )
    first, last = fold(german.given, german=True), fold(german.family, german=True)
    t.tell(
        "H09b",
        Draft(
            SALESFORCE, german, german.given, german.family, _born(german), "", german.mobiles[0], address=_home(german)
        ),
        Draft(
            HUBSPOT,
            german,
            first,
            last,
            _born(german),
            f"{first[0]}{last}{german.birth.year}@aol.com".lower(),
            address=_home(german),
        ),
    )
    mail = f"dmitry.ivanov{t.rng.randint(100, 999)}@yahoo.com"
    t.tell(
        "H09c",
        Draft(SALESFORCE, russian, "Дмитрий", "Иванов", _born(russian), mail),
        Draft(HUBSPOT, russian, "Dmitry", "Ivanov", _born(russian), mail),
    )


def _junk(t: _Teller) -> None:
    names = [("Test", "Customer"), ("N/A", "N/A"), ("Guest", "User"), ("Carmen", t.pick("Ortega Herrera Flores"))]
    names.append((t.pick("Nils Lars Sven"), "Holm"))
    people = [t.person(given, family, 30 + place) for place, (given, family) in enumerate(names)]
    mail, phone, birth = _JUNK
    t.tell("H10", *(Draft(SALESFORCE, p, p.given, p.family, birth, mail, phone) for p in people))


def _twins(t: _Teller) -> None:
    family = t.pick("Castellano Esposito Moreau")
    emma = t.person("Emma", family, 25)
    ella = t.housemate(emma, "Ella", family, 25)
    ella.birth = emma.birth
    mail, phone = f"{family}{t.rng.randint(100, 999)}@btinternet.com".lower(), t.town.numbers.landline("GB")
    t.tell(
        "H11",
        *(Draft(TILL, p, p.given, family, _born(p), mail, "", phone, _home(emma), t.card()) for p in (emma, ella)),
    )


def _father_and_son(t: _Teller) -> None:
    given, family = t.pick("Robert Stephen Philip"), t.pick("Hargreaves Ashworth Entwistle")
    senior = t.person(given, family, 76, "m")
    junior = t.housemate(senior, given, family, 43, "m")
    phone = t.town.numbers.landline("GB")
    mail = f"{given[:3]}.{family}{junior.birth.year % 100}@gmail.com".lower()
    t.tell(
        "H12",
        Draft(SALESFORCE, senior, given, family, _born(senior), "", "", phone, _home(senior)),
        Draft(TILL, junior, given, family, _born(junior), mail, "", phone, _home(senior), t.card()),
    )


def _moved(t: _Teller) -> None:
    p = t.person(t.pick("Ingrid Tamsin Cordelia"), t.pick("Vasquez Ibáñez Cordero"), 49)
    p.addresses.append(t.town.gazetteer.address())
    p.mobiles.append(t.town.numbers.mobile("GB"))
    mail = f"{p.given}.{p.family[0]}{t.rng.randint(100, 999)}@proton.me".lower()
    t.tell(
        "H13",
        Draft(SALESFORCE, p, p.given, p.family, _born(p), mail, p.mobiles[0], "", p.addresses[0]),
        Draft(HUBSPOT, p, p.given, p.family, "", mail, p.mobiles[1], "", p.addresses[1]),
    )


def _nickname(t: _Teller) -> None:
    p = t.person("William", t.pick("Thackeray Featherstone Braithwaite"), 66, "m")
    t.tell(
        "H14",
        Draft(SALESFORCE, p, "William", p.family, _born(p), address=_home(p)),
        Draft(HUBSPOT, p, "Bill", p.family, "", f"bill{p.family[:5]}@aol.com".lower(), address=_home(p)),
    )


def _mail_typo(t: _Teller) -> None:
    p = t.person(t.pick("Fatima Layla Yasmin"), t.pick("Elmasri Mansour Barakat"), 31)
    box = f"{p.given}.{p.family}{t.rng.randint(100, 999)}".lower()
    t.tell(
        "H15",
        Draft(SALESFORCE, p, p.given, p.family, "", f"{box}@gmail.com", address=_home(p)),
        Draft(HUBSPOT, p, p.given, p.family, "", f"{box}@gmial.com", address=_home(p)),
    )


def _placeholder_birth(t: _Teller) -> None:
    given, family = t.pick("Maria Ana Rosa"), t.pick("Garcia Lopez Perez")
    one, other = t.person(given, family, 44), t.person(given, family, 37)
    tag, junk = t.rng.randint(100, 999), _JUNK[2]
    t.tell(
        "H16",
        Draft(
            SALESFORCE, one, given, family, junk, f"{given[0]}{family}.one{tag}@yahoo.com".lower(), address=_home(one)
        ),
        Draft(
            TILL,
            other,
            given,
            family,
            junk,
            f"{given}.{family[0]}.two{tag}@aol.com".lower(),
            address=_home(other),
            card=t.card(),
        ),
    )


_CASES: tuple[Callable[[_Teller], None], ...] = (
    _family_email,
    _changed_surname,
    _reused_phone,
    _swapped,
    _gmail_dots,
    _dots_elsewhere,
    _chain,
    _shop_phone,
    _shared_card,
    _transliterated,
    _junk,
    _twins,
    _father_and_son,
    _moved,
    _nickname,
    _mail_typo,
    _placeholder_birth,
)


def tell_hard_cases(seed: int, town: Town) -> dict[str, list[Draft]]:
    """Move the persons of the hard cases into the town and give the records of each case by its name, H01 to H16."""
    teller = _Teller(seed, town)
    for case in _CASES:
        case(teller)
    return teller.cases
