"""What decides who is who: the shipped resolver, or known identities in a test."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from identity import Constraint, Degree, Edge, NormalisedRecord, Resolution
from onevoice.model import Ref


class ResolvesPeople(Protocol):
    """Clusters customer records; `identity.Resolver` is the one in use."""

    def resolve(
        self,
        neighbourhood: Sequence[NormalisedRecord],
        changed: Collection[Ref],
        previous_edges: Sequence[Edge],
        constraints: Sequence[Constraint],
        degrees: Mapping[str, Degree],
    ) -> Resolution:
        """Clusters of every component that a change touched, and the edges that the changed records have now."""
        ...
