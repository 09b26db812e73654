"""A family that a customer gets once: one record carries it, the same one every day, and the others hold it back."""

from __future__ import annotations

from typing import Any

from onevoice.store import contradictions

FOREVER = "9999-12-31"
CRM_FOREVER = "4000-12-31"
BIRTH = "1990-11-24"  # two days after the bench's first day


def ann(bench: Any, **born: str | None) -> None:
    """Ann has a record in each of three systems, with these dates of birth (left out: the same one)."""
    dates = {"salesforce": BIRTH, "hubspot": BIRTH, "klaviyo": BIRTH, **born}
    bench.crm.put("Contact", "c1", FirstName="Ann", LastName="Ash", Email="a@x.org", Birthdate=dates["salesforce"])
    bench.shop.put("contacts", "1", firstname="Ann", lastname="Ash", email="a@x.org", date_of_birth=dates["hubspot"])
    sender = bench.others["klaviyo"]
    sender.put("profiles", "p1", first_name="Ann", last_name="Ash", email="a@x.org")
    sender.put("profiles", "p1", **{"properties.birth_date": dates["klaviyo"]})
    bench.people.person = dict.fromkeys(("salesforce/Contact/c1", "hubspot/contacts/1", "klaviyo/profiles/p1"), "ann")


def carriers(bench: Any) -> set[str]:
    """Systems in which the birthday reward is not held back."""
    held = {
        "salesforce": bench.crm.held("Contact", "c1").get("onevoice_no_birthday_until__c") == CRM_FOREVER,
        "hubspot": bench.shop.held("contacts", "1").get("onevoice_no_birthday_until") == FOREVER,
        "klaviyo": bench.others["klaviyo"]
        .held("profiles", "p1")
        .get("properties", {})
        .get("onevoice_no_birthday_until")
        == FOREVER,
    }
    return {system for system, stopped in held.items() if not stopped}


def told_twice(bench: Any) -> set[str]:
    """Systems of which it is told that they would give it for a second time."""
    with bench.hubs[-1].store.read() as connection:
        rows = contradictions.all_open(connection)
    return {row["ref"].partition("/")[0] for row in rows if row["family"] == "birthday"}


def test_the_first_system_in_order_carries_it_and_the_others_are_told_of_until_they_hold_it_back(wide: Any) -> None:
    ann(wide)
    wide.cycle(skip=("push", "verify"))
    assert told_twice(wide) == {"salesforce", "hubspot"}
    wide.cycle()
    assert carriers(wide) == {"klaviyo"}
    assert told_twice(wide) == set()
    assert wide.quiet()


def test_the_choice_does_not_wander_with_the_days_or_when_the_reward_is_given(wide: Any) -> None:
    ann(wide)
    wide.cycle()
    wide.others["klaviyo"].put("profiles", "p1", **{"properties.birthday_reward_on": "2026-11-22"})
    wide.cycle()
    held = wide.others["klaviyo"].held("profiles", "p1")["properties"]["onevoice_no_birthday_until"]
    assert held == "2027-09-17"
    wide.cycle(minutes=400 * 24 * 60)
    assert carriers(wide) == {"klaviyo"}
    assert wide.quiet()


def test_a_record_with_another_date_of_birth_comes_last_and_one_without_never(wide: Any) -> None:
    ann(wide, klaviyo="1990-01-01", hubspot=None)
    wide.cycle()
    assert "salesforce" in carriers(wide)
    assert "klaviyo" not in carriers(wide)


def test_an_opted_out_or_suppressed_record_hands_it_on_and_takes_it_back(wide: Any) -> None:
    ann(wide)
    sender = wide.others["klaviyo"]
    sender.put("profiles", "p1", email="other@x.org", email_suppressed=True)
    wide.cycle()
    assert "hubspot" in carriers(wide)
    assert "salesforce" not in carriers(wide)
    sender.put("profiles", "p1", email_suppressed=False)
    wide.cycle()
    assert carriers(wide) == {"klaviyo"}
    sender.suppress("p1", "HARD_BOUNCE", wide.now)
    wide.cycle()
    assert "hubspot" in carriers(wide)
    assert wide.quiet()


def test_after_a_merge_one_record_carries_it_and_after_taking_apart_each_its_own(wide: Any) -> None:
    ann(wide)
    together, wide.people.person = wide.people.person, {}
    wide.cycle()
    assert carriers(wide) == {"salesforce", "hubspot", "klaviyo"}
    wide.people.person = together
    wide.shop.put("contacts", "1", city="Bath")
    wide.cycle()
    assert carriers(wide) == {"klaviyo"}
    wide.people.person = {}
    wide.shop.put("contacts", "1", city="York")
    wide.cycle()
    assert carriers(wide) == {"salesforce", "hubspot", "klaviyo"}
    assert wide.quiet()


def test_another_order_in_the_file_is_followed_at_once(wide: Any) -> None:
    ann(wide)
    wide.cycle()
    wide.edit("config/offers.yaml", "by: [klaviyo, hubspot, salesforce]", "by: [hubspot, klaviyo]")
    wide.cycle()
    assert carriers(wide) == {"hubspot"}
    assert wide.quiet()


def test_of_two_records_in_one_system_one_carries_it(wide: Any) -> None:
    for key in ("p2", "p1"):
        wide.others["klaviyo"].put("profiles", key, last_name="Ash", email=f"{key}@x.org")
        wide.others["klaviyo"].put("profiles", key, **{"properties.birth_date": BIRTH})
    wide.people.person = {"klaviyo/profiles/p1": "ann", "klaviyo/profiles/p2": "ann"}
    wide.cycle()
    untils = [
        wide.others["klaviyo"].held("profiles", key)["properties"].get("onevoice_no_birthday_until")
        for key in ("p1", "p2")
    ]
    assert untils == [None, FOREVER]
