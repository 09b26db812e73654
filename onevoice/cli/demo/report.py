"""The demo's report: its shape, published as docs/demo-report.schema.json, and how each figure is found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from onevoice.cli.demo.judge import Verdict


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Identity(_Part):
    """How well records were grouped into people, against the planted truth; fractions from 0 to 1."""

    precision: float = Field(description="Pairs of records put together that are one person, of all put together.")
    recall: float = Field(description="Pairs of records of one person that were put together, of all there are.")
    f1: float = Field(description="Harmonic mean of pairwise precision and recall.")
    b_cubed_f1: float = Field(description="The same idea counted per record instead of per pair.")
    exact_key_f1: float = Field(description="Pairwise F1 of the same records joined on equal e-mail or phone only.")
    splink_default_f1: float = Field(description="Pairwise F1 of the same records by Splink with its stock settings.")


class Messages(_Part):
    """What the systems' campaigns would send today."""

    sent: int
    contradictory: int = Field(description="Of those, the ones that the planted truth calls contradictory.")
    by_class: dict[str, int] = Field(description="Contradictory messages by class of contradiction.")
    by_system: dict[str, int] = Field(description="Contradictory messages by the system that would send them.")


class Left(_Part):
    """Contradictory messages that remain, grouped."""

    cause: str = Field(description="not_identity, identity_miss, identity_mixup or human_task.")
    class_: str = Field(alias="class")
    count: int


class BeforeAfter(_Part):
    """The judge's verdict before the first cycle and after it."""

    before: Messages
    after: Messages
    left: list[Left]


class OverSuppressed(_Part):
    """Messages held back that the truth allows."""

    allowed: int = Field(description="Distinct (person, family, channel) that truth allows and some system sent.")
    pairs: int = Field(description="Those of them that no system sends after.")
    rate: float = Field(description="pairs / allowed, a fraction.")


class Change(_Part):
    """One count before the first cycle and after it."""

    before: int
    after: int


class Writes(_Part):
    """What the first cycle wrote to one system."""

    records: int = Field(description="Distinct record values written, as the system counts them.")
    calls: int = Field(description="Write calls made.")
    minimum_calls: int = Field(description="Fewest calls that could have done it at the documented batch limits.")
    rejected: int = Field(description="Records the system refused for good.")


class SecondRun(_Part):
    """A second cycle with nothing changed."""

    writes: int
    messages_contradictory: int


class ThirdRun(_Part):
    """A third cycle after edits by hand in the systems."""

    edits: int
    records_written: int = Field(description="Customer records that the hub changed, in all systems together.")
    records_expected: int = Field(description="Customer records that had to change, as the sandbox knows.")
    contradicting: int = Field(description="Records on which an edit would have let a wrong message out.")
    reported: int = Field(description="Those of them that the hub reported.")


class Report(_Part):
    """What `onevoice demo --json FILE` writes."""

    seed: int
    people: int
    as_of: str = Field(description="The sandbox's virtual time at the start, ISO 8601 with zone.")
    records: dict[str, int] = Field(description="Customer records by system.")
    profiles: int
    identity: Identity
    messages: BeforeAfter
    over_suppressed: OverSuppressed
    contradictions: dict[str, Change] = Field(description="The hub's own read-back view, by class.")
    writes: dict[str, Writes] = Field(description="First cycle, by system; provisioning and read-back left out.")
    second_run: SecondRun
    third_run: ThirdRun
    seconds: dict[str, float] = Field(description="First cycle by step, and `total`.")
    peak_memory_mb: float = Field(description="Hub and Prefect together, without the sandbox.")


def schema() -> dict[str, Any]:
    """The JSON Schema of the report."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Report.model_json_schema(by_alias=True)}


def messages(before: Verdict, after: Verdict) -> BeforeAfter:
    """The judge's counts, and what is left by class and cause."""
    left = Counter((said["class"], said["cause"]) for said in after.messages if said["contradictory"])
    return BeforeAfter(
        before=_counts(before),
        after=_counts(after),
        left=[Left.model_validate({"class": k, "cause": c, "count": n}) for (k, c), n in sorted(left.items())],
    )


def wrong_messages(verdict: Verdict) -> int:
    """How many of the messages the truth calls contradictory."""
    return sum(1 for said in verdict.messages if said["contradictory"])


def _counts(verdict: Verdict) -> Messages:
    wrong = Counter(said["class"] for said in verdict.messages if said["contradictory"])
    by_system = Counter(said["system"] for said in verdict.messages if said["contradictory"])
    return Messages(
        sent=len(verdict.messages),
        contradictory=wrong.total(),
        by_class=dict(sorted(wrong.items())),
        by_system=dict(sorted(by_system.items())),
    )


def over_suppressed(before: Verdict, after: Verdict) -> OverSuppressed:
    """Allowed messages that went out before and do not now."""
    lost = len(before.allowed - after.allowed)
    allowed = len(before.allowed)
    return OverSuppressed(allowed=allowed, pairs=lost, rate=round(lost / allowed, 6) if allowed else 0.0)


def changes(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, Change]:
    """Per class of contradiction, the hub's own counts."""
    return {name: Change(before=before.get(name, 0), after=after.get(name, 0)) for name in sorted({*before, *after})}


def records_by_system(partition: Iterable[Sequence[str]]) -> dict[str, int]:
    """Customer records the hub assigned to a profile."""
    return dict(sorted(Counter(row[0] for row in partition).items()))
