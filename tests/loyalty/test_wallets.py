"""Points with a ledger of their own, memberships that begin in a second system: the laws of the merged view."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onevoice.configfile import load_project
from onevoice.configfile.loyalty_file import LoyaltyFile
from onevoice.loyalty import merge_memberships, next_change
from onevoice.model import LoyaltyStatus, Membership, PointExpiry, Ref, TierHold

TODAY = date(2026, 11, 22)
CRM, TILL, COPY = "salesforce", "square", "hubspot"


@pytest.fixture(scope="module")
def shipped(checkout: Any) -> LoyaltyFile:
    return load_project(checkout).loyalty


def card(system: str, key: str = "1", status: str = "Active", **changes: Any) -> Membership:
    return Membership(
        **{"source": Ref(system, "members", key), "programme": "club", "status": status, "points": {}, **changes}
    )


def lot(points: int | str, days: int, wallet: str = "points") -> PointExpiry:
    return PointExpiry(wallet, Decimal(points), TODAY + timedelta(days=days))


def merged(config: LoyaltyFile, *cards: Membership, as_of: date = TODAY) -> LoyaltyStatus:
    return merge_memberships(cards, config, as_of)["club"]


def test_only_the_wallets_ledger_is_added_up(shipped: LoyaltyFile) -> None:
    cards = [
        card(CRM, points={"points": Decimal(500)}, expiries=(lot(9, 1),)),
        card(COPY, points={"points": Decimal(70)}, expiries=(lot(9, 2),), tiers=(TierHold("gold", None, None),)),
        card(TILL, "a", points={"points": Decimal(30)}, expiries=(lot(30, 40), lot(0, 3), lot(-5, 4))),
        card(TILL, "b", points={"points": Decimal(-12)}, expiries=(lot(1, 50),)),
    ]
    found = merged(shipped, *cards)
    assert found.points == {"points": Decimal(18)}
    assert found.points_next_expiry_on == TODAY + timedelta(days=40)
    assert found.tier is None


def test_who_has_an_account_at_the_till_only_is_a_member_without_a_tier(shipped: LoyaltyFile) -> None:
    gold = (TierHold("gold", None, None),)
    found = merged(shipped, card(TILL, enrolled_on=date(2024, 1, 31), tiers=gold))
    assert (found.is_member, found.status, found.tier, found.has_perks) == (True, "active", None, False)
    assert (found.member_since, len(found.memberships)) == (date(2024, 1, 31), 1)


def test_a_suspension_in_the_system_of_record_is_not_laundered_by_an_account_at_the_till(shipped: LoyaltyFile) -> None:
    gold = (TierHold("gold", None, None),)
    found = merged(shipped, card(CRM, status="Suspended", tiers=gold), card(TILL, points={"points": Decimal(5)}))
    assert (found.is_member, found.has_perks, found.tier, found.restrictions) == (True, False, None, ("suspended",))
    assert found.points == {"points": Decimal(5)}


def test_a_ledger_in_which_nobody_joins_makes_no_member() -> None:
    config = LoyaltyFile.model_validate(
        {
            "main": "club",
            "statuses": {"Active": "active"},
            "programmes": {
                "club": {
                    "label": "Club",
                    "system_of_record": CRM,
                    "wallets": {"points": {"role": "redeemable", "system_of_record": TILL}},
                }
            },
        }
    )
    found = merged(config, card(TILL, points={"points": Decimal(5)}))
    assert (found.is_member, found.memberships, found.points) == (False, (), {"points": Decimal(5)})
    assert merge_memberships([card(COPY)], config, TODAY) == {}


@pytest.mark.parametrize(("days", "expected"), [(-1, None), (0, 0), (1, 1)])
def test_points_that_expire_today_are_still_to_be_told_of(
    shipped: LoyaltyFile, days: int, expected: int | None
) -> None:
    cards = [card(TILL, expiries=(lot(10, days),))]
    found = merged(shipped, *cards).points_next_expiry_on
    assert found == (None if expected is None else TODAY + timedelta(days=expected))
    assert next_change(cards, shipped, TODAY) == (None if expected is None else TODAY + timedelta(days=expected + 1))


def test_the_day_after_an_expiry_the_next_one_is_named(shipped: LoyaltyFile) -> None:
    cards = [card(TILL, expiries=(lot(10, 3), lot(5, 3), lot(7, 9)))]
    changes = next_change(cards, shipped, TODAY)
    assert changes == TODAY + timedelta(days=4)
    days = [merged(shipped, *cards, as_of=TODAY + timedelta(days=n)).points_next_expiry_on for n in (3, 4)]
    assert days == [TODAY + timedelta(days=3), TODAY + timedelta(days=9)]


MEMBERSHIPS = st.builds(
    card,
    st.sampled_from([CRM, TILL, COPY]),
    st.sampled_from(["1", "2", "3"]),
    st.sampled_from(["Active", "Pending", "Suspended", "Inactive", "Merged", "erased"]),
    points=st.fixed_dictionaries({}, optional={"points": st.decimals(-50, 500, places=1)}),
    enrolled_on=st.none() | st.dates(date(2026, 10, 1), TODAY),
    expiries=st.lists(st.builds(lot, st.integers(-5, 50), st.integers(-40, 40)), max_size=3).map(tuple),
    tiers=st.lists(
        st.builds(
            TierHold,
            st.sampled_from(["blue", "silver", "gold"]),
            st.none(),
            st.none() | st.dates(TODAY - timedelta(days=9), TODAY + timedelta(days=9)),
        ),
        max_size=2,
    ).map(tuple),
)


@settings(max_examples=150, deadline=None)
@given(cards=st.lists(MEMBERSHIPS, max_size=6), seed=st.integers(0, 9))
def test_order_repetition_and_copies_never_matter(shipped: LoyaltyFile, cards: list[Membership], seed: int) -> None:
    expected = merge_memberships(cards, shipped, TODAY)
    again = random.Random(seed).sample([*cards, *cards], 2 * len(cards))
    assert merge_memberships(again, shipped, TODAY) == expected
    assert next_change(again, shipped, TODAY) == next_change(cards, shipped, TODAY)
    without = [each for each in cards if each.source.system != COPY]
    assert merge_memberships(without, shipped, TODAY) == expected


@settings(max_examples=150, deadline=None)
@given(cards=st.lists(MEMBERSHIPS, max_size=5))
def test_nothing_changes_before_the_day_that_is_named(shipped: LoyaltyFile, cards: list[Membership]) -> None:
    now, changes = merge_memberships(cards, shipped, TODAY), next_change(cards, shipped, TODAY)
    last = changes - timedelta(days=1) if changes else TODAY + timedelta(days=400)
    assert merge_memberships(cards, shipped, last) == now
