"""How campaigns pick records, and what a message is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zlib import crc32

from onevoice.sandbox.truth import EMAIL, Ref

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """One message that would go out today."""

    ref: Ref
    family: str
    address: str
    """Mail address or number; empty on a receipt."""
    shown: str | None = None
    """What it states of the person: a tier, points, or a day (ISO text)."""
    channel: str = EMAIL


def instant(text: str) -> datetime:
    """ISO text as a moment."""
    return datetime.fromisoformat(text)


def days_since(text: str | None, day: date) -> int:
    """Whole days since a date or datetime in ISO text; -1 when there is none."""
    return (day - date.fromisoformat(text[:10])).days if text else -1


def birthday(text: str | None, day: date) -> bool:
    """Whether a birthday falls on this day or one of the six that follow."""
    return bool(text) and str(text)[5:10] in _week(day)


@lru_cache(maxsize=8)
def _week(day: date) -> frozenset[str]:
    """Month and day of seven days."""
    return frozenset((day + timedelta(days=n)).strftime("%m-%d") for n in range(7))


def rewarded(text: str | None, day: date) -> bool:
    """Whether the record itself says that a birthday reward was given less than 300 days ago."""
    return bool(text) and days_since(text, day) < 300


def share(campaign: str, key: str, parts: int) -> bool:
    """One record in so many, always the same ones."""
    return crc32(f"{campaign}:{key}".encode()) % parts == 0


def suppressed(until: object, day: date) -> bool:
    """Whether an until-date, or a moment, of the record lies on this day or after it."""
    return bool(until) and str(until)[:10] >= day.isoformat()
