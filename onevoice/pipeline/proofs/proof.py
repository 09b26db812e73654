"""Proof of a contradiction: the records that it stands on, and how sure it is that they are one customer's.

Nobody has to believe in a match to see that a system mails an address that opted out, or what the messaged record
itself says. Else the question is which matches are needed. The records of a customer are put in order of the chain of
matches that ties each to the messaged one, and the contradiction is judged anew with only the surest records, with some
more, and so on: the weakest link without which it does not stand all the way is what it rests on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from onevoice.loyalty import merge_memberships
from onevoice.model import Item, Origin, Ref
from onevoice.pipeline.delivery.desired import HubView
from onevoice.pipeline.delivery.once import carried_elsewhere
from onevoice.pipeline.facts import memberships_of
from onevoice.pipeline.hub import Hub
from onevoice.pipeline.proofs.matches import ITSELF, Chain, Matches, MatchLink
from onevoice.pipeline.proofs.witnesses import witnesses
from onevoice.pipeline.unify import MARKETING, Evidence, compute
from onevoice.policy import Finding, Ground, reasons
from onevoice.policy.facts import fact_readers, typed_row
from onevoice.policy.sentences import shown
from onevoice.store.profiles import ProfileRow

_POINTS = frozenset({"points", "points_next_expiry_on"})
_TIERS = frozenset({"tier", "tier_rank", "tier_until", "has_perks"})
_GOLDEN = {"birth_date": "birth_date", "age": "birth_date", "country": "country"}
"""Facts that are a customer's own fields, or follow from one."""
DENIED = "_denied"
"""`<channel>_denied` is the fact that stands on what was said about being written to."""


ABSENT = "It stands on what no record says: one that was not recognised as this customer's might say otherwise."


Near = Mapping[str, Sequence[Sequence[str]]]
"""Why somebody may be the same customer -> the records of each who may."""


class Basis(StrEnum):
    """What has to be believed of matches for a contradiction to be one."""

    ADDRESS = "address"
    """Nothing: the very address or number was refused."""
    RECORD = "record"
    """Nothing: the messaged record itself shows it."""
    MATCH = "match"
    """That the records of the chain are one customer's."""
    ABSENCE = "absence"
    """That no record of the customer is missing: it stands on what is known nowhere."""


@dataclass(frozen=True, slots=True)
class Proving:
    """One record that proves something."""

    ref: str
    kind: str
    values: Mapping[str, Any]
    """What it says, in canonical fields."""
    facts: tuple[str, ...]
    """What it makes known."""
    customer: str | None = None
    """The customer record that it belongs to."""
    chain: Chain = ITSELF
    """How that one is tied to the messaged record."""


@dataclass(frozen=True, slots=True)
class Proof:
    """Why a message would be wrong, what proves it, and how sure it is."""

    because: str
    facts: Mapping[str, Any]
    """What the deciding rule has read."""
    records: tuple[Proving, ...]
    basis: Basis
    weakest: MatchLink | None
    """The match on which it rests."""
    doubts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """One contradiction with everything that its proof is looked for in."""

    ref: str
    finding: Finding
    view: HubView
    members: Sequence[str]
    """The customer's records."""
    near: Near
    """Who else may be the same customer."""
    views: Mapping[str, tuple[HubView, Mapping[str, Any]]]
    """Of the customer's records: what the hub says about each, and the canonical customer."""
    raw: Mapping[str, Mapping[str, Any]]
    """Of those that messages go to: as gates read them."""


