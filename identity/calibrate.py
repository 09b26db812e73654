"""Fit how weights map to probabilities, from pairs that people have judged.

Fellegi-Sunter takes fields as independent, so its weights are too sure of themselves in either direction. Two numbers
mend that, as in J. Platt, Probabilistic Outputs for Support Vector Machines (1999): calibrated bits = slope * bits +
offset, fitted by logistic regression. The slope is above zero, so the order of pairs stays what it is.

Judged pairs are mostly doubtful ones, so they say little about weights far from even odds. Both numbers therefore
start from "the weights are right" (slope 1, offset 0) and move only as far as the labels carry them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, log, log1p

from identity.evaluate import Interval, wilson
from identity.model import Calibration
from onevoice.errors import IdentityError

LEAST_OF_EACH = 20
"""Judged pairs of either answer: ten for each of the two numbers (Peduzzi and others, A Simulation Study of the Number
of Events per Variable in Logistic Regression Analysis, 1996)."""
_SLOPE_SPREAD, _OFFSET_SPREAD = 0.3, 3.0
"""Standard deviations of what is believed before any label: a slope between .4 and 1.6, an offset up to 6 bits."""
_BIT = log(2.0)
_FOLDS = 5
_TINY = 1e-9
"""A step that gains less is the last one."""
_BANDS = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)

Judged = tuple[float, bool]
"""Uncalibrated match weight of a pair in bits, and whether it is one person."""


@dataclass(frozen=True, slots=True)
class Band:
    """Pairs that the model gives about the same probability, and how many of them people held to be one person."""

    low: float
    high: float
    pairs: int
    expected: float
    """Mean probability; 0 without pairs."""
    seen: float
    """Share that is one person."""
    between: Interval
    """Wilson's interval of `seen`."""


@dataclass(frozen=True, slots=True)
class Fit:
    """A calibration and how it does on labels that it was not fitted to."""

    calibration: Calibration
    loss_before: float
    """Mean logarithmic loss of the weights as they are, in bits a pair: 0 is perfect, 1 is a coin."""
    loss_after: float
    """The same after calibration: each fifth of the labels judged by a fit to the other four."""

    @property
    def helps(self) -> bool:
        """Whether labels that were not looked at are told better."""
        return self.loss_after < self.loss_before


def calibrate(judged: Sequence[Judged]) -> Fit:
    """Fit slope and offset; raise IdentityError below `LEAST_OF_EACH` pairs of either answer, or when people joined
    light pairs rather than heavy ones, which no increasing map can follow."""
    same = sum(label for _, label in judged)
    if min(same, len(judged) - same) < LEAST_OF_EACH:
        raise IdentityError(
            f"calibrate: {same} pairs were judged to be one person and {len(judged) - same} to be two, "
            f"{LEAST_OF_EACH} of each are needed (decide more of `onevoice review`)"
        )
    ordered = sorted(judged)
    slope, offset = _fitted(ordered)
    if slope <= 0:
        raise IdentityError(
            "calibrate: people joined pairs of low weight and parted pairs of high weight, so the weights do not "
            "follow their judgement at all (look at `onevoice identity report`, and train again)"
        )
    after = 0.0
    for fold in range(_FOLDS):
        left_out = ordered[fold::_FOLDS]
        kept = [pair for at, pair in enumerate(ordered) if at % _FOLDS != fold]
        after += _loss(left_out, *_fitted(kept))
    return Fit(
        Calibration(slope=float(f"{slope:.6g}"), offset=float(f"{offset:.6g}"), labels=len(judged)),
        _loss(ordered, 1.0, 0.0) / len(ordered),
        after / len(ordered),
    )


def reliability(judged: Sequence[Judged], slope: float = 1.0, offset: float = 0.0) -> list[Band]:
    """Judged pairs by the probability that slope and offset give them, in six bands."""
    told = [(_chance(slope * bits + offset), label) for bits, label in judged]
    bands = []
    for low, high in pairwise(_BANDS):
        inside = [(p, label) for p, label in told if low <= p < high or p == high == 1.0]
        count = len(inside)
        seen = sum(label for _, label in inside) / count if count else 0.0
        expected = sum(p for p, _ in inside) / count if count else 0.0
        bands.append(Band(low, high, count, expected, seen, wilson(seen, count)))
    return bands


def _fitted(judged: Sequence[Judged]) -> tuple[float, float]:
    """(slope, offset) of the most likely map, given the labels and what is believed before them.

    Newton's steps on a convex function of two numbers, each halved until it leads down.
    """
    slope, offset = 1.0, 0.0
    cost = _cost(judged, slope, offset)
    while True:
        by_slope, by_offset = _newton(judged, slope, offset)
        while (lower := _cost(judged, slope - by_slope, offset - by_offset)) > cost:
            by_slope, by_offset = by_slope / 2, by_offset / 2
        slope, offset = slope - by_slope, offset - by_offset
        if cost - lower < _TINY:
            return slope, offset
        cost = lower


def _newton(judged: Sequence[Judged], slope: float, offset: float) -> tuple[float, float]:
    at_slope, at_offset = (slope - 1.0) / _SLOPE_SPREAD**2, offset / _OFFSET_SPREAD**2
    ss, so, oo = 1 / _SLOPE_SPREAD**2, 0.0, 1 / _OFFSET_SPREAD**2
    for bits, label in judged:
        p = _chance(slope * bits + offset)
        error, curve = (p - label) * _BIT, p * (1 - p) * _BIT * _BIT
        at_slope += error * bits
        at_offset += error
        ss, so, oo = ss + curve * bits * bits, so + curve * bits, oo + curve
    determinant = ss * oo - so * so
    return (oo * at_slope - so * at_offset) / determinant, (ss * at_offset - so * at_slope) / determinant


def _cost(judged: Sequence[Judged], slope: float, offset: float) -> float:
    """What is minimised: the loss in natural units, and the distance from what was believed before."""
    distance = ((slope - 1.0) / _SLOPE_SPREAD) ** 2 + (offset / _OFFSET_SPREAD) ** 2
    return _loss(judged, slope, offset) * _BIT + distance / 2


def _loss(judged: Sequence[Judged], slope: float, offset: float) -> float:
    """Sum of the logarithmic loss, in bits."""
    return sum(_soft(-(slope * bits + offset) if label else slope * bits + offset) for bits, label in judged)


def _soft(bits: float) -> float:
    """log2(1 + 2^bits), without overflow."""
    return max(bits, 0.0) + log1p(exp(-abs(bits) * _BIT)) / _BIT


def _chance(bits: float) -> float:
    return 1 / (1 + exp(-bits * _BIT)) if bits > 0 else 1 - 1 / (1 + exp(bits * _BIT))
