"""What is refused: tokens, scopes, versions, requests the schema does not know, queries too dear, and bad days."""

from __future__ import annotations

from zlib import crc32

import httpx

from loopback import caller
from onevoice.sandbox.misfortune import REJECTED_SHARE
from onevoice.sandbox.shopify import limits
from onevoice.sandbox.shopify.cost import size

PATH = "/admin/api/2026-07/graphql.json"
TAG = 'mutation($id: ID!) { tagsAdd(id: $id, tags: ["x"]) { node { id } userErrors { message } } }'
CHEAP = "{ customers(first: 1) { nodes { id } } }"
DEAR = """{ orders(first: 250) { nodes { id lineItems(first: 50) { nodes {
    originalTotalSet { shopMoney { amount } } discountedTotalSet { shopMoney { amount } }
    product { productType } } } } } }"""


def post(shop, body: object, path: str = PATH, token: str | None = "token") -> httpx.Response:
    """Outside of the judged client, for what is no proper request."""
    with caller(shop.url, headers={"X-Shopify-Access-Token": token} if token else {}) as client:
        return client.post(path, content=body) if isinstance(body, bytes) else client.post(path, json=body)


def test_tokens_and_versions(shop):
    wrong = post(shop, {"query": CHEAP}, token="nonsense")
    assert (wrong.status_code, wrong.json()["errors"][:5]) == (401, "[API]")
    assert post(shop, {"query": CHEAP}, token=None).status_code == 401
    for version, status in (("2025-10", 200), ("unstable", 200), ("2027-01", 404), ("2026-02", 404), ("latest", 404)):
        answer = post(shop, {"query": CHEAP}, f"/admin/api/{version}/graphql.json")
        assert (version, answer.status_code) == (version, status)
        assert answer.headers["X-Shopify-API-Version"] == "2026-07"
    assert shop.state.calls.outcomes["refused"] == 5


def test_bodies_that_are_no_request(shop):
    for body in ([], {}, {"query": ""}, {"query": 1}, {"query": CHEAP, "variables": []}):
        assert post(shop, body).status_code == (200 if body == {"query": CHEAP, "variables": []} else 400)
    assert post(shop, b"{").status_code == 400


def test_a_token_that_may_only_read(shop):
    ann = shop.customer()
    said = shop.ask(CHEAP, token="token-to-read")
    assert said["data"]["customers"]["nodes"] == [{"id": ann}]
    said = shop.ask(TAG, token="token-to-read", id=ann)
    [error] = said["errors"]
    assert (said["data"], error["path"]) == ({"tagsAdd": None}, ["tagsAdd"])
    assert error["extensions"]["code"] == "ACCESS_DENIED"
    assert "write_customers" in error["extensions"]["requiredAccess"]
    assert shop.state.tables["customers"].get(ann)["tags"] == []
    assert shop.state.calls.outcomes["partial_failure"] == 0


def test_requests_the_schema_does_not_know(shop, judge):
    for query, code in (
        ("{ customers(first: 5) { nodes { acceptsMarketing } } }", "undefinedField"),
        ('mutation { tagsAdd(id: "gid://shopify/Customer/1", tags: []) { userErrors { code } } }', "undefinedField"),
        ('{ customers(first: "5") { nodes { id } } }', "graphqlValidation"),
        ("{ customers { nodes { id } ", None),
        ("query A { shop { id } } query B { shop { id } }", "BAD_REQUEST"),
    ):
        [error] = post(shop, {"query": query}).json()["errors"]
        assert error.get("extensions", {}).get("code") == code
        if code not in {None, "BAD_REQUEST"}:
            assert judge.faults(query, {})
    consent = """mutation($input: CustomerEmailMarketingConsentUpdateInput!) {
        customerEmailMarketingConsentUpdate(input: $input) { userErrors { code } } }"""
    wanted = {"customerId": shop.customer(), "emailMarketingConsent": {"marketingState": "OPTED_OUT"}}
    assert shop.codes(consent, input=wanted) == ["INVALID_VARIABLE"]
    assert judge.faults(consent, {"input": wanted})
    assert shop.codes(consent) == ["INVALID_VARIABLE"]


def test_pages_and_lists_have_their_limits(shop):
    assert shop.codes("{ customers(first: 251) { nodes { id } } }") == ["BAD_REQUEST"]
    assert shop.codes("{ customers(first: 0) { nodes { id } } }") == ["BAD_REQUEST"]
    assert shop.codes("{ customers { nodes { id } } }") == ["BAD_REQUEST"]
    assert shop.codes("{ customers(first: 1) { nodes { orders(last: 251) { nodes { id } } } } }") == ["BAD_REQUEST"]
    assert shop.codes("{ customers(first: 250) { nodes { id } } }") == []
    ids = [f"gid://shopify/Customer/{n}" for n in range(1, 252)]
    query = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    assert shop.codes(query, ids=ids) == ["MAX_INPUT_SIZE_EXCEEDED"]
    assert shop.data(query, ids=ids[:250]) == {"nodes": [None] * 250}


