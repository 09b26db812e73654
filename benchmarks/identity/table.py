"""The figures of a run as the Markdown table of docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from datasets import DataSet

COLUMNS = ("way", "precision", "recall", "F1", "B-cubed F1", "seconds", "peak MB")
SHARES = ("precision", "recall", "f1", "b_cubed_f1")


def markdown(figures: Mapping[str, Mapping[str, Mapping[str, Any]]], sets: Mapping[str, DataSet]) -> str:
    """One table per data set; ours first, then the peers in the order they ran."""
    lines: list[str] = []
    for name, ways in figures.items():
        lines += [f"### {sets[name].title}", "", f"| {' | '.join(COLUMNS)} |", f"|{'---|' * len(COLUMNS)}"]
        lines += [f"| {' | '.join(_cells(way, got))} |" for way, got in ways.items()]
        lines.append("")
    return "\n".join(lines)


def _cells(way: str, got: Mapping[str, Any]) -> list[str]:
    if got["failure"]:
        return [way, got["failure"], "", "", "", str(got["seconds"]), str(got["peak_mb"])]
    shares = [f"{got[share]:.4f}".removeprefix("0") for share in SHARES]
    if "stages" not in got:
        return [way, *shares, f"{got['seconds']:.1f}", str(got["peak_mb"])]
    stages = got["stages"]
    told = f"{stages['match']:.1f} (hub: pull {stages['pull']:.1f}, resolve {stages['resolve']:.1f})"
    return [f"**{way}**", *(f"**{share}**" for share in shares), told, str(got["peak_mb"])]
