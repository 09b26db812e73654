"""What is read: customers, orders, checkouts, single nodes, counts; every answer is judged by Shopify's schema."""

from __future__ import annotations

CUSTOMERS = """
query Page($first: Int!, $after: String, $query: String, $sort: CustomerSortKeys = UPDATED_AT, $reverse: Boolean) {
  customers(first: $first, after: $after, query: $query, sortKey: $sort, reverse: $reverse) {
    nodes {
      id firstName lastName displayName createdAt updatedAt tags numberOfOrders legacyResourceId state
      amountSpent { amount currencyCode }
      defaultEmailAddress { emailAddress marketingState marketingOptInLevel marketingUpdatedAt validFormat }
      defaultPhoneNumber { phoneNumber marketingState marketingUpdatedAt }
      defaultAddress { address1 city zip province countryCodeV2 phone formattedArea }
      tier: metafield(namespace: "onevoice", key: "tier") { id type value jsonValue compareDigest ownerType }
      points: metafield(namespace: "onevoice", key: "points") { value jsonValue }
    }
    edges { cursor }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}
"""
ORDERS = """
{ orders(first: 50, sortKey: UPDATED_AT) {
    nodes {
      id name createdAt processedAt updatedAt cancelledAt customer { id }
      totalPriceSet { shopMoney { amount currencyCode } } totalDiscountsSet { shopMoney { amount } }
      lineItems(first: 20) { nodes {
        id quantity title product { productType }
        originalTotalSet { shopMoney { amount currencyCode } } discountedTotalSet { shopMoney { amount } }
        discountedUnitPriceSet { shopMoney { amount } }
      } pageInfo { hasNextPage } }
    }
    pageInfo { hasNextPage endCursor }
} }
"""
CHECKOUTS = """
{ abandonedCheckouts(first: 50, sortKey: CREATED_AT, query: "updated_at:>='2026-11-01'") { nodes {
    id createdAt updatedAt completedAt customer { id } totalPriceSet { shopMoney { amount } }
    lineItems(first: 5) { nodes { quantity product { productType } } }
} } abandonedCheckoutsCount { count precision } }
"""


def test_a_customer_with_everything(shop, one_line):
    key = shop.customer(
        email="ann@example.org",
        emailMarketing={"state": "SUBSCRIBED", "optInLevel": "SINGLE_OPT_IN", "updatedAt": "2026-01-02T03:04:05Z"},
        phone="+4915112345678",
        phoneMarketing={"state": "UNSUBSCRIBED", "optInLevel": None, "updatedAt": "2026-02-02T03:04:05Z"},
        address={
            "address1": "Hof 1",
            "city": "Ulm",
            "zip": "89073",
            "province": None,
            "countryCodeV2": "DE",
            "phone": None,
        },
        tags=["VIP"],
        metafields={
            "onevoice.tier": {"type": "single_line_text_field", "value": "gold"},
            "onevoice.points": {"type": "number_integer", "value": "120"},
        },
    )
    shop.order(key, one_line(), one_line(discounted="40.00", quantity=2))
    shop.order(key, one_line(original="10.50", discounted="10.50"), cancelledAt="2026-11-21T08:00:00Z")
    [found] = shop.data(CUSTOMERS, first=10)["customers"]["nodes"]
    assert (found["displayName"], found["tags"], found["numberOfOrders"]) == ("Ann Lee", ["VIP"], "2")
    assert found["amountSpent"] == {"amount": "99.9", "currencyCode": "GBP"}
    assert found["defaultEmailAddress"]["marketingState"] == "SUBSCRIBED"
    assert found["defaultPhoneNumber"]["marketingState"] == "UNSUBSCRIBED"
    assert found["defaultAddress"]["formattedArea"] == "Ulm, DE"
    assert (found["tier"]["value"], found["points"]["jsonValue"]) == ("gold", 120)
    assert found["createdAt"] == found["updatedAt"] == "2026-11-19T09:00:01Z"


def test_a_customer_with_nothing(shop):
    shop.customer(firstName=None, lastName=None)
    [found] = shop.data(CUSTOMERS, first=10)["customers"]["nodes"]
    assert (found["displayName"], found["numberOfOrders"], found["amountSpent"]["amount"]) == ("", "0", "0.0")
    empty = ("defaultEmailAddress", "defaultPhoneNumber", "defaultAddress", "tier", "points")
    assert [found[name] for name in empty] == [None] * 5


def test_an_erased_address_is_not_shown(shop):
    shop.customer(email="ann@example.org", emailMarketing={"state": "REDACTED"})
    shop.customer(email="bob@example.org", emailMarketing={"state": "INVALID"})
    shop.customer(email="cat@example.org")
    found = [one["defaultEmailAddress"] for one in shop.data(CUSTOMERS, first=10)["customers"]["nodes"]]
    assert found[0] is None
    assert [one["marketingState"] for one in found[1:]] == ["INVALID", "NOT_SUBSCRIBED"]


def test_orders_and_their_lines(shop, one_line):
    key = shop.customer()
    shop.order(key, one_line(), one_line(original="80.00", discounted="60.00", quantity=2, title="Socks"))
    shop.order(None, one_line())
    first, second = shop.data(ORDERS)["orders"]["nodes"]
    assert (first["customer"], second["customer"]) == ({"id": key}, None)
    assert first["totalPriceSet"]["shopMoney"] == {"amount": "119.9", "currencyCode": "GBP"}
    assert first["totalDiscountsSet"]["shopMoney"]["amount"] == "20.0"
    jacket, socks = first["lineItems"]["nodes"]
    assert (
        jacket["originalTotalSet"]["shopMoney"]["amount"]
        == jacket["discountedTotalSet"]["shopMoney"]["amount"]
        == "59.9"
    )
    assert (socks["originalTotalSet"]["shopMoney"]["amount"], socks["quantity"]) == ("80.0", 2)
    assert socks["discountedUnitPriceSet"]["shopMoney"]["amount"] == "30.0"
    assert jacket["product"] == {"productType": "Jackets"}


