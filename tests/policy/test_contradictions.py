"""Contradictions of one record: what is named, in which order, and on what evidence."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import date
from typing import Any

import pytest

from onevoice.configfile.loyalty_file import LoyaltyFile
from onevoice.configfile.offers_file import OffersFile
from onevoice.configfile.suppression_file import SuppressionFile
from onevoice.policy import Finding, Policy, Refusal, compile_policy, contradictions

TODAY = date(2026, 11, 22)
PLAIN = {"email_denied": False, "open_complaint": False, "is_member": False, "tier_rank": 0, "orders_total": 0}
RAW = {
    "email": "a@x.org",
    "web_orders": "0",
    "loyalty_tier": "silver",
    "web_last_order_at": "2026-01-01T10:00:00Z",
    "list:onevoice_no_newsletter": False,
}


def found(
    policy: Policy,
    facts: Mapping[str, Any],
    no: Refusal | None = None,
    elsewhere: AbstractSet[str] = frozenset(),
    **raw: Any,
) -> dict[str, Finding]:
    facts = {**PLAIN, **facts}
    findings = contradictions(
        policy,
        policy.decide(facts, TODAY),
        facts=facts,
        refused={"email": no} if no else {},
        elsewhere=elsewhere,
        system="hubspot",
        stream="contacts",
        raw={**RAW, **raw},
        as_of=TODAY,
    )
    assert len({(finding.family, finding.channel) for finding in findings}) == len(findings)
    return {finding.family: finding for finding in findings}


def labels(findings: Mapping[str, Finding]) -> dict[str, str]:
    return {family: finding.label for family, finding in findings.items()}


SILVER = {"tier": "silver", "tier_rank": 2, "tier_until": date(2027, 1, 1)}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, {"tier_perk": "K9"}),
        (SILVER, {"win_back": "K3"}),
        ({"is_member": True}, {"join": "K1", "tier_perk": "K9"}),
        ({"membership_status": "pending"}, {"join": "K1", "tier_perk": "K9"}),
        ({"orders_total": 1}, {"first_order": "K16", "tier_perk": "K9"}),
        ({"last_order_on": date(2026, 11, 1)}, {"win_back": "K3", "tier_perk": "K9"}),
        ({"tier": "gold", "tier_rank": 3}, {"win_back": "K3", "tier_perk": "K5"}),
        (
            {"open_complaint": True, **SILVER},
            dict.fromkeys(["join", "discount", "first_order", "win_back", "tier_perk"], "K8"),
        ),
        (
            {"email_denied": True, "open_complaint": True},
            dict.fromkeys(["join", "discount", "first_order", "win_back", "tier_perk", "newsletter"], "K4"),
        ),
    ],
)
def test_each_class_is_found_where_the_system_would_send(
    policy: Policy, facts: dict[str, Any], expected: dict[str, str]
) -> None:
    assert labels(found(policy, facts)) == expected


def test_two_open_carts_and_a_win_back(policy: Policy) -> None:
    left = {"cart_abandoned_at": "2026-11-20T10:00:00Z", "cart_category": "hats"}
    waiting = {**SILVER, "tier_rank": 0, "open_cart_on": date(2026, 11, 20)}
    assert labels(found(policy, waiting, **left)) == {"tier_perk": "K9", "win_back": "K7"}
    bought = {**SILVER, "bought_cart_on": date(2026, 11, 20)}
    assert labels(found(policy, bought, **left)) == {"cart_reminder": "K13", "win_back": "K3"}


def test_a_bounce_is_called_one_but_a_stronger_no_has_the_word(policy: Policy) -> None:
    assert set(labels(found(policy, {}, Refusal.UNDELIVERABLE)).values()) == {"K25"}
    assert set(labels(found(policy, {"email_denied": True}, Refusal.UNDELIVERABLE)).values()) == {"K4"}
    complaint = labels(found(policy, {"open_complaint": True}, Refusal.UNDELIVERABLE))
    assert complaint["discount"] == "K25"


def test_what_a_customer_gets_once_is_wrong_from_the_second_system(policy: Policy) -> None:
    birthday = {"date_of_birth": "1990-11-24"}
    assert "birthday" not in found(policy, {}, None, **birthday)
    finding = found(policy, {}, None, frozenset({"birthday"}), **birthday)["birthday"]
    assert (finding.label, finding.sentence) == ("K10", "birthday reward from two systems")


def test_numbers_that_messages_name_are_compared(policy: Policy) -> None:
    told = {"loyalty_points": "100", "onevoice_points": ""}
    assert "points_balance" not in found(policy, {"points": 100}, None, **told)
    assert found(policy, {"points": 120}, None, **told)["points_balance"].label == "K6"
    assert "points_balance" not in found(policy, {"points": 120}, None, **told | {"onevoice_points": "120"})
    assert found(policy, {}, None, **told)["points_balance"].label == "K6"


def test_an_address_somebody_opted_out_on_takes_no_marketing(policy: Policy) -> None:
    everything = found(policy, {}, Refusal.OPTED_OUT)
    assert set(labels(everything).values()) == {"K4"}
    assert set(everything) == {"join", "discount", "first_order", "win_back", "tier_perk", "newsletter"}


def test_what_the_system_holds_back_is_no_contradiction(policy: Policy) -> None:
    stops = {"onevoice_no_tier_perk_until": "2026-11-22"}
    assert found(policy, {}, **stops) == {}
    assert labels(found(policy, {}, onevoice_no_tier_perk_until="2026-11-21")) == {"tier_perk": "K9"}
    assert found(policy, {"email_denied": True}, hs_email_optout_10001="true") == {}


def test_the_tier_a_message_shows_is_compared_whatever_its_case(policy: Policy) -> None:
    assert labels(found(policy, SILVER, onevoice_tier="Silver")) == {"win_back": "K3"}
    assert labels(found(policy, SILVER, onevoice_tier="Gold")) == {"win_back": "K3", "tier_perk": "K5"}


def test_claims_of_dates_are_compared_as_dates(
    offers: OffersFile, suppression: SuppressionFile, loyalty: LoyaltyFile
) -> None:
    written = offers.model_dump(by_alias=True)
    perk = next(send for send in written["gates"][1]["sends"] if send["family"] == "tier_perk")
    perk["shows"] = {"tier_until": "date_of_birth"}
    named = suppression.model_copy(update={"claims": {**suppression.claims, "tier_until": suppression.claims["tier"]}})
    written["gates"] = written["gates"][1:]
    policy = compile_policy(OffersFile.model_validate(written), named, loyalty)
    facts = {**SILVER, "tier_until": "2027-01-01"}
    assert labels(found(policy, facts, date_of_birth="2027-01-01")) == {"win_back": "K3"}
    assert labels(found(policy, facts, date_of_birth="2027-01-02")) == {"win_back": "K3", "tier_perk": "K5"}


def test_a_finding_says_what_it_is_and_what_it_stands_on(policy: Policy) -> None:
    finding = found(policy, {"is_member": True}, loyalty_member="false")["join"]
    assert finding.sentence == "invitation to join sent to a member"
    assert finding.evidence["loyalty_member"] == "false"
    assert "email" not in finding.evidence


def test_a_denial_that_is_over_contradicts_nothing(policy: Policy) -> None:
    facts = {**PLAIN, **SILVER, "last_order_on": date(2026, 11, 1)}
    old = policy.decide(facts, TODAY)
    later = date(2027, 5, 1)
    findings = contradictions(
        policy,
        old,
        facts=facts,
        refused={},
        elsewhere=frozenset(),
        system="hubspot",
        stream="contacts",
        raw={**RAW, "web_last_order_at": "2026-06-01T10:00:00Z"},
        as_of=later,
    )
    assert [finding.family for finding in findings] == []


def test_streams_without_gates_contradict_nothing(policy: Policy) -> None:
    decision = policy.decide({}, TODAY)
    shared: dict[str, Any] = {
        "facts": {},
        "refused": {"email": Refusal.OPTED_OUT},
        "elsewhere": frozenset(),
        "raw": RAW,
        "as_of": TODAY,
    }
    assert contradictions(policy, decision, system="till", stream="cards", **shared) == []
