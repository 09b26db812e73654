"""Mutations: metafields, tags, consent, customers, definitions; many of them in one request, each with its answer."""

from __future__ import annotations

import pytest

from onevoice.sandbox.shopify.tables import shopify_stamp

SET = """mutation Set($metafields: [MetafieldsSetInput!]!) { metafieldsSet(metafields: $metafields) {
    metafields { id namespace key type value compareDigest } userErrors { code field message elementIndex } } }"""
CONSENT = """mutation Consent($input: CustomerEmailMarketingConsentUpdateInput!) {
  customerEmailMarketingConsentUpdate(input: $input) {
    customer { id defaultEmailAddress { marketingState marketingOptInLevel marketingUpdatedAt } }
    userErrors { code field message } } }"""
SMS = """mutation Consent($input: CustomerSmsMarketingConsentUpdateInput!) {
  customerSmsMarketingConsentUpdate(input: $input) {
    customer { id defaultPhoneNumber { marketingState marketingUpdatedAt } } userErrors { code field message } } }"""
TAGS = """mutation Tag($id: ID!, $tags: [String!]!) { tagsAdd(id: $id, tags: $tags) {
    node { id ... on Customer { tags } } userErrors { field message } } }"""
UNTAG = TAGS.replace("tagsAdd", "tagsRemove")
DEFINE = """mutation Define($definition: MetafieldDefinitionInput!) {
  metafieldDefinitionCreate(definition: $definition) {
    createdDefinition { id name namespace key ownerType pinnedPosition type { name category } }
    userErrors { code field message elementIndex } } }"""
DEFINITIONS = """query Definitions($namespace: String) {
  metafieldDefinitions(first: 250, ownerType: CUSTOMER, namespace: $namespace) {
    nodes { id namespace key name type { name } } pageInfo { hasNextPage endCursor } } }"""


def metafield(owner: str, key: str, value: str, **more: object) -> dict[str, object]:
    return {"ownerId": owner, "namespace": "onevoice", "key": key, "value": value, **more}


def text(owner: str, key: str, value: str) -> dict[str, object]:
    return metafield(owner, key, value, type="single_line_text_field")


def definition(key: str, kind: str = "single_line_text_field", **more: object) -> dict[str, object]:
    return {"ownerType": "CUSTOMER", "namespace": "onevoice", "key": key, "name": key, "type": kind, **more}


def held(shop, key: str) -> dict[str, str]:
    """Values of a customer's metafields."""
    return {place: one["value"] for place, one in shop.state.tables["customers"].get(key)["metafields"].items()}


def test_metafields_of_several_customers_in_one_call(shop):
    ann = shop.customer(metafields={"other.size": {"type": "single_line_text_field", "value": "M"}})
    bob = shop.customer()
    before = shop.state.tables["customers"].get(ann)["updatedAt"]
    sent = [
        text(ann, "tier", "gold"),
        metafield(ann, "points", "0120", type="number_integer"),
        text(bob, "tier", "silver"),
    ]
    said = shop.data(SET, metafields=sent)["metafieldsSet"]
    assert said["userErrors"] == []
    assert [one["value"] for one in said["metafields"]] == ["gold", "120", "silver"]
    assert held(shop, ann) == {"other.size": "M", "onevoice.tier": "gold", "onevoice.points": "120"}
    assert held(shop, bob) == {"onevoice.tier": "silver"}
    assert shop.state.tables["customers"].get(ann)["updatedAt"] > before
    counted = shop.state.calls.summary()["by_operation"]["metafieldsSet"]
    assert (counted["calls"], counted["units"], counted["minimum_calls"]) == (1, 3, 1)
    assert shop.state.api_writes.writes == {("customers", ann): 1, ("customers", bob): 1}
    shop.data(SET, metafields=sent)
    assert shop.state.calls.summary()["by_operation"]["metafieldsSet"]["units"] == 3
    assert shop.state.api_writes.identical == {("customers", ann): 1, ("customers", bob): 1}


