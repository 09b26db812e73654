"""Contradictions of one record: what its system would send although it was decided against, or would say wrongly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from onevoice.configfile.suppression_file import Named
from onevoice.model import Decision, Denial
from onevoice.policy.facts import fact_readers, typed_row
from onevoice.policy.gates import Gate, Json
from onevoice.policy.language import Row

if TYPE_CHECKING:
    from onevoice.policy.decide import Policy


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
    address_denied: bool,
    system: str,
    stream: str,
    raw: Json,
    as_of: date,
) -> list[Finding]:
    """What this system would do to the record on the day `as_of` that contradicts the decision or the facts.

    `raw` is the vendor's record with `list:<name>` and `related:<stream>` beside its own fields. `address_denied` says
    that somebody opted out on the record's own address. `facts` are the customer's, for what messages claim.
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
        standing = address_denied and gate.family in policy.marketing
        label, sentence = _named(policy, gate, row, true, denied.get(place), standing=standing)
        if sentence:
            found.append(Finding(gate.family, gate.channel, label, sentence, dict(_evidence(gate, raw, row))))
    return found


def _named(
    policy: Policy, gate: Gate, row: Row, true: Row, denial: Denial | None, *, standing: bool
) -> tuple[str, str]:
    """Class and sentence of the strongest contradiction of an open gate; empty when there is none."""
    if standing:
        return _label(policy.contact_point, "contact_point")
    if denial is not None:
        rule = policy.by_id.get(denial.rule)
        return (
            (rule.code or rule.id, rule.contradiction) if rule else (denial.rule, "an offer that was decided against")
        )
    for fact, claim in gate.claims.items():
        if claim(row) != true.get(fact):
            return _label(policy.claims[fact], fact)
    return "", ""


def _label(named: Named, otherwise: str) -> tuple[str, str]:
    return named.code or otherwise, named.contradiction


def _evidence(gate: Gate, raw: Json, row: Row) -> Iterator[tuple[str, Any]]:
    for name in gate.fields:
        yield name, raw[name] if name in raw else row.get(name)
