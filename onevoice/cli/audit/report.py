"""The audit's report: what was looked at, what contradicts, and what proves it. `schema()` is its published shape."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Part(BaseModel):
    """A part of the report."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Match(Part):
    """Two records that are held to be one customer's."""

    left: str = Field(description="system/stream/key")
    right: str = Field(description="system/stream/key")
    how: str = Field(description="What holds them together, in words.")
    probability: float = Field(description="How sure the match is, from 0 to 1.")
    doubt: str | None = Field(description="Why not to rely on it.")


class Evidence(Part):
    """A record that proves a contradiction."""

    system: str
    stream: str
    record: str = Field(description="The record's id in its system.")
    kind: str = Field(description="What it is: order, cart, case, membership, consent, reward ...")
    says: dict[str, Any] = Field(description="Its values, in the hub's own terms.")
    proves: list[str] = Field(description="Facts that it makes known.")
    read_at: str | None = Field(description="When this version of it was read, ISO 8601; null once it is gone.")
    changed_at: str | None = Field(description="The system's own stamp of the version.")
    customer_record: str | None = Field(description="The customer record that it belongs to; null where none matters.")
    matched_by: list[Match] = Field(description="The chain of matches from the messaged record to that one.")


class Finding(Part):
    """One message that a system would send and that contradicts what is known."""

    system: str
    stream: str
    record: str = Field(description="The record that the message goes to.")
    profile: str = Field(description="The hub's id of the customer.")
    customer: str
    family: str
    offer: str = Field(description="The family as people call it.")
    channel: str
    sends: Literal["surely", "if_picked"] = Field(
        description="`if_picked`: only if the campaign picks this record, by a choice that nobody outside knows."
    )
    code: str = Field(description="Class of the contradiction, for machines.")
    contradiction: str
    because: str
    facts: dict[str, Any] = Field(description="What the deciding rule has read of the customer.")
    fields: dict[str, Any] = Field(description="The messaged record's values that let the campaign send.")
    read_at: str | None = Field(description="When the messaged record was read.")
    stands_on: Literal["address", "record", "match", "absence"] = Field(
        description="What it takes: the very address was refused; the messaged record itself shows it; the records of "
        "`evidence` must be one customer's; no record of the customer may be missing."
    )
    weakest_match: Match | None = Field(description="The match that it rests on.")
    doubts: list[str] = Field(description="Sentences; empty when there is none.")
    evidence: list[Evidence]


class Count(Part):
    """Findings of one kind."""

    code: str
    contradiction: str
    findings: int
    if_picked: int
    doubtful: int


class System(Part):
    """One system and what it would send."""

    system: str
    records_read: int
    read_at: str | None = Field(description="When it was last read to the end.")
    campaigns: bool = Field(description="Whether config/offers.yaml describes what it sends.")
    failed: str | None = Field(description="Why it could not be read.")
    findings: int
    if_picked: int
    doubtful: int


class Customer(Part):
    """A customer to whom much goes wrong."""

    profile: str
    customer: str
    findings: int
    contradictions: list[str]


class Report(Part):
    """The whole report. Systems and totals come first, findings last."""

    as_of: str = Field(description="The day and time for which everything was judged.")
    personal_data: bool = Field(description="Whether names, addresses and numbers are shown whole.")
    customer_records: int
    customers: int
    findings: int
    if_picked: int
    doubtful: int
    by_contradiction: list[Count]
    by_system: list[System]
    worst_customers: list[Customer]
    found: list[Finding]


def schema() -> dict[str, Any]:
    """The JSON Schema of the report."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Report.model_json_schema()}
