"""Trust that sinks with age.

The idea is the trust calculation known from MDM suites (Informatica MDM: maximum trust, minimum trust and a decay
period for each column of a source; this is its linear decay): a value has 0 to 100 points by its source and field, and
loses them evenly from the day on which its record was last changed, down to a minimum.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from fractions import Fraction

from onevoice.configfile.identity_file import Trust


@dataclass(frozen=True, slots=True)
class Standing:
    """One value's trust over time. Days are ordinals (`date.toordinal`)."""

    points: int
    minimum: int
    days: int
    """Length of the decay; 0: none."""
    since: int
    """The day the decay begins: the record's own last change."""

    def on(self, day: int) -> Fraction:
        """Points on a day."""
        if not self.days:
            return Fraction(self.points)
        age = min(max(day - self.since, 0), self.days)
        return self.points - Fraction((self.points - self.minimum) * age, self.days)

    @property
    def bends(self) -> tuple[int, int]:
        """Days between which trust sinks; before and after it is level."""
        return self.since, self.since + self.days


class TrustTable:
    """The configured lines for one field or group, by system."""

    def __init__(self, lines: Iterable[Trust], field: str) -> None:
        mine = sorted((line for line in lines if line.field in (field, None)), key=lambda line: line.field is not None)
        self._lines: Mapping[str, Trust] = {line.source: line for line in mine}

    def standing(self, system: str, changed_at: datetime | None) -> Standing:
        """Trust in a value of a system; without a stamp it has sunk as far as it can."""
        line = self._lines.get(system)
        if line is None:
            return Standing(0, 0, 0, 0)
        if line.days is None:
            return Standing(line.points, line.points, 0, 0)
        if changed_at is None:
            return Standing(line.minimum, line.minimum, 0, 0)
        return Standing(line.points, line.minimum, line.days, changed_at.astimezone(UTC).toordinal())


def next_shift(leader: Standing, others: Iterable[Standing], today: date) -> date | None:
    """First day after today on which another value stands otherwise to the leader (below, equal, above) than today."""
    days = [day for other in others if (day := _shift(leader, other, today.toordinal())) is not None]
    return date.fromordinal(min(days)) if days else None


def _shift(leader: Standing, other: Standing, today: int) -> int | None:
    def differs(day: int) -> bool:
        return _sign(other.on(day) - leader.on(day)) != now

    now = _sign(other.on(today) - leader.on(today))
    begin = today
    # Between two bends both lines are straight, so their difference changes its sign at most once there.
    for end in sorted(day for day in (*leader.bends, *other.bends) if day > today):
        if differs(end):
            return range(begin, end + 1)[bisect_left(range(begin, end + 1), True, key=differs)]
        begin = end
    return None


def _sign(difference: Fraction) -> int:
    return (difference > 0) - (difference < 0)
