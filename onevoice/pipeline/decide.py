"""Decide: what may not reach each changed profile, and until when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from onevoice.model import Decision, Denial, Layer
from onevoice.pipeline.hub import Hub
from onevoice.pipeline.report import Report
from onevoice.store import Connection, pages, profiles
from onevoice.store.profiles import DecisionRow

CHUNK = 2000


def decide(hub: Hub) -> Report:
    """Decide the profiles whose facts changed, whose time came, or for which the rules are new."""
    counts = {"profiles": 0, "changed": 0}
    with hub.store.begin() as connection:
        due = profiles.due_decisions(connection, hub.today, hub.policy.version)
        pages.mark_work(connection, {("decide", profile_id) for profile_id in due})
    while True:
        with hub.store.begin() as connection:
            ids = pages.load_work(connection, "decide", CHUNK)
            if not ids:
                return Report(counts)
            counts["profiles"] += len(ids)
            counts["changed"] += _decide_chunk(hub, connection, ids)
            pages.finish_work(connection, "decide", ids)


def _decide_chunk(hub: Hub, connection: Connection, ids: Sequence[str]) -> int:
    known = profiles.load_facts(connection, ids)
    before = profiles.load_decisions(connection, ids)
    rows = []
    changed: dict[str, Mapping[str, Any]] = {}
    for profile_id in sorted(known):
        facts = known[profile_id]
        decision = hub.policy.decide(facts, hub.today)
        row = DecisionRow(profile_id, [denial_json(d) for d in decision.denials], decision.valid_until, decision.policy)
        rows.append(row)
        old = before.get(profile_id)
        if old is None or list(old.denials) != list(row.denials):
            changed[profile_id] = facts
    profiles.save_decisions(connection, rows, changed, hub.as_of)
    pages.mark_work(connection, {("plan", profile_id) for profile_id in changed})
    return len(changed)


def denial_json(denial: Denial) -> dict[str, Any]:
    """A denial as the store keeps it."""
    return {
        "family": denial.family,
        "channel": denial.channel,
        "rule": denial.rule,
        "layer": int(denial.layer),
        "until": denial.until.isoformat(),
        "fired": list(denial.fired),
    }


def decision_of(row: DecisionRow) -> Decision:
    """A stored decision as a value."""
    return Decision(
        denials=tuple(
            Denial(
                d["family"],
                d["channel"],
                d["rule"],
                Layer(d["layer"]),
                date.fromisoformat(d["until"]),
                tuple(d["fired"]),
            )
            for d in row.denials
        ),
        valid_until=row.valid_until,
        policy=row.policy,
    )
