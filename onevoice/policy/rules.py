"""Rules of config/suppression.yaml, compiled. Faults are collected, never raised one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from onevoice.configfile.document import Path
from onevoice.configfile.loyalty_file import LoyaltyFile
from onevoice.configfile.offers_file import OffersFile
from onevoice.configfile.suppression_file import SuppressionFile, SuppressionRule
from onevoice.configfile.words import one_of
from onevoice.model import FOREVER, FieldType, Layer
from onevoice.policy.facts import FACTS, VOCABULARY
from onevoice.policy.language import (
    Edge,
    Evaluate,
    Refused,
    Row,
    Term,
    compile_term,
    depends_on_day,
    edges_of,
    names_in,
    parse,
)
from onevoice.policy.language.edges import Kind
from onevoice.policy.language.terms import AS_OF
from onevoice.policy.sentences import facts_shown, placeholders
from onevoice.policy.templates import TemplateFault, Templates

UNKNOWN_DENIES = frozenset({Layer.ERASURE, Layer.CONSENT, Layer.SAFETY})
"""Layers in which what cannot be judged denies; in the others it does nothing."""

GROUPS = ("all", "marketing", "promotional")


@dataclass(frozen=True, slots=True)
class RuleFault:
    """Something wrong at `path` of a file; with `offset`, at that character of the text that stands there."""

    file: str
    path: Path
    kind: str
    message: str
    offset: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class CompiledRule:
    """One rule, ready to judge typed facts. Told apart by identity: a policy has each rule once."""

    id: str
    layer: Layer
    scope: frozenset[tuple[str, str]]
    """(family, channel) pairs it denies."""
    when: Term
    until: Term | None
    because: str
    contradiction: str
    code: str | None
    written: tuple[str, str | None]
    """Condition and end as expressions, templates written out: what the content hash is made of."""
    edges: tuple[Edge, ...]
    condition: Evaluate = field(repr=False)
    end: Evaluate | None = field(repr=False)

    @property
    def unknown_denies(self) -> bool:
        """Whether the rule denies where its condition cannot be judged."""
        return self.layer in UNKNOWN_DENIES

    @property
    def facts(self) -> frozenset[str]:
        """Facts that condition, end and sentence read."""
        names = names_in(self.when) | (names_in(self.until) if self.until is not None else frozenset())
        return names | frozenset(facts_shown(self.because))

    def fires(self, row: Row) -> bool:
        """Whether the rule denies."""
        value = self.condition(row)
        return self.unknown_denies if value is None else bool(value)

    def last_day(self, row: Row) -> date:
        """The last day denied; FOREVER where nothing but new facts ends it."""
        end = self.end(row) if self.end is not None else None
        return end if end is not None and end >= row["as_of"] else FOREVER


def compile_rules(
    offers: OffersFile, suppression: SuppressionFile, loyalty: LoyaltyFile
) -> tuple[tuple[CompiledRule, ...], tuple[RuleFault, ...]]:
    """The rules from lowest layer to highest, each layer by name, and everything wrong with the file."""
    compiling = _Compiling(offers, loyalty)
    found = [rule for place, written in enumerate(suppression.rules) if (rule := compiling.rule(place, written))]
    compiling.note_claims(suppression)
    return tuple(sorted(found, key=lambda rule: (rule.layer, rule.id))), tuple(compiling.faults)


class _Compiling:
    def __init__(self, offers: OffersFile, loyalty: LoyaltyFile) -> None:
        self.offers = offers
        self.templates = Templates(loyalty, offers.families)
        self.faults: list[RuleFault] = []
        self.seen: set[str] = set()

    def rule(self, place: int, written: SuppressionRule) -> CompiledRule | None:
        """The compiled rule, or None with the faults noted."""
        here: Path = ("rules", place)
        before = len(self.faults)
        if written.id in self.seen:
            self.note((*here, "id"), "twice", f'there is another rule called "{written.id}" (name each rule once)')
        self.seen.add(written.id)
        scope = frozenset(self.scope(here, written))
        try:
            placeholders(written.because)
        except ValueError as error:
            self.note((*here, "because"), "unknown fact", str(error))
        when, until, texts = self.terms(here, written)
        if when is None or len(self.faults) > before:
            return None
        ends = () if until is None else (Edge(Kind.DAY, until, 1),)
        return CompiledRule(
            id=written.id,
            layer=Layer[written.layer.upper()],
            scope=scope,
            when=when,
            until=until,
            because=written.because,
            contradiction=written.contradiction,
            code=written.code,
            written=texts,
            edges=(*edges_of(when), *ends),
            condition=compile_term(when),
            end=compile_term(until) if until is not None else None,
        )

    def terms(self, here: Path, written: SuppressionRule) -> tuple[Term | None, Term | None, tuple[str, str | None]]:
        """Condition and end, each None where there is none or it is faulty, and both as text."""
        try:
            expanded = self.templates.expand(written)
        except TemplateFault as fault:
            self.note((*here, *fault.path), "not allowed", fault.message)
            return None, None, ("", None)
        if expanded is None:
            when_text, until_text = written.when or "", written.until
            when = self.expression((*here, "when"), when_text)
        else:
            when_text, until_text = expanded.when, written.until or expanded.until
            when = parse(when_text, VOCABULARY)
        if until_text is None:
            return when, None, (when_text, None)
        return when, self.end((*here, "until"), until_text), (when_text, until_text)

    def expression(self, path: Path, text: str) -> Term | None:
        """A condition over facts, None with a fault when it is refused."""
        try:
            return parse(text, VOCABULARY)
        except Refused as refused:
            self.note(path, "expression", refused.message, refused.offset)
            return None

    def end(self, path: Path, text: str) -> Term | None:
        """A last day over facts, None with a fault when it is refused."""
        try:
            term = parse(text, VOCABULARY, FieldType.DATE)
        except Refused as refused:
            self.note(path, "expression", refused.message, refused.offset)
            return None
        if depends_on_day(term):
            message = "the end must not move from day to day (reckon it from facts that are dates)"
            self.note(path, "expression", message, max(text.find(AS_OF), 0))
            return None
        return term

    def scope(self, here: Path, written: SuppressionRule) -> Iterator[tuple[str, str]]:
        """Pairs that a rule denies."""
        path: Path = (*here, "deny")
        self.note_unknown((*path, "families"), written.deny.families, [*GROUPS, *self.offers.families])
        self.note_unknown((*path, "channels"), written.deny.channels, ["all", *self.offers.channels])
        families = self.offers.families_in(written.deny.families)
        if not families:
            self.note((*path, "families"), "not allowed", "no offer family is meant by this")
        every = "all" in written.deny.channels
        return (
            (family, channel)
            for family in families
            for channel in self.offers.channels_of(family)
            if every or channel in written.deny.channels
        )

    def note_unknown(self, path: Path, names: Sequence[str], known: Sequence[str]) -> None:
        """Note names that are not known."""
        for place, name in enumerate(names):
            if name not in known:
                self.note((*path, place), "unknown name", f'"{name}" is not known here{one_of(name, known)}')

    def note_claims(self, suppression: SuppressionFile) -> None:
        """Note claims about facts that do not exist."""
        for name in suppression.claims:
            if name not in FACTS:
                self.note(("claims", name), "unknown fact", f'"{name}" is not a fact{one_of(name, FACTS)}')

    def note(self, path: Path, kind: str, message: str, offset: int | None = None) -> None:
        """Add a fault of config/suppression.yaml."""
        self.faults.append(RuleFault("config/suppression.yaml", path, kind, message, offset))


def typed_names(rules: Sequence[CompiledRule]) -> frozenset[str]:
    """Facts that any of the rules reads."""
    return frozenset[str]().union(*(rule.facts for rule in rules))


def rule_json(rule: CompiledRule) -> list[Any]:
    """What of a rule decides: the parts the content hash is made of."""
    return [rule.id, int(rule.layer), sorted(rule.scope), *rule.written]
