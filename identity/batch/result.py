"""What a full run hands over: Arrow tables, every record named by its ref."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from identity.records import Cluster, Clustering, Edge, ReviewItem
from onevoice.model import Ref


@dataclass(frozen=True, slots=True)
class BatchResult:
    """Every record, key, edge, customer and open question of a base.

    Refs are dictionary-encoded text (`system/stream/key`): their indices are positions in `refs`. Rows are sorted.
    """

    refs: pa.StringArray
    """Refs of all records, sorted as Ref sorts: system, then stream, then key."""
    forms: pa.Table
    """One row per record in the order of `refs`: `ref` and the columns of NormalisedRecord; `text` is a map."""
    keys: pa.Table
    """Blocking index: `value` (the key's number, as key_code makes it), `ref`, `surname` (what counts as one surname
    in the key's degree); in no particular order."""
    edges: pa.Table
    """`left`, `right` (left sorts first), `kind`, `weight` (bits), `probability`, and for each comparison of the
    model its bits; these are null where a link joined a pair that the score leaves out."""
    members: pa.Table
    """`ref`, `cluster`: the number of its customer. Customers are numbered from 0 in the order of their first refs."""
    joins: pa.Table
    """`cluster`, `left`, `right`, `weight`, `probability`: the edges that joined each customer, the heaviest first."""
    review: pa.Table
    """`kind`, `left`, `right`, `weight`, `reason`: what a person should look at."""
    seconds: Mapping[str, float]
    """Step -> how long it took."""

    def clustering(self) -> Clustering:
        """Customers, each with the edges that joined it, and open questions, as identity.cluster tells them."""
        refs = [Ref.parse(ref) for ref in self.refs.to_pylist()]
        members: list[list[Ref]] = []
        for ref, number in zip(refs, self.members["cluster"].to_pylist(), strict=True):
            if number == len(members):
                members.append([])
            members[number].append(ref)
        joined: list[list[Edge]] = [[] for _ in members]
        for number, left, right, weight, chance in _rows(self.joins):
            joined[number].append(Edge(refs[left], refs[right], weight, chance))
        clusters = (Cluster(frozenset(held), tuple(edges)) for held, edges in zip(members, joined, strict=True))
        review = (
            ReviewItem(kind, refs[left], refs[right], weight, reason)
            for kind, left, right, weight, reason in _rows(self.review)
        )
        return Clustering(tuple(clusters), tuple(review))


def _rows(table: pa.Table) -> Iterator[tuple[Any, ...]]:
    """Rows, with positions instead of refs."""
    columns = []
    for column in table.columns:
        positions = pa.types.is_dictionary(column.type)
        columns.append([one for chunk in column.chunks for one in (chunk.indices if positions else chunk).to_pylist()])
    return zip(*columns, strict=True)
