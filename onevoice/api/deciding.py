"""Decisions as answers: computed from the stored facts by the rules in force, on the company's day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from onevoice.api import answers, masking, portray
from onevoice.api.serving import Serving
from onevoice.pipeline.lookup import places
from onevoice.policy import Reason, explain
from onevoice.store.lookups import KnownProfile


def decisions_of(
    serving: Serving, known: KnownProfile, stored: tuple[str, datetime] | None, *, sees_persons: bool
) -> answers.Decisions:
    """What may reach one customer; `stored` is (policy, when) of the decision that was last pushed."""
    policy, today = serving.hub.policy, serving.today
    return answers.Decisions(
        profile_id=known.profile_id,
        day=today,
        policy=policy.version,
        stored_policy=stored[0] if stored else None,
        decided_at=stored[1] if stored else None,
        valid_until=policy.decide(known.facts, today).valid_until,
        decisions=[
            _decision(serving, known, family, channel, sees_persons=sees_persons)
            for family, channel in places(serving.hub)
        ],
        as_of=known.changed_at,
    )


def _decision(
    serving: Serving, known: KnownProfile, family: str, channel: str, *, sees_persons: bool
) -> answers.DecisionOn:
    found = explain(serving.hub.policy, known.facts, serving.today, family, channel)
    facts = {name: _plain(value) for name, value in found.facts.items()}
    return answers.DecisionOn(
        family=family,
        label=serving.hub.config.offers.families[family].label,
        channel=channel,
        result="allow" if found.allowed else "deny",
        reasons=list(_reasons(found.fired)),
        sole_blocker=found.sole_blocker,
        facts=facts if sees_persons else masking.facts(facts),
        changes_on=found.changes_on,
        outlook=found.outlook,
    )


def _reasons(fired: Iterable[Reason]) -> Iterable[answers.Reason]:
    for reason in fired:
        yield answers.Reason(
            sentence=reason.sentence,
            rule=reason.rule,
            layer=portray.layer(reason.layer),
            until=portray.last_day(reason.until),
        )


def _plain(value: object) -> answers.Plain | None:
    """A fact as JSON: dates and numbers beyond a float's exactness as text."""
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
