"""HubSpot's values: all text, an empty text clears."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation


def as_text(value: object) -> str:
    """A JSON value as HubSpot wants it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def kept(sent: object, answered: object) -> bool:
    """Whether an answered value means what was sent: '3' and '3.0', 'TRUE' and 'true', two spellings of one moment."""
    return _canonical(as_text(sent)) == _canonical(as_text(answered))


def _canonical(text: str) -> object:
    text = text.strip()
    with suppress(InvalidOperation):
        number = Decimal(text)
        if number.is_finite():
            return number
    if "T" in text:
        with suppress(ValueError):
            moment = datetime.fromisoformat(text)
            return moment.astimezone(UTC) if moment.tzinfo else moment
    return text.lower() if text.lower() in {"true", "false"} else text
