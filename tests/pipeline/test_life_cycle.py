"""Lives of customers, told as sequences: what happens to profiles and their ids when records come, change and go.

L1 to L7 through the real pull, resolve and unify on a store, with the shipped resolver and scripted vendors.
"""

from __future__ import annotations

import logging
import math
import random
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import pytest

from onevoice.pipeline.resolution import steward
from onevoice.store import identities, lookups, profiles
from onevoice.store import steward as questions

SIGNED = {"actor": "dana", "reason": "asked the customer"}
C1, C2, C3 = (f"salesforce/Contact/c{number}" for number in (1, 2, 3))
JOHN = {"FirstName": "John", "LastName": "Harbottle", "Email": "john.harbottle@posteo.net", "Birthdate": "1971-03-05"}


@dataclass
class Lives:
    """A bench, and what its store says of profiles."""

    bench: Any

    def put(self, **contacts: Mapping[str, Any]) -> None:
        """Change contacts at the vendor."""
        for key, fields in contacts.items():
            self.bench.crm.put("Contact", key, **fields)

    def card(self, key: str, contact: str, number: str) -> None:
        """A loyalty membership of a contact."""
        self.bench.crm.put(
            "LoyaltyProgramMember", key, ContactId=contact, MembershipNumber=number, MemberStatus="Active"
        )

    def sync(self) -> None:
        """A cycle that writes nothing."""
        report = self.bench.cycle(skip=("push", "verify"))
        assert report.exit_code == 0, report.as_dict()

    @property
    def hub(self) -> Any:
        return self.bench.hubs[-1]

    def ids(self) -> dict[str, str]:
        """Profile id by record."""
        with self.hub.store.read() as connection:
            return dict(identities.all_links(connection))

    def people(self) -> set[frozenset[str]]:
        found: dict[str, set[str]] = {}
        for ref, profile_id in self.ids().items():
            found.setdefault(profile_id, set()).add(ref)
        return {frozenset(refs) for refs in found.values()}

    def golden(self, profile_id: str) -> Mapping[str, Any]:
        with self.hub.store.read() as connection:
            return profiles.load_profiles(connection, [profile_id])[profile_id].golden

    def leads_to(self, profile_id: str) -> str | None:
        """The live profile behind an id; None when no record is left. Every id that was given is known."""
        with self.hub.store.read() as connection:
            known, current = lookups.redirects(connection, profile_id)
        assert known
        return current

    def happened(self, profile_id: str) -> list[tuple[str, str | None]]:
        """(kind, other id) of the events of an id, oldest first."""
        with self.hub.store.read() as connection:
            return [(event.kind, event.other_id) for event in lookups.load_history(connection, profile_id)]

    def asked(self) -> set[tuple[str, str, str]]:
        with self.hub.store.read() as connection:
            return {(item.kind, item.left, item.right) for item in questions.open_items(connection)}

    def resolve_anew(self) -> None:
        """A changed configuration makes everybody be resolved again."""
        limit = self.hub.config.identity.guards.max_records
        self.bench.edit("config/identity.yaml", f"max_records: {limit}", f"max_records: {limit + 1}")
        self.sync()


@pytest.fixture
def lives(bench: Any) -> Lives:
    bench.people = None
    return Lives(bench)


@pytest.fixture
def another_bench(bench: Any) -> Iterator[Callable[[], Any]]:
    """Benches like the first, each with a store and vendors of its own."""
    made = []

    def another() -> Any:
        folder = bench.project.parent
        made.append(
            replace(
                bench,
                database=f"sqlite:///{folder / f'{len(made)}.sqlite'}",
                people=None,
                crm=type(bench.crm)("salesforce", bench.crm.streams.values()),
                hubs=[],
                edited=True,
            )
        )
        return made[-1]

    yield another
    for one in made:
        for hub in one.hubs:
            hub.store.close()


