"""What the identity report shows, as plain values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from identity.evaluate import PairQuality, evaluate_pairs
from identity.score import probability

THRESHOLDS = (0.01, 0.05, *(step / 20 for step in range(2, 20)), 0.99)
"""Match thresholds at which precision and recall are shown."""


@dataclass(frozen=True, slots=True)
class Weights:
    """Match weights, in bits, of the candidate pairs of some records."""

    records: int
    """Records whose pairs they are: all, or a sample."""
    scored: Sequence[float]
    """Of pairs that the weight alone decides."""
    linked: Sequence[float]
    """Of pairs that a strong identifier links, with what the link gives."""
    vetoed: Sequence[float]
    """Of pairs that names, birth dates or person-unique values keep apart."""


@dataclass(frozen=True, slots=True)
class BlockLine:
    """One line of `blocking`: how many of the records have a key of it, and what became of the keys."""

    line: str
    records: int
    """Records with at least one key of this line."""
    dropped: int
    """Of these, records all of whose keys of this line are left out."""
    widest: int
    """Records under its widest key."""


@dataclass(frozen=True, slots=True)
class Point:
    """Quality on labelled pairs, were the match threshold this one."""

    threshold: float
    quality: PairQuality


@dataclass(frozen=True, slots=True)
class Figures:
    """All that one report shows; it names nobody."""

    made_at: str
    model: str
    version: str
    trained_on: str
    records: int
    match: float
    review: float
    """Thresholds, as probabilities."""
    weights: Weights
    sizes: Mapping[int, int]
    """Records of a customer -> customers with so many."""
    asked: Mapping[str, int]
    """Kind of open question -> how many."""
    blocks: Sequence[BlockLine]
    labels: str
    """Where the labels come from, in words; empty when there are none."""
    curve: Sequence[Point]

    @property
    def customers(self) -> int:
        """Customers that the records came to."""
        return sum(self.sizes.values())


def curve(judged: Iterable[tuple[float | None, bool]]) -> list[Point]:
    """Quality at every threshold, from (match weight in bits, whether they are one person) of labelled pairs.

    A weight of None stands for a pair that no threshold merges.
    """
    held = [(None if bits is None else probability(bits), same) for bits, same in judged]
    return [
        Point(cut, evaluate_pairs((chance is not None and chance >= cut, same) for chance, same in held))
        for cut in THRESHOLDS
    ]
