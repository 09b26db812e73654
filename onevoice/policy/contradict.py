"""Contradictions of one record: what its system would send although it was decided against, or would say wrongly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from onevoice.configfile.suppression_file import Named
from onevoice.model import Decision, Denial, Layer
from onevoice.policy.facts import fact_readers, typed_row
from onevoice.policy.gates import Gate, Json
from onevoice.policy.language import Row
from onevoice.policy.raw import raw_value

if TYPE_CHECKING:
    from onevoice.policy.decide import Policy


class Refusal(StrEnum):
    """Why an address or number must not be written to."""

    OPTED_OUT = "opted_out"
    UNDELIVERABLE = "undeliverable"


@dataclass(frozen=True, slots=True)
class Finding:
    """One contradiction, at most one per family and channel of a record."""

    family: str
    channel: str
    label: str
    """Class number (K4), or the rule's name where it has none; for machine reports, never shown to people."""
    sentence: str
    """What people call it."""
    evidence: Mapping[str, Any]
    """Raw fields and related values that make the system send; contact points are left out."""


def contradictions(  # noqa: PLR0913  (each of them is named at the call)
    policy: Policy,
    decision: Decision,
    *,
    facts: Mapping[str, Any],
    refused: Mapping[str, Refusal],
    elsewhere: AbstractSet[str],
    system: str,
    stream: str,
    raw: Json,
    as_of: date,
) -> list[Finding]:
    """What this system would do to the record on the day `as_of` that contradicts the decision or the facts.

    `raw` is the vendor's record with `list:<name>` and `related:<stream>` beside its own fields. `refused` says by
    channel why the record's own address or number must not be written to. `elsewhere` are families that another record
    of the customer carries. `facts` are the customer's, for what messages claim.
    """
    reader = policy.reader(system, stream)
    if reader is None:
        return []
    row = reader.typed(raw, as_of)
    denied = {(denial.family, denial.channel): denial for denial in decision.denials if denial.until >= as_of}
    true = typed_row(facts, as_of, fact_readers(policy.claims))
    found = []
    for place, gate in sorted(reader.gates.items()):
        if not gate.open_for(row):
            continue
        no = refused.get(gate.channel) if gate.family in policy.marketing else None
        carried = gate.family in elsewhere
        label, sentence = _named(policy, gate, row, true, denied.get(place), no, elsewhere=carried)
        if sentence:
            found.append(Finding(gate.family, gate.channel, label, sentence, dict(_evidence(gate, raw, row))))
    return found


def _named(
    policy: Policy, gate: Gate, row: Row, true: Row, denial: Denial | None, no: Refusal | None, *, elsewhere: bool
) -> tuple[str, str]:
    """Class and sentence of the strongest contradiction of an open gate; empty when there is none."""
    if no is Refusal.OPTED_OUT:
        return _label(policy.contact_point, "contact_point")
    if no is Refusal.UNDELIVERABLE and (denial is None or denial.layer > Layer.CONSENT):
        return _label(policy.undeliverable, "undeliverable")
    if denial is not None:
        rule = policy.by_id.get(denial.rule)
        return (
            (rule.code or rule.id, rule.contradiction) if rule else (denial.rule, "an offer that was decided against")
        )
    for fact, claim in gate.claims.items():
        if claim(row) != true.get(fact):
            return _label(policy.claims[fact], fact)
    once = policy.once.get(gate.family) if elsewhere else None
    return (once.code or gate.family, once.contradiction) if once else ("", "")


def _label(named: Named, otherwise: str) -> tuple[str, str]:
    return named.code or otherwise, named.contradiction


def _evidence(gate: Gate, raw: Json, row: Row) -> Iterator[tuple[str, Any]]:
    for name in gate.fields:
        found = raw_value(raw, name)
        yield name, row.get(name) if found is None else found
