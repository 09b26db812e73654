"""What decides who is who: the shipped resolver, or known identities in a test."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Protocol

from identity import Clustering, Constraint, Degree, Edge, NormalisedRecord
from onevoice.model import Ref


class ResolvesPeople(Protocol):
    """Judges pairs of customer records, and clusters them; `identity.Resolver` is the one in use."""

    def edges(
        self,
        pairs: Iterable[tuple[NormalisedRecord, NormalisedRecord]],
        degrees: Callable[[Collection[str]], Mapping[str, Degree]],
    ) -> list[Edge]:
        """Those of the pairs that may be one person; `degrees` looks up keys that tell of identifiers and links."""
        ...

    def cluster(
        self, records: Mapping[Ref, NormalisedRecord], edges: Sequence[Edge], constraints: Sequence[Constraint]
    ) -> Clustering:
        """Every record in exactly one cluster, and what is left to ask; the records are those of whole components."""
        ...
