"""The population: the same for the same seed, as hard as it has to be, and complete in its cases."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import pytest

from onevoice.sandbox.judge import Judge
from onevoice.sandbox.truth import CLASSES, same_mailbox
from onevoice.sandbox.world import build_world

CASES = {
    *(f"H{number:02d}" for number in range(1, 17) if number != 9),
    "H05b",
    "H09a",
    "H09b",
    "H09c",
}


def test_one_seed_gives_one_world_byte_for_byte(tmp_path: Path) -> None:
    dumps = []
    for run in ("first", "second"):
        world = build_world(5, 600)
        world.export_till(tmp_path / run)
        dumps.append(
            (
                world.salesforce.dump(),
                world.hubspot.dump(),
                world.truth.facts,
                world.truth.person_of,
                tmp_path.joinpath(run, "cards.csv").read_bytes(),
                tmp_path.joinpath(run, "receipts.jsonl").read_bytes(),
            )
        )
    assert dumps[0] == dumps[1]
    assert build_world(6, 600).salesforce.dump() != dumps[0][0]


@pytest.mark.parametrize("seed", [1, 20, 333])
def test_every_class_is_planted_for_any_seed(world_of, seed: int) -> None:
    summary = Judge(world_of(seed, 5000)).messages()["summary"]
    assert set(summary["by_class"]) == set(CLASSES)
    assert min(summary["by_class"].values()) >= 30, summary["by_class"]
    assert summary["contradictory"] >= 500


def test_5000_people_take_less_than_three_seconds() -> None:
    began = time.process_time()
    build_world(2, 5000)
    assert time.process_time() - began < 3


@pytest.mark.parametrize("seed", [1, 20])
def test_shares_of_the_systems(world_of, seed: int) -> None:
    world = world_of(seed, 5000)
    people_in: dict[str, Counter[int]] = {name: Counter() for name in ("salesforce", "hubspot", "till")}
    for (system, _, _), person in world.truth.person_of.items():
        people_in[system][person] += 1
    share = {system: len(people) / 5000 for system, people in people_in.items()}
    assert share["salesforce"] == pytest.approx(0.60, abs=0.04)
    assert share["hubspot"] == pytest.approx(0.75, abs=0.04)
    assert share["till"] == pytest.approx(0.45, abs=0.04)
    assert len(set().union(*people_in.values())) == 5000
    second = {person for system in ("salesforce", "hubspot") for person, n in people_in[system].items() if n > 1}
    assert 0.08 <= len(second) / 5000 <= 0.12


@pytest.mark.parametrize(("seed", "people"), [(1, 50), (20, 5000)])
def test_every_hard_case_is_there_with_records_that_exist(world_of, seed: int, people: int) -> None:
    world = world_of(seed, people)
    assert set(world.truth.hard_cases) == CASES
    for refs in world.truth.hard_cases.values():
        assert all(ref in world.truth.person_of for ref in refs)
    persons = {case: len({world.truth.person_of[ref] for ref in refs}) for case, refs in world.truth.hard_cases.items()}
    assert persons["H01"] == 3
    assert persons["H07"] == 12
    assert persons["H11"] == persons["H12"] == 2
    assert persons["H13"] == persons["H02"] == 1


def test_hard_cases_have_names_of_their_own_seed(world_of) -> None:
    def names(seed: int) -> set[str]:
        world = world_of(seed, 50)
        contacts = world.salesforce.tables["Contact"].rows
        refs = (ref for case in world.truth.hard_cases.values() for ref in case if ref[0] == "salesforce")
        return {contacts[ref[2]]["FirstName"] for ref in refs}

    assert len({frozenset(names(seed)) for seed in (1, 20, 333)}) == 3


def test_too_few_people_for_the_hard_cases() -> None:
    with pytest.raises(ValueError, match="49 people are too few"):
        build_world(1, 49)


def test_hubspot_holds_an_address_once(world_of) -> None:
    rows = world_of(1, 5000).hubspot.tables["contacts"].rows.values()
    addresses = [row["email"] for row in rows if row["email"]]
    assert len(addresses) == len(set(addresses))
    assert all(address == address.strip().lower() for address in addresses)


def test_till_cards_have_numbers_of_their_own(world_of) -> None:
    world = world_of(1, 5000)
    numbers = [draft.card for draft in world.cards]
    assert len(numbers) == len(set(numbers))
    assert {order.draft.card for order in world.receipts} <= set(numbers)


def test_households_share_mailboxes(world_of) -> None:
    world = world_of(1, 5000)
    owners: dict[str, set[int]] = {}
    for state, stream in ((world.salesforce, "Contact"), (world.hubspot, "contacts")):
        for key, row in state.tables[stream].rows.items():
            address = row.get("Email") or row.get("email")
            if address and not address.startswith(("test@", "noemail@", "none@", "a@a.com", "na@")):
                owners.setdefault(same_mailbox(address), set()).add(world.truth.person_of[state.name, stream, key])
    assert sum(len(people) > 1 for people in owners.values()) > 50


def test_seeded_stamps_lie_in_the_past_and_are_visible(world_of) -> None:
    world = world_of(20, 5000)
    for state in (world.salesforce, world.hubspot):
        for table in state.tables.values():
            assert len(table.seen()) == len(table)
            assert all(stamp < world.clock.now() for stamp in table.stamps.values())


def test_no_fact_changes_within_two_hours(world_of) -> None:
    """Nothing lies on the edge of a day: the same messages with the same verdicts at the end of a run."""
    world = build_world(9, 2000)
    before = Judge(world).messages()["summary"]
    world.clock.advance(2 * 3600)
    assert Judge(world).messages()["summary"] == before


def test_a_sign_up_is_older_than_any_opt_out_of_its_person(world_of) -> None:
    """A hub that lets the latest word of a customer decide finds the opt-out the latest."""
    world = world_of(1, 5000)
    table = world.hubspot.tables["subscriptions"]
    contact_of = {row["email"]: key for key, row in world.hubspot.tables["contacts"].rows.items()}
    mixed = 0
    for address, row in table.rows.items():
        person = world.truth.person_of["hubspot", "contacts", contact_of[address]]
        facts = world.truth.facts[person]
        times = [event["at"] for event in row["events"]]
        assert times == sorted(times)
        if row["status"] == "SUBSCRIBED":
            assert not facts.opt_outs
            assert not world.truth.opted_out(address)
        mixed += len(times) > 1
    assert mixed > 10
