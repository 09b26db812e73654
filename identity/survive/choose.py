"""The choice of every golden value: the records' values are gathered field by field, and the rules narrow them down.

The order in which records arrive plays no part: they are looked at newest first, then by reference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

from identity.normalise import rules_of
from identity.records import IdentityRecord
from identity.survive.bids import Bid, bids_of, held_by
from identity.survive.golden import ONLY, TIE, Circumstances, Golden, Provenance
from identity.survive.readings import Read, readings_of, without_junk_name
from identity.survive.rules import Rule, rule_named
from onevoice.configfile.identity_file import UNION, IdentityFile

_EARLIEST = datetime.min.replace(tzinfo=UTC)
_NOTHING = Circumstances()
Chosen = dict[str, Provenance]


def survive(records: Sequence[IdentityRecord], config: IdentityFile, beside: Circumstances = _NOTHING) -> Golden:
    """Choose every field of one customer's golden record.

    A field that a record does not have says nothing. One that it has, but empty (None, blank text, an empty list), is
    an empty value: ignored, or a value like any other where `blanks` says `count`. Junk is ignored in any case.
    """
    plan = _plan(_Held(config))
    ordered = plan.believed(_newest_first(records))
    singles = set[str]().union(*[record.data for record in ordered]) - plan.grouped
    chosen: Chosen = {}
    days: list[date] = []
    for choice in (*map(plan.single, singles), *plan.groups):
        chosen.update(choice.made(ordered, beside, days))
    kept = {name: chosen[name] for name in sorted(chosen)}
    fields = {name: each.value for name, each in kept.items() if each.value is not None}
    return Golden(fields, kept, min(days, default=None))


def _newest_first(records: Sequence[IdentityRecord]) -> Sequence[IdentityRecord]:
    if len(records) < 2:
        return records
    ordered = sorted(records, key=lambda record: (record.ref.system, record.ref.stream, record.ref.key))
    ordered.sort(key=lambda record: record.updated_at or _EARLIEST, reverse=True)
    return ordered


@dataclass(frozen=True, slots=True)
class _Choice:
    """Fields that are chosen together: one, or those of a group."""

    fields: tuple[str, ...]
    reads: tuple[Read, ...]
    rules: tuple[tuple[str, Rule], ...]
    """By name, in order; none for a union."""
    blanks_count: bool

    def made(self, records: Sequence[IdentityRecord], beside: Circumstances, days: list[date]) -> Chosen:
        """The winner's values, or all of them; days on which trust may shift are added to `days`."""
        holding, held = held_by(records, self.fields)
        if held and self.rules and held.count(held[0]) == len(held):  # as it mostly is
            told = self._told(holding[0], held[0])
            if told is not None:
                return told
        bids = bids_of(holding, held, self.reads, blanks_count=self.blanks_count)
        if not bids:
            return {}
        return self._decided(bids, beside, days) if self.rules else {self.fields[0]: _union(bids)}

    def _told(self, newest: IdentityRecord, held: Sequence[Any]) -> Chosen | None:
        """What all records say, in the newest one's name; None where there is more to it: several values, or junk."""
        chosen: Chosen = {}
        for name, read, value in zip(self.fields, self.reads, held, strict=True):
            if value is None:
                continue
            if value.__class__ is not str or not read(value, newest.data):
                return None
            chosen[name] = Provenance(value, newest.ref, ONLY, newest.updated_at, ())
        return chosen

    def _decided(self, bids: Sequence[Bid], beside: Circumstances, days: list[date]) -> Chosen:
        left, decided = bids, ONLY
        if not _alike(left):
            for name, rule in self.rules:
                best, shift = rule(left, beside)
                if shift is not None:
                    days.append(shift)
                if len(best) < len(left):
                    left, decided = best, name
                    if _alike(left):
                        break
            else:
                decided = TIE
        return _won(self.fields, left[0], decided, bids)


def _alike(bids: Sequence[Bid]) -> bool:
    said = [bid.spelling for bid in bids]
    return said.count(said[0]) == len(said)


def _won(fields: Sequence[str], winner: Bid, rule: str, bids: Sequence[Bid]) -> Chosen:
    """The winner's values and what they outweighed; a part that it alone lacks is told, too."""
    found: Chosen = {}
    ref, at = winner.record.ref, winner.record.updated_at
    for place, name in enumerate(fields):
        value = winner.values[place]
        losing = [
            (bid.record.ref, other) for bid in bids if (other := bid.values[place]) is not None and other != value
        ]
        if value is not None or losing:
            found[name] = Provenance(value, ref, rule, at, tuple(losing))
    return found


def _union(bids: Sequence[Bid]) -> Provenance:
    """Every distinct value, newest first, as its newest record spells it."""
    newest: dict[Any, Bid] = {}
    for bid in bids:
        newest.setdefault(bid.spelling[0], bid)
    kept = list(newest.values())
    holders = tuple(bid.record.ref for bid in kept)
    return Provenance([bid.values[0] for bid in kept], holders[0], UNION, kept[0].record.updated_at, (), holders)


class _Plan:
    """The configured rules, made ready once for any number of customers."""

    def __init__(self, config: IdentityFile) -> None:
        self._config = config.survivorship
        self._normal = rules_of(config)
        self._reading = readings_of(self._normal)
        self._singles: dict[str, _Choice] = {}
        groups: Mapping[str, Any] = self._config.groups
        self.groups = tuple(self._choice(name, group.fields, group.rules) for name, group in groups.items())
        self.grouped = frozenset(field for group in self.groups for field in group.fields)

    def believed(self, records: Sequence[IdentityRecord]) -> Sequence[IdentityRecord]:
        """The records without whole names that are configured as junk."""
        if not self._normal.junk_names:
            return records
        return [without_junk_name(record, self._normal) for record in records]

    def single(self, name: str) -> _Choice:
        """The choice of a field that is in no group."""
        found = self._singles.get(name)
        if found is None:
            rules = self._config.fields.get(name, self._config.default)
            found = self._singles[name] = self._choice(name, (name,), rules)
        return found

    def _choice(self, target: str, fields: tuple[str, ...], rules: Sequence[str]) -> _Choice:
        return _Choice(
            fields,
            tuple(self._reading(field) for field in fields),
            tuple((rule, rule_named(rule, target, fields, self._config)) for rule in rules if rule != UNION),
            self._config.blanks.get(target) == "count",
        )


class _Held:
    """A configuration as a key: it never changes, but it holds mappings, which have no hash."""

    __slots__ = ("config",)

    def __init__(self, config: IdentityFile) -> None:
        self.config = config

    def __hash__(self) -> int:
        return id(self.config)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held) and other.config is self.config


@lru_cache(maxsize=8)
def _plan(held: _Held) -> _Plan:
    return _Plan(held.config)
