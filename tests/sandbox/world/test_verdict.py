"""The verdict, rule by rule, at the edges of its days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from onevoice.sandbox.truth import (
    FAMILIES,
    Cart,
    Complaint,
    Membership,
    Offer,
    Order,
    Ref,
    Tier,
    Truth,
    same_mailbox,
)

DAY = date(2026, 11, 22)
SALES: Ref = ("salesforce", "Contact", "s")
HUB: Ref = ("hubspot", "contacts", "h")
TILL: Ref = ("till", "cards", "t")
OTHER: Ref = ("hubspot", "contacts", "o")


@pytest.fixture
def truth() -> Truth:
    """Person 0 with a record in each system, person 1 with one."""
    found = Truth(2)
    for ref in (SALES, HUB, TILL):
        found.add_record(ref, 0)
    found.add_record(OTHER, 1)
    return found


def said(
    truth: Truth, family: str, *, person: int = 0, address: str = "a@x.org", tier: str | None = None
) -> str | None:
    wrong = truth.verdict(Offer(person, family, address, tier), DAY)
    return wrong.kind if wrong else None


def ago(days: int, hour: int = 12) -> datetime:
    return datetime.combine(DAY - timedelta(days=days), datetime.min.time(), tzinfo=UTC) + timedelta(hours=hour)


def member(status: str, *tiers: Tier) -> Membership:
    return Membership(SALES, "m", "LC1", status, DAY - timedelta(days=400), None, list(tiers), 10)


def tier(name: str, until: date | None) -> Tier:
    return Tier("t", name, DAY - timedelta(days=100), until)


def test_nothing_known_allows_everything_but_a_perk(truth: Truth) -> None:
    assert {family for family in FAMILIES if said(truth, family)} == {"tier_perk", "points_balance", "points_expiry"}


def test_opt_out_reaches_all_addresses_of_the_person_and_all_users_of_the_address(truth: Truth) -> None:
    truth.opt_out(SALES, "shared@gmail.com", DAY)
    assert [said(truth, family, address="mine@x.org") for family in FAMILIES] == ["K4"] * len(FAMILIES)
    assert said(truth, "newsletter", person=1, address="Shar.ed+club@googlemail.com") == "K4"
    assert said(truth, "newsletter", person=1, address="hers@x.org") is None


def test_an_opted_out_address_needs_no_identity(truth: Truth) -> None:
    truth.opt_out(SALES, "a@x.org", DAY)
    by_address = truth.verdict(Offer(0, "join", "a@x.org"), DAY)
    by_person = truth.verdict(Offer(0, "join", "b@x.org"), DAY)
    assert by_address is not None
    assert by_person is not None
    assert (by_address.carried_by, by_person.carried_by) == ((), (SALES,))


@pytest.mark.parametrize(("closed", "kind"), [(None, "K8"), (0, "K8"), (6, "K8"), (7, None), (30, None)])
def test_complaint(truth: Truth, closed: int | None, kind: str | None) -> None:
    day = None if closed is None else DAY - timedelta(days=closed)
    truth.facts[0].complaints.append(Complaint(SALES, "c", DAY - timedelta(days=40), day))
    assert said(truth, "discount") == kind
    assert said(truth, "newsletter") is None
    assert said(truth, "discount", person=1) is None


@pytest.mark.parametrize(
    ("status", "kind"),
    [("Active", "K1"), ("Pending", "K1"), ("Suspended", "K1"), ("Inactive", None), ("Merged", None)],
)
def test_join(truth: Truth, status: str, kind: str | None) -> None:
    truth.facts[0].memberships.append(member(status))
    assert said(truth, "join") == kind


@pytest.mark.parametrize(
    ("status", "name", "days", "shown", "kind"),
    [
        ("Active", "Gold", 0, "Gold", None),
        ("Active", "Gold", 0, "gold", None),
        ("Active", "Gold", 9, "Silver", "K5"),
        ("Active", "Gold", -1, "Gold", "K9"),
        ("Active", "Blue", None, "Silver", "K9"),
        ("Suspended", "Gold", 9, "Gold", "K9"),
    ],
)
def test_tier_perk(truth: Truth, status: str, name: str, days: int | None, shown: str, kind: str | None) -> None:
    until = None if days is None else DAY + timedelta(days=days)
    truth.facts[0].memberships.append(member(status, tier(name, until)))
    assert said(truth, "tier_perk", tier=shown) == kind


def test_the_highest_tier_of_two_memberships_counts(truth: Truth) -> None:
    later = DAY + timedelta(days=90)
    truth.facts[0].memberships += [member("Active", tier("Silver", later)), member("Active", tier("Gold", later))]
    assert said(truth, "tier_perk", tier="Silver") == "K5"
    assert said(truth, "tier_perk", tier="Gold") is None
    assert said(truth, "win_back") == "K3"


def test_first_order(truth: Truth) -> None:
    truth.facts[0].orders.append(Order(TILL, ago(900), "toys"))
    assert said(truth, "first_order") == "K16"


@pytest.mark.parametrize(("days", "kind"), [(89, "K3"), (90, None), (200, None)])
def test_win_back_after_an_order(truth: Truth, days: int, kind: str | None) -> None:
    truth.facts[0].orders.append(Order(TILL, ago(days, hour=23), "toys"))
    assert said(truth, "win_back") == kind


@pytest.mark.parametrize(
    ("left", "bought", "category", "reminder", "win_back"),
    [
        (2, None, "", None, "K7"),
        (7, None, "", None, "K7"),
        (8, None, "", None, None),
        (2, 1, "toys", "K13", "K3"),
        (2, 1, "books", None, "K3"),
        (2, 3, "toys", None, "K3"),
        (2, 300, "toys", None, "K7"),
    ],
)
def test_cart(
    truth: Truth, left: int, bought: int | None, category: str, reminder: str | None, win_back: str | None
) -> None:
    truth.facts[0].carts.append(Cart(HUB, ago(left), "toys"))
    if bought is not None:
        truth.facts[0].orders.append(Order(TILL, ago(bought), category))
    assert said(truth, "cart_reminder") == reminder
    assert said(truth, "win_back") == win_back


def test_order_of_naming(truth: Truth) -> None:
    truth.facts[0].memberships.append(member("Active"))
    assert said(truth, "join") == "K1"
    truth.complain(SALES, "c", DAY)
    assert said(truth, "join") == "K8"
    truth.opt_out(HUB, "z@x.org", DAY)
    assert said(truth, "join") == "K4"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (" A.b@Gmail.com", "ab+x@googlemail.com", True),
        ("a.b@outlook.com", "ab@outlook.com", False),
        ("a+x@outlook.com", "a@outlook.com", False),
    ],
)
def test_mailbox(one: str, other: str, same: bool) -> None:
    assert (same_mailbox(one) == same_mailbox(other)) is same