def test_one_bad_metafield_and_nothing_is_set(shop):
    ann = shop.customer()
    sent = [
        text(ann, "tier", "gold"),
        metafield(ann, "points", "many", type="number_integer"),
        text("gid://shopify/Customer/1", "tier", "gold"),
    ]
    said = shop.data(SET, metafields=sent)["metafieldsSet"]
    assert said["metafields"] is None
    assert [(one["code"], one["elementIndex"], one["field"]) for one in said["userErrors"]] == [
        ("INVALID_VALUE", 1, ["metafields", "1", "value"]),
        ("INVALID", 2, ["metafields", "2", "ownerId"]),
    ]
    assert held(shop, ann) == {}
    assert shop.state.calls.summary()["records_written"] == 0


def test_at_most_25_metafields(shop):
    ann = shop.customer()
    full = [text(ann, f"key_{n}", "x") for n in range(25)]
    assert len(shop.data(SET, metafields=full)["metafieldsSet"]["metafields"]) == 25
    [error] = shop.data(SET, metafields=[*full, text(ann, "tier", "gold")])["metafieldsSet"]["userErrors"]
    assert (error["code"], error["field"], error["elementIndex"]) == ("LESS_THAN_OR_EQUAL_TO", ["metafields"], None)
    assert "onevoice.tier" not in held(shop, ann)
    assert shop.codes(SET, metafields=[text(ann, "tier", "x")] * 251) == ["MAX_INPUT_SIZE_EXCEEDED"]


def test_values_by_type(shop):
    ann = shop.customer()
    good = {
        ("number_integer", "-12"): "-12",
        ("number_decimal", "10.50"): "10.50",
        ("boolean", "true"): "true",
        ("date", "2026-11-22"): "2026-11-22",
        ("date_time", "2026-11-22T10:00:00Z"): "2026-11-22T10:00:00+00:00",
        ("date_time", "2026-11-22T10:00:00"): "2026-11-22T10:00:00+00:00",
        ("multi_line_text_field", "a\nb"): "a\nb",
        ("json", '{"a": [1]}'): '{"a": [1]}',
    }
    bad = {
        "number_integer": "1.5",
        "number_decimal": "1,5",
        "boolean": "yes",
        "date": "22.11.2026",
        "date_time": "yesterday",
        "single_line_text_field": "a\nb",
        "json": "{",
    }
    for n, ((kind, sent), kept) in enumerate(good.items()):
        said = shop.data(SET, metafields=[metafield(ann, f"good_{n}", sent, type=kind)])["metafieldsSet"]
        assert [one["value"] for one in said["metafields"]] == [kept]
    sent = [metafield(ann, f"bad_{kind}", value, type=kind) for kind, value in bad.items()]
    said = shop.data(SET, metafields=sent)["metafieldsSet"]
    assert [one["code"] for one in said["userErrors"]] == ["INVALID_VALUE"] * len(bad)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"value": ""}, "BLANK"),
        ({"type": "colour"}, "INCLUSION"),
        ({"type": None}, "BLANK"),
        ({"namespace": "x"}, "TOO_SHORT"),
        ({"key": "k" * 65}, "TOO_LONG"),
        ({"key": "a.b"}, "INVALID"),
        ({"compareDigest": "nonsense"}, "INVALID_COMPARE_DIGEST"),
        ({"compareDigest": "0" * 64}, "STALE_OBJECT"),
    ],
)
def test_metafields_that_are_refused(shop, wrong, code):
    ann = shop.customer()
    [error] = shop.data(SET, metafields=[{**text(ann, "tier", "gold"), **wrong}])["metafieldsSet"]["userErrors"]
    assert (error["code"], error["elementIndex"]) == (code, 0)


