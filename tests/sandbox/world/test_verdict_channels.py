"""The verdict on what the shop, the tills and the sender say: points, rewards, prices, dead addresses, channels."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from onevoice.sandbox.truth import FAMILIES, NOT_PROMOTIONAL, Account, Membership, Offer, Ref, Tier, Truth, same_number

DAY = date(2026, 11, 22)
SALES: Ref = ("salesforce", "Contact", "s")
SHOP: Ref = ("shopify", "customers", "c")
TILL: Ref = ("square", "customers", "q")
OTHER: Ref = ("klaviyo", "profiles", "o")


@pytest.fixture
def truth() -> Truth:
    """Person 0 with three records, person 1 with one."""
    found = Truth(2)
    for ref in (SALES, SHOP, TILL):
        found.add_record(ref, 0)
    found.add_record(OTHER, 1)
    return found


def said(
    truth: Truth,
    family: str,
    *,
    shown: str | None = None,
    channel: str = "email",
    address: str = "a@x.org",
    who: int = 0,
) -> str | None:
    wrong = truth.verdict(Offer(who, family, address, shown, channel), DAY)
    return wrong.kind if wrong else None


def account(balance: int, *deadlines: tuple[int, int], key: str = "a") -> Account:
    return Account(TILL, key, balance, [(points, DAY + timedelta(days=days)) for points, days in deadlines])


def member(tier: str, status: str = "Active", until: date | None = None) -> Membership:
    held = [Tier("t", tier, DAY - timedelta(days=100), until)]
    return Membership(SALES, "m", "LC1", status, DAY - timedelta(days=400), None, held, 10)


def ago(days: int) -> datetime:
    return datetime.combine(DAY - timedelta(days=days), datetime.min.time(), tzinfo=UTC) + timedelta(hours=23)


def test_a_no_to_mail_is_none_to_texts_and_the_other_way_round(truth: Truth) -> None:
    truth.opt_out(SHOP, "a@x.org", DAY)
    assert said(truth, "discount") == "K4"
    assert said(truth, "discount", channel="sms", address="+447700900001") is None
    truth.opt_out(OTHER, "+447700900009", DAY, "sms")
    assert said(truth, "newsletter", who=1) == "K4"  # the address that person 0 refused
    assert said(truth, "newsletter", who=1, address="b@x.org") is None
    assert said(truth, "discount", channel="sms", address="+447700900001", who=1) == "K4"
    assert said(truth, "discount", channel="sms", address="07700 900009") == "K4"
    assert said(truth, "discount", channel="receipt", address="") is None


def test_a_no_on_an_address_alone_leaves_the_persons_other_addresses(truth: Truth) -> None:
    truth.refuse("a@x.org")
    assert (said(truth, "newsletter"), said(truth, "newsletter", address="b@x.org")) == ("K4", None)


def test_a_dead_address_gets_no_mail_from_anybody(truth: Truth) -> None:
    truth.die("dead@x.org")
    assert {said(truth, family, address="Dead@x.org") for family in FAMILIES} == {"K25"}
    assert said(truth, "newsletter", address="alive@x.org") is None
    assert said(truth, "discount", channel="sms", address="+447700900001") is None
    truth.opt_out(SALES, "dead@x.org", DAY)
    assert said(truth, "newsletter", address="dead@x.org") == "K4"


def test_a_complaint_stops_promotions_on_every_channel(truth: Truth) -> None:
    truth.complain(SALES, "c", DAY)
    assert {family for family in FAMILIES if said(truth, family) != "K8"} == NOT_PROMOTIONAL
    assert said(truth, "discount", channel="receipt", address="") == "K8"


def test_a_loyalty_account_makes_a_member(truth: Truth) -> None:
    assert said(truth, "join", channel="receipt", address="") is None
    truth.open_account(account(0))
    assert said(truth, "join", channel="receipt", address="") == said(truth, "join") == "K1"


@pytest.mark.parametrize(
    ("days", "full", "kind"), [(0, True, "K2"), (13, True, "K2"), (14, True, None), (1, False, None)]
)
def test_a_discount_after_a_full_price(truth: Truth, days: int, full: bool, kind: str | None) -> None:
    truth.buy(TILL, ago(days), "toys", full_price=full)
    assert said(truth, "discount") == said(truth, "discount", channel="receipt", address="") == kind


def test_points_are_those_of_all_accounts_together(truth: Truth) -> None:
    assert said(truth, "points_balance", shown="0") == "K6"
    truth.open_account(account(120))
    truth.open_account(account(-20, key="b"))
    assert [said(truth, "points_balance", shown=shown) for shown in ("100", "100.0", "120", None)] == [
        None,
        None,
        "K6",
        "K6",
    ]


@pytest.mark.parametrize(
    ("deadlines", "shown", "kind"),
    [
        ([(50, 30), (10, 90)], 30, None),
        ([(50, 31)], 31, "K18"),
        ([(50, 0)], 0, None),
        ([(50, -1), (5, 9)], 9, None),
        ([(0, 3), (5, 9)], 9, None),
        ([(50, 5), (50, 9)], 9, "K18"),
        ([], 9, "K18"),
    ],
)
def test_expiry(truth: Truth, deadlines: list[tuple[int, int]], shown: int, kind: str | None) -> None:
    truth.open_account(account(100, *deadlines))
    assert said(truth, "points_expiry", shown=(DAY + timedelta(days=shown)).isoformat()) == kind


@pytest.mark.parametrize(
    ("tier", "status", "until", "kind"),
    [
        ("Gold", "Active", DAY, "K19"),
        ("Gold", "Active", DAY - timedelta(days=1), None),
        ("Gold", "Suspended", None, None),
        ("Silver", "Active", None, None),
    ],
)
def test_how_far_to_gold(truth: Truth, tier: str, status: str, until: date | None, kind: str | None) -> None:
    truth.facts[0].memberships.append(member(tier, status, until))
    assert said(truth, "tier_nudge") == kind


@pytest.mark.parametrize(("days", "kind"), [(0, "K10"), (299, "K10"), (300, None)])
def test_a_second_birthday_reward(truth: Truth, days: int, kind: str | None) -> None:
    truth.reward(SALES, "birthday", DAY - timedelta(days=days))
    assert (said(truth, "birthday"), said(truth, "welcome")) == (kind, None)


def test_a_welcome_once_and_before_any_order(truth: Truth) -> None:
    truth.buy(TILL, ago(700), "toys", full_price=False)
    assert said(truth, "welcome") == said(truth, "first_order") == "K16"
    truth.reward(OTHER, "welcome", DAY - timedelta(days=2000))
    assert said(truth, "welcome", who=1) == "K10"
    truth.reward(SALES, "welcome", DAY - timedelta(days=2000))
    assert said(truth, "welcome") == "K10"


def test_what_is_learned_is_journalled_and_can_be_told_again(truth: Truth) -> None:
    truth.open_account(account(10))
    truth.learn("credit", list(TILL), "a", 5, "2027-11-22")
    truth.learn("buy", list(TILL), "2026-11-22T10:00:00+00:00", "toys", True)
    truth.learn("cart", list(SHOP), "2026-11-22T09:30:00+00:00", "toys")
    truth.learn("opt_out", list(SHOP), "+447700900001", "2026-11-22", "sms")
    again = Truth(2)
    for ref in (SALES, SHOP, TILL):
        again.add_record(ref, 0)
    again.open_account(account(10))
    for what, *told in truth.journal:
        again.learn(what, *told)
    assert again.facts == truth.facts
    assert again.facts[0].points() == 15
    assert said(again, "cart_reminder") == "K13"
    assert again.opted_out("07700900001", "sms")


@pytest.mark.parametrize("number", ["07700 900123", "+44 (0)7700 900123", "+447700900123"])
def test_one_number_in_many_shapes(number: str) -> None:
    assert same_number(number) == "447700900123"
