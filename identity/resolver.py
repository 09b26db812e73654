"""The whole of resolution on a set of records: links, scores, clusters. Incremental and full runs end alike."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from identity.blocking import count_degrees
from identity.cluster import cluster
from identity.links import link_pairs, with_links
from identity.model import Model, require_fit
from identity.pairs import Pair, PairScorer
from identity.records import Cluster, Clustering, Constraint, Degree, Edge, NormalisedRecord, ReviewItem
from identity.score import score_pairs
from onevoice.configfile.identity_file import IdentityFile
from onevoice.model import Ref


@dataclass(frozen=True, slots=True)
class Resolution:
    """What one run found out about the neighbourhood it was given."""

    edges_added: tuple[Edge, ...]
    """Edges with at least one changed end, sorted; they replace whatever the store holds for those records."""
    edges_removed_for: frozenset[Ref]
    """Records all of whose earlier edges are void."""
    clusters: tuple[Cluster, ...]
    """Clusters of every component that holds a changed record now or held one before."""
    review: tuple[ReviewItem, ...]


class Resolver:
    """Resolution under one configuration and one model."""

    def __init__(self, config: IdentityFile, model: Model) -> None:
        require_fit(model, config)
        self.config = config
        self.model = model
        self._pairs = PairScorer(model, config)

    def edges(self, pairs: Iterable[Pair], degrees: Mapping[str, Degree]) -> list[Edge]:
        """As `score`, for pairs that are known to share a key in use; `degrees` of their `single_keys`."""
        return self._pairs.edges(pairs, degrees)

    def cluster(
        self, records: Mapping[Ref, NormalisedRecord], edges: Sequence[Edge], constraints: Sequence[Constraint]
    ) -> Clustering:
        """Customers among the records of whole components, from all of their edges and constraints."""
        return cluster(records, edges, constraints, self.config)

    def score(
        self,
        records: Sequence[NormalisedRecord],
        changed: Collection[Ref] | None,
        degrees: Mapping[str, Degree] | None = None,
    ) -> list[Edge]:
        """Links and scores of candidate pairs, one edge per pair, sorted; with `changed`, only pairs that hold one."""
        known = count_degrees(records, self.config) if degrees is None else degrees
        scored = score_pairs(records, changed, self.model, self.config, known)
        return with_links(scored, link_pairs(records, changed, self.config, known))

    def resolve(
        self,
        neighbourhood: Sequence[NormalisedRecord],
        changed: Collection[Ref],
        previous_edges: Sequence[Edge],
        constraints: Sequence[Constraint],
        degrees: Mapping[str, Degree] | None = None,
    ) -> Resolution:
        """Resolve after a change.

        `neighbourhood`: the changed records, every record that shares a key in use with one of them, and all records
        of the components those are in or were in. `changed` also names deleted records, which are not in the
        neighbourhood. `previous_edges`: all stored edges between any of these. `degrees`: of every key of the
        neighbourhood, counted over the whole base after the change; left out, the neighbourhood is the whole base.
        """
        records = {record.ref: record for record in neighbourhood}
        gone = frozenset(changed)
        added = self.score(list(records.values()), gone, degrees)
        kept = [edge for edge in previous_edges if edge.left not in gone and edge.right not in gone]
        standing = [c for c in constraints if c.left in records and c.right in records]
        edges = [*kept, *added]
        before = [(edge.left, edge.right) for edge in previous_edges]
        touched = _touched(gone, [*((e.left, e.right) for e in edges), *((c.left, c.right) for c in standing)], before)
        there = {ref: records[ref] for ref in touched if ref in records}
        found = cluster(
            there,
            [edge for edge in edges if edge.left in there],
            [constraint for constraint in standing if constraint.left in there],
            self.config,
        )
        return Resolution(tuple(added), gone, found.clusters, found.review)


def _touched(
    changed: Collection[Ref], now: Sequence[tuple[Ref, Ref]], before: Sequence[tuple[Ref, Ref]]
) -> frozenset[Ref]:
    """Every record connected with a changed one by what holds now or held before."""
    beside: dict[Ref, list[Ref]] = {}
    for left, right in (*now, *before):
        beside.setdefault(left, []).append(right)
        beside.setdefault(right, []).append(left)
    reached = set(changed)
    front = list(changed)
    while front:
        for other in beside.get(front.pop(), ()):
            if other not in reached:
                reached.add(other)
                front.append(other)
    return frozenset(reached)
