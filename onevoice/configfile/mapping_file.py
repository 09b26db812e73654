"""mappings/<system>/<stream>.yaml: which vendor field means what, and which of ours is written where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from onevoice.configfile.base import JsonObject, Names, StrictModel
from onevoice.configfile.transform_specs import AnyPullField, AnyPushField

Kind = Literal[
    "customer",
    "consent",
    "membership",
    "tier_hold",
    "balance",
    "point_expiry",
    "order",
    "case",
    "cart",
    "reward",
    "visit",
]

OWNER = "owner"
"""In `only_with` and `required`: the record that the item belongs to."""

UPDATED_AT = "@updated_at"
"""In `from`: the vendor's own time of change of the record, whatever field carries it."""

EACH = "each"
"""In `from`: the element of the list that `each:` names (`each`, or a field of it: `each.sku`)."""

RECORD = "record"
"""In `push.key`: the written record is the described record itself."""


class OwnerSpec(StrictModel):
    """The record an item belongs to: a stream of the same system, and the vendor field that holds its key."""

    stream: str = Field(min_length=1)
    source: Names = Field(alias="from", min_length=1)


class ItemSpec(StrictModel):
    """One canonical item that a vendor record makes."""

    each: str | None = Field(
        default=None,
        min_length=1,
        description="A list in the record (dots reach into it): one item per element. `each.NAME` in `from` reads from "
        "the element",
    )
    owner: OwnerSpec | None = Field(default=None, description="The record it belongs to; left out: this very record")
    only_with: Names = Field(default=(), description="Make no item when one of these fields is blank")
    required: Names = Field(default=(), description="Report the record and set it aside when one of these is blank")
    fields: Mapping[str, AnyPullField] = Field(min_length=1)


def _specs(written: object) -> object:
    return [written] if isinstance(written, Mapping) else written


ItemSpecs = Annotated[Sequence[ItemSpec], BeforeValidator(_specs), Field(min_length=1)]
"""One item, or a list of items of the same kind."""


class Push(StrictModel):
    """What is written into this stream."""

    per: str | None = Field(default=None, description="Stream of the customer records it describes; left out: itself")
    key: str = Field(default=RECORD, description="`record`, or the customer field that is the key here, as in email")
    fields: Mapping[str, AnyPushField] = Field(min_length=1)


class MappingFile(StrictModel):
    """One mapping."""

    stream: str = Field(min_length=1)
    pull: Annotated[Mapping[Kind, ItemSpecs], Field(min_length=1)] | None = None
    push: Push | None = None

    @model_validator(mode="after")
    def _maps_something(self) -> Self:
        if self.pull is None and self.push is None:
            raise ValueError("a mapping needs `pull:`, `push:` or both")
        return self


class PullCase(StrictModel):
    """Given this vendor record, expect exactly these items."""

    name: str = Field(min_length=1)
    given: JsonObject
    expect: Mapping[Kind, JsonObject | Sequence[JsonObject]] = Field(default_factory=dict)
    faults: Sequence[str] = Field(default=(), description="A part of the sentence of each fault, in order")
    notes: Sequence[str] = Field(default=(), description="A part of the sentence of each note, in order")


class PushCase(StrictModel):
    """Given these values of the hub, expect exactly these fields to be pushed; cleared ones may be left out."""

    name: str = Field(min_length=1)
    given: JsonObject
    expect: JsonObject


class MappingTestFile(StrictModel):
    """mappings/<system>/<stream>_test.yaml: what the mapping beside it must do."""

    pull: Sequence[PullCase] = ()
    push: Sequence[PushCase] = ()

    @model_validator(mode="after")
    def _tests_something(self) -> Self:
        if not self.pull and not self.push:
            raise ValueError("a mapping test needs cases under `pull:` or `push:`")
        return self
