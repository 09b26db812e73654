"""The durable watermark of a stream that is read in time windows, and the windows a read has to walk.

A cursor is {"stamp", "id", "through", "since"}: times are ISO UTC with milliseconds.

- Finished: `stamp` is null; everything up to and including `through` is done.
- Under way: everything before `stamp` is done, and at `stamp` itself every id up to `id`; the window ends at `through`.
  A crash resumes inside that same window, so nothing that was skipped as unsettled when it began is forgotten.
  `since` is where the oldest unfinished read began (null: at the beginning of time), which a sweep for deletes needs.

The next window begins `lookback` before the last `through`: records become visible later than their stamp. It is the
reader's consumer that drops what it already knows, by content.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from onevoice.errors import ContractBroken
from onevoice.protocols import Json


@dataclass(frozen=True, slots=True)
class Span:
    """A window of time and how far into it we are; all bounds are inclusive."""

    through: datetime
    stamp: datetime | None = None
    """None: from the beginning of time."""
    id: str = ""
    since: datetime | None = None

    def at(self, stamp: datetime | None, record_id: str = "") -> Span:
        """The same window, further on."""
        return replace(self, stamp=stamp, id=record_id)

    def cursor(self) -> Json:
        """The watermark at this place."""
        return {
            "stamp": iso(self.stamp) if self.stamp else None,
            "id": self.id,
            "through": iso(self.through),
            "since": iso(self.since) if self.since else None,
        }


def finished(through: datetime) -> Json:
    """The watermark of a read that reached the end of its last window."""
    return {"stamp": None, "id": "", "through": iso(through), "since": None}


def spans(cursor: Json | None, upper: datetime, lookback: timedelta) -> Sequence[Span]:
    """The windows to walk, oldest first: what a crash left of an earlier one, then the next one up to `upper`."""
    if cursor is None:
        return [Span(upper)]
    try:
        through = moment(cursor["through"])
        stamp = moment(cursor["stamp"]) if cursor["stamp"] else None
        since = moment(cursor["since"]) if cursor["since"] else None
        record_id = str(cursor["id"])
    except (KeyError, TypeError, ValueError) as exc:
        raise ContractBroken("cursor: it is not one of this connector's (reset the stream to read it anew)") from exc
    begin = through - lookback
    if stamp is None:
        return [Span(max(upper, through), begin, "", begin)]
    return [Span(through, stamp, record_id, since), Span(max(upper, through), begin, "", since or begin)]


def moment(text: str) -> datetime:
    """ISO text with an offset -> aware UTC; ValueError otherwise."""
    parsed = datetime.fromisoformat(text)
    if parsed.tzinfo is None:
        raise ValueError("a time without an offset")
    return parsed.astimezone(UTC)


def iso(value: datetime) -> str:
    """2026-11-22T09:00:00.000Z"""
    value = value.astimezone(UTC)
    return f"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03d}Z"
