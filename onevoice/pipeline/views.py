"""What others may ask of the hub: its partition, its contradictions, what a run wrote, one customer's story."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from identity import IdentityRecord
from onevoice.model import Ref
from onevoice.pipeline.hub import Hub
from onevoice.pipeline.unify import identity_record
from onevoice.policy import explain
from onevoice.store import contradictions, identities, outboxes, profiles


def partition(hub: Hub) -> list[tuple[str, str, str, str]]:
    """(system, stream, key, profile id) of every customer record."""
    with hub.store.read() as connection:
        links = identities.all_links(connection)
    return [(ref.system, ref.stream, ref.key, profile_id) for text, profile_id in links for ref in (Ref.parse(text),)]


def identity_records(hub: Hub) -> list[IdentityRecord]:
    """Every customer record in canonical form, for measuring identity by other ways."""
    with hub.store.read() as connection:
        rows = identities.load_customers(connection, identities.all_customer_refs(connection))
    return [identity_record(rows[ref]) for ref in sorted(rows)]


def contradictions_now(hub: Hub) -> dict[str, Any]:
    """Open contradictions as the systems' own values show them: counts by class, and the rows."""
    with hub.store.read() as connection:
        rows = contradictions.all_open(connection)
    return {"by_class": dict(sorted(Counter(row["class"] for row in rows).items())), "rows": rows}


def reported(hub: Hub) -> list[tuple[str, str, str]]:
    """(system, stream, key) of every record on which this run found a contradiction, or a value changed by hand.

    Sorted, each once.
    """
    with hub.store.read() as connection:
        refs = {row["ref"] for row in contradictions.opened_at(connection, hub.as_of)}
        refs |= {row["ref"] for row in contradictions.drift_at(connection, hub.as_of)}
    return [(r.system, r.stream, r.key) for r in sorted(map(Ref.parse, refs))]


def written_records(hub: Hub, run: str) -> list[tuple[str, str, str]]:
    """(system, stream, key) of every record that a run changed, sorted, each once."""
    with hub.store.read() as connection:
        refs = {ref for ref, outcome in outboxes.writes_of(connection, run) if outcome == "accepted"}
    return [(r.system, r.stream, r.key) for r in sorted(Ref.parse(ref) for ref in refs)]


def customers_written(hub: Hub, run: str) -> set[tuple[str, str, str]]:
    """(system, stream, key) of every customer record that a run changed.

    A list, a subscription or a suppression is written under a key of its own; what counts is whose record it describes.
    """
    refs = [str(Ref(*key)) for key in written_records(hub, run)]
    with hub.store.read() as connection:
        behind = hub.customers_behind(connection, refs)
    customers = {customer for found in behind.values() for customer in found}
    return {(r.system, r.stream, r.key) for r in map(Ref.parse, customers)}


def story(hub: Hub, profile_id: str) -> dict[str, Any] | None:
    """What is known of one customer and why: profile, records, decisions with reasons; None when nobody has the id."""
    with hub.store.read() as connection:
        current = profiles.current_id(connection, profile_id)
        if current is None:
            return None
        profile = profiles.load_profiles(connection, [current])[current]
        provenance = profiles.load_provenance(connection, current)
        members = identities.load_members(connection, [current]).get(current, [])
        decision = profiles.load_decisions(connection, [current]).get(current)
    denials = decision.denials if decision else ()
    return {
        "profile_id": current,
        "golden": dict(profile.golden),
        "provenance": dict(provenance),
        "status": dict(profile.status),
        "consent": dict(profile.consent),
        "facts": dict(profile.facts),
        "records": members,
        "denials": [{**denial, "because": _because(hub, profile.facts, denial)} for denial in denials],
    }


def _because(hub: Hub, facts: Mapping[str, Any], denial: Mapping[str, Any]) -> str:
    """The deciding rule's sentence with its facts filled in; empty when the rule has changed since the decision."""
    deciding = explain(hub.policy, facts, hub.today, denial["family"], denial["channel"]).deciding
    return deciding.sentence if deciding else ""
