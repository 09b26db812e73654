"""A small shop of its own: a project over one CSV file, with some people in it twice or more, and who they are."""

from __future__ import annotations

import csv
import random
import shutil
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "docs/examples/own-csv"
GIVEN = (
    *("Ana", "Tom", "Priya", "Chen", "Olga", "Marek", "Ines", "Yusuf", "Freya", "Noah"),
    *("Leila", "Oscar", "Nadia", "Hugo", "Amara", "Pavel", "Greta", "Ivo", "Saba", "Dario"),
)
FAMILY = (
    *("Silva", "Okafor", "Raman", "Zhang", "Petrova", "Novak", "Costa", "Demir", "Larsen", "Weber"),
    *("Haddad", "Lindqvist", "Farouk", "Moreau", "Obi", "Horak", "Maas", "Kos", "Mirza", "Conti"),
    *("Brand", "Quist", "Sandoval", "Thorne", "Ueda", "Vance", "Whitlock", "Yilmaz", "Zapata", "Ahlgren"),
)
COLUMNS = ("customer_no", "first_name", "last_name", "born", "mail", "mobile", "postcode", "no_marketing", "changed_at")


def small_base(folder: Path, people: int = 260, seed: int = 5) -> dict[str, str]:
    """Write the project into `folder`, about 2.5 records a person; returns record (system/stream/key) -> person.

    Every sixth person is the son of the one before: they share name, home and phone, and nobody asked when he was born.
    """
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns(".onevoice"))
    rng = random.Random(seed)
    persons: dict[str, str] = {}
    rows = []
    given = family = ""
    for person in range(people):
        son = is_son(person)
        given, family = (given, family) if son else (rng.choice(GIVEN), rng.choice(FAMILY))
        born = f"{rng.randint(1940, 2004)}-{rng.randint(1, 12):02}-{rng.randint(2, 28):02}"
        mail = f"{given}.{family}.{person}@example.org".lower()
        home = person - 1 if son else person
        mobile, postcode = f"07700 9{home:05}", f"LS{home % 80 + 1} 1AB"
        for copy in range(rng.choice((1, 2, 3, 4))):
            key = f"P{person:03}-{copy}"
            persons[f"shop/customers/{key}"] = str(person)
            rows.append(
                (
                    key,
                    rng.choice((given, given, given, given[:1], _slip(rng, given))),
                    rng.choice((family, family, family, _slip(rng, family))),
                    "" if son else rng.choice((born, born, born, "")),
                    rng.choice((mail, mail, f"{given}{person}@mail.example".lower(), "")),
                    rng.choice((mobile, mobile, "")),
                    rng.choice((postcode, postcode, "")),
                    "false",
                    "2026-05-01T10:00:00+00:00",
                )
            )
    with (folder / "data/customers.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(rows)
    return persons


def is_son(person: int) -> bool:
    """Whether a person bears the name and the phone of the one before."""
    return person % 6 == 5


def _slip(rng: random.Random, name: str) -> str:
    at = rng.randrange(1, len(name) - 1)
    return name[:at] + name[at + 1] + name[at] + name[at + 2 :]
