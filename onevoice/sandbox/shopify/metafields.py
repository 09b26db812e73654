"""Metafields of customers as fields show them, and what their types take."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any
from zlib import crc32

import orjson

from onevoice.sandbox.shopify.search import by_id, ordered, page
from onevoice.sandbox.shopify.shop import Info
from onevoice.sandbox.shopify.tables import gid
from onevoice.sandbox.state import Fields

LONGEST_LINE = 5_000_000
LARGEST_INTEGER = 2**53 - 1
LETTERS = {"namespace": (3, 255), "key": (2, 64)}
"""Fewest and most letters of a name."""

_NAME = re.compile(r"[A-Za-z0-9_-]+")


def one_metafield(row: Fields, _info: Info, **args: Any) -> dict[str, Any] | None:
    """The metafield of that namespace and key, if the owner has it."""
    place = f"{args['namespace']}.{args['key']}" if args.get("namespace") else args["key"]
    held = (row.get("metafields") or {}).get(place)
    return show_metafield(row, place, held) if held else None


def metafield_page(row: Fields, _info: Info, **args: Any) -> dict[str, Any]:
    """The metafields of an owner, all or those of a namespace or of keys ("namespace.key")."""
    return page(ordered(_chosen(row, args), by_id), args)


def _chosen(row: Fields, args: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    namespace, keys = args.get("namespace"), args.get("keys")
    if namespace and keys:
        keys = [key if "." in key else f"{namespace}.{key}" for key in keys]
    for place, held in (row.get("metafields") or {}).items():
        if (keys is None or place in keys) and (not namespace or place.startswith(f"{namespace}.")):
            yield show_metafield(row, place, held)


def show_metafield(row: Fields, place: str, held: Mapping[str, str]) -> dict[str, Any]:
    """A metafield as its fields need it. It has no times of its own here: they are its owner's."""
    namespace, _, key = place.partition(".")
    number = 30_000_000_000_000 + crc32(f"{row['id']} {place}".encode())
    return {
        "id": gid("Metafield", number),
        "legacyResourceId": str(number),
        "namespace": namespace,
        "key": key,
        "type": held["type"],
        "value": held["value"],
        "jsonValue": json_value(held["type"], held["value"]),
        "compareDigest": digest(held["value"]),
        "sizeInBytes": len(held["value"].encode()),
        "owner": row,
        "ownerType": "CUSTOMER",
        "createdAt": row["createdAt"],
        "updatedAt": row["updatedAt"],
        "definition": lambda info: show_definition(info.context.shop.definitions.get(place)),
    }


def show_definition(held: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """A definition as its fields need it."""
    if held is None:
        return None
    return {
        **held,
        "ownerType": "CUSTOMER",
        "type": {"name": held["type"], "category": _CATEGORIES.get(held["type"], "TEXT")},
        "validationStatus": "ALL_VALID",
    }


def name_fault(what: str, value: str) -> tuple[str, str] | None:
    """(code, message) for a namespace or key that cannot be one; `what` is one of LETTERS."""
    least, most = LETTERS[what]
    if len(value) < least:
        return "TOO_SHORT", f"{what.capitalize()} is too short (minimum is {least} characters)."
    if len(value) > most:
        return "TOO_LONG", f"{what.capitalize()} is too long (maximum is {most} characters)."
    if not _NAME.fullmatch(value):
        return "INVALID", f"{what.capitalize()} contains one or more invalid characters."
    return None


def digest(value: str) -> str:
    """What compare-and-set compares."""
    return hashlib.sha256(value.encode()).hexdigest()


def json_value(kind: str, value: str) -> Any:
    """The value as JSON; decimals stay text, as Shopify keeps them exact."""
    if kind == "number_integer":
        return int(value)
    if kind == "boolean":
        return value == "true"
    return orjson.loads(value) if kind == "json" else value


def _line(value: str) -> str:
    if "\n" in value or len(value) > LONGEST_LINE:
        raise ValueError("Value must be a single line text string.")
    return value


def _integer(value: str) -> str:
    if not re.fullmatch(r"-?\d+", value) or abs(int(value)) > LARGEST_INTEGER:
        raise ValueError("Value must be an integer.")
    return str(int(value))


def _decimal(value: str) -> str:
    if not re.fullmatch(r"-?\d{1,13}(\.\d{1,9})?", value):
        raise ValueError("Value must be a decimal.")
    return value


def _boolean(value: str) -> str:
    if value not in {"true", "false"}:
        raise ValueError("Value must be true or false.")
    return value


def _date(value: str) -> str:
    try:
        return date.fromisoformat(value if "-" in value else "").isoformat()
    except ValueError:
        raise ValueError("Value must be in YYYY-MM-DD format.") from None


def _date_time(value: str) -> str:
    """Without a zone it counts as UTC; it comes back with one, in whole seconds."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError('Value must be in "YYYY-MM-DDTHH:MM:SS" format.') from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).isoformat(timespec="seconds")


def _json(value: str) -> str:
    try:
        orjson.loads(value)
    except orjson.JSONDecodeError:
        raise ValueError("Value must be valid JSON.") from None
    return value


TYPES: Mapping[str, Callable[[str], str]] = {
    "single_line_text_field": _line,
    "multi_line_text_field": str,
    "number_integer": _integer,
    "number_decimal": _decimal,
    "boolean": _boolean,
    "date": _date,
    "date_time": _date_time,
    "json": _json,
}
"""The types that this shop knows; each takes a value and gives it as it is kept, or ValueError says what it must be."""

_CATEGORIES = {
    "number_integer": "NUMBER",
    "number_decimal": "NUMBER",
    "boolean": "TRUE_FALSE",
    "date": "DATE_TIME",
    "date_time": "DATE_TIME",
    "json": "JSON",
}
