"""config/profile.yaml: attributes of a customer beyond the ones every project has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from onevoice.configfile.base import NAME, StrictModel
from onevoice.model import FieldType


class Attribute(StrictModel):
    """One attribute of a customer."""

    type: Literal["text", "integer", "decimal", "boolean", "date", "datetime"]
    about: str = Field(min_length=1, description="What it means, in one sentence")


class ProfileFile(StrictModel):
    """Attributes by name."""

    attributes: Mapping[Annotated[str, Field(pattern=NAME)], Attribute] = Field(default_factory=dict)

    def custom_fields(self) -> Mapping[str, FieldType]:
        """The attributes as canonical customer fields."""
        return {name: FieldType(each.type) for name, each in self.attributes.items()}
