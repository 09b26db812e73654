"""Vendors' raw values as the types a gate declares. HubSpot says everything in text, Salesforce in JSON types.

What cannot be read as its type is unknown: a gate then does not open on it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any

from onevoice.model import FieldType
from onevoice.policy.language.numbers import MOST_DECIMAL, MOST_INTEGER

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECONDS = re.compile(r"-?[0-9]{10,15}")


def raw_value(record: Mapping[str, Any], name: str) -> Any:
    """The raw value of a field; a name with dots also reaches into nested objects."""
    if name in record or "." not in name:
        return record.get(name)
    found: Any = record
    for step in name.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(step)
    return found


def read_raw(kind: FieldType, value: Any) -> Any:
    """The typed value, None when there is none or it cannot be read."""
    if value is None or value == "":
        return None
    try:
        return _READERS[kind](value)
    except (ValueError, OverflowError, InvalidOperation, TypeError):
        return None


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    return None if isinstance(value, bool | list | dict) else str(value)


def _boolean(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value.strip().lower()) if isinstance(value, str) else None


def _decimal(value: Any) -> Decimal | None:
    if isinstance(value, bool):
        return None
    number = Decimal(str(value).strip())
    return number if number.is_finite() and abs(number) <= MOST_DECIMAL else None


def _integer(value: Any) -> int | None:
    number = _decimal(value)
    return int(number) if number is not None and number == int(number) and abs(number) <= MOST_INTEGER else None


def _datetime(value: Any) -> datetime:
    text = str(value).strip()
    if _MILLISECONDS.fullmatch(text):
        return _EPOCH + timedelta(milliseconds=int(text))
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _date(value: Any) -> date:
    text = str(value).strip()
    return date.fromisoformat(text) if len(text) == len("2026-11-22") and text[4] == "-" else _datetime(text).date()


_READERS: Mapping[FieldType, Callable[[Any], Any]] = MappingProxyType(
    {
        FieldType.TEXT: _text,
        FieldType.BOOLEAN: _boolean,
        FieldType.INTEGER: _integer,
        FieldType.DECIMAL: _decimal,
        FieldType.DATE: _date,
        FieldType.DATETIME: _datetime,
    }
)
