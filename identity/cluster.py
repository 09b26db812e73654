"""From edges to customers: a deterministic function of each connected component, whatever order its parts came in.

A steward's must-links first, then edges from the heaviest down; an edge is left out where it would join what a
steward keeps apart, what a veto forbids, or more than one customer may hold. What is left out, and what lies in the
grey band, goes to review.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from identity.records import Cluster, Clustering, Constraint, Edge, NormalisedRecord, ReviewItem
from identity.vetoes import clash, proofs, unique_value, veto
from onevoice.configfile.identity_file import IdentityFile
from onevoice.errors import IdentityError
from onevoice.model import Ref


def cluster(
    records: Mapping[Ref, NormalisedRecord],
    edges: Sequence[Edge],
    constraints: Sequence[Constraint],
    config: IdentityFile,
) -> Clustering:
    """Every record of `records` in exactly one cluster; clusters and review items are sorted.

    Raise IdentityError when an edge or a constraint names a record that is not there.
    """
    ends = [(edge.left, edge.right) for edge in edges] + [(said.left, said.right) for said in constraints]
    for left, right in ends:
        if left not in records or right not in records:
            raise IdentityError(f"cluster: {left} or {right} is not among the records (load it too)")
    return _Merge(records, config).run(edges, constraints)


FACE = ("givens", "family", "families", "birth_date")
"""What clash() reads of a record, besides person-unique values; two records that are equal in it never clash."""
GREY = "the evidence is neither clear nor weak"
_TORN = 3.0
"""Bits by which one of two rivals must lead to get a record that would fit both."""


def _heaviest(edge: Edge) -> tuple[float, Ref, Ref]:
    """The order in which edges join."""
    return -edge.weight, edge.left, edge.right


@dataclass(slots=True)
class _Group:
    """A cluster while it grows."""

    members: list[Ref]
    faces: list[NormalisedRecord]
    """One record for every distinct combination of name, birth date and person-unique values."""
    givens: set[str]
    proofs: set[tuple[str, ...]]
    """What lifts vetoes when shared."""
    cards: set[str]
    edges: list[Edge] = field(default_factory=list)
    apart: set[Ref] = field(default_factory=set)
    """Records that a steward keeps out."""
    told: list[list[NormalisedRecord]] = field(default_factory=list)
    """Faces of which a steward has said that they are one person's, one list for each set of records so joined."""


