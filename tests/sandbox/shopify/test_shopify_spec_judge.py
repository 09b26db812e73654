"""The served schema is a part of Shopify's own, and every field of it has an answer."""

from __future__ import annotations

from importlib.resources import files

import httpx
import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    get_named_type,
    is_composite_type,
    is_required_argument,
    is_required_input_field,
    validate_schema,
)

from onevoice.sandbox.shopify.schema import served_schema


@pytest.fixture(scope="module")
def served() -> GraphQLSchema:
    return build_schema(files("onevoice.sandbox.shopify").joinpath("schema.graphql").read_text("utf-8"))


def test_the_licence_lies_beside_the_schema():
    folder = files("onevoice.sandbox.shopify")
    assert "Shopify Inc." in folder.joinpath("LICENSE").read_text("utf-8")
    assert "ISC" in folder.joinpath("schema.graphql").read_text("utf-8")[:400]


def test_both_schemas_are_valid(served, judge):
    assert validate_schema(served) == validate_schema(judge.schema) == []


def test_every_served_type_is_shopifys(served, judge):
    for name, kind in served.type_map.items():
        if name.startswith("__"):
            continue
        official = judge.schema.type_map[name]
        assert type(official) is type(kind), name
        if isinstance(kind, GraphQLEnumType):
            assert set(kind.values) == set(official.values), name
        for field_name, field in getattr(kind, "fields", {}).items():
            known = official.fields[field_name]
            assert str(field.type) == str(known.type), f"{name}.{field_name}"
            arguments = getattr(field, "args", {})
            assert {key: str(one.type) for key, one in arguments.items()}.items() <= {
                key: str(one.type) for key, one in getattr(known, "args", {}).items()
            }.items(), f"{name}.{field_name}"
            required = {key for key, one in getattr(known, "args", {}).items() if is_required_argument(one)}
            assert required <= set(arguments), f"{name}.{field_name}"
        if isinstance(kind, GraphQLInputObjectType):
            required = {key for key, one in official.fields.items() if is_required_input_field(one)}
            assert required <= set(kind.fields), name


LINE = {
    "title": "Jacket",
    "productType": "Jackets",
    "quantity": 2,
    "original": "59.90",
    "discounted": "49.90",
    "currency": "GBP",
}
_ASK = {
    "first": "first: 3",
    "id": 'id: "%s"',
    "key": 'key: "tier"',
    "namespace": 'namespace: "onevoice"',
    "ownerType": "ownerType: CUSTOMER",
}


def everything(kind: GraphQLObjectType, depth: int) -> str:
    """A selection of every field of a type, objects as deep as `depth`."""
    parts = []
    for name, field in kind.fields.items():
        named = get_named_type(field.type)
        given = [_ASK[key] for key in ("first", "key", "namespace") if key in field.args]
        arguments = f"({', '.join(given)})" if given else ""
        if not is_composite_type(named):
            parts.append(name + arguments)
        elif not isinstance(named, GraphQLObjectType):
            parts.append(f"{name}{arguments} {{ __typename }}")
        elif depth:
            parts.append(f"{name}{arguments} {{ __typename {everything(named, depth - 1)} }}")
    return " ".join(parts)


@pytest.mark.parametrize("filled", [False, True])
def test_every_field_can_be_asked_for(shop, filled):
    gold = {"type": "single_line_text_field", "value": "gold"}
    told = {"state": "SUBSCRIBED", "optInLevel": "SINGLE_OPT_IN", "updatedAt": "2026-01-01T00:00:00Z"}
    place = {"address1": "Hof 1", "city": "Ulm", "zip": "1", "province": "BW", "countryCodeV2": "DE", "phone": None}
    full = {
        "email": "a@b.org",
        "emailMarketing": told,
        "phone": "+4915112345678",
        "phoneMarketing": told,
        "address": place,
        "tags": ["VIP"],
        "metafields": {"onevoice.tier": gold},
    }
    ann = shop.customer(**(full if filled else {}))
    order = shop.order(ann if filled else None, *([LINE] if filled else []))
    checkout = shop.checkout(ann if filled else None, *([LINE] if filled else []))
    definition = (
        '{ ownerType: CUSTOMER, namespace: "onevoice", key: "tier", name: "t", type: "single_line_text_field" }'
    )
    if filled:
        shop.data(f"mutation {{ metafieldDefinitionCreate(definition: {definition}) {{ userErrors {{ message }} }} }}")
    types = served_schema().type_map
    for kind, key in (("Customer", ann), ("Order", order), ("AbandonedCheckout", checkout)):
        query = f'{{ node(id: "{key}") {{ __typename id ... on {kind} {{ {everything(types[kind], 3)} }} }} }}'
        assert shop.data(query)["node"]["id"] == key
    for root, arguments in (
        ("shop", ""),
        ("currentAppInstallation", ""),
        ("metafieldDefinitions", "(first: 5, ownerType: CUSTOMER)"),
    ):
        named = get_named_type(types["QueryRoot"].fields[root].type)
        shop.data(f"{{ {root}{arguments} {{ __typename {everything(named, 3)} }} }}")


def test_the_judge_can_say_no(shop, judge):
    assert judge.faults("{ customers(first: 1) { nodes { acceptsMarketing } } }", {})
    assert judge.faults("query($n: Int!) { customers(first: $n) { nodes { id } } }", {"n": "1"})
    key = shop.customer(email="a@b.org")
    query = "query($id: ID!) { customer(id: $id) { tags defaultEmailAddress { marketingState } } }"
    asked = httpx.Request("POST", shop.url, json={"query": query, "variables": {"id": key}})
    said = shop.ask(query, id=key)
    before = judge.checked
    judge.check(httpx.Response(200, json=said, request=asked))
    assert judge.checked == before + 1
    for tags, state in ((None, "PENDING"), ([], "OPTED_OUT"), ("VIP", "PENDING")):
        said["data"]["customer"] = {"tags": tags, "defaultEmailAddress": {"marketingState": state}}
        with pytest.raises(AssertionError):
            judge.check(httpx.Response(200, json=said, request=asked))
    said["data"]["customer"] = {"tags": [], "defaultEmailAddress": None, "email": "a@b.org"}
    with pytest.raises(AssertionError):
        judge.check(httpx.Response(200, json=said, request=asked))
