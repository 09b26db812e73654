"""Write a base of customer records with planted truth as one parquet file.

python benchmarks/identity_scale/generate.py --data FOLDER [--records 1000000] [--seed 11]
"""

from __future__ import annotations

import argparse
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from population import Population

_PAGE = 50_000
_TEXT = ("ref", "given_name", "family_name", "birth_date", "email", "phone", "street", "city", "postcode", "country")
SCHEMA = pa.schema([(name, pa.string()) for name in (*_TEXT, "card_number", "updated_at")] + [("person", pa.int32())])
"""Canonical customer fields, and `person`: the truth, which only the judge reads."""


def file_of(folder: Path, records: int) -> Path:
    """Where the base of this size is kept."""
    return folder / f"customers_{records}.parquet"


def write(folder: Path, records: int, seed: int) -> Path:
    """Make the base; return its file."""
    path = file_of(folder, records)
    folder.mkdir(parents=True, exist_ok=True)
    rows = Population(records, seed).records()
    with pq.ParquetWriter(path, SCHEMA) as writer:
        while page := list(islice(rows, _PAGE)):
            writer.write_table(pa.Table.from_pylist(page, SCHEMA))
    return path


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=11)
    options = parser.parse_args()
    print(write(options.data, options.records, options.seed))


if __name__ == "__main__":
    main()
