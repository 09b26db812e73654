"""Every document and its variables, judged by Shopify's own schema; and what may become part of a document."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLSchema, OperationDefinitionNode, parse, validate
from graphql.execution.values import get_variable_values

from connectors import open_connector
from connectors._http import HttpClient, Reply
from connectors.shopify.selection import Selection
from descriptions import shopify_schema
from onevoice.configfile import ProjectConfig, load_project
from onevoice.errors import ConfigError
from onevoice.mapping import compile_mapping
from onevoice.protocols import Field, Outcome, Write

STREAMS = ("customers", "orders", "abandonedCheckouts")
TYPES = ("text", "integer", "decimal", "boolean", "date", "datetime")
HOSTILE = (
    'firstName } } mutation { tagsAdd(id: "x", tags: [])',
    "first name",
    "firstName\nlastName",
    "a.b(first: 1)",
    "...Everything",
    "$query",
    "",
    ".",
    "firstName.",
    "nodes.id",
    "lineItems.edges.nodes.id",
    'metafields.one"voice.tier',
    "metafields.onevoice",
    "metafields.onevoice.tier.value",
    "tagged.",
    "tagged.a,b",
    "tagged." + "x" * 41,
)


@pytest.fixture(scope="session")
def schema() -> GraphQLSchema:
    return shopify_schema()


def faults(schema: GraphQLSchema, document: str, variables: Mapping[str, Any]) -> list[str]:
    parsed = parse(document)
    wrong = [error.message for error in validate(schema, parsed)]
    for operation in parsed.definitions:
        assert isinstance(operation, OperationDefinitionNode)
        values = get_variable_values(schema, operation.variable_definitions or (), dict(variables))
        wrong += [error.message for error in values] if isinstance(values, list) else []
    return wrong


@pytest.fixture
def sent(schema: GraphQLSchema, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of all operations sent; each is judged before it leaves."""
    names: list[str] = []

    class Judged(HttpClient):
        def call(self, *args: Any, **named: Any) -> Reply:
            body = named["json"]
            assert faults(schema, body["query"], body["variables"]) == []
            names.extend(re.findall(r"^(?:query|mutation) (\w+)", body["query"]))
            names.extend(re.findall(r"m\d+: (\w+)", body["query"]))
            return super().call(*args, **named)

    monkeypatch.setattr("connectors.shopify.client.HttpClient", Judged)
    return names


def test_the_judge_judges(schema: GraphQLSchema) -> None:
    consent = {"customerId": "gid://shopify/Customer/1", "emailMarketingConsent": {"marketingState": "OPTED_OUT"}}
    document = (
        "mutation M($input: CustomerEmailMarketingConsentUpdateInput!) "
        "{ customerEmailMarketingConsentUpdate(input: $input) { customer { id } } }"
    )
    assert faults(schema, document, {"input": consent})
    assert faults(schema, "query Q { customers(first: 1) { nodes { acceptsMarketing } } }", {})


def mapped(project: ProjectConfig, stream: str) -> list[str]:
    """The fields that the shipped mapping and gates read of a stream."""
    mapping = compile_mapping(project.mappings["shopify", stream], {})
    pushed = [field.name for field in mapping.push.fields] if mapping.push else []
    gates = [
        name
        for gate in project.offers.gates
        if (gate.system, gate.stream) == ("shopify", stream)
        for name in gate.fields
    ]
    return [*mapping.pull_fields, *pushed, *gates]


def line(serial: int) -> dict[str, object]:
    priced = {"original": "59.90", "discounted": "49.90", "currency": "GBP"}
    return {"id": f"gid://shopify/LineItem/{serial}", "title": "x", "productType": "coats", "quantity": 1, **priced}