def test_compare_and_set(shop):
    ann = shop.customer()
    [made] = shop.data(SET, metafields=[{**text(ann, "tier", "gold"), "compareDigest": None}])["metafieldsSet"][
        "metafields"
    ]
    again = shop.data(SET, metafields=[{**text(ann, "tier", "gold"), "compareDigest": None}])["metafieldsSet"]
    assert again["userErrors"][0]["code"] == "STALE_OBJECT"
    fresh = {**text(ann, "tier", "silver"), "compareDigest": made["compareDigest"]}
    assert shop.data(SET, metafields=[fresh])["metafieldsSet"]["userErrors"] == []
    assert shop.data(SET, metafields=[fresh])["metafieldsSet"]["userErrors"][0]["code"] == "STALE_OBJECT"


def test_definitions_give_types_and_keep_them(shop):
    ann = shop.customer()
    assert shop.data(DEFINITIONS)["metafieldDefinitions"]["nodes"] == []
    made = shop.data(DEFINE, definition=definition("points", "number_integer", pin=True))["metafieldDefinitionCreate"]
    assert made["createdDefinition"]["type"] == {"name": "number_integer", "category": "NUMBER"}
    assert made["createdDefinition"]["pinnedPosition"] == 1
    shop.data(DEFINE, definition=definition("size", namespace="other"))
    listed = shop.data(DEFINITIONS, namespace="onevoice")["metafieldDefinitions"]["nodes"]
    assert [(one["namespace"], one["key"], one["type"]["name"]) for one in listed] == [
        ("onevoice", "points", "number_integer")
    ]
    assert shop.data(SET, metafields=[metafield(ann, "points", "7")])["metafieldsSet"]["userErrors"] == []
    [error] = shop.data(SET, metafields=[text(ann, "points", "7")])["metafieldsSet"]["userErrors"]
    assert error["code"] == "INVALID_TYPE"
    assert shop.state.calls.summary()["by_operation"]["metafieldDefinitionCreate"]["kind"] == "setup"


def test_definitions_that_are_refused(shop):
    shop.customer(metafields={"onevoice.tier": {"type": "number_integer", "value": "3"}})
    shop.data(DEFINE, definition=definition("points", "number_integer"))
    for wrong, code in (
        (definition("points", "number_integer"), "TAKEN"),
        (definition("tier"), "UNSTRUCTURED_ALREADY_EXISTS"),
        (definition("colour", "colours"), "INCLUSION"),
        (definition("a.b"), "INVALID_CHARACTER"),
        (definition("k"), "TOO_SHORT"),
        (definition("k" * 65), "TOO_LONG"),
        (definition("orders", ownerType="ORDER"), "INCLUSION"),
        (definition("name", name=""), "BLANK"),
    ):
        said = shop.data(DEFINE, definition=wrong)["metafieldDefinitionCreate"]
        assert (said["createdDefinition"], [one["code"] for one in said["userErrors"]]) == (None, [code])


def test_deleting_metafields(shop):
    gold = {"type": "single_line_text_field", "value": "gold"}
    ann = shop.customer(metafields={"onevoice.tier": gold, "other.tier": gold})
    query = """mutation($gone: [MetafieldIdentifierInput!]!) { metafieldsDelete(metafields: $gone) {
        deletedMetafields { ownerId namespace key } userErrors { field message } } }"""
    there = {"ownerId": ann, "namespace": "onevoice", "key": "tier"}
    said = shop.data(query, gone=[there, {**there, "key": "points"}, there])["metafieldsDelete"]
    assert said == {"deletedMetafields": [there, None, None], "userErrors": []}
    assert held(shop, ann) == {"other.tier": "gold"}
    assert shop.state.calls.summary()["records_written"] == 1


def test_tags_regardless_of_capitals(shop):
    ann = shop.customer(tags=["VIP"])
    said = shop.data(TAGS, id=ann, tags=["vip", "onevoice-no-discount", "a, b ,", " "])["tagsAdd"]
    assert said["node"]["tags"] == ["VIP", "onevoice-no-discount", "a", "b"]
    said = shop.data(UNTAG, id=ann, tags=["Onevoice-No-Discount", "never there"])["tagsRemove"]
    assert said["node"]["tags"] == ["VIP", "a", "b"]
    shop.data(UNTAG, id=ann, tags=["never there"])
    counted = shop.state.calls.summary()["by_operation"]
    assert [(counted[name]["calls"], counted[name]["units"]) for name in ("tagsAdd", "tagsRemove")] == [(1, 1), (2, 1)]


