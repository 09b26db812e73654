"""What requests hold, read and checked with Square's error codes. Fields that the API does not name are refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from starlette.requests import Request

from onevoice.sandbox.gate import json_body
from onevoice.sandbox.square.errors import refusal


@dataclass(frozen=True, slots=True)
class Body:
    """A JSON object of a request; `where` is its path, for error answers."""

    fields: Mapping[str, Any]
    where: str = ""

    def path(self, name: str) -> str:
        """The field as an error answer names it."""
        return f"{self.where}.{name}" if self.where else name

    def only(self, *names: str) -> Body:
        """Itself, when it has no other fields than these."""
        for name in self.fields:
            if name not in names:
                raise refusal("UNKNOWN_BODY_PARAMETER", f"The field named '{name}' is unrecognized.", self.path(name))
        return self

    def has(self, name: str) -> bool:
        """Whether the field is there and not null."""
        return self.fields.get(name) is not None

    def need(self, *names: str) -> Body:
        """Itself, when all these are there."""
        for name in names:
            if not self.has(name):
                raise refusal("MISSING_REQUIRED_PARAMETER", f"Field must be set: {name}", self.path(name))
        return self

    def text(self, name: str, longest: int | None = None, *, shortest: int = 0) -> str:
        """A text, empty when it is not there."""
        value = self.fields.get(name)
        if value is None:
            value = ""
        elif not isinstance(value, str):
            raise refusal("EXPECTED_STRING", "Expected a string value.", self.path(name))
        elif len(value) < shortest:
            raise refusal("VALUE_TOO_SHORT", f"Field must not be shorter than {shortest}.", self.path(name))
        if longest is not None and len(value) > longest:
            raise refusal("VALUE_TOO_LONG", f"Field must not be longer than {longest}.", self.path(name))
        return str(value)

    def choice(self, name: str, allowed: Sequence[str], default: str) -> str:
        """One of a few words."""
        value = self.text(name) or default
        if value not in allowed:
            raise refusal("INVALID_ENUM_VALUE", f"`{value}` is not a valid enum value.", self.path(name))
        return value

    def whole(self, name: str) -> int | None:
        """A whole number, or None when it is not there."""
        value = self.fields.get(name)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
            raise refusal("EXPECTED_INTEGER", "Expected an integer value.", self.path(name))
        return value

    def limit(self, most: int, default: int, name: str = "limit") -> int:
        """A page's size, from 1 to `most`."""
        return within(self.whole(name), most, default, self.path(name))

    def flag(self, name: str) -> bool:
        """True or false; false when it is not there."""
        value = self.fields.get(name)
        if value is not None and not isinstance(value, bool):
            raise refusal("EXPECTED_BOOLEAN", "Expected a boolean value.", self.path(name))
        return bool(value)

    def texts(self, name: str, most: int, *, least: int = 0) -> list[str]:
        """A list of texts, empty when it is not there."""
        values = self.fields.get(name) or []
        if not isinstance(values, list):
            raise refusal("EXPECTED_ARRAY", "Expected an array.", self.path(name))
        if len(values) < least:
            raise refusal("ARRAY_EMPTY", "The array must not be empty.", self.path(name))
        if len(values) > most:
            raise refusal("ARRAY_LENGTH_TOO_LONG", f"At most {most} items are allowed.", self.path(name))
        if not all(isinstance(value, str) for value in values):
            raise refusal("INVALID_ARRAY_VALUE", "Expected an array of strings.", self.path(name))
        return values

    def objects(self, name: str, most: int) -> list[Body]:
        """A list of objects, empty when it is not there."""
        values = self.fields.get(name) or []
        if not isinstance(values, list):
            raise refusal("EXPECTED_ARRAY", "Expected an array.", self.path(name))
        if len(values) > most:
            raise refusal("ARRAY_LENGTH_TOO_LONG", f"At most {most} items are allowed.", self.path(name))
        return [_body(value, f"{self.path(name)}[{place}]") for place, value in enumerate(values)]

    def inner(self, name: str) -> Body:
        """An object within, empty when it is not there."""
        return _body(self.fields.get(name) or {}, self.path(name))

    def entries(self, name: str, most: int) -> dict[str, Body]:
        """A map of 1 to `most` objects, as the bulk calls take it."""
        self.need(name)
        inner = self.inner(name)
        if not 1 <= len(inner.fields) <= most:
            code = "TOO_MANY_MAP_ENTRIES" if inner.fields else "MISSING_REQUIRED_PARAMETER"
            raise refusal(code, f"The map must have 1 to {most} entries.", inner.where)
        return {key: _body(value, f"{inner.where}[{key}]") for key, value in inner.fields.items()}

    def period(self, name: str) -> tuple[str, str]:
        """A TimeRange as (start, end) that compare as text; an open end is empty."""
        asked = self.inner(name).only("start_at", "end_at")
        start, end = (instant(asked.text(at), asked.path(at)) if asked.has(at) else "" for at in ("start_at", "end_at"))
        if start and end and start > end:
            raise refusal("INVALID_TIME_RANGE", "start_at must not be after end_at.", asked.where)
        return start, end


