"""Templates of rules: each says what a person means in one line and stands for an expression with its end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, get_args

from onevoice.configfile.document import Path
from onevoice.configfile.loyalty_file import LoyaltyFile, Status
from onevoice.configfile.suppression_file import ExclusiveWith, SuppressionRule, WithinDays
from onevoice.configfile.words import one_of
from onevoice.model import FieldType
from onevoice.policy.facts import FACTS
from onevoice.policy.language.terms import AS_OF

STATUSES: Sequence[str] = get_args(Status)


class Expanded(NamedTuple):
    """What a template stands for: a condition and, where it ends by itself, the last day denied."""

    when: str
    until: str | None = None


class TemplateFault(Exception):
    """A template is given something it cannot use; `path` is below the rule."""

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(message)
        self.path = path
        self.message = message


class Templates:
    """The templates, knowing the names they may be given."""

    def __init__(self, loyalty: LoyaltyFile, families: Iterable[str]) -> None:
        self.main = loyalty.main
        self.tiers = tuple(loyalty.programmes[loyalty.main].tiers)
        self.families = tuple(families)

    def expand(self, rule: SuppressionRule) -> Expanded | None:
        """The expression behind a rule's template, None for a rule with `when`; raises TemplateFault."""
        if rule.member is not None:
            return self.member(rule.member)
        if rule.has_status is not None:
            return self.has_status(rule.has_status)
        if rule.tier_at_least is not None:
            return self.tier_at_least(rule.tier_at_least)
        if rule.tier_below is not None:
            return self.tier_below(rule.tier_below)
        if rule.within_days is not None:
            return self.within_days(rule.within_days)
        return None if rule.exclusive_with is None else self.exclusive_with(rule.exclusive_with)

    def member(self, programme: str) -> Expanded:
        """A member of the programme that the facts speak of."""
        if programme != self.main:
            message = (
                f'the facts speak of the programme "{self.main}" (config/loyalty.yaml: main), not of "{programme}"'
            )
            raise TemplateFault(("member",), message)
        return Expanded("is_member")

    def has_status(self, words: Sequence[str]) -> Expanded:
        """A membership in one of some statuses."""
        for place, word in enumerate(words):
            if word not in STATUSES:
                raise TemplateFault(("has_status", place), f'"{word}" is not a status{one_of(word, STATUSES)}')
        quoted = ", ".join(f"'{word}'" for word in words)
        return Expanded(f"membership_status IN ({quoted})")

    def tier_at_least(self, tier: str) -> Expanded:
        """Holds the tier or a higher one, to the end of its last day."""
        rank = self._rank("tier_at_least", tier)
        return Expanded(f"tier_rank >= {rank} AND (tier_until IS NULL OR tier_until >= as_of)", "tier_until")

    def tier_below(self, tier: str) -> Expanded:
        """Holds no tier as high as this one; nobody knows when they will."""
        rank = self._rank("tier_below", tier)
        return Expanded(f"tier_rank IS NULL OR tier_rank < {rank} OR COALESCE(tier_until < as_of, FALSE)")

    def within_days(self, given: WithinDays) -> Expanded:
        """Fewer than some days after a date. No date means that it has not happened, in every layer."""
        fact = self._fact(("within_days", "fact"), given.fact, FieldType.DATE)
        when = f"{fact} IS NOT NULL AND {fact} > as_of - INTERVAL '{given.days}' DAY"
        return Expanded(when, f"{fact} + INTERVAL '{given.days - 1}' DAY")

    def exclusive_with(self, given: ExclusiveWith) -> Expanded:
        """Something that another family speaks of began at most some days ago, and nothing closed it since."""
        here = "exclusive_with"
        if given.family not in self.families:
            message = f'"{given.family}" is not an offer family{one_of(given.family, self.families)}'
            raise TemplateFault((here, "family"), message)
        started = self._fact((here, "started"), given.started, FieldType.DATETIME)
        day = self._fact((here, "started_on"), given.started_on, FieldType.DATE)
        ended = self._fact((here, "ended"), given.ended, FieldType.DATETIME)
        when = (
            f"{day} IS NOT NULL AND {day} >= as_of - INTERVAL '{given.days}' DAY "
            f"AND ({ended} IS NULL OR {started} IS NULL OR {ended} <= {started})"
        )
        return Expanded(when, f"{day} + INTERVAL '{given.days}' DAY")

    def _rank(self, template: str, tier: str) -> int:
        if tier not in self.tiers:
            raise TemplateFault((template,), f'"{tier}" is not a tier of {self.main}{one_of(tier, self.tiers)}')
        return self.tiers.index(tier) + 1

    def _fact(self, path: Path, name: str, kind: FieldType) -> str:
        fitting = [fact for fact, known in FACTS.items() if known is kind and fact != AS_OF]
        if name not in fitting:
            raise TemplateFault(path, f'"{name}" is not a {kind.value} fact{one_of(name, fitting)}')
        return name
