"""Coherence: would a system, with the values it holds, send what was decided against? Its own values answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from onevoice.model import Ref
from onevoice.pipeline.decide import decision_of
from onevoice.pipeline.delivery.desired import HubView
from onevoice.pipeline.hub import Hub
from onevoice.policy import RELATED, Finding, contradictions
from onevoice.store import Connection, pages, profiles


def contradictions_of(hub: Hub, ref: str, view: HubView, raw: Mapping[str, Any]) -> list[Finding]:
    """Contradictions of one customer record.

    `raw` is the vendor's record as last read, with `list:<name>` and `related:<stream>` beside its own fields.
    """
    source = Ref.parse(ref)
    return contradictions(
        hub.policy,
        decision_of(view.decision),
        facts=view.profile.facts,
        refused=view.refused,
        elsewhere=view.elsewhere,
        system=source.system,
        stream=source.stream,
        raw=raw,
        as_of=hub.today,
    )


def findings_of(hub: Hub, ref: str, view: HubView, raw: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Contradictions of one customer record as rows for the store; `raw` as for `contradictions_of`."""
    return [
        {
            "ref": ref,
            "family": finding.family,
            "channel": finding.channel,
            "class": finding.label,
            "sentence": finding.sentence,
            "evidence": dict(finding.evidence),
        }
        for finding in contradictions_of(hub, ref, view, raw)
    ]


def raw_of_customers(hub: Hub, connection: Connection, refs: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Raw customer records as gates read them: each with the raw records that belong to it and that gates look at.

    A record that belongs to the customer through another one (a tier, through the membership) carries the fields of the
    record in between as `Stream.Field`.
    """
    refs = set(refs)
    wanted = hub.policy.related_streams
    near = _children(connection, {ref for ref in refs if Ref.parse(ref).system in wanted}, wanted)
    far = _children(connection, {child for children in near.values() for child in children}, wanted)
    beside = profiles.load_raw(connection, {c for group in (*near.values(), *far.values()) for c in group})
    read = {(system, stream) for system, stream, _ in pages.all_cursors(connection)}
    found = {ref: dict(raw) for ref, raw in profiles.load_raw(connection, refs).items()}
    for ref, raw in found.items():
        system = Ref.parse(ref).system
        for stream in wanted.get(system, ()):
            if (system, stream) in read:  # what was never read is not known to be empty
                raw[RELATED + stream] = []
        for child in near.get(ref, ()):
            if child not in beside:
                continue
            stream = Ref.parse(child).stream
            raw.setdefault(RELATED + stream, []).append(beside[child])
            between = {f"{stream}.{name}": value for name, value in beside[child].items()}
            for grandchild in far.get(child, ()):
                if grandchild in beside:
                    key = RELATED + Ref.parse(grandchild).stream
                    raw.setdefault(key, []).append({**beside[grandchild], **between})
    return found


def _children(
    connection: Connection, refs: Iterable[str], wanted: Mapping[str, frozenset[str]]
) -> dict[str, list[str]]:
    """Refs of other records that belong to the given ones, of the wanted streams by system."""
    found: dict[str, list[str]] = {}
    for owner, children in profiles.owned_by(connection, refs).items():
        kept = (Ref.parse(child) for child in children if child != owner)
        found[owner] = sorted({str(child) for child in kept if child.stream in wanted.get(child.system, ())})
    return found
