"""Facts of a customer from canonical items: whole, order-independent, unknown left out."""

from __future__ import annotations

import random
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from onevoice.model import Item, LoyaltyStatus, Ref
from onevoice.pipeline.facts import facts_of, memberships_of

UTC = ZoneInfo("UTC")


def item(kind: str, key: str = "1", /, **data: object) -> Item:
    return Item(Ref("shop", kind, key), kind, data, Ref("crm", "Contact", "c"))


def facts(items: list[Item], status: LoyaltyStatus | None = None, **golden: object) -> dict[str, object]:
    return facts_of(items, golden, status, email_denied=False, zone=UTC)


def test_nobody_known_for_anything_has_the_facts_that_are_never_unknown() -> None:
    assert facts([]) == {
        "is_member": False,
        "has_perks": False,
        "memberships": 0,
        "tier_rank": 0,
        "orders_total": 0,
        "open_complaint": False,
        "email_denied": False,
    }


def test_orders_of_every_channel_count_and_the_latest_decides() -> None:
    items = [
        item("order", "1", ordered_at="2026-01-02T10:00:00+00:00", orders=3, category="shoes"),
        item("order", "2", ordered_at="2026-11-20T23:30:00+00:00", category="jackets"),
        item("cart", "3", abandoned_at="2026-11-19T08:00:00+00:00", category="jackets"),
        item("cart", "4", abandoned_at="2026-10-19T08:00:00+00:00", category="shoes"),
    ]
    found = facts(items)
    assert found["orders_total"] == 4
    assert found["last_order_on"] == "2026-11-20"
    assert (found["cart_on"], found["cart_category"]) == ("2026-11-19", "jackets")
    assert found["last_order_in_cart_category_at"] == "2026-11-20T23:30:00+00:00"


def test_the_day_of_an_order_is_the_day_in_the_companys_zone() -> None:
    items = [item("order", ordered_at="2026-11-20T23:30:00+00:00")]
    found = facts_of(items, {}, None, email_denied=False, zone=ZoneInfo("Europe/Berlin"))
    assert found["last_order_on"] == "2026-11-21"


def test_only_complaints_hold_offers_back_and_the_last_closing_counts() -> None:
    items = [
        item("case", "1", kind="Question", is_open=True),
        item("case", "2", kind="Complaint", is_open=False, closed_at="2026-11-18T09:00:00+00:00"),
        item("case", "3", kind="complaint", is_open=False, closed_at="2026-11-10T09:00:00+00:00"),
    ]
    found = facts(items)
    assert (found["open_complaint"], found["complaint_closed_on"]) == (False, "2026-11-18")
    assert facts([*items, item("case", "4", kind="Complaint", is_open=True)])["open_complaint"] is True


def test_the_order_of_items_never_matters() -> None:
    items = [item("order", str(n), ordered_at=f"2026-{n:02}-03T10:00:00+00:00", category="a") for n in range(1, 12)]
    items += [item("cart", str(n), abandoned_at=f"2026-{n:02}-01T10:00:00+00:00", category="a") for n in range(1, 12)]
    expected = facts(items)
    for seed in range(20):
        shuffled = random.Random(seed).sample(items, len(items))
        assert facts(shuffled) == expected


def test_tiers_and_balances_come_from_the_records_that_belong_to_the_membership() -> None:
    card = Item(
        Ref("crm", "Member", "m"), "membership", {"programme": "club", "status": "Active"}, Ref("crm", "C", "c")
    )
    owned = {
        "crm/Member/m": [
            Item(Ref("crm", "Tier", "t"), "tier_hold", {"tier": "Gold", "until": "2027-01-31"}, card.source),
            Item(Ref("crm", "Balance", "b"), "balance", {"wallet": "points", "available": "120"}, card.source),
        ]
    }
    (found,) = memberships_of([card], owned)
    assert [(hold.tier, hold.until) for hold in found.tiers] == [("Gold", date(2027, 1, 31))]
    assert found.points == {"points": "120"}


def test_status_facts_are_the_merged_status() -> None:
    status = LoyaltyStatus(
        "club", "active", is_member=True, has_perks=True, tier="gold", tier_rank=3, points={"p": Decimal(5)}
    )
    found = facts([], status)
    assert (found["is_member"], found["tier"], found["tier_rank"], found["points"]) == (True, "gold", 3, "5")
