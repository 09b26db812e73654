"""config/identity.yaml: what makes two records one customer, what forbids it, and which value survives.

Every field carries its own description, so that the JSON Schema shown in an editor explains the file.
Comparisons name canonical customer fields; the figures they are weighed with stand in the model file.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from onevoice.model import KINDS

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

Rule = Literal["most_recent", "source_order", "most_frequent", "most_complete", "verified_first", "trust", "union"]

CONTACT_FIELDS = ("email", "phone")
"""Fields of which consent and delivery tell whether they are the customer's: a yes was given there, or mail bounced."""

UNION = "union"
SEVERAL = ("card_number", "email", "phone")
"""Fields every project has of which a customer may rightly have several; attributes of config/profile.yaml may too."""


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
        default=(),
        description="Combinations of fields that prove one person when all are equal; `near_` before a field: equal "
        "but for one slip.",
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


class Trust(Strict):
    """How far the values of one system are believed, and how that sinks while a record is not changed there."""

    source: str = Field(description="System.")
    field: str | None = Field(
        default=None, description="Field or group; left out: all that have no line of their own for this system."
    )
    points: int = Field(ge=0, le=100, description="Trust in a value that was changed today.")
    minimum: int = Field(default=0, ge=0, le=100, description="Trust below which the value never sinks.")
    days: int | None = Field(
        default=None, ge=1, description="Days in which trust sinks from `points` to `minimum`; left out: it never does."
    )

    @model_validator(mode="after")
    def _sinks_to_its_minimum(self) -> Self:
        if self.minimum > self.points:
            raise ValueError("minimum must not be above points")
        if self.days is None and "minimum" in self.model_fields_set:
            raise ValueError("minimum says where trust sinks to, so it needs `days`")
        return self


class Survivorship(Strict):
    """Which value stands in the golden record."""

    sources: tuple[str, ...] = Field(default=(), description="Systems, most trusted first; others follow as equals.")
    default: tuple[Rule, ...] = Field(
        default=("most_recent",), min_length=1, description="Rules for every field not named below."
    )
    fields: dict[str, Annotated[tuple[Rule, ...], Field(min_length=1)]] = Field(
        default_factory=dict, description="Rules of single fields; `union` alone keeps every distinct value."
    )
    groups: dict[str, Group] = Field(default_factory=dict, description="Fields that survive together.")
    blanks: dict[str, Literal["ignore", "count"]] = Field(
        default_factory=dict,
        description="Fields and groups whose empty values count: where the rules choose an empty one, the golden value "
        "is cleared. Only a system that maps the field can leave it empty. Not named: empty values are ignored.",
    )
    verified: dict[str, str] = Field(
        default_factory=dict,
        description="Field or group -> the true-or-false attribute of the same record that says it was verified.",
    )
    trust: tuple[Trust, ...] = Field(
        default=(), description="Points for the rule `trust`; a system without a line has none."
    )

    @model_validator(mode="after")
    def _each_field_ruled_once(self) -> Self:
        homes = Counter([*self.fields, *(name for group in self.groups.values() for name in group.fields)])
        twice = sorted(name for name, count in homes.items() if count > 1)
        if twice:
            raise ValueError(f"{', '.join(twice)} has rules twice; name it in `fields` or in one of the groups")
        both = sorted(self.groups.keys() & homes.keys())
        if both:
            raise ValueError(f"groups: {', '.join(both)} is a field too; give the group another name")
        return self

    @model_validator(mode="after")
    def _union_where_it_makes_sense(self) -> Self:
        places = {"default": self.default, **{f"groups.{name}": group.rules for name, group in self.groups.items()}}
        for place, rules in places.items():
            if UNION in rules:
                raise ValueError(f"{place}: union keeps several values, so it belongs to a single field")
        for name, rules in self.fields.items():
            if UNION in rules and len(rules) > 1:
                raise ValueError(f"fields.{name}: union keeps every value, so no other rule stands beside it")
            if UNION in rules and name in KINDS["customer"].keys() - set(SEVERAL):
                raise ValueError(f"fields.{name}: a customer has one; union is for {', '.join(SEVERAL)}, attributes")
            if UNION in rules and self.blanks.get(name) == "count":
                raise ValueError(f"blanks.{name}: an empty value adds nothing to a union, so it cannot count")
        return self

    @model_validator(mode="after")
    def _rules_have_what_they_ask_for(self) -> Self:
        named: dict[str, tuple[tuple[str, ...], tuple[Rule, ...]]]
        named = {name: ((name,), rules) for name, rules in self.fields.items()}
        named |= {name: (group.fields, group.rules) for name, group in self.groups.items()}
        for name, (fields, rules) in named.items():
            known = name in self.verified or not set(CONTACT_FIELDS).isdisjoint(fields)
            if "verified_first" in rules and not known:
                raise ValueError(f"{name}: nothing says that it was verified; name the attribute in `verified`")
        asked = "trust" in self.default or any("trust" in rules for _, rules in named.values())
        if asked != bool(self.trust):
            raise ValueError("trust: the rule and the lines with its points need one another")
        lines = Counter((line.source, line.field) for line in self.trust)
        twice = sorted(f"{source}, {field or 'all fields'}" for (source, field), count in lines.items() if count > 1)
        if twice:
            raise ValueError(f"trust: {'; '.join(twice)} stands twice; write one line")
        return self


class IdentityFile(Strict):
    """The whole of config/identity.yaml."""

    model: str = Field(description="Model file: in this project's config folder, or one shipped with Onevoice.")
    default_region: Annotated[str, Field(pattern="^[A-Z]{2}$")] = Field(
        default="GB", description="Country whose dialling rules apply to numbers without a country code."
    )
    earliest_birth: date = Field(default=date(1900, 1, 2), description="Earlier birth dates are not believed.")
    engine: Literal["duckdb", "spark"] = Field(
        default="duckdb",
        description="What compares the pairs of a full run: DuckDB in this process, or Spark (needs the extra `spark` "
        "and Java). The customers found are the same.",
    )
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
