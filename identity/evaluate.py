"""How good matching is, against known truth: partitions pairwise and B-cubed, verdicts pair by pair.

For reports, tests and `onevoice identity evaluate`; nothing that decides reads it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any, TypeVar

Key = TypeVar("Key", bound=Hashable)
Interval = tuple[float, float]
SURE = 1.959964
"""Standard deviations on either side that hold 95 of 100."""


@dataclass(frozen=True, slots=True)
class Quality:
    """Shares from 0 to 1."""

    precision: float
    recall: float
    f1: float
    b_cubed_precision: float
    b_cubed_recall: float
    b_cubed_f1: float


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """On how many truths a figure stands, and between what it may lie, 95 times of 100."""

    records: int
    """Labelled records."""
    precision_on: int
    """Customers found with two labelled records or more."""
    precision: Interval
    recall_on: int
    """Persons with two labelled records or more."""
    recall: Interval


@dataclass(frozen=True, slots=True)
class PairQuality:
    """How verdicts on single pairs stand against labels of the same pairs."""

    labels: int
    """Labelled pairs."""
    same: int
    """Of these, labelled as one person."""
    precision: float
    precision_between: Interval
    recall: float
    recall_between: Interval
    f1: float


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


def uncertainty(found: Mapping[Key, Hashable], truth: Mapping[Key, Hashable]) -> Uncertainty:
    """How far pairwise precision and recall of `evaluate` can be believed.

    Pairs of one customer are right or wrong together, so customers are counted, not pairs: the intervals are rather
    too wide than too narrow.
    """
    quality = evaluate(found, truth)
    both = [key for key in truth if key in found]
    customers = sum(size > 1 for size in Counter(found[key] for key in both).values())
    persons = sum(size > 1 for size in Counter(truth[key] for key in both).values())
    return Uncertainty(
        len(both), customers, wilson(quality.precision, customers), persons, wilson(quality.recall, persons)
    )


def evaluate_pairs(verdicts: Iterable[tuple[bool, bool]]) -> PairQuality:
    """Quality of (found to be one person, truly one person) over labelled pairs."""
    counts = Counter(verdicts)
    right, merged = counts[True, True], counts[True, True] + counts[True, False]
    same = counts[True, True] + counts[False, True]
    precision, recall = _share(right, merged), _share(right, same)
    return PairQuality(
        labels=counts.total(),
        same=same,
        precision=precision,
        precision_between=wilson(precision, merged),
        recall=recall,
        recall_between=wilson(recall, same),
        f1=_f1(precision, recall),
    )


def wilson(share: float, count: int) -> Interval:
    """Between what a share seen in `count` cases may truly lie, 95 times of 100; everything when there is no case.

    Score interval of E. B. Wilson, Probable Inference, the Law of Succession, and Statistical Inference (1927); it
    holds for few cases and for shares near 0 and 1, where the usual one does not (Brown, Cai and DasGupta, 2001).
    """
    if not count:
        return 0.0, 1.0
    spread = SURE * SURE / count
    middle = (share + spread / 2) / (1 + spread)
    half = SURE * sqrt(share * (1 - share) / count + spread / (4 * count)) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def _pairs(sizes: Counter[Any]) -> int:
    return sum(size * (size - 1) // 2 for size in sizes.values())


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 1.0


def _f1(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0
