"""Fields that adopt the vendor's first value, and fields that are only compared."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from onevoice.store import contradictions, outboxes

TIER = "onevoice_tier"
ADOPT = "onevoice_tier: {from: status.club.tier, mode: adopt}"
FILL = "onevoice_tier: {from: status.club.tier, owner: vendor}"
COMPARE = "onevoice_tier: {from: status.club.tier, mode: compare}"
PUSH = "onevoice_tier: {from: status.club.tier}"
MAPPING = "mappings/hubspot/contacts.yaml"


def member(bench: Any, tier: str | None = "Silver", until: str = "2027-06-30") -> None:
    """Ann holds a tier in the CRM and has a contact in the shop."""
    bench.crm.put("Contact", "c1", FirstName="Ann", LastName="Ash", Email="a@x.org")
    bench.crm.put("LoyaltyProgramMember", "m1", ContactId="c1", MemberStatus="Active", MembershipNumber="n1")
    if tier:
        bench.crm.put("LoyaltyMemberTier", "t1", LoyaltyMemberId="m1", Name=tier, EffectiveDate="2026-01-01")
        bench.crm.put("LoyaltyMemberTier", "t1", TierExpirationDate=until)
    bench.people.person = {"salesforce/Contact/c1": "ann", "hubspot/contacts/1": "ann"}


def shown(bench: Any) -> Any:
    return bench.shop.held("contacts", "1").get(TIER)


def test_an_adopted_value_stands_until_the_hubs_own_changes_and_is_the_hubs_from_then_on(bench: Any) -> None:
    bench.edit(MAPPING, PUSH, ADOPT)
    member(bench)
    bench.shop.put("contacts", "1", firstname="Ann", lastname="Ash", email="a@x.org", **{TIER: "platinum"})
    bench.cycle()
    assert shown(bench) == "platinum"
    assert bench.quiet()
    bench.shop.put("contacts", "1", **{TIER: "diamond"})  # somebody there goes on keeping the field
    bench.cycle()
    assert shown(bench) == "diamond"
    bench.crm.put("LoyaltyMemberTier", "t1", Name="Gold")
    bench.cycle()
    assert shown(bench) == "gold"
    assert bench.quiet()
    bench.shop.put("contacts", "1", **{TIER: "platinum"})
    bench.cycle()
    assert shown(bench) == "gold"
    bench.crm.put("LoyaltyMemberTier", "t1", Name="Silver")  # as it was when the value was adopted
    bench.cycle()
    assert shown(bench) == "silver"
    assert bench.quiet()


def test_a_value_that_comes_before_the_hub_ever_wrote_is_adopted_too(bench: Any) -> None:
    bench.edit(MAPPING, PUSH, ADOPT)
    member(bench, tier=None)
    bench.shop.put("contacts", "1", firstname="Ann", lastname="Ash", email="a@x.org")
    bench.cycle()
    bench.shop.put("contacts", "1", **{TIER: "platinum"})
    bench.cycle()
    assert shown(bench) == "platinum"
    assert bench.quiet()


def test_a_blank_is_filled_and_kept(bench: Any) -> None:
    bench.edit(MAPPING, PUSH, ADOPT)
    member(bench)
    bench.shop.put("contacts", "1", firstname="Ann", lastname="Ash", email="a@x.org")
    bench.cycle()
    assert shown(bench) == "silver"
    bench.shop.put("contacts", "1", **{TIER: "platinum"})
    bench.cycle()
    assert shown(bench) == "silver"


def test_what_the_hub_came_to_agree_with_is_its_own(bench: Any) -> None:
    bench.edit(MAPPING, PUSH, ADOPT)
    member(bench)
    bench.shop.put("contacts", "1", firstname="Ann", lastname="Ash", email="a@x.org", **{TIER: "gold"})
    bench.cycle()
    bench.crm.put("LoyaltyMemberTier", "t1", Name="Gold")
    bench.cycle()
    bench.crm.put("LoyaltyMemberTier", "t1", Name="Silver")
    bench.cycle()
    assert shown(bench) == "silver"


def test_a_change_that_never_left_ends_no_adoption(bench: Any) -> None:
    bench.edit(MAPPING, PUSH, ADOPT)
    member(bench)
    bench.shop.put("contacts", "1", firstname="Ann", lastname="Ash", email="a@x.org", **{TIER: "platinum"})
    bench.cycle()
    bench.shop.refuse = lambda stream, write: TIER in write.fields
    bench.crm.put("LoyaltyMemberTier", "t1", Name="Gold")
    bench.cycle()
    bench.shop.refuse = lambda stream, write: False
    bench.crm.put("LoyaltyMemberTier", "t1", Name="Silver")
    bench.cycle(minutes=600)
    assert shown(bench) == "platinum"


def test_a_compared_field_is_never_written_and_the_difference_is_told(bench: Any) -> None:
    bench.edit(MAPPING, PUSH, COMPARE)
    member(bench)
    bench.shop.put("contacts", "1", firstname="Ann", lastname="Ash", email="a@x.org", **{TIER: "platinum"})
    report = bench.cycle().stages["plan"]["plan"]
    told = "hubspot.contacts.onevoice_tier: 1 records hold another value (compared only)"
    assert report.notes == (told,)
    bench.crm.put("LoyaltyMemberTier", "t1", Name="Gold")
    bench.cycle()
    assert shown(bench) == "platinum"
    bench.shop.put("contacts", "1", **{TIER: "gold"})
    assert bench.cycle().stages["plan"]["plan"].notes == ()
    assert all(TIER not in fields for _, _, fields in bench.written())


def test_nothing_there_and_nothing_to_say_is_no_difference(bench: Any) -> None:
    """False against an empty field, an empty field against a day that has passed."""
    bench.edit("mappings/hubspot/lists.yaml", "transform: flag", "transform: flag, mode: compare")
    bench.edit(
        MAPPING, "{from: suppress.join, transform: date}", "{from: suppress.join, transform: date, mode: compare}"
    )
    bench.shop.put("contacts", "1", lastname="Ash", email="a@x.org", onevoice_no_join_until="2026-01-31")
    assert bench.cycle().stages["plan"]["plan"].notes == ()


def test_modes_may_be_switched_later(bench: Any) -> None:
    member(bench)
    bench.shop.put("contacts", "1", firstname="Ann", lastname="Ash", email="a@x.org", **{TIER: "platinum"})
    bench.edit(MAPPING, PUSH, COMPARE)
    bench.cycle()
    bench.edit(MAPPING, COMPARE, ADOPT)
    bench.cycle()
    assert shown(bench) == "platinum"
    bench.edit(MAPPING, ADOPT, PUSH)
    bench.cycle()
    assert shown(bench) == "silver"
    bench.edit(MAPPING, PUSH, COMPARE)
    bench.shop.put("contacts", "1", **{TIER: "platinum"})
    bench.cycle()
    assert shown(bench) == "platinum"
    assert bench.quiet()


def test_an_answer_lost_before_the_switch_does_not_make_a_compared_field_written(bench: Any) -> None:
    member(bench)
    bench.shop.put("contacts", "1", firstname="Ann", lastname="Ash", email="a@x.org", **{TIER: "platinum"})

    def lose(_stream: str, _writes: Any) -> None:
        raise KeyboardInterrupt

    bench.shop.before_write = lose
    with suppress(KeyboardInterrupt):
        bench.cycle()
    bench.shop.before_write = lambda _stream, _writes: None
    bench.edit(MAPPING, PUSH, COMPARE)
    bench.now += timedelta(hours=1)
    bench.cycle()
    assert shown(bench) == "platinum"


def test_a_system_that_was_only_read_so_far_has_its_values_adopted(bench: Any) -> None:
    """The field was read all along, because a gate looks at it."""
    bench.edit(MAPPING, PUSH, ADOPT)
    text = "    env_prefix: ONEVOICE_HUBSPOT\n    write: true"
    bench.edit("config/hub.yaml", text, text.replace("true", "false"))
    member(bench)
    bench.shop.put("contacts", "1", firstname="Ann", lastname="Ash", email="a@x.org", **{TIER: "platinum"})
    bench.cycle()
    assert {key for _, key, _ in bench.written()} == {"c1"}
    bench.edit("config/hub.yaml", text.replace("true", "false"), text)
    bench.cycle()
    assert shown(bench) == "platinum"
    assert bench.quiet()


def test_a_field_that_could_not_be_read_yet_is_not_written_over(bench: Any) -> None:
    line = "    onevoice_tier_until: {from: status.club.tier_until, transform: date}\n"
    bench.edit(MAPPING, line, "")
    member(bench)
    bench.shop.put("contacts", "1", firstname="Ann", lastname="Ash", email="a@x.org", onevoice_tier_until="2030-01-31")
    bench.cycle()
    bench.edit(MAPPING, "push:\n  fields:\n", "push:\n  fields:\n" + line.replace("date}", "date, mode: adopt}"))
    bench.cycle(skip=("pull",))
    assert bench.shop.held("contacts", "1")["onevoice_tier_until"] == "2030-01-31"
    bench.cycle()
    assert bench.shop.held("contacts", "1")["onevoice_tier_until"] == "2030-01-31"
    assert bench.quiet()


def test_an_edit_of_the_vendors_own_value_is_no_drift(bench: Any) -> None:
    """Adopted, compared, or left to the vendor: nothing of the hub's was overwritten there."""
    bench.edit(MAPPING, PUSH, ADOPT)
    bench.edit(
        MAPPING, "{from: status.club.tier_until, transform: date}", "{from: status.club.tier_until, mode: compare}"
    )
    member(bench)
    names = (TIER, "onevoice_tier_until", "onevoice_no_join_until")
    bench.shop.put("contacts", "1", lastname="Ash", email="a@x.org", **dict.fromkeys(names[:2], "2030-01-31"))
    bench.cycle()
    bench.shop.put("contacts", "1", **dict.fromkeys(names, "2031-01-31"))
    bench.cycle()
    with bench.hubs[-1].store.read() as connection:
        found = contradictions.drift_at(connection, bench.now)
    assert {row["field"] for row in found} == {"onevoice_no_join_until"}


