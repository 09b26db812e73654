"""Edges of pairs that are told one by one: what Resolver.score gives for the same pairs, without starting an engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from identity.blocking import in_use, is_shared, part_values, single_keys
from identity.conditions import Row
from identity.links import link_holds, with_links
from identity.model import Model
from identity.native import NativeScorer
from identity.records import Degree, Edge, NormalisedRecord
from identity.score import DIGITS, floor_of, probability
from onevoice.configfile.identity_file import IdentityFile

Pair = tuple[NormalisedRecord, NormalisedRecord]


@dataclass(frozen=True, slots=True)
class _Side:
    """One record of a pair."""

    record: NormalisedRecord
    row: Row
    usable: frozenset[str]
    """Its keys of one value that are in use."""


class PairScorer:
    """Scores, links and thresholds for single pairs, under one model and one configuration."""

    def __init__(self, model: Model, config: IdentityFile) -> None:
        self._native = NativeScorer(model, config)
        self._config = config
        self._floor = floor_of(config)
        self._support = [(name, round(weight, DIGITS)) for name, weight in model.support.items()]

    def edges(self, pairs: Iterable[Pair], degrees: Mapping[str, Degree]) -> list[Edge]:
        """The edges of pairs that share a key in use, sorted; a pair that is too unlike has none.

        `degrees`: of every key of one value (`single_keys`) that one of the records has, counted over the whole base.
        """
        guards = self._config.guards
        shared = frozenset(key for key, degree in degrees.items() if is_shared(key, degree, guards))
        usable = frozenset(key for key, degree in degrees.items() if in_use(key, degree, guards))
        sides: dict[int, _Side] = {}
        scored, links = [], {}
        for a, b in pairs:
            one, other = self._side(a, shared, usable, sides), self._side(b, shared, usable, sides)
            bits = self._native.bits(one.row, other.row)
            weight = self._native.total(bits)
            ends = (a.ref, b.ref) if a.ref < b.ref else (b.ref, a.ref)
            if weight >= self._floor and self._supported(bits):
                scored.append(Edge(*ends, weight, probability(weight), "score", bits))
            if not one.usable.isdisjoint(other.usable) and (field := self._link(a, b, usable)):
                links[ends] = field
        return with_links(scored, links)

    def _side(
        self, record: NormalisedRecord, shared: frozenset[str], usable: frozenset[str], known: dict[int, _Side]
    ) -> _Side:
        """What of a record its pairs need; made once for each object, which is quicker to tell than a ref."""
        side = known.get(id(record))
        if side is None:
            own = usable.intersection(single_keys(record, self._config))
            side = known[id(record)] = _Side(record, self._native.row(record, shared), own)
        return side

    def _supported(self, bits: Mapping[str, float]) -> bool:
        """Whether the two agree on more than names."""
        return any(bits[name] > weight for name, weight in self._support)

    def _link(self, a: NormalisedRecord, b: NormalisedRecord, usable: frozenset[str]) -> str:
        """The field of the first configured link that holds; empty when none does."""
        for link in self._config.links:
            common = set(part_values(a, link.field)) & set(part_values(b, link.field))
            if any(f"{link.field}={value}" in usable for value in common) and link_holds(a, b, link, self._config):
                return link.field
        return ""
