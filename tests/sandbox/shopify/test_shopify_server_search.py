"""Searches: filters, orders, cursors, and an index that lags behind."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onevoice.sandbox.shopify.query import parse_query
from onevoice.sandbox.shopify.reads import CUSTOMERS
from onevoice.sandbox.shopify.tables import SHOPIFY_LAG_SECONDS, gid_number

AS_OF = datetime(2026, 11, 22, 9, tzinfo=UTC)
PAGE = """query Page($first: Int, $after: String, $last: Int, $before: String, $query: String,
    $sort: CustomerSortKeys = ID, $reverse: Boolean = false) {
  customers(first: $first, after: $after, last: $last, before: $before, query: $query, sortKey: $sort,
            reverse: $reverse) {
    nodes { id email updatedAt } edges { cursor node { id } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  } }"""


FILTERS = {
    "": "abcde",
    "updated_at:>='2026-11-19T09:00:03Z'": "cde",
    'updated_at:>="2026-11-19T10:00:03+01:00"': "cde",
    "updated_at:>'2026-11-19T09:00:03Z'": "cde",
    "updated_at:<'2026-11-19T09:00:03Z'": "ab",
    "updated_at:<='2026-11-19T09:00:03Z'": "abc",
    "updated_at:>='2026-11-19T09:00:02Z' AND updated_at:<'2026-11-19T09:00:04Z'": "bc",
    "updated_at:>=2026-11-19T09:00:02Z updated_at:<2026-11-19T09:00:04Z": "bc",
    "updated_at:'2026-11-19T09:00:03Z'": "c",
    "updated_at:2026-11-19": "abcde",
    "updated_at:<=2026": "abcde",
    "updated_at:>=2026-12": "",
    "updated_at:<now": "abcde",
    "customer_date: >='2026-11-19T09:00:05Z'": "e",
    "updated_at:*": "abcde",
    'email:"c.lee@example.org"': "c",
    'email:"lee@example.org"': "",
    "email:lee@example.org": "abcde",
    "email:c.l*": "c",
    "first_name:D OR first_name:e": "de",
    "NOT first_name:D": "abce",
    "-first_name:D (first_name:C OR first_name:D)": "c",
    "tag:vip": "a",
    "tag:'Two Words'": "a",
    "Lee": "abcde",
    "b.lee": "b",
    "accepts_marketing:true": "",
    "email_marketing_state:UNSUBSCRIBED": "b",
    "updated_at:>='2026-11-19T09:00:02Z' AND (email_marketing_state:unsubscribed OR sms_marketing_state:PENDING)": "bc",
    "sms_marketing_state:NOT_SUBSCRIBED": "abde",
}


def emails(shop, query: str, **more: object) -> list[str]:
    """First letters of the addresses found."""
    said = shop.ask(PAGE, first=50, query=query, **more)
    return [one["email"][0] for one in said["data"]["customers"]["nodes"]]


@pytest.fixture
def people(shop):
    """Five customers, a to e, changed at 09:00:01 to 09:00:05 on 2026-11-19."""
    keys = [shop.customer(email=f"{letter}.lee@example.org", firstName=letter.upper()) for letter in "abcde"]
    shop.state.tables["customers"].rows[keys[0]]["tags"] = ["VIP", "Two Words"]
    shop.state.tables["customers"].rows[keys[1]]["emailMarketing"] = {"state": "UNSUBSCRIBED"}
    shop.state.tables["customers"].rows[keys[2]]["phoneMarketing"] = {"state": "PENDING"}
    return keys


def test_filters(shop, people):
    assert {query: "".join(emails(shop, query)) for query in FILTERS} == FILTERS


_SCRAPS = (
    "(",
    ")",
    "NOT ",
    "OR ",
    "AND ",
    "-",
    "updated_at:",
    "email:",
    "id:",
    ">=",
    "<",
    "'",
    '"',
    "\\",
    "2026-01",
    "*",
    " ",
)


@given(
    st.lists(st.sampled_from([*_SCRAPS, "9999-12", "now", "x", "é", "accepts_marketing:"]), max_size=12).map("".join)
)
def test_any_text_is_a_query(text):
    row = {"id": "gid://shopify/Customer/1", "updatedAt": "2026-11-19T09:00:01Z", "email": "a@b.org"}
    assert parse_query(text, CUSTOMERS.fields, AS_OF).test(row) in {True, False}


def test_filters_by_id(shop, people):
    number = gid_number(people[2])
    assert emails(shop, f"id:>{number}") == ["d", "e"]
    assert emails(shop, f"id:{number}") == ["c"]
    assert emails(shop, f"updated_at:>='2026-11-19' AND id:>={number}") == ["c", "d", "e"]


def test_a_filter_that_is_not_understood_is_passed_over_with_a_warning(shop, people):
    for query in ("updated:>='2026-11-19T09:00:03Z'", "updated_at:>=yesterday", "created_at:>='2026-11-21'"):
        said = shop.ask(PAGE, first=50, query=query)
        assert len(said["data"]["customers"]["nodes"]) == 5
        [search] = said["extensions"]["search"]
        assert (search["path"], search["query"]) == (["customers"], query)
        assert search["warnings"][0]["field"] == query.partition(":")[0]


def test_orders_and_directions(shop, people):
    shop.state.tables["customers"].update(people[1], {"firstName": "Z"}, actor="hand")
    shop.state.clock.advance(SHOPIFY_LAG_SECONDS)
    assert emails(shop, "", sort="UPDATED_AT") == list("acdeb")
    assert emails(shop, "", sort="UPDATED_AT", reverse=True) == list("bedca")
    assert emails(shop, "", sort="NAME") == list("acdeb")
    assert emails(shop, "", sort="CREATED_AT") == list("abcde")


@pytest.mark.parametrize("reverse", [False, True])
def test_pages_forwards_and_backwards(shop, people, reverse):
    order = people[::-1] if reverse else people
    first = shop.data(PAGE, first=2, reverse=reverse)["customers"]
    second = shop.data(PAGE, first=2, reverse=reverse, after=first["pageInfo"]["endCursor"])["customers"]
    third = shop.data(PAGE, first=2, reverse=reverse, after=second["pageInfo"]["endCursor"])["customers"]
    assert [one["id"] for page in (first, second, third) for one in page["nodes"]] == order
    flags = [(page["pageInfo"]["hasPreviousPage"], page["pageInfo"]["hasNextPage"]) for page in (first, second, third)]
    assert flags == [(False, True), (True, True), (True, False)]
    back = shop.data(PAGE, last=2, reverse=reverse, before=third["pageInfo"]["startCursor"])["customers"]
    assert back["nodes"] == second["nodes"]
    assert [edge["node"]["id"] for edge in back["edges"]] == order[2:4]
    assert back["edges"][0]["cursor"] == back["pageInfo"]["startCursor"]


def test_records_that_change_between_pages_come_again_and_hide_no_other(shop, people):
    seen, after = [], None
    for page_number in range(10):
        page = shop.data(PAGE, first=2, after=after, sort="UPDATED_AT")["customers"]
        seen += [one["email"][0] for one in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
        if page_number == 0:
            shop.state.tables["customers"].update(people[0], {"note": "x"}, actor="hand")
            shop.state.clock.advance(SHOPIFY_LAG_SECONDS)
    assert seen == list("abcdea")


def test_cursors_belong_to_their_order(shop, people):
    after = shop.data(PAGE, first=2)["customers"]["pageInfo"]["endCursor"]
    assert shop.codes(PAGE, first=2, after=after, sort="UPDATED_AT") == ["BAD_REQUEST"]
    assert shop.codes(PAGE, first=2, after="nonsense") == ["BAD_REQUEST"]


def test_pages_end_at_25_000_records(shop, monkeypatch, people):
    monkeypatch.setattr("onevoice.sandbox.shopify.search.MOST_PAGED", 3)
    first = shop.data(PAGE, first=3)["customers"]
    assert len(first["nodes"]) == 3
    assert shop.codes(PAGE, first=2, after=first["pageInfo"]["endCursor"]) == ["BAD_REQUEST"]


def test_searches_see_a_change_later_than_reads_by_id_do(shop, people):
    shop.state.clock.advance(60)
    query = 'mutation($id: ID!) { tagsAdd(id: $id, tags: ["new"]) { node { id } userErrors { message } } }'
    shop.data(query, id=people[0])
    by_id = "query($id: ID!) { customer(id: $id) { tags } }"
    assert shop.data(by_id, id=people[0])["customer"]["tags"] == ["VIP", "Two Words", "new"]
    since = (shop.state.clock.now() - timedelta(seconds=30)).isoformat()
    assert emails(shop, f"updated_at:>='{since}'") == []
    assert emails(shop, "tag:new") == []
    assert emails(shop, "") == list("abcde")
    shop.state.clock.advance(SHOPIFY_LAG_SECONDS)
    assert emails(shop, f"updated_at:>='{since}'") == emails(shop, "tag:new") == ["a"]


def test_a_deleted_customer_is_found_for_the_lag_yet(shop, people):
    shop.state.tables["customers"].delete(people[4], actor="hand")
    assert shop.data("query($id: ID!) { customer(id: $id) { id } }", id=people[4]) == {"customer": None}
    assert emails(shop, "") == list("abcde")
    shop.state.clock.advance(SHOPIFY_LAG_SECONDS)
    assert emails(shop, "") == list("abcd")
