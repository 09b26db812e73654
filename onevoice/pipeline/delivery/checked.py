"""Values that people type for a vendor's field, checked against what the mapping says the field holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from onevoice.configfile.transform_specs import PushDate, PushedField, PushTable
from onevoice.errors import ConfigError
from onevoice.mapping import PushField
from onevoice.model import FieldType
from onevoice.pipeline.delivery.targets import PushTarget
from onevoice.pipeline.hub import Hub


def checked_value(hub: Hub, target: PushTarget, field: PushField, value: Any) -> Any:
    """The vendor value; ConfigError, without the value itself, says where it is wrong and what is allowed."""
    if field.irreversible:
        raise _wrong(target, field, "an irreversible write is as it is", "retry or drop it")
    if value is None or value == "":
        if field.blank == "keep":
            raise _wrong(target, field, "it is never emptied (blank: keep)", "any value")
        return None
    read, allowed = _READERS[field.type]
    try:
        found = read(value)
    except (ValueError, TypeError, InvalidOperation):
        raise _wrong(target, field, "the value does not fit the field", f"{allowed}, or nothing, to empty it") from None
    _insist_on_mapping(_spec(hub, target, field), target, field, found)
    return found


def _insist_on_mapping(spec: PushedField | None, target: PushTarget, field: PushField, value: Any) -> None:
    if isinstance(spec, PushTable):
        words = [str(word) for word in spec.table.values()]
        if str(value) not in words:
            raise _wrong(target, field, "the value is none of the mapping's table", ", ".join(sorted(set(words))))
    if isinstance(spec, PushDate) and spec.latest and str(value) > spec.latest:
        raise _wrong(target, field, "the day is after the latest that the mapping allows", f"up to {spec.latest}")


def _spec(hub: Hub, target: PushTarget, field: PushField) -> PushedField | None:
    push = hub.config.mappings[target.system, target.stream].push
    return push.fields.get(field.name) if push else None


def _wrong(target: PushTarget, field: PushField, fault: str, allowed: str) -> ConfigError:
    return ConfigError(f"{target.system}.{target.stream}.{field.name}: {fault} (allowed: {allowed})")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _day(value: Any) -> str:
    return date.fromisoformat(_text(value)).isoformat()


def _moment(value: Any) -> str:
    found = datetime.fromisoformat(_text(value))
    if found.tzinfo is None:
        raise ValueError
    return found.isoformat()


def _integer(value: Any) -> int:
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        raise ValueError
    return int(value)


def _decimal(value: Any) -> int | float:
    number = Decimal(str(value))
    if isinstance(value, bool) or not number.is_finite():
        raise ValueError
    return int(number) if number == number.to_integral_value() else float(number)


def _boolean(value: Any) -> bool:
    said = str(value).lower()
    if said not in {"true", "false"}:
        raise ValueError
    return said == "true"


_READERS: Mapping[FieldType, tuple[Callable[[Any], Any], str]] = {
    FieldType.TEXT: (_text, "a text"),
    FieldType.DATE: (_day, "a day as 2026-11-22"),
    FieldType.DATETIME: (_moment, "a time as 2026-11-22T09:00:00+00:00"),
    FieldType.INTEGER: (_integer, "a whole number"),
    FieldType.DECIMAL: (_decimal, "a number"),
    FieldType.BOOLEAN: (_boolean, "true or false"),
}
