"""Consent events to a state (knowledge 2.4, points 2 to 5 and 7).

A no spreads, a yes does not:

* A no that the customer made (or an agent or authority on the customer's behalf) reaches every contact point of the
  person, for that channel and purpose. An import, another system's copy, a bounce or a spam complaint lowers its own
  contact point only.
* A yes counts only when the customer made it, it carries evidence and has not run out. It lifts a no on its own contact
  point that is older by more than the clock skew, and nothing else; equal times mean no. The person is free again
  once every no of theirs has been lifted where it was said.

Order and duplicates of events never matter, and another no never adds a permission. A no whose time lies in the future
(a wrong clock) counts at once; a yes from the future waits for its day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from onevoice.configfile.consent_file import ConsentFile
from onevoice.model import ConsentEvent, ConsentState, Effect, Origin

PointKey = tuple[str, str, str]
"""Contact point, channel, purpose."""

PERSONAL = frozenset({Origin.CUSTOMER, Origin.AGENT, Origin.AUTHORITY})
"""Who can object for the whole person."""


def resolve_consent(events: Sequence[ConsentEvent], config: ConsentFile, as_of: date) -> ConsentState:
    """The state that all events of ONE person add up to on the day `as_of`."""
    person: dict[tuple[str, str], ConsentEvent] = {}
    points: dict[PointKey, ConsentEvent] = {}
    granted: dict[PointKey, ConsentEvent] = {}
    for key, said in sorted(_by_point(events, config).items()):
        grant = _latest(event for event in said if _is_grant(event) and not _over(event, config, as_of))
        standing = [event for event in said if event.effect is Effect.DENY and not _lifts(grant, event, config)]
        deny = _latest(standing)
        if deny is not None:
            points[key] = deny
        elif grant is not None:
            granted[key] = grant
        objection = _latest(event for event in standing if event.origin in PERSONAL)
        if objection is not None:
            scope = (key[1], key[2])
            person[scope] = max(objection, person.get(scope, objection), key=_order)
    in_force = {key: event for key, event in granted.items() if (key[1], key[2]) not in person}
    return ConsentState(person_denied=person, point_denied=points, granted=in_force)


def point_states(
    persons: Iterable[Sequence[ConsentEvent]], config: ConsentFile, as_of: date
) -> Mapping[PointKey, ConsentEvent]:
    """Denies that stand on contact points used by several persons: a deny of any one of them holds for everybody.

    `persons` holds one sequence of events per person, so that one person's yes cannot lift another's no.
    """
    denied: dict[PointKey, ConsentEvent] = {}
    for events in persons:
        for key, event in resolve_consent(events, config, as_of).point_denied.items():
            denied[key] = max(event, denied.get(key, event), key=_order)
    return denied


def next_change(events: Sequence[ConsentEvent], config: ConsentFile, as_of: date) -> date | None:
    """First day after `as_of` on which the same events may resolve to something else; None: never."""
    days: list[date] = []
    for event in events:
        if _is_grant(event):
            start = event.event_time.astimezone(UTC).date()
            days.append(start)
            ends = _last_day(event, config)
            if ends is not None and ends < date.max:
                days.append(ends + timedelta(days=1))
    return min((day for day in days if day > as_of), default=None)


def _by_point(events: Iterable[ConsentEvent], config: ConsentFile) -> dict[PointKey, set[ConsentEvent]]:
    said: dict[PointKey, set[ConsentEvent]] = {}
    for event in events:
        if _concerns(event, config.brand):
            said.setdefault((event.contact_point, event.channel, event.purpose), set()).add(event)
    return said


def _concerns(event: ConsentEvent, brand: str) -> bool:
    """A no to the company or to this brand counts, and every no where the company is one sender; a yes must fit."""
    if event.effect is Effect.DENY:
        return not event.brand or not brand or event.brand == brand
    return event.brand in {"", brand}


def _is_grant(event: ConsentEvent) -> bool:
    return event.effect is Effect.GRANT and event.origin is Origin.CUSTOMER and bool(event.evidence.strip())


def _last_day(event: ConsentEvent, config: ConsentFile) -> date | None:
    """Last day of a grant; None: no end."""
    purpose = config.purposes.get(event.purpose)
    if purpose is None or purpose.grant_days is None:
        return None
    start = event.event_time.astimezone(UTC).date()
    return start + timedelta(days=min(purpose.grant_days - 1, (date.max - start).days))


def _over(event: ConsentEvent, config: ConsentFile, as_of: date) -> bool:
    """Whether a grant is not in force on this day: not yet, or not any more."""
    if event.event_time.astimezone(UTC).date() > as_of:
        return True
    ends = _last_day(event, config)
    return ends is not None and ends < as_of


def _lifts(grant: ConsentEvent | None, deny: ConsentEvent, config: ConsentFile) -> bool:
    if grant is None:
        return False
    return grant.event_time - deny.event_time > timedelta(seconds=config.clock_skew_seconds)


def _latest(events: Iterable[ConsentEvent]) -> ConsentEvent | None:
    return max(events, key=_order, default=None)


def _order(event: ConsentEvent) -> tuple[datetime, str, str, str, str, str]:
    """Latest first in time; the rest only makes the choice among equals the same whatever the order."""
    return (
        event.event_time,
        event.origin.value,
        event.contact_point,
        str(event.source),
        event.brand,
        event.evidence,
    )