class Prover:
    """Proves the contradictions of some customers, from evidence loaded for all of them and their neighbours."""

    def __init__(self, hub: Hub, evidence: Evidence, matches: Matches) -> None:
        self._hub = hub
        self._evidence = evidence
        self._matches = matches
        self._known: dict[frozenset[str], ProfileRow] = {}

    def prove(self, case: Case) -> Proof:
        """The proof of one contradiction."""
        if case.finding.ground in {Ground.OPTED_OUT, Ground.UNDELIVERABLE}:
            return self._of_address(case)
        chains = self._matches.chains(case.ref, case.members)
        needed = self._needed(case, chains)
        absence = case.finding.ground is Ground.RULE and self._stands(case, ())
        whole = absence or case.finding.ground is Ground.CLAIM or needed is None
        world = frozenset(case.members) if whole else needed or frozenset()
        known = self._facts(world)
        read = self._read(case)
        records = tuple(self._records(case, world, read, chains))
        weakest = self._weakest(needed, chains)
        doubts = [] if weakest is None else [weakest.doubt]
        if needed is None:
            doubts.append("It does not stand on the stored records alone.")
        elif any(chains[ref].unmatched for ref in needed):
            doubts.append("No stored match ties these records together.")
        doubts += self._otherwise(case)
        if absence:
            doubts.append(ABSENT)
        basis = Basis.ABSENCE if absence else Basis.MATCH if weakest else Basis.RECORD
        because = self._because(case, known.facts)
        facts = {name: known.facts.get(name) for name in sorted(read)}
        return Proof(because, facts, records, basis, weakest, tuple(filter(None, dict.fromkeys(doubts))))

    def _needed(self, case: Case, chains: Mapping[str, Chain]) -> frozenset[str] | None:
        """The fewest records, surest first, from which on it stands with every further one; None: not even with all."""
        needed = None
        for strength in sorted({chain.strength for chain in chains.values()}):
            world = frozenset(ref for ref, chain in chains.items() if chain.strength >= strength)
            if not self._stands(case, world):
                break
            needed = world
        return needed

    @staticmethod
    def _weakest(needed: frozenset[str] | None, chains: Mapping[str, Chain]) -> MatchLink | None:
        links = [link for ref in needed or () if (link := chains[ref].weakest) is not None]
        return min(links, key=lambda link: link.strength, default=None)

    def _stands(self, case: Case, refs: Collection[str]) -> bool:
        """Whether it would be a contradiction if these records were all there is of the customer."""
        finding = case.finding
        if finding.ground is Ground.ONCE:
            return bool(self._others(case, refs))
        facts = self._facts(frozenset(refs)).facts
        if finding.ground is Ground.CLAIM:
            true = self._true(finding.name, facts)
            return true is not None and true != self._says(case)
        rule = self._hub.policy.by_id[finding.name]
        if not rule.fires(self._hub.policy.typed(facts, self._hub.today)):
            return False
        objected = self._objections(rule.facts, case.members)
        return objected <= self._objections(rule.facts, refs)

    def _objections(self, facts: Iterable[str], refs: Iterable[str]) -> set[str]:
        """Of these facts, those that follow from what somebody said: not from a yes that nobody gave."""
        said = self._facts(frozenset(refs)).consent["person"]
        return {fact for fact in facts if f"{fact.removesuffix(DENIED)}/{MARKETING}" in said}

    def _others(self, case: Case, refs: Collection[str]) -> list[str]:
        """Other records of these that get today what a customer gets once, where one of them goes before this one."""
        among = {ref: case.views[ref] for ref in refs if ref in case.views}
        family = case.finding.family
        if family not in carried_elsewhere(self._hub.policy, among, case.raw).get(case.ref, ()):
            return []
        return [ref for ref in sorted(among) if ref != case.ref and ref in case.raw and self._sends(case, ref)]

    def _sends(self, case: Case, ref: str) -> bool:
        source = Ref.parse(ref)
        gate = self._hub.policy.gates(source.system, source.stream).get((case.finding.family, case.finding.channel))
        return gate is not None and gate.open(case.raw[ref], self._hub.today)

    def _otherwise(self, case: Case) -> Iterator[str]:
        """Others who would make the message right, if they were the same customer."""
        for reason, others in case.near.items():
            if any(not self._stands(case, {*case.members, *refs}) for refs in others):
                yield f"Another record may be the same customer's, and would make the message right ({reason})."

    def _facts(self, refs: frozenset[str]) -> ProfileRow:
        if refs not in self._known:
            self._known[refs] = compute(self._hub, "", sorted(refs), self._evidence)
        return self._known[refs]

    def _says(self, case: Case) -> Any:
        """What the message claims."""
        source, place = Ref.parse(case.ref), (case.finding.family, case.finding.channel)
        reader = self._hub.policy.reader(source.system, source.stream)
        if reader is None:
            return None
        return reader.gates[place].claims[case.finding.name](reader.typed(case.raw[case.ref], self._hub.today))

    def _true(self, fact: str, facts: Mapping[str, Any]) -> Any:
        return typed_row(facts, self._hub.today, fact_readers([fact])).get(fact)

    def _read(self, case: Case) -> frozenset[str]:
        """Facts on which it stands."""
        if case.finding.ground is Ground.CLAIM:
            return frozenset({case.finding.name})
        if case.finding.ground is Ground.RULE:
            return self._hub.policy.by_id[case.finding.name].facts
        return frozenset()

    def _because(self, case: Case, facts: Mapping[str, Any]) -> str:
        finding, hub = case.finding, self._hub
        if finding.ground is Ground.CLAIM:
            true = self._true(finding.name, facts)
            return f"The message says {shown(self._says(case))}, and {shown(true)} is right."
        if finding.ground is Ground.ONCE:
            others = sorted({Ref.parse(ref).system for ref in self._others(case, case.members)})
            return f"The customer gets it from {' and '.join(others) or 'another record'} as well."
        found = reasons(hub.policy, facts, hub.today, finding.family, finding.channel)
        return next((reason.sentence for reason in found if reason.rule == finding.name), finding.sentence)

    def _records(
        self, case: Case, world: frozenset[str], read: Iterable[str], chains: Mapping[str, Chain]
    ) -> Iterator[Proving]:
        """The records that prove it, each once."""
        if case.finding.ground is Ground.ONCE:
            right_in = self._hub.policy.once[case.finding.family].right_in
            for ref in self._others(case, world):
                values = {right_in: case.views[ref][1].get(right_in)} if right_in else {}
                yield Proving(ref, CUSTOMER, values, (), ref, chains[ref])
            return
        belongs = list(self._items(world))
        items = [item for item, _ in belongs]
        known = self._facts(world)
        makes: dict[int, set[str]] = {}
        for fact in sorted(read):
            for item in witnesses(fact, self._counted(fact, items), known.facts):
                makes.setdefault(id(item), set()).add(fact)
            if fact.endswith(DENIED):
                yield from self._objection(fact, known, world, chains)
            if fact in _GOLDEN:
                yield from self._survivor(fact, known, chains)
        for item, owner in belongs:
            if id(item) in makes:
                facts = tuple(sorted(makes[id(item)]))
                yield Proving(str(item.source), item.kind, item.data, facts, owner, chains[owner])

    def _items(self, refs: Iterable[str]) -> Iterator[tuple[Item, str]]:
        """Items of customer records, of what belongs to them, and of what belongs to their memberships, with whose."""
        for ref in sorted(refs):
            near = [*self._evidence.own.get(ref, ()), *self._evidence.owned.get(ref, ())]
            yield from ((item, ref) for item in near)
            memberships = {str(item.source) for item in near if item.kind == "membership"}
            yield from ((part, ref) for source in sorted(memberships) for part in self._evidence.parts.get(source, ()))

    @staticmethod
    def _survivor(fact: str, known: ProfileRow, chains: Mapping[str, Chain]) -> Iterator[Proving]:
        """The record from which a value of the golden profile comes."""
        name = _GOLDEN[fact]
        if name in known.golden:
            ref = str(known.provenance[name]["source"])
            yield Proving(ref, CUSTOMER, {name: known.golden.get(name)}, (fact,), ref, chains[ref])

    def _counted(self, fact: str, items: Sequence[Item]) -> list[Item]:
        """Without what only copies a membership, its tier or its points, and without those that do not count."""
        programme = self._hub.config.loyalty.programmes[self._hub.programme]
        wallets = {w.system_of_record or programme.system_of_record for w in programme.wallets.values()}
        if fact in _POINTS:
            return [item for item in items if item.source.system in wallets]
        if fact in _TIERS:
            return [item for item in items if item.source.system == programme.system_of_record]
        if fact != "is_member":
            return list(items)
        parts: dict[str, list[Item]] = {}
        for item in items:
            parts.setdefault(str(item.owner), []).append(item)
        merged = (
            merge_memberships([one], self._hub.config.loyalty, self._hub.today) for one in memberships_of(items, parts)
        )
        joined = {
            ref for statuses in merged for status in statuses.values() if status.is_member for ref in status.memberships
        }
        return [item for item in items if item.kind != "membership" or item.source in joined]

    def _objection(
        self, fact: str, known: ProfileRow, world: frozenset[str], chains: Mapping[str, Chain]
    ) -> Iterator[Proving]:
        """What the customer said about a channel, where it is a no for all of their addresses."""
        channel = fact.removesuffix(DENIED)
        said = known.consent["person"].get(f"{channel}/{MARKETING}")
        if said is None:
            return
        owners = (
            ref for ref in sorted(world) for e in self._evidence.events.get(ref, ()) if str(e.source) == said["source"]
        )
        owner = next(owners, None)
        yield Proving(
            said["source"], CONSENT, _said(said, channel), (fact,), owner, chains[owner] if owner else Chain()
        )

    def _of_address(self, case: Case) -> Proof:
        """The address itself was refused: whoever uses it."""
        channel = case.finding.channel
        point = case.view.points[channel]
        said = case.view.profile.consent["points"][point][f"{channel}/{MARKETING}"]
        because = _ADDRESS.get(said["origin"], _OBJECTED)
        values = {"contact_point": point, **_said(said, channel)}
        record = Proving(said["source"], CONSENT, values, ())
        because = because.format(day=shown(date.fromisoformat(said["at"][:10])))
        return Proof(because, {}, (record,), Basis.ADDRESS, None, ())


CONSENT, CUSTOMER = "consent", "customer"
_OBJECTED = "Somebody opted out on this very address or number on {day}."
_ADDRESS = {
    Origin.BOUNCE: "Mail to this very address came back on {day}.",
    Origin.COMPLAINT: "Mail to this very address was called spam on {day}.",
    **dict.fromkeys(
        (Origin.IMPORT, Origin.SYSTEM_COPY), "This very address or number is marked as opted out since {day}."
    ),
}


def _said(said: Mapping[str, Any], channel: str) -> dict[str, Any]:
    return {"channel": channel, "effect": "deny", "event_time": said["at"], "origin": said["origin"]}
