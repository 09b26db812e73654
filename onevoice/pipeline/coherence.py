"""Coherence: would a system, with the values it holds, send what was decided against? Its own values answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onevoice.model import Ref
from onevoice.pipeline.decide import decision_of
from onevoice.pipeline.desired import HubView
from onevoice.pipeline.hub import Hub
from onevoice.policy import contradictions


def findings_of(
    hub: Hub, ref: str, view: HubView, raw: Mapping[str, Any] | None, beside: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Open contradictions of one customer record as rows for the store.

    `raw` is the vendor's record as last read; `beside` holds what other streams say of it, as `lists:<name>`.
    """
    if raw is None:
        return []
    source = Ref.parse(ref)
    found = contradictions(
        hub.policy,
        decision_of(view.decision),
        address_denied=view.address_denied,
        tier=view.value(f"status.{hub.programme}.tier"),
        system=source.system,
        stream=source.stream,
        raw={**raw, **beside},
        as_of=hub.today,
    )
    return [
        {
            "ref": ref,
            "family": finding.family,
            "channel": finding.channel,
            "class": finding.label,
            "sentence": finding.sentence,
            "evidence": dict(finding.evidence),
        }
        for finding in found
    ]
