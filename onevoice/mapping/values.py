"""Reading single vendor values: JSON in, Python out. Only `Unusable` is ever raised, whatever the value."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any


class Unusable(Exception):
    """A value cannot be read; the message says what is allowed, never what was found."""


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECONDS_FROM = 100_000_000_000
"""Numbers from here on are milliseconds since 1970 (as seconds they would lie beyond the year 5138)."""
MAX_DIGITS = 18
"""Most digits of a whole number, and most places of a decimal: what every store and vendor holds."""

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_NUMBER = re.compile(r"[-+]?[0-9]{1,18}")
_TRUE = frozenset({"true", "yes", "y", "on", "1", "t"})
_FALSE = frozenset({"false", "no", "n", "off", "0", "f"})


def to_text(value: Any) -> str:
    """Text without blanks around it; characters that no database stores are dropped."""
    if isinstance(value, str):
        text = value.strip()
        return text if text.isascii() and "\0" not in text else _UNSTORABLE.sub("", text).strip()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return decimal_text(to_decimal(value))
    if isinstance(value, date | datetime):
        return value.isoformat()
    raise Unusable("allowed is one text, number, true or false, not a list or an object")


def to_decimal(value: Any, mark: str = ".") -> Decimal:
    """An exact number; `mark` stands before the decimals in text, the other of . and , between thousands."""
    try:
        if isinstance(value, bool):
            raise Unusable("a number is allowed, not true or false")
        if isinstance(value, int | Decimal):
            number = Decimal(value)
        elif isinstance(value, float):
            number = Decimal(repr(value))
        else:
            text = to_text(value).replace(" ", "").replace("\u00a0", "").replace("'", "")
            text = text.replace("." if mark == "," else ",", "").replace(mark, ".")
            number = Decimal(text)
    except (InvalidOperation, ValueError) as error:
        raise Unusable("a number is allowed, as 1234.50") from error
    if not number.is_finite() or number.adjusted() >= MAX_DIGITS or number.as_tuple().exponent < -MAX_DIGITS:  # type: ignore[operator]
        raise Unusable(f"a number of at most {MAX_DIGITS} digits is allowed")
    return number


def decimal_text(number: Decimal) -> str:
    """A number without superfluous zeros and without exponent: 3.50 -> 3.5, 3.0 -> 3, -0 -> 0."""
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def to_integer(value: Any) -> int:
    """A whole number; 3.0 is one, 3.5 is not."""
    number = to_decimal(value)
    if number != number.to_integral_value():
        raise Unusable("a whole number is allowed")
    return int(number)


def to_boolean(value: Any) -> bool:
    """True or false, also as yes/no, on/off, y/n, 1/0."""
    word = to_text(value).lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise Unusable("allowed is true or false (or yes/no, on/off, 1/0)")


def from_epoch(value: float) -> datetime:
    """A moment given in milliseconds (or, for small numbers, seconds) since 1970."""
    seconds = value / 1000 if abs(value) >= MILLISECONDS_FROM else float(value)
    try:
        return EPOCH + timedelta(seconds=seconds)
    except (OverflowError, ValueError) as error:
        raise Unusable("a moment between the years 1 and 9999 is allowed") from error


def _parsed(text: str, formats: Sequence[str]) -> datetime | None:
    for form in formats:
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007  (the caller adds the zone)
        except ValueError:
            continue
    return None


def to_date(value: Any, formats: Sequence[str] = ()) -> date:
    """A calendar day; of a moment with an offset, the day as written; of milliseconds since 1970, the day in UTC."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return from_epoch(_finite(value)).date()
    text = to_text(value)
    parsed = _parsed(text, formats)
    if parsed is not None:
        return parsed.date()
    if _NUMBER.fullmatch(text) and len(text) > 8:
        return from_epoch(int(text)).date()
    try:
        return date.fromisoformat(text[:10]) if len(text) == 10 else datetime.fromisoformat(text).date()
    except ValueError as error:
        raise Unusable(_allowed("a day as 2026-11-22", formats)) from error


def to_datetime(value: Any, zone: tzinfo, formats: Sequence[str] = ()) -> datetime:
    """An aware moment in UTC; text without an offset is local time of `zone`."""
    moment = value if isinstance(value, datetime) else _read_moment(value, formats)
    try:
        return (moment.replace(tzinfo=zone) if moment.tzinfo is None else moment).astimezone(UTC)
    except (OverflowError, ValueError) as error:
        raise Unusable("a moment between the years 1 and 9999 is allowed") from error


def _read_moment(value: Any, formats: Sequence[str]) -> datetime:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return from_epoch(_finite(value))
    text = to_text(value)
    parsed = _parsed(text, formats)
    if parsed is not None:
        return parsed
    if _NUMBER.fullmatch(text) and len(text) > 8:
        return from_epoch(int(text))
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise Unusable(_allowed("a moment as 2026-11-22T09:00:00Z", formats)) from error


def _finite(value: float) -> float:
    if isinstance(value, float) and not math.isfinite(value):
        raise Unusable("a number must be finite")
    if abs(value) >= 10**MAX_DIGITS:
        raise Unusable("a moment between the years 1 and 9999 is allowed")
    return value


def _allowed(usual: str, formats: Sequence[str]) -> str:
    extra = f", or one of the formats {', '.join(formats)}" if formats else ""
    return f"allowed is {usual}{extra}"