def test_tags_that_are_refused(shop):
    ann = shop.customer(tags=[f"t{n}" for n in range(250)])
    assert shop.data(TAGS, id=ann, tags=["T1"])["tagsAdd"]["userErrors"] == []
    for who, tags, place in ((ann, ["one too many"], "tags"), (ann, ["x" * 256], "tags"), (ann + "1", ["x"], "id")):
        said = shop.data(TAGS, id=who, tags=tags)["tagsAdd"]
        assert (said["node"], [one["field"] for one in said["userErrors"]]) == (None, [[place]])
    assert len(shop.state.tables["customers"].get(ann)["tags"]) == 250


def test_opting_out(shop):
    ann = shop.customer(
        email="ann@example.org",
        emailMarketing={"state": "SUBSCRIBED", "optInLevel": "CONFIRMED_OPT_IN", "updatedAt": "2026-01-02T03:04:05Z"},
        phone="+4915112345678",
        phoneMarketing={"state": "SUBSCRIBED", "optInLevel": "SINGLE_OPT_IN", "updatedAt": "2026-01-02T03:04:05Z"},
    )
    wanted = {"customerId": ann, "emailMarketingConsent": {"marketingState": "UNSUBSCRIBED"}}
    said = shop.data(CONSENT, input=wanted)["customerEmailMarketingConsentUpdate"]
    assert said["userErrors"] == []
    assert said["customer"]["defaultEmailAddress"] == {
        "marketingState": "UNSUBSCRIBED",
        "marketingOptInLevel": "CONFIRMED_OPT_IN",
        "marketingUpdatedAt": shopify_stamp(shop.state.clock.now()),
    }
    assert shop.state.tables["customers"].get(ann)["phoneMarketing"]["state"] == "SUBSCRIBED"
    [event] = [one for one in shop.state.events if one["field"] == "emailMarketing"]
    assert (event["old"]["state"], event["new"]["state"], event["actor"]) == ("SUBSCRIBED", "UNSUBSCRIBED", "api")
    wanted = {"customerId": ann, "smsMarketingConsent": {"marketingState": "UNSUBSCRIBED"}}
    said = shop.data(SMS, input=wanted)["customerSmsMarketingConsentUpdate"]
    assert said["customer"]["defaultPhoneNumber"]["marketingState"] == "UNSUBSCRIBED"


@pytest.mark.parametrize(
    ("consent", "code"),
    [
        ({"marketingState": "NOT_SUBSCRIBED"}, "INVALID"),
        ({"marketingState": "INVALID"}, "INVALID"),
        ({"marketingState": "REDACTED"}, "INVALID"),
        ({"marketingState": "PENDING", "marketingOptInLevel": "SINGLE_OPT_IN"}, "INVALID"),
        ({"marketingState": "UNSUBSCRIBED", "consentUpdatedAt": "2030-01-01T00:00:00Z"}, "INVALID"),
    ],
)
def test_consent_that_is_refused(shop, consent, code):
    ann = shop.customer(email="ann@example.org", emailMarketing={"state": "SUBSCRIBED"})
    said = shop.data(CONSENT, input={"customerId": ann, "emailMarketingConsent": consent})
    [error] = said["customerEmailMarketingConsentUpdate"]["userErrors"]
    assert error["code"] == code
    assert shop.state.tables["customers"].get(ann)["emailMarketing"] == {"state": "SUBSCRIBED"}