class _Merge:
    def __init__(self, records: Mapping[Ref, NormalisedRecord], config: IdentityFile) -> None:
        self._config = config
        self._records = records
        self._groups = {ref: self._alone(record) for ref, record in records.items()}

    def run(self, edges: Sequence[Edge], constraints: Sequence[Constraint]) -> Clustering:
        review = self._constrain(constraints)
        ordered = sorted(edges, key=_heaviest)
        torn = self._torn(ordered)
        for edge in ordered:
            left, right = self._groups[edge.left], self._groups[edge.right]
            if left is right:
                continue
            if edge.probability < self._config.thresholds.match:
                review.append(ReviewItem("grey", edge.left, edge.right, edge.weight, GREY))
                continue
            if (edge.left, edge.right) in torn:
                reason = "a record fits two people who cannot be one"
                review.append(ReviewItem("grey", edge.left, edge.right, edge.weight, reason))
                continue
            kind, reason = self._obstacle(left, right)
            if reason:
                review.append(ReviewItem(kind, edge.left, edge.right, edge.weight, reason))
            else:
                self._join(left, right).edges.append(edge)
        groups = {id(group): group for group in self._groups.values()}.values()
        clusters = [Cluster(frozenset(group.members), tuple(sorted(group.edges, key=_heaviest))) for group in groups]
        clusters.sort(key=lambda one: min(one.members))
        return Clustering(tuple(clusters), tuple(self._still_open(review)))

    def _torn(self, edges: Sequence[Edge]) -> set[tuple[Ref, Ref]]:
        """Edges of records that fit, about as well, two others that exclude each other (father and son of one name).

        A record that clashes with one of the two fits nothing; neither is there a doubt where something proves.
        """
        beside: defaultdict[Ref, list[tuple[Edge, Ref]]] = defaultdict(list)
        for edge in edges:
            if edge.probability >= self._config.thresholds.match:
                for one, other in ((edge.left, edge.right), (edge.right, edge.left)):
                    if self._fits(one, other):
                        beside[one].append((edge, other))
        torn: set[tuple[Ref, Ref]] = set()
        for fits in beside.values():
            for edge, other in fits:
                if any(
                    rival.weight > edge.weight - _TORN
                    and self._groups[other] is not self._groups[far]  # a steward has not joined the two
                    and veto(self._records[other], self._records[far], self._config)
                    for rival, far in fits
                ):
                    torn.add((edge.left, edge.right))
        return torn

    def _fits(self, one: Ref, other: Ref) -> bool:
        """Whether nothing keeps the two apart, and nothing but likeness joins them."""
        if not self._groups[one].proofs.isdisjoint(self._groups[other].proofs):
            return False
        return not clash(self._records[one], self._records[other], self._config)

    def _alone(self, record: NormalisedRecord) -> _Group:
        givens = {record.given} if len(record.given) > 1 else set()
        return _Group([record.ref], [record], givens, set(proofs(record, self._config)), set(record.cards))

    def _constrain(self, constraints: Sequence[Constraint]) -> list[ReviewItem]:
        """Join what must be joined, note what must stay apart; return the contradictions."""
        review = []
        pairs = sorted({(c.kind, min(c.left, c.right), max(c.left, c.right)) for c in constraints}, reverse=True)
        for kind, left, right in pairs:
            a, b = self._groups[left], self._groups[right]
            if kind == "must":
                if a is not b:
                    self._join(a, b)
            elif a is b:
                reason = "a steward keeps these apart, and joined them by way of others"
                review.append(ReviewItem("contradiction", left, right, 0.0, reason))
            else:
                a.apart.add(right)
                b.apart.add(left)
        for group in {id(group): group for group in self._groups.values()}.values():
            if len(group.members) > 1:
                group.told.append(list(group.faces))
        return review

    def _obstacle(self, a: _Group, b: _Group) -> tuple[Literal["cannot", "veto", "guard"], str]:
        """(kind, reason) why two groups stay apart; the reason is empty when they may join."""
        if not a.apart.isdisjoint(b.members) or not b.apart.isdisjoint(a.members):
            return "cannot", "a steward keeps these apart"
        if a.proofs.isdisjoint(b.proofs):
            for one in a.faces:
                for other in b.faces:
                    reason = clash(one, other, self._config)
                    if reason and not self._excused(one, other, [*a.told, *b.told]):
                        return "veto", reason
        guards = self._config.guards
        if len(a.members) + len(b.members) > guards.max_records:
            return "guard", f"one customer would hold more than {guards.max_records} records"
        if len(a.givens | b.givens) > guards.max_given_names:
            return "guard", f"one customer would hold more than {guards.max_given_names} given names"
        if guards.two_accounts == "ask" and not (a.cards <= b.cards or b.cards <= a.cards):
            return "guard", "one customer would hold two loyalty accounts"
        return "guard", ""

    def _excused(self, one: NormalisedRecord, other: NormalisedRecord, told: Sequence[list[NormalisedRecord]]) -> bool:
        """Whether a steward has said that names and dates like these two are one person's."""
        return any(
            any(not clash(one, face, self._config) for face in faces)
            and any(not clash(other, face, self._config) for face in faces)
            for faces in told
        )

    def _join(self, a: _Group, b: _Group) -> _Group:
        large, small = (a, b) if len(a.members) >= len(b.members) else (b, a)
        seen = {self._face(record) for record in large.faces}
        large.faces.extend(record for record in small.faces if self._face(record) not in seen)
        large.members.extend(small.members)
        large.givens |= small.givens
        large.proofs |= small.proofs
        large.cards |= small.cards
        large.edges.extend(small.edges)
        large.apart |= small.apart
        large.told.extend(small.told)
        for ref in small.members:
            self._groups[ref] = large
        return large

    def _face(self, record: NormalisedRecord) -> tuple[object, ...]:
        uniques = tuple(unique_value(record, f) for f in self._config.person_unique)
        return (*(getattr(record, column) for column in FACE), *uniques)

    def _still_open(self, review: Sequence[ReviewItem]) -> list[ReviewItem]:
        """The heaviest item for each two clusters that ended apart, and every contradiction."""
        best: defaultdict[tuple[int, int], list[ReviewItem]] = defaultdict(list)
        for item in review:
            a, b = id(self._groups[item.left]), id(self._groups[item.right])
            if a != b:
                best[min(a, b), max(a, b)].append(item)
        chosen = [min(items, key=lambda i: (-i.weight, i.left, i.right)) for items in best.values()]
        chosen.extend(item for item in review if item.kind == "contradiction")
        return sorted(set(chosen), key=lambda item: (item.left, item.right, item.kind))
