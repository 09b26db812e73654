"""An explanation names the rule, the sentence, the facts, and the day on which the answer becomes another."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from onevoice.model import FOREVER, Layer
from onevoice.policy import Policy, explain
from onevoice.policy.sentences import shown

TODAY = date(2026, 11, 22)
PLAIN: dict[str, Any] = {"email_denied": False, "open_complaint": False, "is_member": False, "orders_total": 0}


def test_allowed(policy: Policy) -> None:
    found = explain(policy, PLAIN, TODAY, "win_back", "email")
    assert (found.allowed, found.deciding, found.fired, found.sole_blocker) == (True, None, (), None)
    assert found.changes_on is None
    assert found.outlook == "Allowed until something new is known."
    assert found.facts["last_order_on"] is None


def test_denied_for_a_time(policy: Policy) -> None:
    found = explain(policy, {**PLAIN, "last_order_on": "2026-11-01"}, TODAY, "win_back", "email")
    assert found.deciding is not None
    assert (found.deciding.rule, found.deciding.layer) == ("bought_recently", Layer.COMMERCIAL)
    assert found.deciding.sentence == "Bought on 1 Nov 2026; no win-back until 29 Jan 2027."
    assert found.sole_blocker == "bought_recently"
    assert found.facts == {"last_order_on": date(2026, 11, 1)}
    assert found.changes_on == date(2027, 1, 30)
    assert found.outlook == "Allowed again from 30 Jan 2027 if nothing new becomes known."


def test_denied_until_something_happens(policy: Policy) -> None:
    found = explain(policy, {**PLAIN, "email_denied": True, "open_complaint": True}, TODAY, "discount", "email")
    assert [reason.rule for reason in found.fired] == ["opted_out", "open_complaint"]
    assert [reason.until for reason in found.fired] == [FOREVER, FOREVER]
    assert found.sole_blocker is None
    assert found.outlook == "Stays so until one of these facts changes: email_denied, open_complaint."


def test_allowed_for_a_time(policy: Policy) -> None:
    silver = {**PLAIN, "tier": "silver", "tier_rank": 2, "tier_until": TODAY + timedelta(days=9)}
    found = explain(policy, silver, TODAY, "tier_perk", "email")
    assert found.changes_on == TODAY + timedelta(days=10)
    assert found.outlook == "Allowed until 2 Dec 2026, then no more."


def test_one_rule_takes_over_from_another(policy: Policy) -> None:
    """The complaint ends, the tier ends on the same day: the answer stays, for another reason."""
    facts = {**PLAIN, "complaint_closed_on": TODAY, "tier_rank": 2, "tier_until": TODAY + timedelta(days=6)}
    found = explain(policy, facts, TODAY, "tier_perk", "email")
    assert found.sole_blocker == "recent_complaint"
    assert found.changes_on is None


@settings(max_examples=100, deadline=None)
@given(
    ordered=st.none() | st.integers(-100, 0),
    closed=st.none() | st.integers(-10, 0),
    tier=st.none() | st.integers(-3, 30),
    family=st.sampled_from(["win_back", "tier_perk", "discount"]),
)
def test_the_named_day_is_the_first_on_which_the_answer_differs(
    policy: Policy, ordered: int | None, closed: int | None, tier: int | None, family: str
) -> None:
    def day(offset: int | None) -> date | None:
        return None if offset is None else TODAY + timedelta(days=offset)

    facts = {
        **PLAIN,
        "last_order_on": day(ordered),
        "complaint_closed_on": day(closed),
        "tier_rank": 0 if tier is None else 3,
        "tier_until": day(tier),
    }
    answers = [explain(policy, facts, TODAY + timedelta(days=n), family, "email").allowed for n in range(130)]
    first = next((n for n, answer in enumerate(answers) if answer is not answers[0]), None)
    assert explain(policy, facts, TODAY, family, "email").changes_on == day(first)


def test_values_are_shown_as_people_write_them() -> None:
    assert [shown(value) for value in (None, True, False, 3, "gold", FOREVER, date(2026, 3, 1))] == [
        "unknown",
        "yes",
        "no",
        "3",
        "gold",
        "further notice",
        "1 Mar 2026",
    ]