def test_what_a_query_costs(shop, one_line):
    def cost(query: str, **variables: object) -> tuple[int, int]:
        said = shop.ask(query, **variables)["extensions"]["cost"]
        return said["requestedQueryCost"], said["actualQueryCost"]

    ann = shop.customer(email="ann@example.org")
    assert [size(count) for count in (0, 1, 2, 10, 250)] == [0, 1, 1, 5, 11]
    assert cost("{ shop { name } }") == (1, 1)
    assert cost("{ customers(first: 250) { nodes { id tags } } }") == (2 + 11, 2 + 1)
    assert cost("{ customers(first: 250) { edges { cursor node { defaultEmailAddress { emailAddress } } } } }") == (
        2 + 11 * 2,
        2 + 2,
    )
    assert cost(
        "query Two { a: shop { id } b: shop { ...Parts } } fragment Parts on Shop { plan { shopifyPlus } }"
    ) == (3, 3)
    assert cost(
        "query($ids: [ID!]!) { nodes(ids: $ids) { id ... on Customer { defaultAddress { zip } } } }", ids=[ann]
    ) == (2, 2)
    assert cost(
        "mutation($id: ID!) { a: tagsAdd(id: $id, tags: []) { node { id } } b: tagsAdd(id: $id, tags: [])"
        " { node { id } } }",
        id=ann,
    ) == (20, 20)
    shop.order(ann, one_line())
    assert cost(DEAR) == (2 + 11 * (1 + 2 + 8 * 6), 2 + 1 + 2 + 6)


def test_a_query_may_not_cost_more_than_1000(shop):
    too_dear = DEAR.replace(
        "id lineItems",
        "id customer { orders(first: 20) { nodes { lineItems(first: 50) { nodes { id } } } } } lineItems",
    )
    [error] = shop.ask(too_dear)["errors"]
    assert error["extensions"]["code"] == "MAX_COST_EXCEEDED"
    assert error["extensions"]["cost"] > error["extensions"]["maxCost"] == 1000


def test_an_empty_bucket_throttles_until_it_has_filled(shop, monkeypatch):
    monkeypatch.setattr(limits, "BUSY", limits.Schedule(first=10_000, every=10_000))
    shop.state.faults.limits_on = True
    shop.state.clock.advance(60)
    full = shop.ask(CHEAP)["extensions"]["cost"]["throttleStatus"]
    assert (full["maximumAvailable"], full["restoreRate"]) == (4000, 200)
    assert 4000 - full["currentlyAvailable"] in {2, 3}
    mutations = " ".join(f'm{n}: tagsAdd(id: "{shop.customer()}", tags: ["x"]) {{ node {{ id }} }}' for n in range(99))
    said = [shop.ask(f"mutation {{ {mutations} }}") for _ in range(5)]
    assert ["errors" in one and one["errors"][0]["extensions"]["code"] == "THROTTLED" for one in said] == [
        False
    ] * 4 + [True]
    cost = said[-1]["extensions"]["cost"]
    assert "data" not in said[-1]
    assert (cost["requestedQueryCost"], cost["actualQueryCost"]) == (990, None)
    missing = cost["requestedQueryCost"] - cost["throttleStatus"]["currentlyAvailable"]
    assert 0 < missing < 990
    shop.state.clock.advance(missing / 200 + 0.1)
    assert "data" in shop.ask(f"mutation {{ {mutations} }}")
    counted = shop.state.calls.summary()
    assert (counted["throttled"], counted["write_calls"]) == (99, 5 * 99)


def test_a_run_of_a_few_dozen_calls_meets_each_misfortune(shop):
    shop.state.faults.limits_on = True
    ann, told = shop.customer(), []
    for _ in range(100):
        said = shop.ask(TAG, id=ann)
        told.append((said.get("errors") or [{"extensions": {"code": "done"}}])[0]["extensions"]["code"])
        if told[-1] == "done" and said["data"]["tagsAdd"]["userErrors"]:
            told[-1] = "user error"
        shop.state.clock.advance(1)
    assert told[2] == "INTERNAL_SERVER_ERROR"
    assert {word: told.count(word) for word in set(told)} == {
        "done": 96,
        "THROTTLED": 2,
        "INTERNAL_SERVER_ERROR": 1,
        "user error": 1,
    }
    counted = shop.state.calls.summary()
    assert (counted["throttled"], counted["partial_failures"], counted["write_calls"]) == (2, 2, 98)


def test_faults(shop):
    faults = shop.state.faults
    keys = [shop.customer() for _ in range(300)]
    poor = next(key for key in keys if crc32(key.encode()) % REJECTED_SHARE == 0)
    fine = next(key for key in keys if crc32(key.encode()) % REJECTED_SHARE)
    faults.down = True
    assert post(shop, {"query": CHEAP}).status_code == 503
    faults.use("reject_some", "shopify")
    assert shop.data(TAG, id=fine)["tagsAdd"]["userErrors"] == []
    for _ in range(2):
        assert shop.data(TAG, id=poor)["tagsAdd"]["userErrors"]
    pack = [
        {"ownerId": key, "namespace": "onevoice", "key": "tier", "type": "boolean", "value": "true"}
        for key in (fine, poor)
    ]
    many = "mutation($all: [MetafieldsSetInput!]!) { metafieldsSet(metafields: $all) { userErrors { elementIndex } } }"
    assert shop.data(many, all=pack)["metafieldsSet"]["userErrors"] == [{"elementIndex": 1}]
    assert shop.state.tables["customers"].get(fine)["metafields"] == {}
    faults.use("none", "shopify")
    assert shop.data(TAG, id=poor)["tagsAdd"]["userErrors"] == []
    faults.use("throttle", "shopify")
    assert [shop.codes(CHEAP) for _ in range(8)].count(["THROTTLED"]) == 4
    faults.use("expire_tokens", "shopify")
    assert [shop.codes(CHEAP) for _ in range(8)] == [[]] * 8
