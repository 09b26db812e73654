"""config/profile.yaml: attributes of a customer beyond the ones every project has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from onevoice.configfile.base import StrictModel
from onevoice.model import KINDS, FieldType


class Attribute(StrictModel):
    """One attribute of a customer."""

    type: Literal["text", "integer", "decimal", "boolean", "date", "datetime"]
    about: str = Field(min_length=1, description="What it means, in one sentence")


class ProfileFile(StrictModel):
    """Attributes by name."""

    attributes: Mapping[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], Attribute] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _not_taken(self) -> Self:
        taken = sorted(self.attributes.keys() & KINDS["customer"].keys())
        if taken:
            raise ValueError(f"{', '.join(taken)}: every customer has this already (choose another name)")
        return self

    def custom_fields(self) -> Mapping[str, FieldType]:
        """The attributes as canonical customer fields."""
        return {name: FieldType(each.type) for name, each in self.attributes.items()}
