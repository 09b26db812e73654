"""Run schedules by their seeds, or replay one.

    python tests/simulation/run.py --seeds 0:20000 --workers 2 --record campaign.json
    python tests/simulation/run.py --replay 4711 [--without kills turns]

A campaign goes on where its record ends: a range that was done is not done again.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from simulated.mutants import MUTANTS
from simulated.schedule import Simulator, Verdict

CHUNK = 20
"""Seeds that a worker takes at once."""
_simulator: list[Simulator] = []


def main() -> int:
    """0 when everything held, 1 otherwise."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="0:1000", help="first:end")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--record", type=Path, help="a file that keeps what was done and found")
    parser.add_argument("--replay", type=int, help="run one seed and tell everything that happened")
    parser.add_argument("--without", nargs="*", default=(), choices=("kills", "troubles", "moves", "turns"))
    parser.add_argument("--mutant", choices=sorted(MUTANTS), help="plant a known bug")
    parser.add_argument("--first", action="store_true", help="stop at the first violation")
    asked = parser.parse_args()
    if asked.replay is not None:
        return _replay(asked)
    first, _, end = asked.seeds.partition(":")
    return _campaign(asked, int(first), int(end))


def _replay(asked: argparse.Namespace) -> int:
    simulator = Simulator()
    mutant = {"mutant": MUTANTS[asked.mutant]} if asked.mutant else {}
    verdict = simulator.run(asked.replay, trace=True, without=asked.without, **mutant)
    simulator.close()
    print("\n".join(verdict.trace))
    print("\n".join(verdict.broken) or "everything held")
    return bool(verdict.broken)


def _campaign(asked: argparse.Namespace, first: int, end: int) -> int:
    record = _read(asked.record)
    done = {tuple(span) for span in record["done"]}
    spans = [(start, min(start + CHUNK, end)) for start in range(first, end, CHUNK)]
    left = [(span, asked.mutant, tuple(asked.without)) for span in spans if span not in done]
    began = time.monotonic()
    for span, counts, broken in _results(left, asked.workers):
        record["done"].append(list(span))
        for name, number in counts.items():
            record["totals"][name] = record["totals"].get(name, 0) + number
        for seed, sentences in broken:
            record["broken"][str(seed)] = sentences
            print(f"seed {seed}: {'; '.join(sentences[:3])}"[:400], flush=True)
        record["seconds"] = round(record["seconds"] + time.monotonic() - began, 1)
        began = time.monotonic()
        if asked.record:
            asked.record.write_text(json.dumps(record), "utf-8")
        if broken and asked.first:
            break
    totals = record["totals"]
    print(
        f"{totals.get('schedules', 0):,} schedules, {len(record['broken'])} with violations, "
        f"{totals.get('cycles', 0):,} cycles, {totals.get('kills', 0):,} kills, "
        f"{totals.get('operations', 0):,} operations, {record['seconds']:,} s"
    )
    return bool(record["broken"])


def _read(file: Path | None) -> dict[str, Any]:
    if file is not None and file.exists():
        found: dict[str, Any] = json.loads(file.read_text("utf-8"))
        return found
    return {"done": [], "totals": {}, "broken": {}, "seconds": 0.0}


def _results(spans: list[Any], workers: int) -> Iterator[tuple[Any, dict[str, int], list[tuple[int, list[str]]]]]:
    if workers == 1:
        yield from map(_run_span, spans)
        return
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        yield from pool.imap_unordered(_run_span, spans)


def _run_span(work: Any) -> tuple[Any, dict[str, int], list[tuple[int, list[str]]]]:
    span, mutant, without = work
    if not _simulator:
        _simulator.append(Simulator())
    planted = {"mutant": MUTANTS[mutant]} if mutant else {}
    verdicts: list[Verdict] = [_simulator[0].run(seed, without=without, **planted) for seed in range(*span)]
    counts = {
        "schedules": len(verdicts),
        "cycles": sum(verdict.cycles for verdict in verdicts),
        "kills": sum(verdict.kills for verdict in verdicts),
        "operations": sum(verdict.operations for verdict in verdicts),
    }
    return span, counts, [(verdict.seed, verdict.broken) for verdict in verdicts if verdict.broken]


if __name__ == "__main__":
    sys.exit(main())
