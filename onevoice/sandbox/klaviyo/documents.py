"""JSON:API as Klaviyo speaks it: request documents, query parameters, pages with cursors, links."""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import orjson
from starlette.requests import Request

from onevoice.sandbox.calls import DONE
from onevoice.sandbox.gate import Answer
from onevoice.sandbox.klaviyo.errors import JSON_API, invalid, invalid_parameter, refusal

MOST_BYTES, MOST_PROFILE_BYTES = 5 * 1024 * 1024, 100 * 1024
"""Sizes of a job's body, and of one profile."""

SortKey = tuple[str, str]
"""(value, record id)"""


def reply(status: int, body: object, *, units: int = 0, outcome: str = DONE) -> Answer:
    """An answer of Klaviyo's media type; None is an empty one."""
    return Answer(status, body, JSON_API if body is not None else {}, units, outcome)


async def document(request: Request, kind: str, most_bytes: int = MOST_PROFILE_BYTES) -> Mapping[str, Any]:
    """The resource object that the request brings."""
    data = await _data(request, most_bytes)
    if not isinstance(data, Mapping) or data.get("type") != kind:
        raise invalid(f"'data' must be an object of type '{kind}'", "/data/type")
    if not isinstance(data.get("attributes"), Mapping):
        raise invalid("'attributes' is a required field", "/data/attributes")
    return data


async def identifiers(request: Request, kind: str, most: int) -> list[str]:
    """The ids of the resource identifiers that the request brings, `most` at most."""
    data = await _data(request, MOST_BYTES)
    return ids_of(data, kind, most, "/data")


def ids_of(data: object, kind: str, most: int, pointer: str) -> list[str]:
    """The ids in a list of resource identifiers."""
    if not isinstance(data, list) or not 1 <= len(data) <= most:
        raise invalid(f"a list of 1 to {most} items is needed", pointer)
    if not all(isinstance(one, Mapping) and one.get("type") == kind and one.get("id") for one in data):
        raise invalid(f"every item needs the type '{kind}' and an id", pointer)
    return [str(one["id"]) for one in data]


async def _data(request: Request, most_bytes: int) -> Any:
    if request.headers.get("content-type", "").partition(";")[0].strip() != JSON_API["content-type"]:
        raise refusal(
            415, "unsupported_media_type", "Unsupported media type.", "Content-Type must be application/vnd.api+json."
        )
    content = await request.body()
    if len(content) > most_bytes:
        raise refusal(413, "payload_too_large", "Payload too large.", f"The payload exceeds {most_bytes} bytes.")
    try:
        body = orjson.loads(content)
    except ValueError as error:
        raise refusal(400, "parse_error", "Malformed request.", f"JSON parse error: {error}") from error
    if not isinstance(body, Mapping) or "data" not in body:
        raise invalid("'data' is a required field")
    return body["data"]


class Query:
    """The query parameters of one request, of which only `allowed` are taken."""

    def __init__(self, request: Request, base_url: str, allowed: Iterable[str] = ()) -> None:
        self._request = request
        self._base_url = base_url
        self._given = request.query_params
        for name in self._given:
            if name not in set(allowed):
                raise invalid_parameter(f"'{name}' is not served by this endpoint", name)
            if not self._given[name]:
                raise invalid_parameter(f"'{name}' has no value", name)

    def listed(self, name: str, known: Callable[[str], bool]) -> list[str]:
        """The values of a comma-separated parameter, all of them `known`."""
        values = self._given[name].split(",") if name in self._given else []
        for value in values:
            if not known(value):
                raise invalid_parameter(f"'{value}' is not a valid value of '{name}'", name)
        return values

    def text(self, name: str) -> str:
        """A parameter's value, empty when it was not given."""
        return self._given.get(name, "")

    def size(self, usual: int, most: int) -> int:
        """page[size]."""
        text = self._given.get("page[size]", str(usual))
        if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= most:
            raise invalid_parameter(f"Page size must be an integer between 1 and {most}", "page[size]")
        return int(text)

    def sort(self, usual: str, fields: Iterable[str]) -> tuple[str, bool]:
        """(field, descending)."""
        text = self._given.get("sort", usual)
        if text.removeprefix("-") not in set(fields):
            raise invalid_parameter(f"'{text}' is not a valid sort", "sort")
        return text.removeprefix("-"), text.startswith("-")

    def after(self) -> SortKey | None:
        """Where the last page ended; None on the first."""
        text = self._given.get("page[cursor]")
        if text is None:
            return None
        try:
            value, key = orjson.loads(base64.urlsafe_b64decode(text.encode()))
        except (ValueError, TypeError, binascii.Error) as error:
            raise invalid_parameter("Invalid cursor provided", "page[cursor]") from error
        return str(value), str(key)

    def links(self, end: SortKey | None = None) -> dict[str, str]:
        """`self`, and with the `end` of a page that has a successor, `next`."""
        given = dict(self._given)
        links = {"self": self._url(given)}
        if end is not None:
            cursor = base64.urlsafe_b64encode(orjson.dumps(end)).decode()
            links["next"] = self._url({**given, "page[cursor]": cursor})
        return links

    def _url(self, given: Mapping[str, str]) -> str:
        address = self._base_url + self._request.url.path
        return f"{address}?{urlencode(given)}" if given else address


def page(
    keys: Sequence[SortKey], query: Query, size: int, passes: Callable[[str], bool], *, descending: bool = False
) -> tuple[list[str], SortKey | None]:
    """The record ids of one page of `keys` (sorted, ascending) that pass, and its end when another page follows."""
    after = query.after()
    if descending:
        start = len(keys) if after is None else bisect_left(keys, after)
        walk: Iterable[int] = range(start - 1, -1, -1)
    else:
        walk = range(0 if after is None else bisect_right(keys, after), len(keys))
    found: list[SortKey] = []
    for place in walk:
        if passes(keys[place][1]):
            if len(found) == size:
                return [key for _, key in found], found[-1]
            found.append(keys[place])
    return [key for _, key in found], None


def chosen(attributes: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """A sparse fieldset: the attributes at the (dotted) `names`; all of them when none is named."""
    if not names:
        return dict(attributes)
    shown: dict[str, Any] = {}
    for name in names:
        source: Any = attributes
        target = shown
        *path, last = name.split(".")
        for step in path:
            source = source.get(step) if isinstance(source, Mapping) else None
            target = target.setdefault(step, {}) if isinstance(source, Mapping) else {}
        if isinstance(source, Mapping) and last in source:
            target[last] = source[last]
    return shown
