"""The served schema: Shopify's own, trimmed, with our fields behind it."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

from graphql import (
    GraphQLAbstractType,
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    build_schema,
)

from onevoice.sandbox.shopify.reads import READS
from onevoice.sandbox.shopify.shop import Info
from onevoice.sandbox.shopify.tables import gid_kind
from onevoice.sandbox.shopify.views import VIEWS
from onevoice.sandbox.shopify.writes import MUTATIONS


@cache
def served_schema() -> GraphQLSchema:
    """Built once; it holds no state. Two fields of two shops differ by `info.context` alone."""
    text = files("onevoice.sandbox.shopify").joinpath("schema.graphql").read_text("utf-8")
    schema = build_schema(text, assume_valid=True)
    for type_name, fields in {"QueryRoot": READS, "Mutation": MUTATIONS, **VIEWS}.items():
        owner = schema.type_map[type_name]
        if not isinstance(owner, GraphQLObjectType):
            raise TypeError(f"schema: {type_name} is no object type")
        for name, resolver in fields.items():
            owner.fields[name].resolve = resolver
    for one in schema.type_map.values():
        if isinstance(one, GraphQLInterfaceType):
            one.resolve_type = _type_of
    moment = schema.type_map["DateTime"]
    if isinstance(moment, GraphQLScalarType):
        # A scalar built from text takes anything, as a variable (the first) and written out in a query (the second).
        moment.coerce_input_value = moment.parse_value = _parse_moment  # type: ignore[method-assign]
    return schema


def _type_of(source: Any, _info: Info, _abstract: GraphQLAbstractType) -> str:
    return gid_kind(source["id"].partition("?")[0])


def _parse_moment(value: Any) -> str:
    try:
        datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise GraphQLError(f"invalid DateTime: {value!r} is not in ISO 8601 format") from None
    return str(value)
