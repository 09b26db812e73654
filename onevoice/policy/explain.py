"""Why may this offer not (or may it) reach this customer, and what would change that?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from onevoice.model import FOREVER, Decision, Layer
from onevoice.policy.rules import CompiledRule
from onevoice.policy.sentences import filled, shown

if TYPE_CHECKING:
    from onevoice.policy.decide import Policy

MOST_STEPS = 50
"""Days of possible change that are looked at ahead; beyond, the answer counts as not changing by itself."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One rule that denies."""

    rule: str
    layer: Layer
    sentence: str
    until: date


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer for one family on one channel, with everything it stands on."""

    family: str
    channel: str
    allowed: bool
    deciding: Reason | None
    """The rule that is named: lowest layer, then name; None when allowed."""
    fired: tuple[Reason, ...]
    """Every rule that denies, the deciding one first."""
    sole_blocker: str | None
    """The one rule without which the offer would be allowed, if there is just one."""
    facts: Mapping[str, Any]
    """What the rules that fired read (when allowed: what all rules of this family read); None is unknown."""
    changes_on: date | None
    """First day on which the answer is another with the same facts."""
    outlook: str
    """What would change the answer, in words."""


def explain(policy: Policy, facts: Mapping[str, Any], as_of: date, family: str, channel: str) -> Explanation:
    """Explain the decision that these facts give on the day `as_of`. Raises ValueError on a fact of a wrong type."""
    row = policy.typed(facts, as_of)
    concerned = [rule for rule in policy.rules if (family, channel) in rule.scope]
    fired = [rule for rule in concerned if rule.fires(row)]
    reasons = tuple(_reason(rule, row) for rule in fired)
    names = sorted(set[str]().union(*(rule.facts for rule in fired or concerned)))
    changes_on = _change(policy, facts, as_of, (family, channel), denied=bool(fired))
    return Explanation(
        family=family,
        channel=channel,
        allowed=not fired,
        deciding=reasons[0] if reasons else None,
        fired=reasons,
        sole_blocker=fired[0].id if len(fired) == 1 else None,
        facts={name: row.get(name) for name in names},
        changes_on=changes_on,
        outlook=_outlook(fired, changes_on, row),
    )


def reasons(policy: Policy, facts: Mapping[str, Any], as_of: date, family: str, channel: str) -> tuple[Reason, ...]:
    """Every rule that denies, the deciding one first: the answer of `explain` without what would change it."""
    row = policy.typed(facts, as_of)
    return tuple(_reason(r, row) for r in policy.rules if (family, channel) in r.scope and r.fires(row))


def _reason(rule: CompiledRule, row: Mapping[str, Any]) -> Reason:
    until = rule.last_day(row)
    return Reason(rule.id, rule.layer, filled(rule.because, row, until), until)


def _change(
    policy: Policy, facts: Mapping[str, Any], as_of: date, place: tuple[str, str], *, denied: bool
) -> date | None:
    """Walk from one possible day of change to the next until the answer differs."""
    day: date | None = policy.decide(facts, as_of).valid_until
    for _ in range(MOST_STEPS):
        if day is None:
            return None
        decision = policy.decide(facts, day)
        if _denies(decision, place) is not denied:
            return day
        day = decision.valid_until
    return None


def _denies(decision: Decision, place: tuple[str, str]) -> bool:
    return any((denial.family, denial.channel) == place for denial in decision.denials)


def _outlook(fired: list[CompiledRule], changes_on: date | None, row: Mapping[str, Any]) -> str:
    if not fired:
        return (
            f"Allowed until {shown(changes_on)}, then no more."
            if changes_on
            else "Allowed until something new is known."
        )
    if changes_on:
        return f"Allowed again from {shown(changes_on)} if nothing new becomes known."
    lasting = [rule for rule in fired if rule.last_day(row) == FOREVER]
    names = sorted(set[str]().union(*(rule.facts for rule in lasting or fired)))
    return f"Stays so until one of these facts changes: {', '.join(names)}."
