"""How long a cycle without changes takes on a large base, and that it writes nothing. See README.md."""

from __future__ import annotations

import argparse
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from base import Person, fill, open_writes

from onevoice.model import Ref
from onevoice.pipeline import Hub, open_hub
from onevoice.pipeline.decide import decide
from onevoice.pipeline.delivery.plan import plan
from onevoice.pipeline.resolution.resolve import resolve
from onevoice.pipeline.unify import unify
from onevoice.project import copy_template

PLACES = (("salesforce", "Contact"), ("hubspot", "contacts"), ("klaviyo", "profiles"))


def main() -> None:
    """Fill a store, then run the steps that ask no vendor."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profiles", type=int, default=1_000_000)
    parser.add_argument("--database", help="an empty store; a file of SQLite when left out")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        copy_template(Path(folder) / "project")
        hub = open_hub(
            Path(folder) / "project",
            environment={},
            database=asked.database or f"sqlite:///{folder}/hub.sqlite",
            as_of=datetime(2026, 11, 22, 9, tzinfo=UTC),
        )
        people: list[Person] = [
            (f"p{n:09}", [Ref(*PLACES[n % len(PLACES)], f"k{n:09}")]) for n in range(asked.profiles)
        ]
        began = time.perf_counter()
        fill(hub, people)
        print(f"{asked.profiles:,} profiles written in {time.perf_counter() - began:.0f} s")
        _measure(hub)
        hub.store.close()


def _measure(hub: Hub) -> None:
    for step in (resolve, unify, decide, plan):
        wall, cpu = time.perf_counter(), time.process_time()
        report = step(hub)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        print(f"{step.__name__}: {wall:.2f} s ({cpu:.2f} s of the processor), {dict(report.counts)}")
    print(f"writes that wait: {sum(count for _, count in open_writes(hub))}")


if __name__ == "__main__":
    main()
