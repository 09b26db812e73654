"""Which keys a model allows at one place, read from its JSON Schema, for messages that say what is allowed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from pydantic import BaseModel

Schema = Mapping[str, Any]


VALUE = "value"
"""The union tag of a constant, which is chosen by its key and not by a word."""


def tag(name: str) -> str:
    """The union tag of a named choice: brackets keep it apart from any key an admin may write."""
    return f"<{name}>"


def tag_name(text: str) -> str:
    """The name inside a union tag."""
    return text[1:-1] if text.startswith("<") and text.endswith(">") else text


def allowed_keys(model: type[BaseModel], loc: Sequence[str | int]) -> list[str]:
    """The keys known at a pydantic location of `model`, sorted; empty where any key is allowed."""
    root = _schema_of(model)
    definitions = root.get("$defs", {})
    here: list[Schema] = [root]
    for segment in loc:
        here = list(_step(here, segment, definitions))
    return sorted({key for each in _branches(here, definitions) for key in each.get("properties", {})})


@lru_cache(maxsize=64)
def _schema_of(model: type[BaseModel]) -> Schema:
    return model.model_json_schema(by_alias=True)


def _branches(schemas: Sequence[Schema], definitions: Schema) -> Iterator[Schema]:
    """The schemas with references followed and choices spread out."""
    for schema in schemas:
        if "$ref" in schema:
            yield from _branches([definitions[schema["$ref"].rsplit("/", 1)[-1]]], definitions)
        choices = [*schema.get("oneOf", ()), *schema.get("anyOf", ()), *schema.get("allOf", ())]
        if choices:
            yield from _branches(choices, definitions)
        if "$ref" not in schema and not choices:
            yield schema


def _step(schemas: Sequence[Schema], segment: str | int, definitions: Schema) -> Iterator[Schema]:
    branches = list(_branches(schemas, definitions))
    inner = [found for branch in branches if (found := _inside(branch, segment)) is not None]
    if inner:
        yield from inner
    elif isinstance(segment, str):
        yield from (branch for branch in branches if _is_choice(branch, tag_name(segment)))


def _inside(branch: Schema, segment: str | int) -> Schema | None:
    if isinstance(segment, int):
        found = branch.get("items")
    else:
        any_key = branch.get("additionalProperties") or next(iter(branch.get("patternProperties", {}).values()), None)
        found = branch.get("properties", {}).get(segment, any_key)
    return found if isinstance(found, Mapping) else None


def _is_choice(branch: Schema, name: str) -> bool:
    """Whether the branch is the one that a union tag names: by a fixed value of one key, or by the key itself."""
    properties = branch.get("properties", {})
    return name in properties or any(
        name == each.get("const") or name in each.get("enum", ()) for each in properties.values()
    )
