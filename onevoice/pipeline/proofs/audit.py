"""Audit: what the systems, with the values they hold, would send today that contradicts what is known, with its proof.

It looks at the store after the stages that write to no vendor, and writes nothing at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from onevoice.model import Ref
from onevoice.pipeline.delivery.coherence import contradictions_of, raw_of_customers
from onevoice.pipeline.delivery.desired import HubView
from onevoice.pipeline.delivery.targets import customer_of
from onevoice.pipeline.hub import Hub
from onevoice.pipeline.proofs.matches import Matches
from onevoice.pipeline.proofs.proof import Case, Near, Proof, Prover
from onevoice.pipeline.resolution.candidates import compared_with, load_forms
from onevoice.pipeline.unify import Evidence
from onevoice.policy import Finding, Ground
from onevoice.store import Connection, carriers, contradictions, identities, pages, profiles, proofs
from onevoice.store.engine import chunks
from onevoice.store.proofs import Pending, WhenRead

CHUNK = 500
ALIKE = "they share a name or more"


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
        self.own = {ref for refs in self.members.values() for ref in refs}
        self.items = pages.load_items(connection, self.own)
        self.profiles = profiles.load_profiles(connection, ids)
        self.decisions = profiles.load_decisions(connection, ids)
        self.elsewhere = carriers.load(connection, self.own)
        self.raw = self._raw(self.own)
        self.views = {pid: self._views(pid) for pid in self.profiles.keys() & self.decisions.keys()}

    def evidenced(self, refs: set[str]) -> Iterator[Evidenced]:
        """The contradictions of the named records."""
        found = [
            (profile_id, ref, finding)
            for profile_id in sorted(self.views)
            for ref in self.members[profile_id]
            if ref in refs and ref in self.views[profile_id] and ref in self.raw
            for finding in contradictions_of(self.hub, ref, self.views[profile_id][ref][0], self.raw[ref])
        ]
        claiming = {profile_id for profile_id, _, finding in found if finding.ground is Ground.CLAIM}
        matches = Matches(self.connection, self.own, self.hub.config.identity.thresholds.match)
        near = self._near(matches.pending, claiming)
        around = {ref for asked in near.values() for others in asked.values() for other in others for ref in other}
        evidence = Evidence(self.connection, self.members, self.own | around, self.hub.today)
        prover = Prover(self.hub, evidence, matches)
        proved = [(pid, ref, finding, prover.prove(self._case(pid, ref, finding, near))) for pid, ref, finding in found]
        read = proofs.when_read(self.connection, {r for _, ref, _, proof in proved for r in _refs(ref, proof)})
        for profile_id, ref, finding, proof in proved:
            ages = {r: read[r] for r in _refs(ref, proof) if r in read}
            yield Evidenced(ref, profile_id, self._name(profile_id), finding, proof, ages)

    def _case(self, profile_id: str, ref: str, finding: Finding, near: Mapping[str, Near]) -> Case:
        views, members = self.views[profile_id], self.members[profile_id]
        return Case(ref, finding, views[ref][0], members, near.get(profile_id, {}), views, self.raw)

    def _views(self, profile_id: str) -> dict[str, tuple[HubView, Mapping[str, Any]]]:
        profile, decision = self.profiles[profile_id], self.decisions[profile_id]
        customers = {ref: customer_of(self.items.get(ref, ())) for ref in self.members.get(profile_id, ())}
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
            customer = customer_of(self.items.get(ref, ()))
            for target in self.hub.targets_per(sources[ref].system, sources[ref].stream):
                destination = target.ref(sources[ref].key, customer)
                if target.stream != target.per and destination is not None:
                    beside.setdefault(str(destination), []).append((ref, target))
        for text, state in pages.load_destinations(self.connection, beside).items():
            for ref, target in beside[text]:
                raw[ref].update(target.beside(state.observed))
        return raw

    def _near(self, pending: Sequence[Pending], claiming: Iterable[str]) -> Mapping[str, Near]:
        """By customer, who else may be the same one: whom a steward is asked about; and of those who would make a claim
        right, anybody who shares a name or more."""
        profile_of = {ref: profile_id for profile_id, refs in self.members.items() for ref in refs}
        ways = [(pair, here, there) for pair in pending for here, there in _both_ways(pair) if here in profile_of]
        wide = [(profile_of[here], there, pair.reason) for pair, here, there in ways]
        for profile_id in claiming:
            wide += [(profile_id, there, ALIKE) for there in self._alike(self.members[profile_id])]
        others = identities.load_links(self.connection, {there for _, there, _ in wide})
        members = identities.load_members(self.connection, set(others.values()))
        found: dict[str, dict[str, list[Sequence[str]]]] = {}
        for mine, there, reason in wide:
            other = others.get(there)
            if other is not None and other != mine:
                known = found.setdefault(mine, {}).setdefault(reason, [])
                if members[other] not in known:
                    known.append(members[other])
        return found

    def _alike(self, refs: Sequence[str]) -> list[str]:
        """Records that are compared with one of these when it is decided who is who, themselves among them."""
        forms = load_forms(self.connection, refs)
        return sorted(compared_with(self.connection, forms.values(), self.hub.config.identity))

    def _name(self, profile_id: str) -> str:
        golden = self.profiles[profile_id].golden
        return " ".join(str(golden[name]) for name in ("given_name", "family_name") if golden.get(name))


def _both_ways(pair: Pending) -> tuple[tuple[str, str], tuple[str, str]]:
    return (pair.left, pair.right), (pair.right, pair.left)


def _refs(ref: str, proof: Proof) -> set[str]:
    return {ref, *(proving.ref for proving in proof.records)}
