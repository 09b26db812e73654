"""Vendors' official API descriptions, each read once: that takes about a second."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from graphql import GraphQLSchema, build_schema

from openapi_judge import OpenApiJudge

SPECS = Path(__file__).parents[1] / "specs"
SQUARE_AREAS = ("customers", "events", "loyalty", "orders")


@cache
def klaviyo_judge() -> OpenApiJudge:
    """Klaviyo's description as published."""
    return OpenApiJudge(SPECS / "klaviyo" / "klaviyo.json")


@cache
def square_judge() -> OpenApiJudge:
    """Square's description, in two ways stricter and in one way more complete than published.

    Objects have no fields that it does not name, and an answer has the shape of a good one whatever its status: the
    description only knows 200, whose schema has a place for errors.
    """
    areas = [json.loads((SPECS / "square" / f"{name}.json").read_text("utf-8")) for name in SQUARE_AREAS]
    paths = {path: operations for area in areas for path, operations in area["paths"].items()}
    schemas = {name: schema for area in areas for name, schema in area["components"]["schemas"].items()}
    for operations in paths.values():
        for operation in operations.values():
            operation["responses"]["default"] = operation["responses"]["200"]
    for schema in schemas.values():
        if "properties" in schema:
            schema["additionalProperties"] = False
    return OpenApiJudge(SPECS / "square" / "customers.json", paths=paths, components={"schemas": schemas})


@cache
def shopify_schema() -> GraphQLSchema:
    """Shopify's Admin API 2026-07, trimmed."""
    return build_schema((SPECS / "shopify" / "admin_2026-07.graphql").read_text("utf-8"))
