"""Contradictions of one record: what its system would send although it was decided against, or would say wrongly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

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
    NOT_ASKED_FOR = "not_asked_for"
    """A yes is needed, and nobody gave one here. It is held back; that a system has no proof of a yes proves no no."""


class Ground(StrEnum):
    """What a contradiction rests on."""

    OPTED_OUT = "opted_out"
    """Somebody opted out on the very address or number."""
    UNDELIVERABLE = "undeliverable"
    """The very address bounced, or complained of spam."""
    RULE = "rule"
    """A rule denies it; `Finding.name` is the rule's."""
    CLAIM = "claim"
    """The message states another value than the true one; `Finding.name` is the fact's."""
    ONCE = "once"
    """Another record of the customer carries what they get once; `Finding.name` is the family's."""


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
    ground: Ground
    name: str
    """Of what it rests on."""
    picked: bool
    """The campaign goes to some records only, by a choice nobody outside knows: this one may not be among them."""


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
        named = _named(policy, gate, row, true, denied.get(place), no, elsewhere=carried)
        if named is not None:
            evidence = dict(_evidence(gate, raw, row))
            found.append(
                Finding(gate.family, gate.channel, *named.called, evidence, named.ground, named.name, gate.picks)
            )
    return found


class _Named(NamedTuple):
    called: tuple[str, str]
    """Label and sentence."""
    ground: Ground
    name: str


def _named(
    policy: Policy, gate: Gate, row: Row, true: Row, denial: Denial | None, no: Refusal | None, *, elsewhere: bool
) -> _Named | None:
    """The strongest contradiction of an open gate; None when there is none."""
    if no is Refusal.OPTED_OUT:
        return _Named(_called(policy.contact_point, "contact_point"), Ground.OPTED_OUT, gate.channel)
    if no is Refusal.UNDELIVERABLE and (denial is None or denial.layer > Layer.CONSENT):
        return _Named(_called(policy.undeliverable, "undeliverable"), Ground.UNDELIVERABLE, gate.channel)
    if denial is not None:
        rule = policy.by_id.get(denial.rule)
        called = (
            (rule.code or rule.id, rule.contradiction) if rule else (denial.rule, "an offer that was decided against")
        )
        return _Named(called, Ground.RULE, denial.rule)
    for fact, claim in gate.claims.items():
        if claim(row) != true.get(fact):
            return _Named(_called(policy.claims[fact], fact), Ground.CLAIM, fact)
    once = policy.once.get(gate.family) if elsewhere else None
    return _Named((once.code or gate.family, once.contradiction), Ground.ONCE, gate.family) if once else None


def _called(named: Named, otherwise: str) -> tuple[str, str]:
    return named.code or otherwise, named.contradiction


def _evidence(gate: Gate, raw: Json, row: Row) -> Iterator[tuple[str, Any]]:
    for name in gate.fields:
        found = raw_value(raw, name)
        yield name, row.get(name) if found is None else found
