"""The base of every model of a YAML file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, WithJsonSchema


class StrictModel(BaseModel):
    """Knows every key it allows and turns no value into another type: what the admin wrote is what counts."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=False)


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


Names = Annotated[
    Sequence[str],
    BeforeValidator(_listed),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}),
]
"""One name, or a list of names."""


def _scalar(value: object) -> object:
    if isinstance(value, str | int | float | bool):
        return value
    raise ValueError("write one text, number, true or false")


Scalar = Annotated[
    Any, AfterValidator(_scalar), WithJsonSchema({"type": ["string", "integer", "number", "boolean"]})
]
"""A text, a number, true or false."""

JsonObject = Annotated[Mapping[str, Any], WithJsonSchema({"type": "object"})]
"""Any mapping: vendor records and expected items in tests."""
