"""Days: shifting within the calendar, anniversaries, ages. 29 February is kept on 1 March in other years."""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, timedelta


def shifted(moment: date, days: int) -> date:
    """A date or UTC time some days later, stopping at the first and the last moment there is."""
    try:
        return moment + timedelta(days=days)
    except OverflowError:
        if isinstance(moment, datetime):
            return datetime.max.replace(tzinfo=UTC) if days > 0 else datetime.min.replace(tzinfo=UTC)
        return date.max if days > 0 else date.min


def anniversary_in(year: int, of: date) -> date:
    """The day of that year which bears the date's month and day."""
    if (of.month, of.day) == (2, 29) and not calendar.isleap(year):
        return date(year, 3, 1)
    return of.replace(year=year)


def next_anniversary(of: date, as_of: date) -> date:
    """The first anniversary on or after `as_of`; the last day there is when the calendar ends before it."""
    this_year = anniversary_in(as_of.year, of)
    if this_year >= as_of:
        return this_year
    return anniversary_in(as_of.year + 1, of) if as_of.year < date.max.year else date.max


def age_at(of: date, as_of: date) -> int:
    """Full years from `of` to `as_of`."""
    return as_of.year - of.year - ((as_of.month, as_of.day) < (of.month, of.day))


def day_older(of: date, as_of: date) -> date:
    """The first day after `as_of` on which the age differs."""
    return next_anniversary(of, shifted(as_of, 1))
