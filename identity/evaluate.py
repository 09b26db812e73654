"""How good a partition is, against known truth: pairwise and B-cubed. For reports and tests only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Quality:
    """Shares from 0 to 1."""

    precision: float
    recall: float
    f1: float
    b_cubed_precision: float
    b_cubed_recall: float
    b_cubed_f1: float


def evaluate(found: Mapping[Key, Hashable], truth: Mapping[Key, Hashable]) -> Quality:
    """Compare the clusters in `found` with the persons in `truth`, over the records that both name.

    Pairwise: of all pairs put together, how many belong together, and the reverse. B-cubed: the same averaged over
    records, so that one huge cluster does not decide alone.
    """
    both = [key for key in truth if key in found]
    joint = Counter((found[key], truth[key]) for key in both)
    clusters = Counter(found[key] for key in both)
    persons = Counter(truth[key] for key in both)
    right = _pairs(joint)
    precision = _share(right, _pairs(clusters))
    recall = _share(right, _pairs(persons))
    cubed_precision = _share(sum(n * n / clusters[cluster] for (cluster, _), n in joint.items()), len(both))
    cubed_recall = _share(sum(n * n / persons[person] for (_, person), n in joint.items()), len(both))
    return Quality(
        precision,
        recall,
        _f1(precision, recall),
        cubed_precision,
        cubed_recall,
        _f1(cubed_precision, cubed_recall),
    )


def _pairs(sizes: Counter[Any]) -> int:
    return sum(size * (size - 1) // 2 for size in sizes.values())


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 1.0


def _f1(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0
