"""The compiled policy: facts of one customer to a decision. Deny overrides; the order of rules means nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import pyarrow as pa

from onevoice.configfile.loyalty_file import LoyaltyFile
from onevoice.configfile.offers_file import OffersFile
from onevoice.configfile.suppression_file import Named, SuppressionFile
from onevoice.errors import ConfigError
from onevoice.model import Decision, Denial
from onevoice.policy.bulk import Decisions, decide_table
from onevoice.policy.facts import fact_readers, typed_row
from onevoice.policy.gates import Gate, SystemGates, between_and_own, compile_gates
from onevoice.policy.language import first_edge_after
from onevoice.policy.positions import unplaced
from onevoice.policy.rules import CompiledRule, compile_rules, rule_json, typed_names

LANGUAGE = 1
"""Raised when the same rule text comes to mean something else, so that everything is decided anew."""


class Place(NamedTuple):
    """One denied (family, channel) with the rules behind it, lowest layer first."""

    family: str
    channel: str
    rules: tuple[CompiledRule, ...]


class Policy:
    """Rules, gates and names of contradictions of one project, compiled. Immutable; safe to share between threads."""

    def __init__(
        self,
        rules: Sequence[CompiledRule],
        gates: Mapping[tuple[str, str], SystemGates],
        offers: OffersFile,
        suppression: SuppressionFile,
    ) -> None:
        self.rules = tuple(rules)
        self.version = _version(self.rules)
        self.families = frozenset(offers.families)
        self.marketing = frozenset(name for name, family in offers.families.items() if family.marketing)
        self.contact_point: Named = suppression.contact_point
        self.undeliverable: Named = suppression.undeliverable or suppression.contact_point
        self.once = {name: family.once for name, family in offers.families.items() if family.once is not None}
        self.channels_of = {name: tuple(offers.channels_of(name)) for name in offers.families}
        self.claims: Mapping[str, Named] = suppression.claims
        self.facts = typed_names(self.rules)
        self.by_id = {rule.id: rule for rule in self.rules}
        self._gates = gates
        self.related_streams = _related_streams(gates)
        """By system, the streams whose raw records gates look at beside a customer's own."""
        self._readers = fact_readers(self.facts)
        self._edge = first_edge_after(tuple(dict.fromkeys(edge for rule in self.rules for edge in rule.edges)))
        self._places: dict[tuple[CompiledRule, ...], tuple[Place, ...]] = {}

    def typed(self, facts: Mapping[str, Any], as_of: date) -> dict[str, Any]:
        """The facts that rules read, typed, with the day. Raises ValueError naming a fact of a wrong type."""
        return typed_row(facts, as_of, self._readers)

    def decide(self, facts: Mapping[str, Any], as_of: date) -> Decision:
        """What may not reach a customer on the day `as_of`.

        Facts are JSON values or already typed; what is missing is unknown. Raises ValueError as `typed` does.
        """
        row = self.typed(facts, as_of)
        fired = tuple(rule for rule in self.rules if rule.fires(row))
        last_days = {rule.id: rule.last_day(row) for rule in fired}
        denials = tuple(
            Denial(
                family=place.family,
                channel=place.channel,
                rule=place.rules[0].id,
                layer=place.rules[0].layer,
                until=max(last_days[rule.id] for rule in place.rules),
                fired=tuple(sorted(rule.id for rule in place.rules)),
            )
            for place in self.places(fired)
        )
        return Decision(denials=denials, valid_until=self._edge(row), policy=self.version)

    def decide_many(self, facts: pa.Table, as_of: date) -> Decisions:
        """The decisions for every row of a table of facts (see `facts_table`), equal to `decide` row by row."""
        return decide_table(self, facts, as_of)

    def places(self, fired: tuple[CompiledRule, ...]) -> tuple[Place, ...]:
        """Denied places by family and channel for rules that fired, lowest layer first."""
        known = self._places.get(fired)
        if known is None:
            scopes = sorted(set[tuple[str, str]]().union(*(rule.scope for rule in fired)))
            known = tuple(
                Place(family, channel, tuple(rule for rule in fired if (family, channel) in rule.scope))
                for family, channel in scopes
            )
            self._places[fired] = known
        return known

    def gates(self, system: str, stream: str) -> Mapping[tuple[str, str], Gate]:
        """The gates of a system's customer stream by (family, channel); empty where it sends nothing."""
        found = self._gates.get((system, stream))
        return found.gates if found else {}

    def reader(self, system: str, stream: str) -> SystemGates | None:
        """What reads a record of this stream for its gates."""
        return self._gates.get((system, stream))

    def gate_fields(self, system: str, stream: str) -> frozenset[str]:
        """Raw fields of a stream that gates look at, for customer streams and for related ones."""
        found = (gates.raw_fields(stream) for (name, _), gates in self._gates.items() if name == system)
        return frozenset[str]().union(*found)


def _related_streams(gates: Mapping[tuple[str, str], SystemGates]) -> Mapping[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for (system, _), each in gates.items():
        names = {r.stream for r in each.written.related.values()}
        names |= {between_and_own(name)[0] for r in each.written.related.values() for name in r.fields} - {""}
        found[system] = found.get(system, frozenset()) | names
    return {system: streams for system, streams in found.items() if streams}


def compile_policy(offers: OffersFile, suppression: SuppressionFile, loyalty: LoyaltyFile) -> Policy:
    """The compiled policy; ConfigError with every fault (placed in the files by `check_policy`)."""
    rules, rule_faults = compile_rules(offers, suppression, loyalty)
    gates, gate_faults = compile_gates(offers, suppression)
    faults = [*rule_faults, *gate_faults]
    if faults:
        raise ConfigError("config: the rules cannot be used (mend them, then run again)", list(map(unplaced, faults)))
    return Policy(rules, gates, offers, suppression)


def _version(rules: Sequence[CompiledRule]) -> str:
    """Content hash of everything that decides; sentences, names and order of rules do not."""
    content = json.dumps([LANGUAGE, sorted(map(rule_json, rules))], sort_keys=True, default=str)
    return hashlib.sha256(content.encode()).hexdigest()[:16]