def _body(value: object, where: str) -> Body:
    if not isinstance(value, Mapping):
        raise refusal("EXPECTED_OBJECT", "Expected an object.", where)
    return Body(value, where)


async def read_body(request: Request) -> Body:
    """The request's body, which must be a JSON object; nothing at all is an empty one."""
    if not await request.body():
        return Body({})
    try:
        value = await json_body(request)
    except ValueError:
        raise refusal("EXPECTED_JSON_BODY", "Expected a JSON body.") from None
    return _body(value, "")


def read_query(request: Request, *names: str) -> Body:
    """The query parameters as texts; others than these are refused."""
    for name in request.query_params:
        if name not in names:
            raise refusal("UNKNOWN_QUERY_PARAMETER", f"The query parameter '{name}' is unrecognized.", name)
    return Body(dict(request.query_params))


def query_number(query: Body, name: str) -> int | None:
    """A query parameter that is a whole number, or None when it is not there."""
    text = query.text(name)
    if not text:
        return None
    if not text.removeprefix("-").isdigit():
        raise refusal("EXPECTED_INTEGER", "Expected an integer value.", name)
    return int(text)


def query_flag(query: Body, name: str) -> bool:
    """A query parameter that is `true` or `false`; false when it is not there."""
    text = query.choice(name, ("true", "false"), "false")
    return text == "true"


def within(value: int | None, most: int, default: int, field: str) -> int:
    """A page's size: `default` for None; refused when it is not from 1 to `most`."""
    if value is None:
        return default
    if value < 1:
        raise refusal("VALUE_TOO_LOW", "The value must be 1 or more.", field)
    if value > most:
        raise refusal("VALUE_TOO_HIGH", f"The value must be {most} or less.", field)
    return value


def instant(text: str, field: str) -> str:
    """An RFC 3339 datetime of a request, in a form that compares as text."""
    try:
        return comparable(text)
    except ValueError:
        raise refusal("INVALID_TIME", f"`{text}` is not an RFC 3339 datetime.", field) from None


@lru_cache(maxsize=100_000)
def comparable(text: str) -> str:
    """An RFC 3339 datetime in UTC and microseconds, so that two of them compare as text. ValueError when it is none."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} has no offset")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def in_period(text: str | None, period: tuple[str, str]) -> bool:
    """Whether a record's datetime lies in a period; both ends belong to it."""
    if not text:
        return False
    start, end = period
    at = comparable(text)
    return (not start or at >= start) and (not end or at <= end)


def shown(row: Mapping[str, Any], key: str, leave_out: Iterable[str] = ()) -> dict[str, Any]:
    """A row as an answer shows it: with its id, without what is empty."""
    skip = set(leave_out)
    return {
        "id": key,
        **{name: value for name, value in row.items() if value is not None and name not in skip | {"id"}},
    }
