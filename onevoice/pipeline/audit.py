"""Audit: what the systems, with the values they hold, would send today that contradicts what is known, with its proof.

It looks at the store after the stages that write to no vendor, and writes nothing at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from onevoice.model import Ref
from onevoice.pipeline.coherence import contradictions_of, raw_of_customers
from onevoice.pipeline.desired import HubView
from onevoice.pipeline.hub import Hub
from onevoice.pipeline.matches import Matches
from onevoice.pipeline.proof import Case, Proof, Prover
from onevoice.pipeline.targets import customer_of
from onevoice.pipeline.unify import Evidence
from onevoice.policy import Finding
from onevoice.store import Connection, carriers, contradictions, identities, pages, profiles, proofs
from onevoice.store.engine import chunks
from onevoice.store.proofs import Pending, WhenRead

CHUNK = 500


@dataclass(frozen=True, slots=True)
class Evidenced:
    """One contradiction with its proof."""

    ref: str
    """The record that the message goes to."""
    profile_id: str
    name: str
    """What the customer is called."""
    finding: Finding
    proof: Proof
    read: Mapping[str, WhenRead]
    """The age of the messaged record and of those that prove it, by ref; one that is gone is absent."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What an audit looked at."""

    records: int
    """Customer records."""
    customers: int
    read: Mapping[str, int]
    """Records of every kind, by system."""
    sending: Sequence[str]
    """Systems whose campaigns are described."""
    streams: Sequence[tuple[str, str, datetime]]
    """(system, stream, when it was last read)."""


def looked(hub: Hub) -> Looked:
    """What there is in the store."""
    with hub.store.read() as connection:
        records, customers = proofs.size(connection)
        sending = sorted({gates.system for gates in hub.config.offers.gates})
        return Looked(records, customers, proofs.records_by_system(connection), sending, pages.all_cursors(connection))


def evidenced(hub: Hub) -> Iterator[Evidenced]:
    """Every open contradiction with its proof, by customer."""
    with hub.store.snapshot() as connection:
        refs = {row["ref"] for row in contradictions.all_open(connection)}
        links = identities.load_links(connection, refs)
        for ids in chunks(set(links.values()), CHUNK):
            yield from _Chunk(hub, connection, ids).evidenced(refs)


class _Chunk:
    """Some customers, with everything that proofs about them need."""

    def __init__(self, hub: Hub, connection: Connection, ids: Sequence[str]) -> None:
        self.hub = hub
        self.connection = connection
        self.members = identities.load_members(connection, ids)
        own = {ref for refs in self.members.values() for ref in refs}
        self.matches = Matches(connection, own, hub.config.identity.thresholds.match)
        self.near = self._near(own)
        around = {ref for found in self.near.values() for refs in found.values() for ref in refs}
        self.evidence = Evidence(connection, ids, own | around, hub.today)
        self.prover = Prover(hub, self.evidence, self.matches)
        self.profiles = profiles.load_profiles(connection, ids)
        self.decisions = profiles.load_decisions(connection, ids)
        self.elsewhere = carriers.load(connection, own)
        self.raw = self._raw(own)

    def evidenced(self, refs: set[str]) -> Iterator[Evidenced]:
        """The contradictions of the named records."""
        found = []
        for profile_id in sorted(self.profiles.keys() & self.decisions.keys()):
            views = self._views(profile_id)
            for ref in self.members.get(profile_id, ()):
                if ref in refs and ref in views and ref in self.raw:
                    found += list(self._of_record(profile_id, ref, views))
        read = proofs.when_read(self.connection, {r for one in found for r in _refs(one[1], one[3])})
        for profile_id, ref, finding, proof in found:
            ages = {r: read[r] for r in _refs(ref, proof) if r in read}
            yield Evidenced(ref, profile_id, self._name(profile_id), finding, proof, ages)

    def _of_record(
        self, profile_id: str, ref: str, views: Mapping[str, tuple[HubView, Mapping[str, Any]]]
    ) -> Iterator[tuple[str, str, Finding, Proof]]:
        view, _ = views[ref]
        for finding in contradictions_of(self.hub, ref, view, self.raw[ref]):
            members, near = self.members[profile_id], self.near.get(profile_id, {})
            case = Case(ref, finding, view, members, near, views, self.raw)
            yield profile_id, ref, finding, self.prover.prove(case)

    def _views(self, profile_id: str) -> dict[str, tuple[HubView, Mapping[str, Any]]]:
        profile, decision = self.profiles[profile_id], self.decisions[profile_id]
        customers = {ref: customer_of(self.evidence.own.get(ref, ())) for ref in self.members.get(profile_id, ())}
        return {
            ref: (self.hub.view(profile, decision, customer, self.elsewhere.get(ref, frozenset())), customer)
            for ref, customer in customers.items()
            if customer is not None
        }

    def _raw(self, refs: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Raw records as gates read them, with what other streams say of them."""
        sources = {ref: Ref.parse(ref) for ref in refs}
        sending = {ref for ref, source in sources.items() if self.hub.policy.reader(source.system, source.stream)}
        raw = raw_of_customers(self.hub, self.connection, sending)
        beside: dict[str, list[tuple[str, Any]]] = {}
        for ref in raw:
            customer = customer_of(self.evidence.own.get(ref, ()))
            for target in self.hub.targets_per(sources[ref].system, sources[ref].stream):
                destination = target.ref(sources[ref].key, customer)
                if target.stream != target.per and destination is not None:
                    beside.setdefault(str(destination), []).append((ref, target))
        for text, state in pages.load_destinations(self.connection, beside).items():
            for ref, target in beside[text]:
                raw[ref].update(target.beside(state.observed))
        return raw

    def _near(self, own: set[str]) -> dict[str, dict[str, list[str]]]:
        """By customer: the records of others about whom a steward is asked, by the reason of the question."""
        profile_of = {ref: profile_id for profile_id, refs in self.members.items() for ref in refs}
        far = [(pair, here, there) for pair in self.matches.pending for here, there in _both_ways(pair) if here in own]
        others = identities.load_links(self.connection, {there for _, _, there in far})
        members = identities.load_members(self.connection, set(others.values()))
        found: dict[str, dict[str, list[str]]] = {}
        for pair, here, there in far:
            mine, other = profile_of[here], others.get(there)
            if pair.kind != "cannot" and other is not None and other != mine:
                known = found.setdefault(mine, {}).setdefault(pair.reason, [])
                known.extend(ref for ref in members[other] if ref not in known)
        return found

    def _name(self, profile_id: str) -> str:
        golden = self.profiles[profile_id].golden
        return " ".join(str(golden[name]) for name in ("given_name", "family_name") if golden.get(name))


def _both_ways(pair: Pending) -> tuple[tuple[str, str], tuple[str, str]]:
    return (pair.left, pair.right), (pair.right, pair.left)


def _refs(ref: str, proof: Proof) -> set[str]:
    return {ref, *(proving.ref for proving in proof.records)}
