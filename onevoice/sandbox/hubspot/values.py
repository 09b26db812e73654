"""What a property accepts, how it is stored, and how search compares it. Everything in and out is text."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from onevoice.sandbox.hubspot.errors import PropertyError
from onevoice.sandbox.hubspot.schema import Property
from onevoice.sandbox.state import hubspot_stamp

LONGEST = 65_536
"""Characters a text property holds."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WHOLE = re.compile(r"-?\d{1,15}")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_EMAIL = re.compile(r"[^@\s,;]+@[^@\s,;.]+(?:\.[^@\s,;.]+)+")


def accept(one: Property, value: str) -> str:
    """The value as it is stored, or PropertyError; '' clears."""
    if one.read_only:
        raise PropertyError(
            one.name, "READ_ONLY_VALUE", f'"{one.name}" is a read only property; its value cannot be set.'
        )
    if value == "":
        return ""
    return _ACCEPT[one.type](one, value)


def comparable(one: Property, text: str | None) -> Any:
    """A stored value or a search value in the form in which search compares it; None for no value or no sense.

    Numbers as numbers, dates and datetimes as ISO text (search takes epoch milliseconds or ISO), text without case.
    """
    if not text:
        return None
    match one.type:
        case "number":
            return float(text) if _NUMBER.fullmatch(text) else None
        case "datetime":
            moment = _moment(text)
            return None if moment is None else hubspot_stamp(moment)
        case "date":
            moment = _moment(text)
            return None if moment is None else moment.date().isoformat()
    return text.casefold()


def stored_comparable(one: Property) -> Callable[[str | None], Any]:
    """`comparable` for stored values only, which are known to be well formed: the fast way."""
    if one.type == "number":
        return lambda text: float(text) if text else None
    if one.type in {"date", "datetime"}:
        return lambda text: text or None
    return lambda text: text.casefold() if text else None


def _string(one: Property, value: str) -> str:
    if len(value) > LONGEST:
        raise PropertyError(one.name, "PROPERTY_TOO_LARGE", f"{one.name} is longer than {LONGEST} characters")
    if one.name != "email":
        return value
    text = value.strip().lower()
    if not _EMAIL.fullmatch(text):
        raise PropertyError("email", "INVALID_EMAIL", "Email address is invalid")
    return text


def _number(one: Property, value: str) -> str:
    if not _NUMBER.fullmatch(value):
        raise PropertyError(one.name, "INVALID_NUMBER", f"{one.name} was not a valid number.")
    return value


def _choice(one: Property, value: str) -> str:
    allowed = one.options or ("true", "false")
    if value not in allowed:
        raise PropertyError(
            one.name, "INVALID_OPTION", f"{one.name}: the value was not one of the allowed options: {list(allowed)}"
        )
    return value


def _date(one: Property, value: str) -> str:
    moment = _moment(value) if _WHOLE.fullmatch(value) or _DATE.fullmatch(value) else None
    if moment is None or moment != moment.replace(hour=0, minute=0, second=0, microsecond=0):
        raise PropertyError(
            one.name, "INVALID_DATE", f"{one.name} must be YYYY-MM-DD or epoch milliseconds at midnight UTC."
        )
    return moment.date().isoformat()


def _datetime(one: Property, value: str) -> str:
    moment = _moment(value)
    if moment is None:
        raise PropertyError(one.name, "INVALID_DATE", f"{one.name} must be ISO 8601 or epoch milliseconds.")
    return hubspot_stamp(moment)


def _moment(text: str) -> datetime | None:
    try:
        if _WHOLE.fullmatch(text):
            return _EPOCH + timedelta(milliseconds=int(text))
        if _DATE.fullmatch(text):
            day = date.fromisoformat(text)
            return datetime(day.year, day.month, day.day, tzinfo=UTC)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


_ACCEPT: dict[str, Callable[[Property, str], str]] = {
    "string": _string,
    "number": _number,
    "enumeration": _choice,
    "bool": _choice,
    "date": _date,
    "datetime": _datetime,
}
