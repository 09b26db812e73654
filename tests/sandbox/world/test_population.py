"""The population: the same for the same seed, as hard as it has to be, and complete in its cases."""

from __future__ import annotations

from collections import Counter, defaultdict
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
    *(f"C{number:02d}" for number in range(1, 5)),
    "james",
}


def test_one_seed_gives_one_world_byte_for_byte(tmp_path: Path) -> None:
    dumps = []
    for run in ("first", "second"):
        world = build_world(5, 600)
        world.export_till(tmp_path / run)
        dumps.append(
            (
                {name: vendor.dump() for name, vendor in world.vendors.items()},
                world.truth.facts,
                world.truth.person_of,
                tmp_path.joinpath(run, "cards.csv").read_bytes(),
                tmp_path.joinpath(run, "receipts.jsonl").read_bytes(),
            )
        )
    assert dumps[0] == dumps[1]
    assert build_world(6, 600).salesforce.dump() != dumps[0][0]["salesforce"]


@pytest.mark.parametrize("seed", [1, 20])
def test_every_class_is_planted_for_any_seed(messages_of, seed: int) -> None:
    summary = messages_of(seed, 5000)["summary"]
    assert set(summary["by_class"]) == set(CLASSES)
    assert min(summary["by_class"].values()) >= 30, summary["by_class"]
    assert summary["contradictory"] >= 500


@pytest.mark.parametrize("seed", [1, 20])
def test_shares_of_the_systems(world_of, seed: int) -> None:
    world = world_of(seed, 5000)
    people_in: dict[str, Counter[int]] = defaultdict(Counter)
    for (system, _, _), person in world.truth.person_of.items():
        people_in[system][person] += 1
    share = {system: len(people) / 5000 for system, people in people_in.items()}
    assert share["salesforce"] == pytest.approx(0.60, abs=0.04)
    assert share["hubspot"] == pytest.approx(0.75, abs=0.04)
    assert share["till"] == pytest.approx(0.45, abs=0.04)
    assert share["shopify"] == pytest.approx(0.45, abs=0.03)
    assert share["square"] == pytest.approx(0.40, abs=0.03)
    assert share["klaviyo"] == pytest.approx(0.55, abs=0.03)
    assert len(set().union(*people_in.values())) == 5000
    for system in ("shopify", "square", "klaviyo"):
        assert sum(n > 1 for n in people_in[system].values()) > 20, system
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
    assert persons["H13"] == persons["H02"] == persons["C01"] == persons["C04"] == persons["james"] == 1
    assert persons["C02"] == persons["C03"] == 2


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
    for state in world.vendors.values():
        for table in state.tables.values():
            assert len(table.seen()) == len(table)
            assert all(stamp < world.clock.now() for stamp in table.stamps.values())


def test_no_fact_changes_within_two_hours(world_of) -> None:
    """Nothing lies on the edge of a day: the same messages with the same verdicts at the end of a run."""
    world = build_world(9, 800)
    before = Judge(world).messages()["summary"]
    world.clock.advance(2 * 3600)
    assert Judge(world).messages()["summary"] == before


def test_a_sign_up_is_older_than_any_opt_out_of_its_person(world_of) -> None:
    """A hub that lets the latest word of a customer decide finds the opt-out the latest."""
    world = world_of(1, 5000)
    said: list[tuple[str, str, int, str, str]] = []  # channel, address, person, word, time
    for key, row in world.hubspot.tables["contacts"].rows.items():
        events = world.hubspot.tables["subscriptions"].rows.get(row["email"], {}).get("events", ())
        person = world.truth.person_of["hubspot", "contacts", key]
        assert [event["at"] for event in events] == sorted(event["at"] for event in events)
        said.extend(("email", row["email"], person, event["status"], event["at"]) for event in events)
    for key, row in world.shopify.tables["customers"].rows.items():
        person = world.truth.person_of["shopify", "customers", key]
        for channel, name, field in (("email", "email", "emailMarketing"), ("sms", "phone", "phoneMarketing")):
            if row[field]["updatedAt"]:
                said.append((channel, row[name], person, row[field]["state"], row[field]["updatedAt"]))
    for key, row in world.klaviyo.tables["profiles"].rows.items():
        person = world.truth.person_of["klaviyo", "profiles", key]
        for channel, name, field in (("email", "email", "email_marketing"), ("sms", "phone_number", "sms_marketing")):
            if row[field].get("consent_timestamp"):
                said.append((channel, row[name], person, row[field]["consent"], row[field]["consent_timestamp"]))
    yes = [entry for entry in said if entry[3] == "SUBSCRIBED"]
    assert len(yes) > 2000
    noes: dict[tuple[str, str], list[str]] = defaultdict(list)
    for channel, address, _, word, at in said:
        if word != "SUBSCRIBED":
            noes[channel, address].append(at)
    mixed = 0
    for channel, address, person, _, at in yes:
        opted_out = [o for o in world.truth.facts[person].opt_outs if o.channel == channel]
        assert all(at[:10] < opt_out.on.isoformat() for opt_out in opted_out), (channel, address)
        mixed += bool(opted_out) or world.truth.opted_out(address, channel)
        assert all(at < no for no in noes[channel, address]), (channel, address)
    assert mixed > 50


def test_the_shop_and_the_sender_hold_an_address_and_a_number_once(world_of) -> None:
    world = world_of(1, 5000)
    for rows, names in (
        (world.shopify.tables["customers"].rows, ("email", "phone")),
        (world.klaviyo.tables["profiles"].rows, ("email", "phone_number")),
    ):
        for name in names:
            held = [row[name] for row in rows.values() if row[name]]
            assert len(held) == len(set(held)) > 400
            assert all(value == value.lower() for value in held)


def test_loyalty_accounts_hang_on_numbers_of_their_own_and_their_deadlines_add_up(world_of) -> None:
    rows = world_of(1, 5000).square.tables["loyalty_accounts"].rows.values()
    numbers = [row["mapping"]["phone_number"] for row in rows]
    assert len(numbers) == len(set(numbers)) > 1000
    assert sum(row["balance"] < 0 for row in rows) > 3
    for row in rows:
        assert sum(deadline["points"] for deadline in row["expiring_point_deadlines"]) == max(row["balance"], 0)


def test_some_orders_of_the_tills_arrive_late_and_some_are_cancelled(world_of) -> None:
    world = world_of(1, 5000)
    rows = world.square.tables["orders"].rows.values()
    assert sum(row["updated_at"] > row["created_at"] for row in rows) > 50
    assert 10 < sum(row["state"] == "CANCELED" for row in rows) < len(rows) / 20
    full = sum(row["total_discount_money"]["amount"] == 0 for row in rows) / len(rows)
    assert full == pytest.approx(0.6, abs=0.05)


def test_james_is_gold_in_all_five_systems_and_every_discount_would_reach_him(world_of) -> None:
    world = world_of(20, 5000)
    refs = world.truth.hard_cases["james"]
    assert [ref[0] for ref in sorted(refs)] == ["hubspot", "klaviyo", "salesforce", "shopify", "square"]
    facts = world.truth.of(refs[0])
    assert facts.highest_tier(world.clock.now().date())[0].name == "Gold"
    assert facts.points() == 2480
    sent = {(e.message.ref[0], e.message.channel) for e in Judge(world).today() if e.message.ref in refs}
    assert {("salesforce", "email"), ("hubspot", "email"), ("shopify", "email"), ("klaviyo", "sms")} <= sent
