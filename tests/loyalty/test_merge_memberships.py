"""The merged view of memberships: its table of statuses, its rules, and the laws it keeps."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onevoice.configfile.loyalty_file import LoyaltyFile
from onevoice.loyalty import canonical_status, merge_memberships, next_change
from onevoice.model import LoyaltyStatus, Membership, Ref, TierHold

TODAY = date(2026, 11, 22)
CONFIG = LoyaltyFile.model_validate(
    {
        "main": "club",
        "programmes": {
            "club": {
                "label": "Club",
                "system_of_record": "crm",
                "tiers": ["blue", "silver", "gold"],
                "tier_words": {"Oro": "gold"},
                "perks_from": "silver",
                "wallets": {"points": {"role": "redeemable"}, "status": {"role": "qualifying"}},
                "pending_days": 14,
                "cool_off_days": 30,
            },
            "partner": {"label": "Partner", "system_of_record": "vendor", "wallets": {"miles": {"role": "redeemable"}}},
        },
        "statuses": {
            "Active": "active",
            "Pending": "pending",
            "Blocked": "suspended",
            "Inactive": "closed",
            "Merged": "merged",
        },
    }
)


def card(key: str, status: str = "Active", **changes: Any) -> Membership:
    return Membership(
        **{"source": Ref("crm", "members", key), "programme": "club", "status": status, "points": {}, **changes}
    )


def merged(*cards: Membership, as_of: date = TODAY) -> LoyaltyStatus:
    return merge_memberships(cards, CONFIG, as_of)["club"]


def hold(tier: str, until: int | None = None, since: int = -100) -> TierHold:
    return TierHold(tier, TODAY + timedelta(days=since), None if until is None else TODAY + timedelta(days=until))


@pytest.mark.parametrize(
    ("status", "is_member", "has_perks"),
    [
        ("prospect", False, False),
        ("earning_nonmember", False, False),
        ("Pending", True, False),
        ("Active", True, True),
        ("grace", True, True),
        ("Blocked", True, False),
        ("lapsed", False, False),
        ("Inactive", False, False),
        ("Merged", False, False),
        ("erased", False, False),
        ("a word nobody listed", True, False),
    ],
)
def test_what_each_status_means(status: str, is_member: bool, has_perks: bool) -> None:
    found = merged(card("1", status, tiers=[hold("gold")]))
    assert (found.is_member, found.has_perks) == (is_member, has_perks)


@pytest.mark.parametrize("word", ["active", "ACTIVE", " Active "])
def test_case_and_blanks_of_a_status_do_not_matter(word: str) -> None:
    assert canonical_status(word, CONFIG) == "active"


@pytest.mark.parametrize(("days", "is_member"), [(0, True), (13, True), (14, False), (400, False)])
def test_an_unconfirmed_sign_up_counts_for_two_weeks(days: int, is_member: bool) -> None:
    found = merged(card("1", "Pending", enrolled_on=TODAY - timedelta(days=days)))
    assert (found.status, found.is_member) == ("pending", is_member)


@pytest.mark.parametrize(("days", "is_member"), [(-1, False), (0, True), (29, True), (30, False)])
def test_who_left_counts_as_a_member_while_cooling_off(days: int, is_member: bool) -> None:
    assert merged(card("1", "Inactive", ends_on=TODAY - timedelta(days=days))).is_member is is_member


def test_the_best_status_wins_and_restrictions_add_up() -> None:
    found = merged(card("1", "Blocked"), card("2", "Active", tiers=[hold("gold")]), card("3", "Inactive"))
    assert (found.status, found.is_member, found.tier) == ("active", True, "gold")
    assert (found.restrictions, found.has_perks) == (("suspended",), False)


def test_the_highest_tier_in_force_wins_and_the_next_one_follows() -> None:
    cards = [card("1", tiers=[hold("gold", 10)]), card("2", tiers=[hold("Silver", 40), hold("gold", -1)])]
    found = merged(*cards)
    assert (found.tier, found.tier_rank, found.tier_until) == ("gold", 3, TODAY + timedelta(days=10))
    assert next_change(cards, CONFIG, TODAY) == TODAY + timedelta(days=11)
    later = merged(*cards, as_of=TODAY + timedelta(days=11))
    assert (later.tier, later.tier_until) == ("silver", TODAY + timedelta(days=40))


def test_a_tier_holds_through_its_last_day() -> None:
    assert merged(card("1", tiers=[hold("gold", 0)])).tier == "gold"
    assert merged(card("1", tiers=[hold("gold", -1)])).tier is None


def test_of_equal_tiers_the_one_that_holds_longest_counts() -> None:
    found = merged(card("1", tiers=[hold("gold", 10)]), card("2", tiers=[hold("Oro", 20)]))
    assert found.tier_until == TODAY + timedelta(days=20)
    assert merged(card("1", tiers=[hold("gold", 10)]), card("2", tiers=[hold("gold")])).tier_until is None


def test_a_tier_that_begins_later_or_is_unknown_or_on_an_unusable_card_does_not_count() -> None:
    tiers = [hold("gold", 50, since=1), hold("platinum", 50)]
    assert merged(card("1", tiers=tiers), card("2", "Blocked", tiers=[hold("gold")])).tier is None


def test_perks_begin_with_the_tier_that_has_them() -> None:
    assert not merged(card("1", tiers=[hold("blue")])).has_perks
    assert merged(card("1", tiers=[hold("silver")])).has_perks


def test_points_are_added_only_where_they_may_be() -> None:
    found = merged(
        card("1", points={"points": Decimal("10.5"), "status": Decimal(100)}),
        card("2", points={"points": "-3", "gift": Decimal(7)}),
        card("3", "Blocked", points={"points": Decimal(50)}),
    )
    assert found.points == {"points": Decimal("7.5")}


def test_only_the_system_of_record_counts() -> None:
    copy = card("9", source=Ref("shop", "contacts", "9"), tiers=[hold("gold")], points={"points": Decimal(5)})
    assert merge_memberships([copy], CONFIG, TODAY) == {}
    assert merged(card("1"), copy) == merged(card("1"))


def test_two_states_of_one_record_count_once_whatever_their_order() -> None:
    states = [card("1", points={"points": Decimal(5)}), card("1", "Pending"), card("1", tiers=[hold("gold")])]
    assert len({repr(merged(*order)) for order in permutations(states)}) == 1
    assert len(merged(*states).memberships) == 1


def test_corporate_accounts_and_unknown_programmes_are_left_apart() -> None:
    assert merge_memberships([card("1", type="corporate"), card("2", programme="other")], CONFIG, TODAY) == {}


def test_programmes_are_never_mixed() -> None:
    miles = card("1", programme="partner", source=Ref("vendor", "members", "1"), points={"miles": Decimal(9)})
    found = merge_memberships([miles, card("1", points={"points": Decimal(1)})], CONFIG, TODAY)
    assert {name: status.points for name, status in found.items()} == {
        "club": {"points": Decimal(1)},
        "partner": {"miles": Decimal(9)},
    }


def test_member_since_is_the_first_enrolment() -> None:
    cards = [card("1", enrolled_on=date(2024, 5, 1)), card("2", "Inactive", enrolled_on=date(2020, 1, 1))]
    erased = card("3", "erased", enrolled_on=date(1999, 1, 1))
    found = merged(*cards, erased)
    assert found.member_since == date(2020, 1, 1)
    assert [ref.key for ref in found.memberships] == ["1", "2"]


around = st.integers(-60, 60).map(lambda days: TODAY + timedelta(days=days))
memberships = st.lists(
    st.builds(
        Membership,
        source=st.builds(Ref, st.sampled_from(["crm", "vendor", "shop"]), st.just("m"), st.sampled_from("abcdef")),
        programme=st.sampled_from(["club", "partner"]),
        status=st.sampled_from(
            ["Active", "Pending", "Blocked", "Inactive", "Merged", "grace", "lapsed", "erased", "?"]
        ),
        type=st.sampled_from(["individual", "corporate"]),
        enrolled_on=st.none() | around,
        ends_on=st.none() | around,
        tiers=st.lists(
            st.builds(TierHold, st.sampled_from(["blue", "silver", "Gold"]), st.none() | around, st.none() | around),
            max_size=3,
        ).map(tuple),
        points=st.dictionaries(st.sampled_from(["points", "miles", "status"]), st.decimals(-99, 99, places=1)),
    ),
    max_size=6,
)


@settings(max_examples=200, deadline=None)
@given(cards=memberships, random=st.randoms(use_true_random=False), as_of=around)
def test_order_and_duplicates_never_matter(cards: list[Membership], random: Any, as_of: date) -> None:
    again = cards + cards
    random.shuffle(again)
    assert merge_memberships(again, CONFIG, as_of) == merge_memberships(cards, CONFIG, as_of)
    assert next_change(again, CONFIG, as_of) == next_change(cards, CONFIG, as_of)


@settings(max_examples=200, deadline=None)
@given(cards=memberships, ahead=st.integers(1, 200))
def test_nothing_changes_before_the_day_of_change(cards: list[Membership], ahead: int) -> None:
    change, later = next_change(cards, CONFIG, TODAY), TODAY + timedelta(days=ahead)
    if change is None or later < change:
        assert merge_memberships(cards, CONFIG, later) == merge_memberships(cards, CONFIG, TODAY)


@settings(max_examples=200, deadline=None)
@given(cards=memberships, more=memberships)
def test_another_card_never_takes_membership_or_tier_away(cards: list[Membership], more: list[Membership]) -> None:
    """And it never lifts a restriction: what a further card adds is its own status, tier and points."""
    known = {card.source for card in cards}
    new = [card for card in more if card.source not in known]
    before, after = merge_memberships(cards, CONFIG, TODAY), merge_memberships(cards + new, CONFIG, TODAY)
    for name, status in before.items():
        assert after[name].is_member >= status.is_member
        assert (after[name].tier_rank or 0) >= (status.tier_rank or 0)
        assert set(after[name].restrictions) >= set(status.restrictions)
