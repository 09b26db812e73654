"""Scores of single pairs in plain Python: the same levels and weights as score_pairs, without an engine.

An engine is quicker for many pairs. For one, starting it takes a thousand times longer than the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from math import inf

from identity.comparisons import Kind, kind_of
from identity.conditions import Row, check
from identity.model import Model, require_fit
from identity.records import Edge, NormalisedRecord
from identity.score import DIGITS, probability
from identity.tables import SHAREABLE, own, readers
from onevoice.configfile.identity_file import IdentityFile

Grade = Callable[[Row, Row], int | None]
"""Position of the level that two rows come to; None where one of them says nothing."""
_ROUNDING = 10.0**-DIGITS
"""More bits than adding in another order, and rounding, can make of a difference."""


@dataclass(frozen=True, slots=True)
class _Step:
    """One comparison on the way to a sum that is given up as soon as it is too low."""

    grade: Grade
    most: tuple[float, ...]
    """By level, bits that it is worth at most. A value that belongs to nobody is not looked at, which leads to a weaker
    level or to silence; so of comparisons of such values, the best of these counts."""
    support: float
    """Above this many bits it speaks for a match by itself, more than names do."""
    after: float
    """Bits that the steps after it can add at most."""
    supported_after: bool
    """Whether one of the steps after it may speak for a match."""


class NativeScorer:
    """Scores under one model; raise IdentityError when it was trained for other comparisons than are configured."""

    def __init__(self, model: Model, config: IdentityFile) -> None:
        require_fit(model, config)
        made = [column for column in model.columns if column not in NormalisedRecord._fields]
        self._made = tuple(readers(made, model.common).items())
        self._shareable = tuple((column, SHAREABLE[column]) for column in model.columns if column in SHAREABLE)
        self._grades = tuple(_grade(kind_of(figures.comparison)) for figures in model.comparisons)
        self._weights = tuple(
            (name, tuple(round(weight, DIGITS) for weight in weights)) for name, weights in model.weights.items()
        )
        self._prior = model.prior_weight
        self._support = {name: round(weight, DIGITS) for name, weight in model.support.items()}
        self._steps = self._steps_of(model)

    def edge(self, a: NormalisedRecord, b: NormalisedRecord, shared: Collection[str] = ()) -> Edge:
        """The edge of these two records, however low its weight.

        `shared`: identifier values, written `field=value`, that belong to nobody and say nothing.
        """
        per_field = self.bits(self.row(a, shared), self.row(b, shared))
        total = self.total(per_field)
        left, right = (a.ref, b.ref) if a.ref < b.ref else (b.ref, a.ref)
        return Edge(left, right, total, probability(total), "score", per_field)

    def levels(self, a: NormalisedRecord, b: NormalisedRecord, shared: Collection[str] = ()) -> tuple[int | None, ...]:
        """Per comparison of the model, the position of its outcome in `Kind.outcomes`; None where it is silent."""
        left, right = self.row(a, shared), self.row(b, shared)
        return tuple(grade(left, right) for grade in self._grades)

    def row(self, record: NormalisedRecord, shared: Collection[str] = ()) -> Row:
        """A record as comparisons read it; to be kept where it is compared with several."""
        row = record._asdict()
        for column, read in self._made:
            row[column] = read(record)
        if shared:
            for column, field in self._shareable:
                row[column] = own(row[column], field, shared)
        return row

    def bits(self, left: Row, right: Row) -> dict[str, float]:
        """Comparison -> bits for (+) or against (-) that two rows are one person."""
        found = {}
        for (name, weights), grade in zip(self._weights, self._grades, strict=True):
            level = grade(left, right)
            found[name] = 0.0 if level is None else weights[level]
        return found

    def promising(self, left: Row, right: Row, least: float) -> bool:
        """Whether two rows may come to `least` bits and agree on more than names, whichever of their values turn out to
        be shared by many.

        Most pairs that share a key cannot, and the first comparisons tell.
        """
        missing, supported = least - self._prior - _ROUNDING, False
        for step in self._steps:
            level = step.grade(left, right)
            bits = 0.0 if level is None else step.most[level]
            missing -= bits
            supported = supported or bits > step.support
            if missing > step.after or not (supported or step.supported_after):
                return False
        return True

    def supported(self, per_field: Mapping[str, float]) -> bool:
        """Whether the two agree on more than names: without that a score counts for nothing."""
        return any(per_field[name] > weight for name, weight in self._support.items())

    def total(self, per_field: Mapping[str, float]) -> float:
        """Match weight of a pair from the bits of its comparisons."""
        return round(self._prior + sum(per_field.values()), DIGITS)

    def _steps_of(self, model: Model) -> tuple[_Step, ...]:
        """The comparisons, those that can add most first: what is left to come can then make up for little."""
        shareable = {column for column, _ in self._shareable}
        steps: list[_Step] = []
        after, supported_after = 0.0, False
        for at in sorted(range(len(self._weights)), key=lambda at: max(self._weights[at][1])):
            name, weights = self._weights[at]
            read = kind_of(model.comparisons[at].comparison).columns
            most = weights if shareable.isdisjoint(read) else tuple(max(0.0, *weights[n:]) for n in range(len(weights)))
            support = self._support.get(name, inf)
            steps.append(_Step(self._grades[at], most, support, after, supported_after))
            after += max(0.0, *weights)
            supported_after = supported_after or support < inf
        return tuple(reversed(steps))


def _grade(kind: Kind) -> Grade:
    silent = check(kind.silent)
    checks = tuple(check(level.condition) for level in kind.levels)

    def grade(left: Row, right: Row) -> int | None:
        if silent(left, right):
            return None
        for position, holds in enumerate(checks):
            if holds(left, right):
                return position
        return len(checks)

    return grade
