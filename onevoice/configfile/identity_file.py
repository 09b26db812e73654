"""config/identity.yaml: what makes two records one customer, what forbids it, and which value survives.

Every field carries its own description, so that the JSON Schema shown in an editor explains the file.
Comparisons name canonical customer fields; the figures they are weighed with stand in the model file.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

COMPARISON_FIELDS = {
    "given_name": ("given_name", "family_name"),
    "family_and_address": ("family_name", "street", "city", "postcode"),
    "family_name": ("family_name", "given_name"),
    "full_name": ("given_name", "family_name"),
    "address": ("street", "city", "postcode"),
    "birth_date": ("birth_date",),
    "postcode": ("postcode",),
    "email": ("email",),
    "phone": ("phone",),
    "card": ("card_number",),
}
"""Canonical fields that each kind of comparison reads; `exact`, `code` and `text` read the one field they name."""

ONE_FIELD_KINDS = ("exact", "code", "text")

ComparisonKind = Literal[
    "given_name",
    "family_and_address",
    "family_name",
    "full_name",
    "address",
    "birth_date",
    "postcode",
    "email",
    "phone",
    "card",
    "exact",
    "code",
    "text",
]

Rule = Literal["source_order", "most_recent", "most_frequent", "most_complete"]


class Strict(BaseModel):
    """Unknown keys are faults, and nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Comparison(Strict):
    """One way of comparing two records."""

    kind: ComparisonKind = Field(description="How the fields are compared; `exact`, `code` and `text` need `field`.")
    field: str | None = Field(default=None, description="Canonical field read by exact (equal or not), code or text.")

    @model_validator(mode="after")
    def _field_where_needed(self) -> Self:
        if (self.kind in ONE_FIELD_KINDS) != (self.field is not None):
            raise ValueError(f"kind {self.kind}: `field` belongs to the kinds {', '.join(ONE_FIELD_KINDS)} only")
        return self

    @property
    def name(self) -> str:
        """Name under which the model keeps its figures."""
        return self.field or self.kind

    @property
    def fields(self) -> tuple[str, ...]:
        """Canonical fields read."""
        return (self.field,) if self.field else COMPARISON_FIELDS[self.kind]


class Thresholds(Strict):
    """Probabilities that two records are one person."""

    match: float = Field(default=0.5, gt=0, lt=1, description="From here on two records are merged without asking.")
    review: float = Field(default=0.05, gt=0, lt=1, description="From here up to `match` a steward is asked.")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.review > self.match:
            raise ValueError("review must not be above match")
        return self


class Vetoes(Strict):
    """What keeps two records apart however well the rest agrees, unless a person-unique value agrees."""

    given_name: bool = Field(default=True, description="Clearly different given names (twins, couples, siblings).")
    birth_date: bool = Field(default=True, description="Birth dates that no single slip of the pen explains.")
    lifted_by: tuple[tuple[str, ...], ...] = Field(
        default=(), description="Combinations of fields that prove one person when all are equal."
    )


class Guards(Strict):
    """Limits on values that many people share, and on what one customer may hold."""

    max_surnames: int = Field(
        default=5, ge=1, description="A value seen with more distinct surnames is nobody's own and is ignored."
    )
    max_block: int = Field(
        default=200, ge=2, description="A key shared by more records finds no candidates; other keys still do."
    )
    max_records: int = Field(default=60, ge=2, description="Most records one customer may have before a person looks.")
    max_given_names: int = Field(default=6, ge=1, description="Most distinct given names one customer may have.")
    two_accounts: Literal["merge", "ask"] = Field(
        default="merge",
        description="Records with different loyalty cards that match: `merge` them and ask a steward to confirm, or "
        "`ask` before they are merged.",
    )


class Junk(Strict):
    """Values that mean nothing, on top of the lists that come with the normaliser."""

    email: tuple[str, ...] = Field(default=(), description="Whole addresses, or `@domain` for a whole domain.")
    phone: tuple[str, ...] = Field(default=(), description="Numbers in any notation.")
    name: tuple[str, ...] = Field(default=(), description="Given, family or full names.")
    birth_date: tuple[date, ...] = Field(default=(), description="Dates that forms fill in by themselves.")
    card_number: tuple[str, ...] = Field(default=(), description="Card numbers used for customers without a card.")


class Link(Strict):
    """A strong identifier that links two records by itself, while names and dates do not speak against it."""

    field: str = Field(description="Canonical field that must be equal and is not shared by many.")
    requires: Literal["given_name", "full_name", "nothing"] = Field(
        default="full_name",
        description="What must be present and compatible too: the given name, both names, or nothing.",
    )


class Group(Strict):
    """Fields that are taken together from one record: no street of one address with the postcode of another."""

    fields: tuple[str, ...] = Field(min_length=2, description="Canonical fields of the group.")
    rules: tuple[Rule, ...] = Field(min_length=1, description="Rules in order; the next one decides a tie.")


class Survivorship(Strict):
    """Which value stands in the golden record."""

    sources: tuple[str, ...] = Field(default=(), description="Systems, most trusted first; others follow by name.")
    default: tuple[Rule, ...] = Field(
        default=("most_recent",), min_length=1, description="Rules for every field not named below."
    )
    fields: dict[str, tuple[Rule, ...]] = Field(default_factory=dict, description="Rules of single fields.")
    groups: dict[str, Group] = Field(default_factory=dict, description="Fields that survive together.")


class IdentityFile(Strict):
    """The whole of config/identity.yaml."""

    model: str = Field(description="Model file: in this project's config folder, or one shipped with Onevoice.")
    default_region: Annotated[str, Field(pattern="^[A-Z]{2}$")] = Field(
        default="GB", description="Country whose dialling rules apply to numbers without a country code."
    )
    earliest_birth: date = Field(default=date(1900, 1, 2), description="Earlier birth dates are not believed.")
    comparisons: tuple[Comparison, ...] = Field(min_length=1, description="What is compared, and how.")
    blocking: tuple[tuple[str, ...], ...] = Field(
        min_length=1,
        description="Two records are compared when they agree on all parts of one line: canonical fields, "
        "given_root, initials, birth_year, house.",
    )
    links: tuple[Link, ...] = Field(default=(), description="Identifiers that link without any score.")
    thresholds: Thresholds = Field(default=Thresholds(), description="Where merging and asking begin.")
    vetoes: Vetoes = Field(default=Vetoes(), description="What forbids a merge.")
    person_unique: tuple[str, ...] = Field(
        default=(), description="Canonical fields of which a person has one; agreement overrides vetoes."
    )
    guards: Guards = Field(default=Guards(), description="Limits on shared values and on size.")
    junk: Junk = Field(default=Junk(), description="Values that mean nothing.")
    survivorship: Survivorship = Field(default=Survivorship(), description="Which value survives.")

    @model_validator(mode="after")
    def _comparisons_named_once(self) -> Self:
        names = [comparison.name for comparison in self.comparisons]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"comparisons: {', '.join(twice)} named twice; name each once")
        return self

    @model_validator(mode="after")
    def _links_are_blocked(self) -> Self:
        loose = [link.field for link in self.links if (link.field,) not in self.blocking]
        if loose:
            raise ValueError(f"links: {', '.join(loose)} finds no pairs; add the line [{loose[0]}] to blocking")
        return self