class Killed(BaseException):
    """Stands in for the death of the process."""


def kill(_stream: str, _writes: Any) -> None:
    raise Killed


def a_fill_in_the_air(bench: Any, moment: str) -> None:
    """The hub fills a blank of the shop's, and dies before or after the vendor has done it."""
    bench.edit(MAPPING, PUSH, FILL)
    bench.shop.put("contacts", "1", firstname="Ann", lastname="Ash", email="a@x.org")
    member(bench)
    setattr(bench.shop, moment, kill)
    with pytest.raises(Killed):
        bench.cycle()
    setattr(bench.shop, moment, lambda _stream, _writes: None)


def test_what_people_fill_while_nobody_knows_of_the_hubs_own_fill_is_theirs(bench: Any) -> None:
    a_fill_in_the_air(bench, "before_write")
    bench.shop.put("contacts", "1", **{TIER: "founder"})
    bench.cycle()
    assert shown(bench) == "founder"
    assert bench.quiet()


def test_so_it_is_where_nothing_else_is_left_to_write(bench: Any) -> None:
    a_fill_in_the_air(bench, "before_write")
    with bench.hubs[-1].store.begin() as connection:
        row = outboxes.load_outbox(connection, ["hubspot/contacts/1"])["hubspot/contacts/1"]
        others = {name for name in row.fields if name != TIER}
        bench.shop.put("contacts", "1", **{name: row.fields[name] for name in others}, **{TIER: "founder"})
        outboxes.replace_outbox(connection, [], [replace(row, fields={TIER: row.fields[TIER]})], bench.now)
    bench.cycle()
    assert shown(bench) == "founder"
    assert bench.quiet()


def test_a_fill_of_which_nobody_knew_is_not_written_over_by_a_newer_one(bench: Any) -> None:
    a_fill_in_the_air(bench, "after_write")
    assert shown(bench) == "silver"
    bench.crm.put("LoyaltyMemberTier", "t1", Name="Gold")
    bench.cycle()
    assert shown(bench) == "silver"
    assert bench.quiet()
