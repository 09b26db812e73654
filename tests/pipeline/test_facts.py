"""Facts of a customer from canonical items: whole, order-independent, unknown left out."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from onevoice.model import Item, LoyaltyStatus, Ref
from onevoice.pipeline.facts import Reading, facts_of, memberships_of, next_change

TODAY = date(2026, 11, 22)
READING = Reading(TODAY, ZoneInfo("UTC"), "GBP")


def item(kind: str, key: str = "1", /, **data: object) -> Item:
    return Item(Ref("shop", kind, key), kind, data, Ref("crm", "Contact", "c"))


def facts(items: list[Item], status: LoyaltyStatus | None = None, **golden: object) -> dict[str, object]:
    return facts_of(items, golden, status, {"email": False}, READING)


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
    found = facts_of(items, {}, None, {}, Reading(TODAY, ZoneInfo("Europe/Berlin"), "GBP"))
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


def test_of_several_carts_the_bought_and_the_open_ones_are_told_apart() -> None:
    items = [
        item("order", "1", ordered_at="2026-11-20T23:30:00+00:00", category="jackets"),
        item("cart", "2", abandoned_at="2026-11-19T08:00:00+00:00", category="jackets"),
        item("cart", "3", abandoned_at="2026-11-18T08:00:00+00:00", category="shoes"),
    ]
    found = facts(items)
    assert (found["bought_cart_on"], found["open_cart_on"]) == ("2026-11-19", "2026-11-18")
    moment_of_leaving = [items[1], item("order", "5", ordered_at="2026-11-19T08:00:00+00:00", category="jackets")]
    assert facts(moment_of_leaving)["open_cart_on"] == "2026-11-19"


def test_a_cart_that_the_shop_closed_was_bought_and_is_no_cart_left_behind() -> None:
    closed = item("cart", "1", abandoned_at="2026-11-21T08:00:00+00:00", closed_at="2026-11-21T09:00:00+00:00")
    found = facts([closed])
    assert found["bought_cart_on"] == "2026-11-21"
    assert {"cart_at", "cart_on", "open_cart_on"}.isdisjoint(found)


def test_full_price_is_what_cost_no_less_than_the_list_says() -> None:
    full = {"total": "59.90", "list_total": "59.90"}
    reduced = {"total": "40", "list_total": "59.90"}
    items = [
        item("order", "1", ordered_at="2026-11-10T10:00:00+00:00", **full),
        item("order", "2", ordered_at="2026-11-20T10:00:00+00:00", **reduced),
        item("order", "3", ordered_at="2026-11-21T10:00:00+00:00", total="0", list_total="0"),
        item("order", "4", ordered_at="2026-11-21T10:00:00+00:00", cancelled_at="2026-11-21T12:00:00+00:00", **full),
        item("order", "5", ordered_at="2026-11-21T10:00:00+00:00", total="10"),
    ]
    assert facts(items)["last_full_price_on"] == "2026-11-10"
    assert "last_full_price_on" not in facts(items[1:])


def test_the_lines_of_one_order_are_one_order() -> None:
    lines = [item("order", "1", ordered_at="2026-11-10T10:00:00+00:00", total=t) for t in ("5", "7")]
    found = facts([*lines, item("order", "2", ordered_at="2026-01-10T10:00:00+00:00", orders=3)])
    assert (found["orders_total"], found["annual_spend"]) == (4, "12")


def test_annual_spend_is_of_one_currency_and_one_year_and_changes_when_an_order_leaves_it() -> None:
    items = [
        item("order", "1", ordered_at="2026-11-20T10:00:00+00:00", total="10.50", currency="GBP"),
        item("order", "2", ordered_at="2025-11-23T10:00:00+00:00", total="100"),
        item("order", "3", ordered_at="2025-11-22T10:00:00+00:00", total="1000"),
        item("order", "4", ordered_at="2026-11-20T10:00:00+00:00", total="7", currency="EUR"),
        item("order", "5", ordered_at="2027-11-20T10:00:00+00:00", total="7"),
    ]
    assert facts(items)["annual_spend"] == "110.50"
    assert next_change(items, READING) == date(2026, 11, 23)
    assert next_change(items[2:3], READING) is None


def test_the_latest_reward_of_a_kind_counts() -> None:
    items = [item("reward", str(n), kind="birthday", granted_on=f"202{n}-03-14") for n in (3, 5, 4)]
    found = facts([*items, item("reward", "9", kind="welcome", granted_on="2020-01-01")])
    assert (found["birthday_reward_on"], found["welcome_reward_on"]) == ("2025-03-14", "2020-01-01")


def edges(*items: Item, zone: str = "UTC", today: date = TODAY) -> tuple[object, date | None]:
    """Annual spend on a day, and the first day on which it may be another."""
    reading = Reading(today, ZoneInfo(zone), "GBP")
    return facts_of(items, {}, None, {}, reading).get("annual_spend"), next_change(items, reading)


def test_the_year_of_annual_spend_begins_and_ends_with_the_companys_days() -> None:
    late = item("order", ordered_at="2025-11-22T23:30:00+00:00", total="10")  # the 23rd in Berlin
    assert edges(late) == (None, None)
    assert edges(late, zone="Europe/Berlin") == ("10", date(2026, 11, 23))
    assert edges(late, zone="Europe/Berlin", today=date(2026, 11, 23)) == (None, None)


def test_an_order_dated_into_tomorrow_counts_when_its_day_comes() -> None:
    ahead = item("order", ordered_at="2026-11-23T00:10:00+00:00", total="10")
    assert edges(ahead) == (None, date(2026, 11, 23))
    assert edges(ahead, today=date(2026, 11, 23)) == ("10", date(2027, 11, 23))


def test_walking_from_change_to_change_meets_every_change_of_annual_spend() -> None:
    chosen = random.Random(7)
    for _ in range(30):
        days = [TODAY + timedelta(days=chosen.randint(-380, 20)) for _ in range(4)]
        items = [item("order", str(n), ordered_at=f"{day}T12:00:00+00:00", total="1") for n, day in enumerate(days)]
        by_day = [edges(*items, today=TODAY + timedelta(days=n))[0] for n in range(420)]
        differs = {n for n in range(1, 420) if by_day[n] != by_day[n - 1]}
        walked, day = set[int](), edges(*items)[1]
        while day is not None and (day - TODAY).days < 420:
            walked.add((day - TODAY).days)
            day = edges(*items, today=day)[1]
        assert differs <= walked


def test_a_cancelled_order_was_never_made_line_by_line() -> None:
    gone = {"cancelled_at": "2026-11-21T12:00:00+00:00"}
    lines = [
        item("order", "1", ordered_at="2026-11-20T10:00:00+00:00", total="5", list_total="5", category="hats", **gone),
        item("order", "1", ordered_at="2026-11-20T10:00:00+00:00", total="7", list_total="7", category="bags", **gone),
    ]
    cart = item("cart", "2", abandoned_at="2026-11-19T10:00:00+00:00", category="hats")
    found = facts([*lines, cart])
    assert found["orders_total"] == 0
    assert found["open_cart_on"] == "2026-11-19"
    assert not {"annual_spend", "last_order_on", "last_full_price_on", "bought_cart_on"} & found.keys()
    assert next_change(lines, READING) is None


def test_one_line_at_full_price_makes_the_order_one_and_each_line_closes_its_own_cart() -> None:
    at = {"ordered_at": "2026-11-20T10:00:00+00:00"}
    items = [
        item("order", "1", total="5", list_total="9", category="hats", **at),
        item("order", "1", total="7", list_total="7", category="bags", **at),
        item("cart", "2", abandoned_at="2026-11-18T10:00:00+00:00", category="bags"),
        item("cart", "3", abandoned_at="2026-11-19T10:00:00+00:00", category="hats"),
        item("cart", "4", abandoned_at="2026-11-17T10:00:00+00:00", category="shoes"),
    ]
    found = facts(items)
    assert (found["orders_total"], found["last_full_price_on"], found["annual_spend"]) == (1, "2026-11-20", "12")
    assert (found["bought_cart_on"], found["open_cart_on"], found["cart_on"]) == (
        "2026-11-19",
        "2026-11-17",
        "2026-11-19",
    )