def test_consent_needs_a_contact_and_a_time(shop):
    ann = shop.customer(email="ann@example.org")
    bob = shop.customer(phone="+4915112345678")
    erased = shop.customer(email="cat@example.org", emailMarketing={"state": "REDACTED"})
    out = {"marketingState": "UNSUBSCRIBED"}
    for who in (bob, erased, "gid://shopify/Customer/1"):
        said = shop.data(CONSENT, input={"customerId": who, "emailMarketingConsent": out})
        assert said["customerEmailMarketingConsentUpdate"]["userErrors"][0]["field"] == ["input", "customerId"]
    said = shop.data(SMS, input={"customerId": ann, "smsMarketingConsent": out})
    assert said["customerSmsMarketingConsentUpdate"]["userErrors"][0]["field"] == ["input", "customerId"]
    late = {**out, "consentUpdatedAt": "yesterday"}
    assert shop.codes(CONSENT, input={"customerId": ann, "emailMarketingConsent": late}) == ["INVALID_VARIABLE"]
    written = 'consentUpdatedAt: "yesterday", marketingState: UNSUBSCRIBED'
    written = f'input: {{ customerId: "{ann}", emailMarketingConsent: {{ {written} }} }}'
    query = f"mutation {{ customerEmailMarketingConsentUpdate({written}) {{ userErrors {{ code }} }} }}"
    assert shop.codes(query) == ["graphqlValidation"]
    dated = {**out, "consentUpdatedAt": "2026-11-20T08:00:00+01:00"}
    said = shop.data(CONSENT, input={"customerId": ann, "emailMarketingConsent": dated})
    shown = said["customerEmailMarketingConsentUpdate"]["customer"]["defaultEmailAddress"]
    assert shown["marketingUpdatedAt"] == "2026-11-20T07:00:00Z"


def test_updating_a_customer(shop):
    ann = shop.customer(email="ann@example.org", tags=["VIP"])
    shop.customer(email="bob@example.org")
    query = """mutation($input: CustomerInput!) { customerUpdate(input: $input) {
        customer { firstName email note tags } userErrors { field message } } }"""
    said = shop.data(query, input={"id": ann, "firstName": "Anna", "note": "x", "tags": ["new"]})["customerUpdate"]
    assert said["customer"] == {"firstName": "Anna", "email": "ann@example.org", "note": "x", "tags": ["new"]}
    for wrong, place in (
        ({"email": "BOB@example.org"}, "email"),
        ({"email": "nonsense"}, "email"),
        ({"phone": "0151"}, "phone"),
        ({"emailMarketingConsent": {"marketingState": "UNSUBSCRIBED"}}, "emailMarketingConsent"),
        ({"id": None}, "id"),
    ):
        said = shop.data(query, input={"id": ann, **wrong})["customerUpdate"]
        assert [one["field"] for one in said["userErrors"]] == [[place]]


def test_mutations_of_one_request_are_answered_and_counted_one_by_one(shop):
    ann, bob = shop.customer(email="ann@example.org"), shop.customer()
    query = """mutation Many($metafields: [MetafieldsSetInput!]!, $ann: ID!, $bob: ID!) {
        m0: metafieldsSet(metafields: $metafields) { metafields { key } userErrors { code message elementIndex } }
        m1: tagsAdd(id: $ann, tags: ["onevoice-no-discount"]) { node { id } userErrors { message } }
        m2: tagsAdd(id: "gid://shopify/Customer/1", tags: ["x"]) { node { id } userErrors { message } }
        m3: tagsRemove(id: $bob, tags: ["x"]) { node { id } userErrors { message } }
        m4: customerEmailMarketingConsentUpdate(input: { customerId: $bob,
            emailMarketingConsent: { marketingState: UNSUBSCRIBED } }) { customer { id } userErrors { code } } }"""
    said = shop.data(query, metafields=[text(ann, "tier", "gold")], ann=ann, bob=bob)
    assert [bool(said[f"m{n}"]["userErrors"]) for n in range(5)] == [False, False, True, False, True]
    counted = shop.state.calls.summary()
    assert (counted["write_calls"], counted["records_written"], counted["minimum_calls"]) == (5, 2, 2)
    assert {name: one["calls"] for name, one in counted["by_operation"].items()} == {
        "metafieldsSet": 1,
        "tagsAdd": 2,
        "tagsRemove": 1,
        "customerEmailMarketingConsentUpdate": 1,
    }
