"""Gates over nested records, by channel; names of contradictions where several hold; a template that stops by event."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from onevoice.configfile.loyalty_file import LoyaltyFile
from onevoice.configfile.offers_file import OffersFile
from onevoice.configfile.suppression_file import SuppressionFile
from onevoice.policy import Policy, Refusal, compile_policy, contradictions, raw_value

TODAY = date(2026, 11, 22)
KNOWN = {"email_denied": False, "sms_denied": False, "open_complaint": False, "is_member": True, "orders_total": 1}
PROFILE: dict[str, Any] = {
    "email": "a@x.org",
    "phone_number": "+447700900001",
    "email_suppressed": False,
    "subscriptions": {
        "email": {"marketing": {"consent": "NEVER_SUBSCRIBED"}},
        "sms": {"marketing": {"consent": "SUBSCRIBED"}},
    },
    "properties": {"cart_abandoned_at": "2026-11-20T10:00:00+00:00"},
}


def found(policy: Policy, raw: dict[str, Any], refused: dict[str, Refusal] | None = None, **facts: Any) -> set[Any]:
    given = {**KNOWN, **facts}
    findings = contradictions(
        policy,
        policy.decide(given, TODAY),
        facts=given,
        refused=refused or {},
        elsewhere=frozenset(),
        system="klaviyo",
        stream="profiles",
        raw=raw,
        as_of=TODAY,
    )
    return {(each.family, each.channel, each.label) for each in findings}


def test_a_dotted_name_reaches_into_the_record_and_a_literal_one_goes_first() -> None:
    record = {"a": {"b": {"c": 1}}, "a.b": None, "x.y": 2}
    assert raw_value(record, "a.b.c") == 1
    assert raw_value(record, "a.b") is None
    assert raw_value(record, "x.y") == 2
    assert raw_value({"a": [{"b": 1}]}, "a.b") is None
    assert raw_value({}, "a.b") is None


def test_each_channel_is_denied_by_its_own_no(policy: Policy) -> None:
    assert found(policy, PROFILE) == set()
    by_text = {("discount", "sms", "K4"), ("cart_reminder", "sms", "K4")}
    assert found(policy, PROFILE, sms_denied=True) == by_text
    by_mail = {("discount", "email", "K4"), ("newsletter", "email", "K4")}
    assert found(policy, PROFILE, email_denied=True) == by_mail


def test_what_the_sender_holds_back_by_itself_is_no_contradiction(policy: Policy) -> None:
    silent = {"email": {"marketing": {"consent": "UNSUBSCRIBED"}}, "sms": {"marketing": {"consent": "UNSUBSCRIBED"}}}
    assert found(policy, {**PROFILE, "subscriptions": silent}, sms_denied=True, email_denied=True) == set()
    stopped = {"properties": {**PROFILE["properties"], "onevoice_no_discount_sms_until": "2026-11-22"}}
    assert found(policy, {**PROFILE, **stopped}, sms_denied=True) == {("cart_reminder", "sms", "K4")}


def test_an_address_without_a_yes_of_its_own_is_held_back_but_contradicts_nobody(policy: Policy) -> None:
    assert found(policy, PROFILE, {"sms": Refusal.NOT_ASKED_FOR}) == set()
    assert found(policy, PROFILE, {"sms": Refusal.NOT_ASKED_FOR}, sms_denied=True) != set()


@pytest.mark.parametrize(
    ("refused", "facts", "label"),
    [
        (Refusal.UNDELIVERABLE, {}, "K25"),
        (Refusal.UNDELIVERABLE, {"email_denied": True}, "K4"),
        (Refusal.UNDELIVERABLE, {"last_full_price_on": TODAY}, "K25"),
        (Refusal.OPTED_OUT, {"email_denied": True, "open_complaint": True}, "K4"),
        (None, {"last_full_price_on": TODAY, "open_complaint": True}, "K8"),
        (None, {"last_full_price_on": TODAY}, "K2"),
    ],
)
def test_the_strongest_no_is_named(policy: Policy, refused: Refusal | None, facts: dict[str, Any], label: str) -> None:
    raw = {**PROFILE, "phone_number": None}
    told = found(policy, raw, {"email": refused} if refused else {}, **facts)
    assert {its for family, _, its in told if family == "discount"} == {label}


def test_exclusive_with_denies_from_the_beginning_to_the_end_of_the_other(
    offers: OffersFile, suppression: SuppressionFile, loyalty: LoyaltyFile
) -> None:
    rule = {
        "id": "cart_first",
        "layer": "arbitration",
        "deny": {"families": "win_back"},
        "exclusive_with": {
            "family": "cart_reminder",
            "started": "cart_at",
            "started_on": "cart_on",
            "ended": "last_order_in_cart_category_at",
            "days": 7,
        },
        "because": "The cart reminder has the word.",
        "contradiction": "two at once",
    }
    written = SuppressionFile.model_validate({**suppression.model_dump(by_alias=True), "rules": [rule]})
    only = compile_policy(offers, written, loyalty)

    def until(day: date, **ended: str) -> date | None:
        facts = {"cart_at": "2026-11-15T10:00:00+00:00", "cart_on": "2026-11-15", **ended}
        return next((denial.until for denial in only.decide(facts, day).denials), None)

    assert until(date(2026, 11, 22)) == date(2026, 11, 22)
    assert until(date(2026, 11, 23)) is None
    assert until(TODAY, last_order_in_cart_category_at="2026-11-15T10:00:01+00:00") is None
    assert until(TODAY, last_order_in_cart_category_at="2026-11-15T10:00:00+00:00") == TODAY