def test_everything_that_is_sent_is_valid(shopify: Any, sent: list[str], checkout: Path) -> None:
    [key, *_] = shopify.contacts(3)
    stamp = shopify.settled()
    stamps = {"processedAt": f"{stamp:%Y-%m-%dT%H:%M:%SZ}", "cancelledAt": None, "completedAt": None, "name": "#1"}
    for table, kind in (("orders", "Order"), ("checkouts", "AbandonedCheckout")):
        shopify.add(table, kind, 1, stamp, customer=key, lines=[line(serial) for serial in range(1, 13)], **stamps)
    connector, project = shopify.open(), load_project(checkout)
    assert connector.check().account
    connector.provision([Field("customers", f"metafields.more.a_{name}", name, name) for name in TYPES], dry_run=False)
    for stream in STREAMS:
        fields = mapped(project, stream)
        pages = list(connector.read(stream, None, fields, shopify.settled()))
        list(connector.read(stream, pages[-1].cursor, fields, shopify.settled()))
        keys = [record.key for page in pages for record in page.records]
        assert keys
        assert not any(record.deleted for record in connector.fetch(stream, keys, fields))
    everything = {
        "metafields.more.a_text": "x",
        "metafields.more.a_integer": 3,
        "metafields.more.a_decimal": "1.5",
        "metafields.more.a_boolean": True,
        "metafields.more.a_date": "2026-11-22",
        "metafields.more.a_datetime": "2026-11-22T09:00:00+00:00",
        "metafields.onevoice.tier": None,
        "tagged.a tag": True,
        "tagged.vip": False,
        "defaultEmailAddress.marketingState": "UNSUBSCRIBED",
    }
    [result] = connector.write("customers", [Write(key, everything)])
    assert result.outcome is Outcome.ACCEPTED
    assert set(sent) == {
        *("About", "Definitions", "Define", "Page", "Count", "Nodes", "Rest", "Write"),
        *("customerEmailMarketingConsentUpdate", "tagsAdd", "tagsRemove", "metafieldsSet", "metafieldsDelete"),
    }
    [back] = connector.fetch("customers", [key], list(everything))
    held = dict(back.data["metafields"]["more"])
    assert held.pop("a_datetime").startswith("2026-11-22T09:00:00")
    assert held == {
        "a_text": "x",
        "a_integer": 3,
        "a_decimal": "1.5",
        "a_boolean": True,
        "a_date": "2026-11-22",
    }
    assert back.data["tagged"] == {"a tag": True, "vip": False}
    assert back.data["defaultEmailAddress"]["marketingState"] == "UNSUBSCRIBED"


@pytest.mark.parametrize("field", HOSTILE)
def test_field_that_is_no_name_never_becomes_graphql(field: str, budget: Any) -> None:
    shop = open_connector("shopify", "shop", {"url": "http://127.0.0.1:9", "access_token": "t"}, budget)
    with pytest.raises(ConfigError, match="correct the mapping"):
        list(shop.fetch("customers", [], ["firstName", field]))  # type: ignore[union-attr]


def test_only_what_is_asked_for_is_selected(schema: GraphQLSchema) -> None:
    fields = ["defaultAddress.city", "defaultAddress.zip", "tagged.vip", "metafields.onevoice.tier"]
    selection = Selection("shop.customers", "Customer", fields)
    document = f"{{ customers(first: 1) {{ nodes {{ {selection.text} }} }} }}"
    assert faults(schema, document, {}) == []
    assert selection.text.split(" mf0: ") == [
        "id updatedAt defaultAddress { city zip } tags",
        'metafield(namespace: "onevoice", key: "tier") { type value }',
    ]


def test_answer_becomes_data_by_field_names() -> None:
    fields = ["tagged.VIP", *(f"metafields.our.k{serial}" for serial in range(4)), "lineItems.nodes"]
    selection = Selection("shop.orders", "Order", fields)
    node = {
        "id": "gid://shopify/Order/1",
        "updatedAt": "2026-11-22T09:00:00Z",
        "tags": ["vip", "new"],
        "mf0": {"type": "boolean", "value": "false"},
        "mf1": {"type": "number_integer", "value": "12"},
        "mf2": {"type": "number_integer", "value": "many"},
        "mf3": None,
        "lineItems": {"nodes": [{"id": "x"}], "pageInfo": {"hasNextPage": False, "endCursor": None}},
    }
    assert selection.data(node) == {
        "id": "gid://shopify/Order/1",
        "updatedAt": "2026-11-22T09:00:00Z",
        "tagged": {"VIP": True},
        "metafields": {"our": {"k0": False, "k1": 12, "k2": "many"}},
        "lineItems": {"nodes": [{"id": "x"}]},
    }


def test_discount_codes_are_taken_off(schema: GraphQLSchema) -> None:
    field = "lineItems.nodes.discountedTotalSet.shopMoney.amount"
    text = Selection("shop.orders", "Order", [field]).text
    assert "discountedTotalSet(withCodeDiscounts: true)" in text
    assert faults(schema, f"{{ orders(first: 1) {{ nodes {{ {text} }} }} }}", {}) == []


def test_mutation_texts_hold_no_values(shopify: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    shopify.contacts(1)
    texts: list[str] = []
    real: Callable[..., Reply] = HttpClient.call

    def watched(self: HttpClient, *args: Any, **named: Any) -> Reply:
        texts.append(named["json"]["query"])
        return real(self, *args, **named)

    monkeypatch.setattr(HttpClient, "call", watched)
    [key] = shopify.keys()
    shopify.open().write("customers", [Write(key, {"metafields.onevoice.tier": 'gold"}', "tagged.x y": True})])
    assert texts
    assert not [text for text in texts if "gold" in text or "x y" in text or key in text]
