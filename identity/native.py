"""Scores of single pairs in plain Python: the same levels and weights as score_pairs, without an engine.

An engine is quicker for many pairs. For one, starting it takes a thousand times longer than the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from identity.comparisons import Kind, kind_of
from identity.conditions import Row, check
from identity.model import Model, require_fit
from identity.records import Edge, NormalisedRecord
from identity.score import DIGITS, probability
from identity.tables import SHAREABLE, own, readers
from onevoice.configfile.identity_file import IdentityFile

Grade = Callable[[Row, Row], int | None]
"""Position of the level that two rows come to; None where one of them says nothing."""


class NativeScorer:
    """Scores under one model; raise IdentityError when it was trained for other comparisons than are configured."""

    def __init__(self, model: Model, config: IdentityFile) -> None:
        require_fit(model, config)
        self._readers = tuple(readers(model.columns, model.common).items())
        self._shareable = tuple((column, SHAREABLE[column]) for column in model.columns if column in SHAREABLE)
        self._grades = tuple(_grade(kind_of(figures.comparison)) for figures in model.comparisons)
        self._weights = tuple(
            (name, tuple(round(weight, DIGITS) for weight in weights)) for name, weights in model.weights.items()
        )
        self._prior = model.prior_weight

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
        row = {column: read(record) for column, read in self._readers}
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

    def total(self, per_field: Mapping[str, float]) -> float:
        """Match weight of a pair from the bits of its comparisons."""
        return round(self._prior + sum(per_field.values()), DIGITS)


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
