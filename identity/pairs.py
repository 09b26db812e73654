"""Edges of pairs that are told one by one: what Resolver.score gives for the same pairs, without starting an engine."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from identity.blocking import in_use, is_shared, key_part, single_keys
from identity.conditions import Row
from identity.links import link_holds, with_links
from identity.model import Model
from identity.native import NativeScorer
from identity.records import Degree, Edge, NormalisedRecord
from identity.score import floor_of, probability
from onevoice.configfile.identity_file import IdentityFile

Pair = tuple[NormalisedRecord, NormalisedRecord]
Degrees = Callable[[Collection[str]], Mapping[str, Degree]]
"""Looks up how widely the whole base uses keys."""


@dataclass(slots=True)
class _Side:
    """One record of a pair."""

    record: NormalisedRecord
    row: Row
    linking: frozenset[str]
    """Values by which a configured link may join it to others, as keys."""


class PairScorer:
    """Scores, links and thresholds for single pairs, under one model and one configuration."""

    def __init__(self, model: Model, config: IdentityFile) -> None:
        self._native = NativeScorer(model, config)
        self._config = config
        self._floor = floor_of(config)
        self._linking = tuple((f"{link.field}=", key_part(link.field).values) for link in config.links)

    def edges(self, pairs: Iterable[Pair], degrees: Degrees) -> list[Edge]:
        """The edges of pairs that share a key in use, sorted; a pair that is too unlike has none.

        `degrees` is asked once, for the keys of one value (`single_keys`) of the records that may have an edge: most
        candidates have none, which two or three comparisons tell.
        """
        possible = [pair for pair in self._sides(pairs) if self._possible(*pair)]
        near = {id(side): side for pair in possible for side in pair}.values()
        usable = self._withhold(near, degrees)
        scored, links = [], {}
        for one, other in possible:
            a, b = (one, other) if one.record.ref < other.record.ref else (other, one)
            bits = self._native.bits(a.row, b.row)
            weight = self._native.total(bits)
            if weight >= self._floor and self._native.supported(bits):
                scored.append(Edge(a.record.ref, b.record.ref, weight, probability(weight), "score", bits))
            if field := self._link(a, b, usable):
                links[a.record.ref, b.record.ref] = field
        return with_links(scored, links)

    def _sides(self, pairs: Iterable[Pair]) -> Iterator[tuple[_Side, _Side]]:
        """The pairs, with what they need of each record made once."""
        known: dict[int, _Side] = {}
        for a, b in pairs:
            yield self._side(a, known), self._side(b, known)

    def _side(self, record: NormalisedRecord, known: dict[int, _Side]) -> _Side:
        side = known.get(id(record))  # of each object, which is quicker to tell than a ref
        if side is None:
            linking = frozenset(prefix + value for prefix, values in self._linking for value in values(record) if value)
            side = known[id(record)] = _Side(record, self._native.row(record), linking)
        return side

    def _possible(self, one: _Side, other: _Side) -> bool:
        """Whether a pair may have an edge, as far as can be told without degrees."""
        return not one.linking.isdisjoint(other.linking) or self._native.promising(one.row, other.row, self._floor)

    def _withhold(self, sides: Collection[_Side], degrees: Degrees) -> frozenset[str]:
        """Take values that belong to nobody out of the rows; return the keys that are in use."""
        guards = self._config.guards
        known = degrees({key for side in sides for key in single_keys(side.record, self._config)})
        shared = frozenset(key for key, degree in known.items() if is_shared(key, degree, guards))
        for side in sides if shared else ():
            side.row = self._native.row(side.record, shared)
        return frozenset(key for key, degree in known.items() if in_use(key, degree, guards))

    def _link(self, one: _Side, other: _Side, usable: frozenset[str]) -> str:
        """The field of the first configured link that holds; empty when none does."""
        fields = {key.partition("=")[0] for key in one.linking & other.linking & usable}
        for link in self._config.links if fields else ():
            if link.field in fields and link_holds(one.record, other.record, link, self._config):
                return link.field
        return ""
