"""config/suppression.yaml and suppression_test.yaml: which offers may not reach whom, why, and until when.

A condition is either a template (`within_days`, `member`, ...) or `when:`, a boolean expression. Both are checked and
compiled by onevoice.policy; here stand only their shapes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Self

from pydantic import Field, model_validator

from onevoice.configfile.base import JsonObject, Names, StrictModel

LayerName = Literal[
    "erasure",
    "consent",
    "safety",
    "integrity",
    "contact_policy",
    "commercial",
    "hold_out",
    "arbitration",
]


class Scope(StrictModel):
    """Which offers a rule denies."""

    families: Names = Field(
        description="Offer families of offers.yaml; `all`, `marketing` and `promotional` stand for those so marked."
    )
    channels: Names = Field(default=("all",), description="Channels of offers.yaml; `all` means every one.")


class WithinDays(StrictModel):
    """Denies while the fact's day lies fewer than `days` days back; the end follows from it."""

    fact: str = Field(description="A date fact, such as last_order_on.")
    days: int = Field(ge=1, le=36_500, description="First number of days that is far enough back.")


class ExclusiveWith(StrictModel):
    """Denies for as long as another family speaks to the customer about something still open."""

    family: str = Field(description="The other offer family.")
    started: str = Field(description="Datetime fact: when the thing began (a cart was left).")
    started_on: str = Field(description="Date fact: the day of it.")
    ended: str = Field(description="Datetime fact: what closes it when it comes later (an order).")
    days: int = Field(ge=0, le=36_500, description="Last day after `started_on` on which it still counts as open.")


class RuleTest(StrictModel):
    """One example of one rule, beside the rule."""

    given: JsonObject = Field(description="Facts; those left out are unknown.")
    at: str = Field(description="The day, as YYYY-MM-DD.")
    expect: Literal["deny", "silent"] = Field(description="Whether this rule denies on that day.")
    until: str | None = Field(default=None, description="Last day denied, as YYYY-MM-DD, or forever.")


CONDITIONS = ("when", "has_status", "member", "tier_at_least", "tier_below", "within_days", "exclusive_with")


class SuppressionRule(StrictModel):
    """One rule. A deny of any rule wins; the order of rules means nothing."""

    id: str = Field(pattern="^[a-z][a-z0-9_]{0,60}$", description="Name of the rule; it is stored with every decision.")
    layer: LayerName = Field(
        description="How strong the reason is. In erasure, consent and safety what cannot be judged denies; "
        "in the others it does nothing."
    )
    deny: Scope = Field(description="Which offers are denied.")
    when: str | None = Field(default=None, description="Condition as an expression over facts (docs/rules.md).")
    has_status: Names | None = Field(
        default=None, description="Template: denies while the membership has one of these statuses."
    )
    member: str | None = Field(default=None, description="Template: denies members of this programme (the main one).")
    tier_at_least: str | None = Field(
        default=None, description="Template: denies while the customer holds this tier or a higher one."
    )
    tier_below: str | None = Field(
        default=None, description="Template: denies while the customer holds no tier as high as this one."
    )
    within_days: WithinDays | None = Field(default=None, description="Template: denies for some days after a date.")
    exclusive_with: ExclusiveWith | None = Field(
        default=None, description="Template: denies while another family has the word."
    )
    until: str | None = Field(
        default=None,
        description="Last day denied, as an expression of facts; left out, the template's own end, or no end at all.",
    )
    because: str = Field(min_length=1, description="One sentence for people; {fact} is filled in.")
    contradiction: str = Field(
        min_length=1, description="What it is called when such an offer goes out all the same, for reports."
    )
    code: str | None = Field(
        default=None, alias="class", pattern="^K[0-9]{1,2}$", description="Class number, in machine reports only."
    )
    tests: Sequence[RuleTest] = Field(default=(), description="Examples of this rule.")

    @model_validator(mode="after")
    def _one_condition(self) -> Self:
        given = [name for name in CONDITIONS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"write exactly one of {', '.join(CONDITIONS)} (found: {', '.join(given) or 'none'})")
        return self


class Named(StrictModel):
    """What a contradiction is called that no rule describes."""

    code: str | None = Field(
        default=None, alias="class", pattern="^K[0-9]{1,2}$", description="Class number, in machine reports only."
    )
    contradiction: str = Field(min_length=1, description="What it is called in reports.")


class SuppressionFile(StrictModel):
    """The whole of config/suppression.yaml."""

    rules: Sequence[SuppressionRule] = Field(min_length=1, description="The rules, in any order.")
    contact_point: Named = Field(
        description="Sending marketing to an address or number on which anybody opted out, whoever uses it."
    )
    undeliverable: Named | None = Field(
        default=None,
        description="Sending marketing to an address or number that bounced or complained of spam; left out, it is "
        "called what contact_point says.",
    )
    claims: Mapping[str, Named] = Field(
        default_factory=dict,
        description="By fact: sending a message that states another value of it.",
    )


class PolicyTest(StrictModel):
    """One customer, one day, and what may reach them."""

    name: str = Field(min_length=1, description="What is tested, in words.")
    given: JsonObject = Field(default_factory=dict, description="Facts that differ from `defaults`.")
    at: str = Field(description="The day, as YYYY-MM-DD.")
    channel: str = Field(default="email", description="The channel looked at.")
    deny: Mapping[str, str] = Field(default_factory=dict, description="Family -> the rule that must decide against it.")
    until: Mapping[str, str] = Field(
        default_factory=dict, description="Family -> last day denied, as YYYY-MM-DD, or forever."
    )
    allow: Names = Field(default=(), description="Families that must be allowed; `rest` means all not under `deny`.")
    changes_on: str | None = Field(
        default=None, description="First day on which the answer may change with the same facts, or never."
    )


class SuppressionTestFile(StrictModel):
    """The whole of config/suppression_test.yaml."""

    defaults: JsonObject = Field(default_factory=dict, description="Facts every test begins with; others are unknown.")
    tests: Sequence[PolicyTest] = Field(min_length=1, description="The tests.")
