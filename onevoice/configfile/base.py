"""The base of every model of a YAML file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, WithJsonSchema

NAME = r"^[a-z][a-z0-9_]*$"
"""A name that admins give."""
VARIABLE = r"^[A-Z][A-Z0-9_]*$"
"""An environment variable."""
DAY = r"^[0-9]{4}-[01][0-9]-[0-3][0-9]$"
"""A calendar day."""


class StrictModel(BaseModel):
    """Knows every key it allows and turns no value into another type: what the admin wrote is what counts."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=False)


def _listed(value: object) -> object:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return value
    raise ValueError("write one name, or a list of names (a name that looks like a number needs quotes)")


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


Scalar = Annotated[Any, AfterValidator(_scalar), WithJsonSchema({"type": ["string", "integer", "number", "boolean"]})]
"""A text, a number, true or false."""

JsonObject = Annotated[Mapping[str, Any], WithJsonSchema({"type": "object"})]
"""Any mapping: vendor records and expected items in tests."""
