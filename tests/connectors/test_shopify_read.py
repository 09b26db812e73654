"""Reading a shop: windows, ties, lists cut short, what an index hides, and what a crash leaves."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors import open_connector
from onevoice.errors import ContractBroken, Unavailable

AS_OF = datetime(2026, 11, 22, 9, tzinfo=UTC)
LATE = "2026-11-22T08:00:00Z"
LINE = {
    "title": "x",
    "productType": "coats",
    "quantity": 1,
    "original": "9.95",
    "discounted": "9.95",
    "currency": "GBP",
}


def read(
    rig: Any, cursor: Any = None, stream: str = "customers", fields: tuple[str, ...] = ("firstName",)
) -> list[Any]:
    return list(rig.open().read(stream, cursor, fields, rig.settled()))


def keys(pages: list[Any]) -> set[str]:
    return {record.key for page in pages for record in page.records}


def stored(cursor: Any) -> Any:
    return json.loads(json.dumps(cursor))


def number(key: str) -> int:
    return int(key.rpartition("/")[2])


def order(rig: Any, serial: int, stamp: Any, **more: Any) -> str:
    told = {"name": f"#{serial}", "processedAt": LATE, "cancelledAt": None}
    return str(rig.add("orders", "Order", serial, stamp, **{**told, **more}))


def checkout(rig: Any, serial: int, stamp: Any) -> str:
    return str(rig.add("checkouts", "AbandonedCheckout", serial, stamp, completedAt=None))


def lines(count: int) -> list[Mapping[str, Any]]:
    return [{"id": f"gid://shopify/LineItem/{serial + 1}", **LINE} for serial in range(count)]


def test_customers_of_one_second_are_all_read_whatever_page_a_crash_follows(shopify: Any) -> None:
    shopify.contacts(620, stamp=shopify.settled() - timedelta(days=1))
    pages = read(shopify)
    assert keys(pages) == shopify.keys()
    for page in range(len(pages)):
        before = keys(pages[: page + 1])
        assert before | keys(read(shopify, stored(pages[page].cursor))) == shopify.keys()


def test_more_rows_than_page_tokens_reach(shopify: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.shopify.walk.REACH", 200)
    monkeypatch.setattr("connectors.shopify.source.PAGE", 100)
    shopify.contacts(700)
    pages = read(shopify)
    assert keys(pages) == shopify.keys()
    assert sum(len(page.records) for page in pages) == 700


def test_more_rows_in_one_second_than_page_tokens_reach(shopify: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.shopify.walk.REACH", 200)
    monkeypatch.setattr("connectors.shopify.source.PAGE", 100)
    shopify.contacts(550, stamp=shopify.settled() - timedelta(days=1))
    pages = read(shopify)
    assert keys(pages) == shopify.keys()
    middle = next(page for page in pages if page.cursor["id"])
    assert keys(read(shopify, stored(middle.cursor))) | keys(pages[: pages.index(middle) + 1]) == shopify.keys()


def test_customer_that_moves_while_we_read_hides_no_other(shopify: Any) -> None:
    shopify.contacts(520)
    as_of = shopify.settled()
    reading = shopify.open().read("customers", None, ["firstName"], as_of)
    first = next(reading)
    moved = first.records[0].key
    shopify.edit(moved)
    shopify.state.clock.advance(10)
    rest = list(reading)
    assert keys([first, *rest]) == shopify.keys()
    assert moved in keys(read(shopify, stored(rest[-1].cursor)))


def test_orders_come_with_their_lines_and_only_the_fields_asked_for(shopify: Any) -> None:
    [buyer] = shopify.contacts(1)
    key = order(shopify, 1, shopify.settled(), customer=buyer, lines=lines(2))
    wanted = ("customer.id", "lineItems.nodes.product.productType", "lineItems.nodes.originalTotalSet.shopMoney.amount")
    [record] = [record for page in read(shopify, None, "orders", wanted) for record in page.records]
    assert record.key == key
    assert record.data.keys() == {"id", "updatedAt", "customer", "lineItems"}
    assert record.data["customer"] == {"id": buyer}
    line = {"product": {"productType": "coats"}, "originalTotalSet": {"shopMoney": {"amount": "9.95"}}}
    assert record.data["lineItems"]["nodes"] == [line, line]


def test_order_with_more_lines_than_a_page_is_whole(shopify: Any) -> None:
    key = order(shopify, 1, shopify.settled(), lines=lines(37))
    fields = ("lineItems.nodes.quantity", "lineItems.nodes.id")
    [record] = [record for page in read(shopify, None, "orders", fields) for record in page.records]
    assert [number(line["id"]) for line in record.data["lineItems"]["nodes"]] == list(range(1, 38))
    [again] = shopify.open().fetch("orders", [key], fields)
    assert again.data == record.data


def test_checkouts_are_walked_by_id_and_a_crash_goes_on_behind_it(
    shopify: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.shopify.source.PAGE", 40)
    stamp = shopify.settled()
    # The older the id, the newer the change: an order by id is none by time.
    every = {checkout(shopify, serial, stamp - timedelta(minutes=serial)) for serial in range(1, 100)}
    pages = read(shopify, None, "abandonedCheckouts", ())
    assert keys(pages) == every
    rest = keys(read(shopify, stored(pages[0].cursor), "abandonedCheckouts", ()))
    assert rest | keys(pages[:1]) == every
    assert rest & keys(pages[:1]) == set()
    assert not keys(read(shopify, stored(pages[-1].cursor), "abandonedCheckouts", ()))


def test_point_read_sees_what_the_index_does_not_know_yet(shopify: Any) -> None:
    key, *_ = shopify.contacts(3)
    shopify.settled()
    shopify.edit(key)
    connector = shopify.open()
    now = shopify.state.clock.now()
    assert connector.fetch("customers", [key], ["lastName"]).__next__().data["lastName"] == "Edited"
    seen = [record for page in connector.read("customers", None, ["lastName"], now) for record in page.records]
    assert {record.data["lastName"] for record in seen} == {"Moss"}


def test_point_read_of_many_keys_keeps_their_order(shopify: Any) -> None:
    asked = [*reversed(shopify.contacts(300)), "gid://shopify/Customer/999999", "gid://shopify/Order/1", "17"]
    found = list(shopify.open().fetch("customers", asked, shopify.fields))
    assert [record.key for record in found] == asked
    assert [record.deleted for record in found] == [False] * 300 + [True] * 3


def test_unknown_stream_is_refused(shopify: Any) -> None:
    with pytest.raises(ContractBroken, match="no such stream"):
        list(shopify.open().fetch("products", [], []))


def node(serial: int, stamp: str) -> dict[str, Any]:
    return {"id": f"gid://shopify/Customer/{serial}", "updatedAt": stamp}


@pytest.fixture
def vendor(scripted: Callable[..., Any], budget: Any) -> Any:
    """A scripted shop: `vendor.pages` are listed in turn, `vendor.count` is what it counts."""
    server = scripted()
    server.pages, server.count = [], (0, "EXACT")

    def answer(exchange: Any) -> Any:
        if "query Count" in exchange.json()["query"]:
            return 200, {"data": {"customersCount": dict(zip(("count", "precision"), server.count, strict=True))}}
        nodes = server.pages.pop(0) if server.pages else []
        info = {"hasNextPage": bool(server.pages), "endCursor": "behind"}
        return 200, {"data": {"customers": {"nodes": nodes, "pageInfo": info}}}

    server.answer = answer
    server.open = lambda: open_connector("shopify", "shop", {"url": server.url, "access_token": "t"}, budget)
    return server


def walked(vendor: Any, as_of: Any, cursor: Any = None) -> list[Any]:
    return list(vendor.open().read("customers", cursor, [], as_of))


def test_rows_outside_the_window_are_left_out(vendor: Any) -> None:
    """The filter matches whole days: older and newer rows come along."""
    vendor.pages = [[node(1, "2026-11-22T00:00:00Z"), node(2, "2026-11-22T08:30:00Z"), node(3, "2026-11-22T09:30:00Z")]]
    since = {"stamp": "2026-11-22T08:00:00.000Z", "id": "", "through": "2026-11-22T08:59:00.000Z", "since": None}
    pages = walked(vendor, AS_OF, since)
    assert keys(pages) == {"gid://shopify/Customer/2"}
    query = vendor.requests[0].json()
    assert query["variables"]["query"] == (
        "updated_at:>='2026-11-22T08:00:00Z' AND updated_at:<='2026-11-22T08:59:00Z'"
    )
    assert "sortKey: UPDATED_AT" in query["query"]


def test_list_out_of_order_moves_no_watermark(vendor: Any) -> None:
    shuffled = [node(2, "2026-11-20T08:00:00Z"), node(1, "2026-11-19T08:00:00Z")]
    by_id = [node(1, "2026-11-19T08:00:00Z"), node(2, "2026-11-20T08:00:00Z")]
    vendor.pages = [shuffled, by_id]
    pages = walked(vendor, AS_OF)
    assert keys(pages) == {"gid://shopify/Customer/1", "gid://shopify/Customer/2"}
    assert "sortKey: ID" in vendor.requests[1].json()["query"]
    assert {page.cursor["stamp"] for page in pages[:-1]} == {"1970-01-01T00:00:00.000Z"}


def test_fewer_rows_than_counted_moves_the_watermark_back(vendor: Any) -> None:
    vendor.pages, vendor.count = [[node(1, "2026-11-20T08:00:00Z")]], (2, "EXACT")
    reached: list[Any] = []
    reading = vendor.open().read("customers", None, [], AS_OF)
    with pytest.raises(Unavailable, match="2 rows were counted and 1 came"):
        reached.extend(page.cursor for page in reading)
    assert reached[0]["stamp"] == "2026-11-20T08:00:00.000Z"
    assert reached[-1]["stamp"] == "1970-01-01T00:00:00.000Z"
    vendor.pages = [[node(1, "2026-11-20T08:00:00Z"), node(2, "2026-11-21T08:00:00Z")]]
    vendor.count = (0, "EXACT")
    assert len(keys(walked(vendor, AS_OF, stored(reached[-1])))) == 2


def test_count_that_is_only_a_lower_bound_is_not_believed(vendor: Any) -> None:
    vendor.pages, vendor.count = [[node(1, "2026-11-20T08:00:00Z")]], (10_000, "AT_LEAST")
    assert len(keys(walked(vendor, AS_OF))) == 1


def test_list_that_never_moves_on_ends(vendor: Any) -> None:
    same = [node(2, "2026-11-20T08:00:00Z"), node(1, "2026-11-19T08:00:00Z")]
    vendor.pages = [same] * 50
    with pytest.raises(Unavailable, match="goes on without new rows"):
        walked(vendor, AS_OF)
    assert len(vendor.requests) < 10
