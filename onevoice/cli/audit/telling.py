"""From what an audit found to its report."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from onevoice.cli.audit.report import Count, Customer, Evidence, Finding, Match, Report, System
from onevoice.cli.masks import Masks
from onevoice.model import Ref
from onevoice.pipeline import Hub
from onevoice.pipeline.proofs.audit import Evidenced, Looked
from onevoice.pipeline.proofs.matches import MatchLink
from onevoice.pipeline.proofs.proof import Basis, Proving
from onevoice.policy import Ground
from onevoice.store.proofs import WhenRead

NEVER_CERTAIN = 0.999999
"""The stored probabilities are rounded to six digits: a score never says more than this."""
WORST = 20
"""Customers that are named as the worst."""
_NEEDS_ALL = (Ground.CLAIM,)
"""Grounds that a record which could not be read might take away."""


def told(
    hub: Hub, looked: Looked, found: Iterable[Evidenced], failed: Mapping[str, str], *, personal_data: bool
) -> Report:
    """The report; `failed` says of systems why they could not be read."""
    masks = Masks(hub.config.mappings, whole=personal_data)
    unread = f"Not everything could be read: {', '.join(sorted(failed))}." if failed else ""
    findings = [_finding(hub, masks, one, unread) for one in found]
    findings.sort(key=lambda f: (f.system, f.stream, f.record, f.family, f.channel))
    return Report(
        as_of=hub.as_of.isoformat(),
        personal_data=personal_data,
        customer_records=looked.records,
        customers=looked.customers,
        findings=len(findings),
        if_picked=_picked(findings),
        doubtful=_doubtful(findings),
        by_contradiction=_by_contradiction(findings),
        by_system=_by_system(hub, looked, findings, failed),
        worst_customers=_worst(findings),
        found=findings,
    )


def _finding(hub: Hub, masks: Masks, one: Evidenced, unread: str) -> Finding:
    source, finding, proof = Ref.parse(one.ref), one.finding, one.proof
    doubts = [masks.text(doubt) for doubt in proof.doubts]
    if unread and (proof.basis is Basis.ABSENCE or finding.ground in _NEEDS_ALL):
        doubts.append(unread)
    age = one.read.get(one.ref)
    return Finding(
        system=source.system,
        stream=source.stream,
        record=masks.text(source.key),
        profile=one.profile_id,
        customer=masks.name(one.name),
        family=finding.family,
        offer=hub.config.offers.families[finding.family].label,
        channel=finding.channel,
        sends="if_picked" if finding.picked else "surely",
        code=finding.label,
        contradiction=finding.sentence,
        because=masks.text(proof.because),
        facts=_plain(masks.facts(proof.facts)),
        fields=_plain(masks.raw(source.system, source.stream, finding.evidence)),
        read_at=age.pulled_at.isoformat() if age else None,
        stands_on=proof.basis.value,
        weakest_match=_match(masks, proof.weakest) if proof.weakest else None,
        doubts=doubts,
        evidence=[_evidence(masks, record, one.read.get(record.ref)) for record in proof.records],
    )


def _evidence(masks: Masks, proving: Proving, age: WhenRead | None) -> Evidence:
    source = Ref.parse(proving.ref)
    return Evidence(
        system=source.system,
        stream=source.stream,
        record=masks.text(source.key),
        kind=proving.kind,
        says=_plain(masks.item(proving.kind, proving.values)),
        proves=list(proving.facts),
        read_at=age.pulled_at.isoformat() if age else None,
        changed_at=age.updated_at.isoformat() if age and age.updated_at else None,
        customer_record=masks.text(proving.customer) if proving.customer else None,
        matched_by=[_match(masks, link) for link in proving.chain.links],
    )


def _match(masks: Masks, link: MatchLink) -> Match:
    return Match(
        left=masks.text(link.left),
        right=masks.text(link.right),
        how=link.words,
        probability=min(link.probability, NEVER_CERTAIN),
        doubt=link.doubt or None,
    )


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as JSON has them."""
    return {name: _json(value) for name, value in values.items()}


def _json(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return f"{value.normalize():f}" if isinstance(value, Decimal) else value


def _picked(findings: Iterable[Finding]) -> int:
    return sum(finding.sends == "if_picked" for finding in findings)


def _doubtful(findings: Iterable[Finding]) -> int:
    return sum(bool(finding.doubts) for finding in findings)


def _by_contradiction(findings: Sequence[Finding]) -> list[Count]:
    groups: defaultdict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        groups[finding.contradiction, finding.code].append(finding)
    counts = [
        Count(
            code=code,
            contradiction=sentence,
            findings=len(group),
            if_picked=_picked(group),
            doubtful=_doubtful(group),
        )
        for (sentence, code), group in groups.items()
    ]
    return sorted(counts, key=lambda count: (-count.findings, count.contradiction))


def _by_system(hub: Hub, looked: Looked, findings: Sequence[Finding], failed: Mapping[str, str]) -> list[System]:
    read = {name: max(at for system, _, at in looked.streams if system == name) for name, _, _ in looked.streams}
    groups: defaultdict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        groups[finding.system].append(finding)
    return [
        System(
            system=name,
            records_read=looked.read.get(name, 0),
            read_at=read[name].isoformat() if name in read else None,
            campaigns=name in looked.sending,
            failed=failed.get(name),
            findings=len(groups[name]),
            if_picked=_picked(groups[name]),
            doubtful=_doubtful(groups[name]),
        )
        for name in sorted(hub.config.hub.systems)
    ]


def _worst(findings: Sequence[Finding]) -> list[Customer]:
    """Those to whom most would surely go out wrong; then by all that would."""
    groups: defaultdict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        groups[finding.profile].append(finding)
    ordered = sorted(groups.values(), key=lambda group: (_picked(group) - len(group), -len(group), group[0].profile))
    return [
        Customer(
            profile=group[0].profile,
            customer=group[0].customer,
            findings=len(group),
            contradictions=[sentence for sentence, _ in Counter(f.contradiction for f in group).most_common()],
        )
        for group in ordered[:WORST]
    ]
