"""A full run over a base of any size: seconds per step, memory of all its processes, quality against planted truth.

    python benchmarks/identity_scale/run.py --data FOLDER [--records 1000000] [--json FILE]

The base is made by generate.py beside this file.
"""

from __future__ import annotations

import argparse
import json
import resource
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pyarrow.parquet as pq
from generate import file_of

from identity import assign_ids, load_model
from identity.batch import resolve_all
from identity.evaluate import evaluate
from identity.uncollected import uncollected
from onevoice.configfile import load_project

CHECKOUT = Path(__file__).parents[2]
TRUTH = "person"


@contextmanager
def peak_memory() -> Iterator[list[int]]:
    """The most memory, in MB, that this process and its children held at once, in the one element of the list."""
    found, over = [0], threading.Event()
    process = psutil.Process()

    def watch() -> None:
        while not over.wait(0.2):
            held = 0
            for one in (process, *process.children(recursive=True)):
                try:
                    held += one.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
            found[0] = max(found[0], held >> 20)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield found
    finally:
        over.set()
        watcher.join()


def processor_seconds() -> float:
    """What this process and its ended children have used of all processors."""
    used = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def measure(path: Path) -> dict[str, Any]:
    """Resolve the base in this file and judge the outcome."""
    config = load_project(CHECKOUT).identity
    model = load_model(config.model, CHECKOUT / "config")
    table = pq.read_table(path)
    truth = dict(zip(table["ref"].to_pylist(), table[TRUTH].to_pylist(), strict=True))
    with peak_memory() as peak:
        started, worked = time.perf_counter(), processor_seconds()
        found = resolve_all(table.drop_columns([TRUTH]), config, model)
        seconds = {step: round(taken, 2) for step, taken in found.seconds.items()}
        resolved = time.perf_counter()
        with uncollected():
            ids = assign_ids({}, found.clustering().clusters).assigned
        seconds["ids"] = round(time.perf_counter() - resolved, 2)
        seconds["all"] = round(time.perf_counter() - started, 2)
        worked = round(processor_seconds() - worked, 2)
    quality = evaluate({str(ref): pid for ref, pid in ids.items()}, truth)
    return {
        "records": table.num_rows,
        "people": len(set(truth.values())),
        "customers": len(set(ids.values())),
        "edges": found.edges.num_rows,
        "review": found.review.num_rows,
        "seconds": seconds,
        "processor seconds": worked,
        "peak MB": peak[0],
        "precision": round(quality.precision, 4),
        "recall": round(quality.recall, 4),
        "f1": round(quality.f1, 4),
        "b_cubed_f1": round(quality.b_cubed_f1, 4),
    }


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    path = file_of(options.data, options.records)
    if not path.is_file():
        parser.error(f"{path} is not there (make it with generate.py --records {options.records})")
    text = json.dumps(measure(path), indent=2)
    print(text)
    if options.json:
        options.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