def test_l1_a_bridge_merges_a_steward_parts_and_both_ids_are_back(lives: Lives) -> None:
    lives.put(
        c1={"FirstName": "Ann", "LastName": "Harbottle", "Email": "ann.h@posteo.net"},
        c2={"FirstName": "Ann", "LastName": "Harbottle", "MobilePhone": "07700 900111"},
    )
    lives.sync()
    before = lives.ids()
    assert before[C1] != before[C2]
    lives.put(
        c3={"FirstName": "Ann", "LastName": "Harbottle", "Email": "ann.h@posteo.net", "MobilePhone": "07700900111"}
    )
    lives.sync()
    (merged,) = set(lives.ids().values())
    assert merged in before.values()
    assert {lives.leads_to(profile_id) for profile_id in before.values()} == {merged}
    (lost,) = set(before.values()) - {merged}
    assert lives.happened(lost)[-1] == ("merged", merged)
    steward.split(lives.hub, C1, C2, **SIGNED)
    lives.sync()
    after = lives.ids()
    assert {ref: after[ref] for ref in before} == before
    assert after[C3] in before.values()
    assert {lives.leads_to(profile_id) for profile_id in before.values()} == set(before.values())
    lives.resolve_anew()
    assert lives.ids() == after


def test_l2_the_only_bridge_is_deleted_and_an_anchor(lives: Lives) -> None:
    lives.put(
        c1={"FirstName": "Ann", "LastName": "Harbottle", "Email": "ann.h@posteo.net"},
        c2={"FirstName": "Ann", "LastName": "Harbottle", "Email": "ann.h@posteo.net", "MobilePhone": "07700900111"},
        c3={"FirstName": "Ann", "LastName": "Harbottle", "MobilePhone": "07700900111"},
    )
    lives.sync()
    (whole,) = set(lives.ids().values())
    lives.bench.crm.delete("Contact", "c2")
    lives.sync()
    parted = lives.ids()
    assert parted.keys() == {C1, C3}
    assert parted[C1] != parted[C3]
    assert whole in parted.values()


def test_l2_the_id_stays_when_the_record_that_founded_it_is_deleted(lives: Lives) -> None:
    lives.put(c1=JOHN)
    lives.sync()
    founded = lives.ids()[C1]
    lives.put(c2={**JOHN, "MobilePhone": "07700900111"})
    lives.sync()
    lives.bench.crm.delete("Contact", "c1")
    lives.sync()
    assert lives.ids() == {C2: founded}
    lives.put(c1=JOHN)
    lives.sync()
    assert lives.ids() == {C1: founded, C2: founded}


def test_l2_a_person_who_is_gone_and_comes_back_has_the_same_id(lives: Lives) -> None:
    lives.put(c1=JOHN)
    lives.sync()
    founded = lives.ids()[C1]
    lives.bench.crm.delete("Contact", "c1")
    lives.sync()
    assert lives.ids() == {}
    assert lives.leads_to(founded) is None
    lives.put(c1=JOHN)
    lives.sync()
    assert lives.ids() == {C1: founded}
    assert lives.leads_to(founded) == founded
    assert lives.happened(founded)[-1] == ("restored", None)


ERASED = {
    "FirstName": "Zebedee",
    "LastName": "Quillfeather",
    "Email": "zebedee.q@posteo.net",
    "MobilePhone": "07700 900145",
    "MailingStreet": "7 Rope Walk",
    "MailingPostalCode": "QX9 9ZZ",
    "Birthdate": "1961-09-08",
    "HasOptedOutOfEmail": "true",
}
TRACES = (
    "zebedee",
    "quillfeather",
    "7700900145",
    "07700 900145",
    "lc77700145",
    "rope walk",
    "qx9 9zz",
    "qx99zz",
    "1961-09-08",
)


def traces(database: str) -> set[tuple[str, str]]:
    """(table, column) of every place of the store that holds a value of the erased person."""
    with closing(sqlite3.connect(database.removeprefix("sqlite:///"))) as store:
        tables = [name for (name,) in store.execute("select name from sqlite_master where type = 'table'")]
        found = set()
        for table in tables:
            rows = store.execute(f'select * from "{table}"')
            columns = [column[0] for column in rows.description]
            found |= {
                (table, column)
                for row in rows
                for column, value in zip(columns, row, strict=True)
                if any(trace in str(value).lower() for trace in TRACES)
            }
    return found


