"""How values are read out of a record, and what a write accepts.

Stored values: text, numbers, booleans, null; dates as YYYY-MM-DD, datetimes as 2026-11-20T08:00:00.000+0000. As at the
vendor, text is trimmed, '' is stored as null, and every number comes back as a double.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from onevoice.sandbox.salesforce.errors import RowError
from onevoice.sandbox.salesforce.schema import TEXTUAL, FieldDef
from onevoice.sandbox.state import Fields, VendorState, salesforce_stamp

Getter = Callable[[str, Fields], Any]
"""(record id, record) -> value."""

_ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(?:\.[^@\s.]+)+")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def getter(entity: str, field: FieldDef) -> Getter:
    """How to read one field of a record of `entity`."""
    name = field.name
    if name == "Id":
        return lambda key, _row: key
    if (entity, name) == ("Contact", "Name"):
        return lambda _key, row: " ".join(filter(None, (row.get("FirstName"), row.get("LastName"))))
    if (entity, name) == ("Case", "IsClosed"):
        return lambda _key, row: row.get("Status") == "Closed"
    if field.type == "boolean":
        return lambda _key, row: bool(row.get(name))
    if field.type == "double":
        return lambda _key, row: None if row.get(name) is None else float(row[name])
    return lambda _key, row: row.get(name)


def is_id(text: object) -> bool:
    """Whether this looks like a record id: 15 or 18 letters and digits."""
    return isinstance(text, str) and _ID.fullmatch(text) is not None


def find(state: VendorState, entity: str, record_id: str) -> str | None:
    """The full id of a record, given its 15 or 18 characters; None when there is none."""
    table = state.tables[entity]
    if record_id in table:
        return record_id
    if len(record_id) == 15:
        return next((key for key in table.rows if key.startswith(record_id)), None)
    return None


def accept(state: VendorState, field: FieldDef, value: object) -> object:
    """The value as it is stored, or RowError."""
    if not field.writable:
        raise RowError(
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            f"Unable to create/update fields: {field.name}. Please check the security settings of this field and "
            "verify that it is read/write for your profile or permission set.",
            (field.name,),
        )
    if field.type == "boolean":
        return _boolean(field, value)
    if value is None or value == "":
        if field.required:
            raise RowError("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{field.name}]", (field.name,))
        return None
    if field.type == "reference":
        return _reference(state, field, value)
    return _READERS[field.type](field, value)


def _boolean(field: FieldDef, value: object) -> bool:
    if value is None:
        raise RowError(
            "INVALID_TYPE_ON_FIELD_IN_RECORD", f"{field.label}: value not of required type: {value}", (field.name,)
        )
    if not isinstance(value, bool):
        raise _unreadable("boolean", value)
    return value


def _date(_field: FieldDef, value: object) -> str:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise _unreadable("date", value)
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        raise _unreadable("date", value) from None


def _datetime(_field: FieldDef, value: object) -> str:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise _unreadable("datetime", value) from None
    return salesforce_stamp(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _number(field: FieldDef, value: object) -> float:
    try:
        number = float(str(value))
    except ValueError:
        raise _unreadable("double", value) from None
    if isinstance(value, bool):
        raise _unreadable("double", value)
    rounded = round(number, field.scale)
    if len(str(int(abs(rounded)))) > field.precision - field.scale:
        raise RowError("NUMBER_OUTSIDE_VALID_RANGE", f"{field.label}: value outside of valid range", (field.name,))
    return rounded


def _reference(state: VendorState, field: FieldDef, value: object) -> str:
    if not is_id(value):
        raise RowError("MALFORMED_ID", f"{field.label}: id value of incorrect type", (field.name,))
    if not field.parent:
        return str(value)
    found = find(state, field.parent, str(value))
    if found is None:
        raise RowError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", (field.name,))
    return found


def _text(field: FieldDef, value: object) -> str | None:
    if not isinstance(value, str):
        raise _unreadable("string", value)
    text = value.strip()
    if len(text) > field.length:
        raise RowError(
            "STRING_TOO_LONG", f"{field.label}: data value too large (max length={field.length})", (field.name,)
        )
    if field.type == "email" and text and not _EMAIL.fullmatch(text):
        raise RowError("INVALID_EMAIL_ADDRESS", f"{field.label}: invalid email address", (field.name,))
    if field.values and text not in field.values:
        raise RowError(
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            f"{field.label}: bad value for restricted picklist field",
            (field.name,),
        )
    return text or None


def _unreadable(wanted: str, value: object) -> RowError:
    token = {bool: "VALUE_BOOLEAN", int: "VALUE_NUMBER_INT", float: "VALUE_NUMBER_FLOAT", str: "VALUE_STRING"}
    return RowError(
        "JSON_PARSER_ERROR",
        f"Cannot deserialize instance of {wanted} from {token.get(type(value), 'START_OBJECT')} value or request may "
        "be missing a required field",
    )


_READERS: dict[str, Callable[[FieldDef, object], object]] = {
    "date": _date,
    "datetime": _datetime,
    "double": _number,
    **dict.fromkeys(TEXTUAL, _text),
}
