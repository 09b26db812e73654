"""What every peer reads and writes: columns in, clusters out. Peers import nothing of Onevoice."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq


class Task:
    """`python PEER.py FOLDER`: FOLDER holds columns.parquet, task.json and, for peers with labels, labels.parquet."""

    def __init__(self) -> None:
        self.folder = Path(sys.argv[1])
        told = json.loads((self.folder / "task.json").read_text())
        self.columns: Mapping[str, str] = told["columns"]
        """Column -> name, date, email, postcode, code, text or exact."""
        self.blocks: Sequence[Sequence[str]] = told["blocks"]
        self.keys: Sequence[Sequence[str]] = told["keys"]
        self.table = pq.read_table(self.folder / "columns.parquet")

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One per record: `id` and the columns; None where nothing is known."""
        rows: list[dict[str, Any]] = self.table.to_pylist()
        return rows

    def persons(self) -> dict[str, str]:
        """Record -> person, of the records from which a labelled peer may take its labels."""
        rows = pq.read_table(self.folder / "labels.parquet").to_pylist()
        return {row["id"]: row["person"] for row in rows}

    def write(self, clusters: Iterable[int]) -> None:
        """Write the cluster of every record, in the order of the rows."""
        found = pa.table({"id": self.table.column("id"), "cluster": pa.array(list(clusters), pa.int64())})
        pq.write_table(found, self.folder / "clusters.parquet")


def joined(count: int, pairs: Iterable[tuple[int, int]]) -> list[int]:
    """Connected components over positions: union-find with halved paths."""
    parent = list(range(count))

    def root(at: int) -> int:
        while parent[at] != at:
            parent[at] = parent[parent[at]]
            at = parent[at]
        return at

    for left, right in pairs:
        parent[root(left)] = root(right)
    return [root(at) for at in range(count)]