def test_l3_what_a_deletion_at_the_source_leaves(lives: Lives, caplog: pytest.LogCaptureFixture) -> None:
    """Golden fields, edges, questions, blocking keys and raw records forget; two things are kept on purpose.

    The address of an opt-out stays, so that it is not written to again, and the log of decisions keeps the facts that
    they stood on. Both are a matter for an erasure, which is more than a deletion.
    """
    kin = {**ERASED, "MobilePhone": "07700 900146", "Birthdate": "1990-01-20"}
    caplog.set_level(logging.DEBUG)
    broken = {**ERASED, "Email": f"{'z' * 400}@posteo.net"}
    lives.put(c1=ERASED, c2=ERASED, c3=kin, c4=broken)
    lives.card("m1", "c1", "LC77700145")
    lives.bench.cycle()
    assert frozenset((C1, C2)) in lives.people()
    assert lives.asked()
    assert {table for table, _ in traces(lives.bench.database)} >= {
        *("record", "item", "contact_point", "quarantine", "identity_record", "card", "profile")
    }
    for key in ("c1", "c2", "c3", "c4"):
        lives.bench.crm.delete("Contact", key)
    lives.bench.crm.delete("LoyaltyProgramMember", "m1")
    lives.bench.cycle()
    assert lives.ids() == {}
    assert not lives.asked()
    with lives.hub.store.read() as connection:
        assert identities.edges_of(connection, (C1, C2)) == []
    assert traces(lives.bench.database) <= {("consent_event", "contact_point"), ("decision_log", "facts")}
    assert not any(trace in caplog.text.lower() for trace in TRACES)


def test_l3_the_golden_record_forgets_what_only_the_deleted_record_said(lives: Lives) -> None:
    lives.put(c1=ERASED, c2={"FirstName": "Zebedee", "LastName": "Quillfeather", "Email": ERASED["Email"]})
    lives.sync()
    (profile_id,) = set(lives.ids().values())
    assert lives.golden(profile_id)["phone"] == "+447700900145"
    lives.bench.crm.delete("Contact", "c1")
    lives.sync()
    assert lives.ids() == {C2: profile_id}
    assert set(lives.golden(profile_id)) == {"given_name", "family_name", "email"}
    with lives.hub.store.read() as connection:
        told = profiles.load_provenance(connection, profile_id)
    assert {entry["source"] for entry in told.values()} == {C2}
    assert not any(entry["losing"] for entry in told.values())


def test_l4_another_given_name_at_the_source_parts_two_records(lives: Lives) -> None:
    lives.put(c1=JOHN)
    lives.sync()
    founded = lives.ids()[C1]
    lives.put(c2={**JOHN, "MobilePhone": "07700900111"})
    lives.sync()
    assert lives.people() == {frozenset((C1, C2))}
    lives.put(c2={"FirstName": "Peter"})
    lives.sync()
    assert lives.people() == {frozenset((C1,)), frozenset((C2,))}
    assert lives.ids()[C1] == founded
    assert lives.golden(founded)["given_name"] == "John"
    assert "phone" not in lives.golden(founded)
    lives.put(c2={"FirstName": "John"})
    lives.sync()
    assert set(lives.ids().values()) == {founded}
    assert lives.golden(founded)["phone"] == "+447700900111"


