"""What the seller's events tell of customers and loyalty accounts."""

from __future__ import annotations

from onevoice.sandbox.square import merge_customers, put_attribute


def told(seller, *types, **more):
    query = {"filter": {"event_types": list(types), **more}}
    return seller.post("events", {"query": query}).get("events", [])


def test_deleted_and_merged_customers(seller):
    one, two, three, _ = (seller.customer() for _ in range(4))
    seller.state.tables["customers"].delete(three, actor="hand")
    new = merge_customers(seller.state, [one, two])
    events = {event["data"]["id"]: event["data"] for event in told(seller, "customer.deleted")}
    assert events.keys() == {one, two, three}
    merge = {"from_customer_ids": sorted([one, two]), "to_customer_id": new}
    assert events[one]["object"]["event_context"]["merge"] == merge
    assert "object" not in events[three]


def test_attributes_taken_away(seller):
    seller.define("cup")
    one, two = (seller.customer() for _ in range(2))
    for key in (one, two):
        put_attribute(seller.state, key, "cup", "large", actor="hand")
    put_attribute(seller.state, two, "cup", None, actor="hand")
    [event] = told(seller, "customer.custom_attribute.owned.deleted")
    assert event["data"]["id"].endswith(f":cup:CUSTOMER:{two}")
    assert event["data"]["deleted"] is True


def test_changes_of_loyalty_accounts(seller):
    account = {"program_id": "P1", "balance": 1, "lifetime_points": 1}
    changed, gone = (seller.add("loyalty_accounts", account) for _ in range(2))
    seller.state.tables["loyalty_accounts"].update(changed, {"balance": 2}, actor="hand")
    seller.state.tables["loyalty_accounts"].delete(gone, actor="hand")
    kinds = ("created", "updated", "deleted")
    events = told(seller, *(f"loyalty.account.{kind}" for kind in kinds))
    assert [(event["type"].rpartition(".")[2], event["data"]["id"]) for event in events] == [
        ("created", changed),
        ("updated", changed),
        ("deleted", gone),
    ]


def test_events_by_time_in_pages_and_for_28_days(seller):
    for key in [seller.customer() for _ in range(5)]:
        seller.state.tables["customers"].delete(key, actor="hand")
        seller.state.clock.advance(60)
    events = told(seller, "customer.deleted")
    assert len(events) == 5
    from_third = {"start_at": events[2]["created_at"]}
    assert told(seller, "customer.deleted", created_at=from_third) == events[2:]
    query = {"filter": {"event_types": ["customer.deleted"]}}
    first = seller.post("events", {"query": query, "limit": 3})
    second = seller.post("events", {"query": query, "limit": 3, "cursor": first["cursor"]})
    assert first["events"] + second["events"] == events
    assert "cursor" not in second
    seller.state.clock.advance(28 * 86400 - 150)
    assert told(seller, "customer.deleted") == events[3:]
