"""The shipped rules against the business's own statement, written down a second time and in another way."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from onevoice.configfile.loyalty_file import LoyaltyFile
from onevoice.configfile.offers_file import OffersFile
from onevoice.configfile.suppression_file import SuppressionFile
from onevoice.model import FOREVER, Decision
from onevoice.policy import Policy, compile_policy, facts_table

TODAY = date(2026, 11, 22)
PROMOTIONAL = {
    *("join", "discount", "first_order", "win_back", "cart_reminder", "tier_perk", "birthday"),
    *("welcome", "tier_nudge"),
}
CONSENT = {"email": "email_denied", "sms": "sms_denied"}
"""Channel -> the fact that stops it; a line on a till receipt needs no consent."""

near = st.integers(-120, 40).map(lambda days: TODAY + timedelta(days=days))
moments = st.tuples(near, st.sampled_from([0, 10, 23])).map(
    lambda t: datetime(t[0].year, t[0].month, t[0].day, t[1], tzinfo=UTC)
)
tiers = st.sampled_from([(None, 0), ("blue", 1), ("silver", 2), ("gold", 3)])


@st.composite
def customers(draw: st.DrawFn) -> dict[str, Any]:
    """Facts as the hub derives them: what is known not to be is false or 0."""
    status = draw(st.sampled_from([None, "active", "pending", "suspended", "closed", "merged"]))
    tier, rank = draw(tiers) if status == "active" else (None, 0)
    orders = draw(st.integers(0, 3))
    last = draw(moments) if orders else None
    return {
        "email_denied": draw(st.booleans()),
        "sms_denied": draw(st.booleans()),
        "points": draw(st.none() | st.integers(-5, 500)),
        "points_next_expiry_on": draw(st.none() | near),
        "birthday_reward_on": draw(st.none() | near),
        "welcome_reward_on": draw(st.none() | near),
        "last_full_price_on": draw(st.none() | near) if orders else None,
        "bought_cart_on": draw(st.none() | near) if orders else None,
        "open_cart_on": draw(st.none() | near),
        "open_complaint": draw(st.booleans()),
        "complaint_closed_on": draw(st.none() | near),
        "is_member": status in {"active", "pending", "suspended"},
        "membership_status": status,
        "tier": tier,
        "tier_rank": rank,
        "tier_until": draw(st.none() | near) if rank else None,
        "orders_total": orders,
        "last_order_at": last,
        "last_order_on": last.date() if last else None,
    }


def stated(facts: Mapping[str, Any], family: str, channel: str, today: date) -> str | None:
    """The class that forbids the family on the channel, in the order in which the layers name them, or None."""
    holds = facts["tier_rank"] >= 2 and (facts["tier_until"] is None or facts["tier_until"] >= today)
    closed, bought, waiting = facts["complaint_closed_on"], facts["bought_cart_on"], facts["open_cart_on"]
    full, birthday, expiry = facts["last_full_price_on"], facts["birthday_reward_on"], facts["points_next_expiry_on"]
    expires_soon = expiry is not None and today <= expiry <= today + timedelta(days=30)
    gold = facts["tier_rank"] == 3 and holds
    grounds = [
        ("K4", channel in CONSENT and facts[CONSENT[channel]]),
        ("K8", family in PROMOTIONAL and (facts["open_complaint"] or (closed and today < closed + timedelta(days=7)))),
        ("K1", family == "join" and facts["membership_status"] in {"active", "pending", "suspended"}),
        ("K9", family == "tier_perk" and not holds),
        ("K10", family == "birthday" and birthday is not None and (today - birthday).days < 300),
        ("K16", family in {"first_order", "welcome"} and facts["orders_total"] > 0),
        ("K10", family == "welcome" and facts["welcome_reward_on"] is not None),
        ("K6", family == "points_balance" and facts["points"] is None),
        ("K18", family == "points_expiry" and not expires_soon),
        ("K19", family == "tier_nudge" and gold),
        ("K2", family == "discount" and full is not None and (today - full).days < 14),
        ("K13", family == "cart_reminder" and bought is not None and (today - bought).days <= 30),
        ("K3", family == "win_back" and facts["last_order_on"] and (today - facts["last_order_on"]).days < 90),
        ("K3", family == "win_back" and holds),
        ("K7", family == "win_back" and waiting is not None and (today - waiting).days <= 7),
    ]
    return next((name for name, ground in grounds if ground), None)


def named(policy: Policy, decision: Decision) -> dict[tuple[str, str], str | None]:
    found: dict[tuple[str, str], str | None] = dict.fromkeys(places(policy))
    return found | {(denial.family, denial.channel): policy.by_id[denial.rule].code for denial in decision.denials}


def places(policy: Policy) -> list[tuple[str, str]]:
    return [(family, channel) for family, channels in policy.channels_of.items() for channel in channels]


@settings(max_examples=300, deadline=None)
@given(facts=customers(), ahead=st.integers(-10, 100))
def test_decided_as_the_business_states_it(policy: Policy, facts: dict[str, Any], ahead: int) -> None:
    today = TODAY + timedelta(days=ahead)
    found = named(policy, policy.decide(facts, today))
    assert found == {place: stated(facts, *place, today) for place in places(policy)}


@settings(max_examples=200, deadline=None)
@given(facts=customers())
def test_an_end_is_the_last_day_and_does_not_move(policy: Policy, facts: dict[str, Any]) -> None:
    """With the same facts a rule denies to the end of its `until`, which is the same every day, and then is over."""
    for rule in policy.rules:
        row = policy.typed(facts, TODAY)
        if not rule.fires(row) or (until := rule.last_day(row)) == FOREVER:
            continue
        while row["as_of"] <= until:
            assert rule.fires(row)
            assert rule.last_day(row) == until
            row = policy.typed(facts, row["as_of"] + timedelta(days=1))
        assert not rule.fires(row)


@settings(max_examples=200, deadline=None)
@given(facts=customers())
def test_quiet_days_decide_the_same(policy: Policy, facts: dict[str, Any]) -> None:
    """From day to day a decision stays to the letter, untils included, but on the days it named itself."""
    before = policy.decide(facts, TODAY)
    for ahead in range(1, 120):
        today = TODAY + timedelta(days=ahead)
        after = policy.decide(facts, today)
        if before.valid_until is None or today < before.valid_until:
            assert after.denials == before.denials
        before = after


@settings(max_examples=200, deadline=None)
@given(facts=customers(), ahead=st.integers(1, 200))
def test_nothing_changes_before_valid_until(policy: Policy, facts: dict[str, Any], ahead: int) -> None:
    decision = policy.decide(facts, TODAY)
    day = TODAY + timedelta(days=ahead)
    assume(decision.valid_until is None or day < decision.valid_until)
    assert policy.decide(facts, day).denials == decision.denials


@settings(max_examples=100, deadline=None)
@given(
    rows=st.lists(
        customers().flatmap(
            lambda facts: st.sets(st.sampled_from(sorted(facts)), max_size=4).map(
                lambda out: {**facts, **dict.fromkeys(out)}
            )
        ),
        min_size=1,
        max_size=20,
    ),
    ahead=st.integers(-10, 100),
)
def test_many_at_once_are_decided_like_one_by_one(policy: Policy, rows: list[dict[str, Any]], ahead: int) -> None:
    today = TODAY + timedelta(days=ahead)
    assert list(policy.decide_many(facts_table(rows, policy.facts), today)) == [
        policy.decide(row, today) for row in rows
    ]


def test_the_last_day_is_the_last_day_in_bulk_too(policy: Policy) -> None:
    facts = {"email_denied": False, "open_complaint": False, "last_order_on": TODAY - timedelta(days=89)}
    decision = policy.decide_many(facts_table([facts], policy.facts), TODAY)[0]
    assert {d.family: d.until for d in decision.denials}["win_back"] == TODAY


def test_a_table_may_lack_facts_and_have_others(policy: Policy) -> None:
    table = facts_table([{"email_denied": False, "country": "GB"}] * 2, ["email_denied", "country"])
    assert policy.decide_many(table, TODAY)[:] == [policy.decide({"email_denied": False}, TODAY)] * 2


@settings(max_examples=100, deadline=None)
@given(facts=customers(), lost=st.sampled_from(["email_denied", "open_complaint"]))
def test_losing_a_fact_never_allows_in_the_first_layers(policy: Policy, facts: dict[str, Any], lost: str) -> None:
    before = {denial.family for denial in policy.decide(facts, TODAY).denials}
    after = {denial.family for denial in policy.decide({**facts, lost: None}, TODAY).denials}
    assert before <= after


@settings(max_examples=50, deadline=None)
@given(facts=customers(), seed=st.integers())
def test_the_order_of_rules_means_nothing(
    offers: OffersFile,
    suppression: SuppressionFile,
    loyalty: LoyaltyFile,
    policy: Policy,
    facts: dict[str, Any],
    seed: int,
) -> None:
    rules = list(suppression.rules)
    random.Random(seed).shuffle(rules)
    shuffled = compile_policy(offers, suppression.model_copy(update={"rules": rules}), loyalty)
    assert shuffled.version == policy.version
    assert shuffled.decide(facts, TODAY) == policy.decide(facts, TODAY)


@settings(max_examples=60, deadline=None)
@given(facts=customers(), place=st.integers(0, 10))
def test_another_rule_never_allows_anything(
    offers: OffersFile,
    suppression: SuppressionFile,
    loyalty: LoyaltyFile,
    policy: Policy,
    facts: dict[str, Any],
    place: int,
) -> None:
    fewer = [rule for number, rule in enumerate(suppression.rules) if number != place]
    without = compile_policy(offers, suppression.model_copy(update={"rules": fewer}), loyalty)
    assert without.version != policy.version
    all_rules = {(denial.family, denial.channel): denial for denial in policy.decide(facts, TODAY).denials}
    for denial in without.decide(facts, TODAY).denials:
        place = denial.family, denial.channel
        assert place in all_rules
        assert denial.until <= all_rules[place].until
        assert replace(denial, fired=()).layer >= all_rules[place].layer


def test_facts_may_come_as_json(policy: Policy) -> None:
    facts = {"email_denied": False, "last_order_on": "2026-11-01", "open_cart_on": "2026-11-20"}
    typed = {**facts, "last_order_on": date(2026, 11, 1), "open_cart_on": date(2026, 11, 20)}
    assert policy.decide(facts, TODAY) == policy.decide(typed, TODAY)


@pytest.mark.parametrize(
    "facts",
    [
        {"email_denied": "false"},
        {"orders_total": "3"},
        {"orders_total": True},
        {"last_order_on": "yesterday"},
        {"points": "many"},
        {"last_order_on": datetime(2026, 11, 1, tzinfo=UTC)},
        {"orders_total": 10**13},
    ],
)
def test_a_fact_of_the_wrong_type_is_refused(policy: Policy, facts: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(facts))):
        policy.decide(facts, TODAY)