def arrivals(count: int) -> dict[str, dict[str, str]]:
    """Records of households whose members share mail boxes, numbers and houses; many are known twice."""
    rng = random.Random(count)
    records = {}
    for number in range(count):
        house = rng.randrange(count // 4)
        given, family = rng.choice(("Ann", "Anna", "A.", "Tom", "Emma", "Ella")), f"Harb{chr(97 + house % 26)}ttle"
        whole = {
            "FirstName": given,
            "LastName": family,
            "Email": rng.choice((f"{given[:3]}.{house}@posteo.net", f"home{house}@posteo.net")),
            "MobilePhone": rng.choice((f"07700 90{house:04}", "01999 555000")),
            "Birthdate": f"19{50 + house % 40}-0{1 + len(given)}-11",
            "MailingStreet": f"{house} High Street",
            "MailingPostalCode": "LS1 1AA",
        }
        kept = {name: value for name, value in whole.items() if name.endswith("Name") or rng.random() < 0.6}
        records[f"c{number:04}"] = kept
    return records


def arrive(bench: Any, keys: Sequence[str], records: Mapping[str, Mapping[str, str]], batches: int) -> Lives:
    """The records one batch after another, a sync after each."""
    lives = Lives(bench)
    size = math.ceil(len(keys) / batches)
    for start in range(0, len(keys), size):
        lives.put(**{key: records[key] for key in keys[start : start + size]})
        bench.cycle(only=("pull", "resolve", "unify"), minutes=1)
    return lives


def founded(lives: Lives) -> dict[frozenset[str], str]:
    """Profile id by its records, of profiles that records only joined: none was elsewhere before."""
    members: dict[str, set[str]] = {}
    for ref, profile_id in lives.ids().items():
        members.setdefault(profile_id, set()).add(ref)
    return {
        frozenset(refs): profile_id
        for profile_id, refs in members.items()
        if {kind for kind, _ in lives.happened(profile_id)} == {"created"}
    }


@pytest.mark.parametrize(
    "count",
    [pytest.param(60, marks=pytest.mark.slow), pytest.param(1000, marks=[pytest.mark.long, pytest.mark.timeout(1800)])],
)
def test_l5_any_batching_ends_with_the_same_people(another_bench: Callable[[], Any], count: int) -> None:
    """An id once given stays, so ids are the same where no record was elsewhere for a while; in reverse, another
    record comes first and gives its own."""
    records = arrivals(count)
    keys = sorted(records)
    runs = [arrive(another_bench(), keys, records, batches) for batches in (1, 10, count)]
    people = runs[0].people()
    assert 1 < len(people) < count
    assert all(run.people() == people for run in runs)
    ids = [founded(run) for run in runs]
    alike = set.intersection(*(set(own) for own in ids))
    assert len(alike) > len(people) / 2
    assert all(own[refs] == ids[0][refs] for own in ids for refs in alike)
    backwards = arrive(another_bench(), keys[::-1], records, 10)
    assert backwards.people() == people


def test_l6_a_card_moves_to_somebody_else_and_history_stays(lives: Lives) -> None:
    lives.put(
        c1={**JOHN, "MailingStreet": "3 Church Walk", "MailingPostalCode": "QX1 1AB"},
        c2={
            "FirstName": "Edith",
            "LastName": "Harbottle",
            "MailingStreet": "3 Church Walk",
            "MailingPostalCode": "QX1 1AB",
        },
    )
    lives.card("m1", "c1", "LC77700901")
    lives.sync()
    before = lives.ids()
    told = {profile_id: lives.happened(profile_id) for profile_id in before.values()}
    assert lives.golden(before[C1])["card_number"] == "LC77700901"
    lives.card("m1", "c2", "LC77700901")
    lives.sync()
    assert lives.ids() == before
    assert {profile_id: lives.happened(profile_id) for profile_id in before.values()} == told
    assert "card_number" not in lives.golden(before[C1])
    assert lives.golden(before[C2])["card_number"] == "LC77700901"


def two_accounts(lives: Lives) -> dict[str, str]:
    """Two profiles of John, each with a card; then his mail box in both."""
    lives.put(c1=JOHN, c2={**JOHN, "Email": None, "Birthdate": None, "MobilePhone": "07700900111"})
    lives.card("m1", "c1", "LC77700901")
    lives.card("m2", "c2", "LC77700902")
    lives.sync()
    before = lives.ids()
    assert before[C1] != before[C2]
    lives.put(c2={"Email": JOHN["Email"], "Birthdate": JOHN["Birthdate"]})
    lives.sync()
    return before


def test_l7_two_loyalty_accounts_are_asked_about(lives: Lives) -> None:
    lives.bench.edit("config/identity.yaml", "guards:\n", "guards:\n  two_accounts: ask\n")
    before = two_accounts(lives)
    assert lives.ids() == before
    assert {(left, right) for _, left, right in lives.asked()} == {(C1, C2)}
    steward.merge(lives.hub, C1, C2, **SIGNED)
    lives.sync()
    assert lives.people() == {frozenset((C1, C2))}
    assert not lives.asked()
    lives.resolve_anew()
    assert lives.people() == {frozenset((C1, C2))}


def test_l7_by_default_they_merge_and_a_task_is_opened(lives: Lives) -> None:
    before = two_accounts(lives)
    assert lives.people() == {frozenset((C1, C2))}
    assert set(lives.ids().values()) < set(before.values())
    assert lives.asked() == {("accounts", C1, C2)}