def test_long_orders_are_read_in_pages(shop, one_line):
    key = shop.order(None, *(one_line(title=f"Item {n}") for n in range(7)))
    query = """query Lines($id: ID!, $after: String) { order(id: $id) { lineItems(first: 3, after: $after) {
        nodes { title } pageInfo { hasNextPage endCursor } } } }"""
    titles, after = [], None
    for _ in range(3):
        page = shop.data(query, id=key, after=after)["order"]["lineItems"]
        titles += [one["title"] for one in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
    assert titles == [f"Item {n}" for n in range(7)]
    assert page["pageInfo"]["hasNextPage"] is False


def test_abandoned_checkouts(shop, one_line):
    key = shop.customer()
    shop.checkout(key, one_line(quantity=3))
    shop.checkout(None, one_line(), completedAt="2026-11-20T10:00:00Z")
    said = shop.data(CHECKOUTS)
    open_one, done = said["abandonedCheckouts"]["nodes"]
    assert (open_one["customer"], open_one["completedAt"]) == ({"id": key}, None)
    assert done["completedAt"] == "2026-11-20T10:00:00Z"
    assert open_one["lineItems"]["nodes"] == [{"quantity": 3, "product": {"productType": "Jackets"}}]
    assert said["abandonedCheckoutsCount"] == {"count": 2, "precision": "EXACT"}


def test_reads_by_id_keep_the_order_of_the_ids(shop, one_line):
    ann = shop.customer(email="ann@example.org")
    order = shop.order(ann, one_line())
    gone = "gid://shopify/Customer/1"
    query = """query Nodes($ids: [ID!]!) { nodes(ids: $ids) { __typename id
        ... on Customer { tags lastOrder { id } orders(first: 2) { nodes { id } } } ... on Order { name } } }"""
    found = shop.data(query, ids=[order, gone, ann, "gid://shopify/Product/5"])["nodes"]
    bought = {"lastOrder": {"id": order}, "orders": {"nodes": [{"id": order}]}}
    assert found == [
        {"__typename": "Order", "id": order, "name": "#1001"},
        None,
        {"__typename": "Customer", "id": ann, "tags": [], **bought},
        None,
    ]
    assert shop.codes("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=["7"]) == ["RESOURCE_NOT_FOUND"]


def test_customers_by_what_identifies_them(shop):
    ann = shop.customer(email="Ann@example.org", phone="+4915112345678")
    query = "query($who: CustomerIdentifierInput!) { customerByIdentifier(identifier: $who) { id email phone } }"
    for who in ({"emailAddress": "ann@EXAMPLE.org"}, {"phoneNumber": "+4915112345678"}, {"id": ann}):
        assert shop.data(query, who=who)["customerByIdentifier"]["id"] == ann
    assert shop.data(query, who={"emailAddress": "bob@example.org"}) == {"customerByIdentifier": None}
    assert shop.codes(query, who={"emailAddress": "a@b.org", "id": ann}) == ["INVALID_VARIABLE"]
    assert shop.data("query($id: ID!) { customer(id: $id) { id } }", id=ann) == {"customer": {"id": ann}}


def test_counts_stop_where_they_are_told_to(shop):
    for _ in range(3):
        shop.customer()
    assert shop.data("{ customersCount { count precision } }")["customersCount"] == {"count": 3, "precision": "EXACT"}
    some = shop.data("{ customersCount(limit: 2) { count precision } }")["customersCount"]
    assert some == {"count": 2, "precision": "AT_LEAST"}
    assert shop.codes("{ customersCount(limit: -1) { count } }") == ["BAD_REQUEST"]
    assert shop.data("{ customersCount(limit: null) { count } ordersCount { count } }")["ordersCount"] == {"count": 0}


def test_who_am_i(shop):
    said = shop.data(
        "{ shop { id name myshopifyDomain currencyCode ianaTimezone plan { publicDisplayName } metafields(first: 1)"
        " { nodes { id } } } currentAppInstallation { id accessScopes { handle description } } }"
    )
    scopes = [one["handle"] for one in said["currentAppInstallation"]["accessScopes"]]
    assert scopes == ["read_customers", "read_orders", "write_customers"]


def test_metafields_of_a_customer_as_a_connection(shop):
    text = {"type": "single_line_text_field", "value": "x"}
    key = shop.customer(metafields={"onevoice.tier": text, "onevoice.points": text, "other.size": text})
    query = """query($id: ID!, $keys: [String!], $space: String) { customer(id: $id) {
        metafields(first: 10, keys: $keys, namespace: $space) { nodes { namespace key definition { id }
        owner { __typename metafield(key: "other.size") { value } } } } } }"""
    for asked, expected in (
        ({}, {"tier", "points", "size"}),
        ({"space": "onevoice"}, {"tier", "points"}),
        ({"keys": ["other.size", "onevoice.tier"]}, {"size", "tier"}),
        ({"space": "onevoice", "keys": ["points"]}, {"points"}),
    ):
        found = shop.data(query, id=key, **asked)["customer"]["metafields"]["nodes"]
        assert {one["key"] for one in found} == expected
    assert found[0]["owner"] == {"__typename": "Customer", "metafield": {"value": "x"}}
