"""What is done to find out who is who, under one configuration and one model: links and scores, then clusters."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from identity.blocking import count_degrees
from identity.cluster import cluster
from identity.links import link_pairs, with_links
from identity.model import Model, require_fit
from identity.pairs import Degrees, Pair, PairScorer
from identity.records import Clustering, Constraint, Degree, Edge, NormalisedRecord
from identity.score import score_pairs
from onevoice.configfile.identity_file import IdentityFile
from onevoice.model import Ref


class Resolver:
    """Resolution under one configuration and one model."""

    def __init__(self, config: IdentityFile, model: Model) -> None:
        require_fit(model, config)
        self.config = config
        self.model = model
        self._pairs = PairScorer(model, config)

    def edges(self, pairs: Iterable[Pair], degrees: Degrees) -> list[Edge]:
        """As `score`, for pairs that are known to share a key in use; `degrees` looks keys up."""
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
