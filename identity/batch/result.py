"""What a full run hands over: Arrow tables, every record named by its ref."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa


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
