"""Hard cases as data files: who is one person, who is not, and what only a person can tell.

Every file of `cases/` is a case (its README says how to write one). All of them are resolved at once, among a few
hundred ordinary records, so that shared values, candidates and weights are met as in a base of real size.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from identity import Clustering, IdentityRecord, Model, Resolver, cluster, normalise
from identity.batch import resolve_all
from onevoice.configfile.identity_file import IdentityFile
from onevoice.model import Ref

CASES = sorted((Path(__file__).parent / "cases").glob("*.yaml"))
HOUSEHOLDS = 160
Pair = frozenset[Ref]


@dataclass(frozen=True)
class Case:
    """One file."""

    name: str
    records: Mapping[str, IdentityRecord]
    people: Sequence[Sequence[str]]
    """Records of one list are one person, records of two lists are two; who stands in no list may be anybody."""
    ask: Sequence[tuple[str, str]]
    """Pairs of which a steward is to be asked."""
    fails: str
    """Why it does not hold yet; empty when it does."""

    def wrong(self, found: Clustering) -> list[str]:
        """What a steward would put right, one line each."""
        home = {ref: at for at, one in enumerate(found.clusters) for ref in one.members}
        asked = {frozenset((item.left, item.right)) for item in found.review}
        lines = []
        placed = [(key, at) for at, keys in enumerate(self.people) for key in keys]
        for (one, here), (other, there) in combinations(placed, 2):
            merged = home[self.records[one].ref] == home[self.records[other].ref]
            if merged != (here == there):
                lines.append(f"{one} and {other} were {'merged' if merged else 'kept apart'}")
        for one, other in self.ask:
            if not self._is_asked(one, other, home, asked):
                lines.append(f"nobody is asked about {one} and {other}")
        return lines

    def _is_asked(self, one: str, other: str, home: Mapping[Ref, int], asked: set[Pair]) -> bool:
        """One question for each two clusters is enough, whichever of their records it names."""
        wanted = {home[self.records[one].ref], home[self.records[other].ref]}
        return any({home[ref] for ref in pair} == wanted for pair in asked)


def _read(path: Path) -> Case:
    raw = YAML(typ="safe").load(path.read_text("utf-8"))
    assert raw.keys() <= {"case", "why", "records", "people", "ask", "first", "fails"}, path.name
    assert raw["first"] in ("held", "failed"), f"{path.name}: first is held or failed"
    assert set(raw["records"]) >= {key for keys in raw["people"] for key in keys}, path.name
    records = {key: _record(path.stem, key, dict(fields)) for key, fields in raw["records"].items()}
    return Case(path.stem, records, raw["people"], [tuple(p) for p in raw.get("ask", ())], raw.get("fails", ""))


def _record(case: str, key: str, fields: dict[str, Any]) -> IdentityRecord:
    system, stamp = fields.pop("system"), fields.pop("updated_at", None)
    data = {name: _value(value) for name, value in fields.items()}
    return IdentityRecord(
        Ref(system, "customers", f"{case}-{key}"), data, datetime.fromisoformat(stamp) if stamp else None
    )


def _value(value: Any) -> Any:
    """A value as it stands, or a long one from its recipe."""
    return value["repeat"] * value["times"] + value.get("end", "") if isinstance(value, dict) else value


GIVEN = re.findall(
    r"\w+",
    "Alice Amy Andrew Barbara Ben Carol Charles Claire Colin Diana Edward Elaine Frank George Grace Hannah Harry Helen "
    "Ian Irene Jack Jane Joan Joseph Karen Keith Laura Leo Linda Lucy Mark Martin Megan Nancy Neil Olive Patrick Peter "
    "Rachel Roger Ruth Simon Stella Stephen Susan Theresa Victor Wendy",
)
FAMILY = re.findall(
    r"\w+",
    "Abbott Barker Baxter Bishop Bolton Brewer Burton Carr Chapman Coleman Cooper Curtis Dawson Dixon Ellis Farmer "
    "Fletcher Foster Fowler Gibson Goddard Hale Harper Hobbs Hudson Hunter Irving Jarvis Kemp Kirby Lambert Lawson "
    "Marlow Mason Morton Newman Norris Osborne Parsons Payne Porter Randall Rowe Sharp Slater Stone Tucker Vaughan",
)
STREETS = ("Acacia Road", "Bridge Street", "Chapel Lane", "Duke Street", "Edge Hill", "Farm Road", "Hill Rise")
TOWNS = ("Northwick", "Eastholm", "Southbury", "Westcote")


def ordinary() -> Iterator[IdentityRecord]:
    """Households of one to three people, whom one to three systems know by part of their data."""
    rng = random.Random(20261122)
    for house in range(HOUSEHOLDS):
        family, town = rng.choice(FAMILY), rng.randrange(len(TOWNS))
        landline = f"01632 961{house:03}"
        street, postcode = f"{rng.randint(1, 99)} {rng.choice(STREETS)}", f"ZZ{town + 1} {rng.randint(1, 9)}AB"
        for person, given in enumerate(rng.sample(GIVEN, rng.choice((1, 1, 2, 3)))):
            number = house * 3 + person
            whole = {
                "birth_date": f"{rng.randint(1940, 2005)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}",
                "email": f"{given}.{family}{number}@example.net".lower(),
                "phone": rng.choice((landline, f"07700 91{number:04}")),
                "street": street,
                "city": TOWNS[town],
                "postcode": postcode,
                "card_number": f"LC6{number:07}",
            }
            for system in rng.sample(("crm", "shop", "till"), rng.choice((1, 2, 3))):
                known = {name: value for name, value in whole.items() if rng.random() < 0.7}
                yield IdentityRecord(
                    Ref(system, "customers", f"person-{number}"), {"given_name": given, "family_name": family, **known}
                )


def everybody() -> list[IdentityRecord]:
    """All cases and the ordinary records."""
    return [*ordinary(), *(record for path in CASES for record in _read(path).records.values())]


@pytest.fixture(scope="module")
def found(config: IdentityFile, model: Model) -> Clustering:
    """Everybody, resolved at once."""
    records = everybody()
    forms = [normalise(record, config) for record in records]
    return cluster({form.ref: form for form in forms}, Resolver(config, model).score(forms, None), [], config)


@pytest.mark.parametrize("path", CASES, ids=[path.stem for path in CASES])
def test_a_hard_case(path: Path, found: Clustering, request: pytest.FixtureRequest) -> None:
    case = _read(path)
    if case.fails:
        request.applymarker(pytest.mark.xfail(reason=case.fails, strict=True, raises=AssertionError))
    assert not case.wrong(found), case.name


def test_cases_do_not_meet(found: Clustering) -> None:
    """A case that is merged with another's record, or with an ordinary one, says nothing about itself."""
    for one in found.clusters:
        assert len({ref.key.rpartition("-")[0] for ref in one.members}) == 1


def test_ordinary_people_are_told_apart(found: Clustering) -> None:
    """The company that the cases keep is as easy as meant: nobody merged wrongly, hardly anybody in two parts."""
    clusters = [one.members for one in found.clusters if min(one.members).key.startswith("person-")]
    people = {ref.key for members in clusters for ref in members}
    assert len(people) > 250
    assert all(len({ref.key for ref in members}) == 1 for members in clusters)
    assert len(clusters) - len(people) < 0.1 * len(people)


def test_a_full_run_by_columns_finds_the_same(found: Clustering, config: IdentityFile, model: Model) -> None:
    """Odd values go through the full run's own normalising as through the other."""
    batch = resolve_all(everybody(), config, model)
    people: dict[int, set[str]] = {}
    for row in batch.members.to_pylist():
        people.setdefault(row["cluster"], set()).add(row["ref"])
    assert set(map(frozenset, people.values())) == {frozenset(map(str, one.members)) for one in found.clusters}
    assert [(r["kind"], r["left"], r["right"], r["reason"]) for r in batch.review.to_pylist()] == [
        (item.kind, str(item.left), str(item.right), item.reason) for item in found.review
    ]
