"""How long golden records take: `python benchmarks/identity_survive/speed.py [--customers N]`.

Invented customers with one to six records each, made from a seed: half of the fields of a second record are as in the
first one, the others are left out, spelt otherwise or differ. The rules are those of config/identity.yaml.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from identity import Circumstances, IdentityRecord, survive
from onevoice.configfile.identity_file import IdentityFile
from onevoice.model import Ref

ROOT = Path(__file__).parents[2]
SYSTEMS = ("salesforce", "hubspot", "shopify", "square", "klaviyo", "till")
BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
TODAY = Circumstances(today=datetime(2026, 11, 22, tzinfo=UTC).date())


def customers(count: int, seed: int) -> Iterator[list[IdentityRecord]]:
    """The records of each customer."""
    chance = random.Random(seed)
    for number in range(count):
        first = {
            "given_name": chance.choice(("Ana", "Tom", "Priya", "Ngozi", "Haruki")),
            "family_name": f"Fam{chance.randrange(40_000):x}",
            "birth_date": f"19{chance.randrange(40, 99)}-0{chance.randrange(1, 9)}-1{chance.randrange(9)}",
            "email": f"customer.{number}@example.org",
            "phone": f"+4477{number:08d}",
            "street": f"{chance.randrange(1, 200)} High Street",
            "city": chance.choice(("Leeds", "York", "Hull")),
            "postcode": f"LS{chance.randrange(1, 20)} {chance.randrange(9)}AB",
            "card_number": f"LC{number:08d}",
        }
        systems = chance.sample(SYSTEMS, chance.choices(range(1, 7), (4, 6, 6, 4, 2, 1))[0])
        yield [
            IdentityRecord(
                Ref(system, "customers", str(number)),
                {name: value for name, held in first.items() if (value := _retold(held, chance))},
                BEGIN + timedelta(days=chance.randrange(1000)),
            )
            for system in systems
        ]


def _retold(value: str, chance: random.Random) -> Any:
    luck = chance.random()
    if luck < 0.1:
        return None
    if luck < 0.2:
        return value.upper()
    return value if luck < 0.9 else f"{value}{chance.randrange(9)}"


def main() -> None:
    """Print the seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    config = IdentityFile.model_validate(YAML(typ="safe").load((ROOT / "config/identity.yaml").read_text("utf-8")))
    people = list(customers(options.customers, options.seed))
    records = sum(map(len, people))
    begin = time.process_time()
    for each in people:
        survive(each, config, TODAY)
    spent = time.process_time() - begin
    print(f"{len(people):,} customers of {records:,} records: {spent:.2f} s")
    print(f"1,000 changed records touch about 1,000 customers: {spent / len(people) * 1000:.3f} s")
    print(f"a million records: {spent / records * 1_000_000:.0f} s")


if __name__ == "__main__":
    main()
