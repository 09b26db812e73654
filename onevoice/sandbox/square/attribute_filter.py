"""The `custom_attribute` part of a customer search: by a value or by when it was last changed."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from onevoice.sandbox.square.attributes_store import Attributes, attribute_type
from onevoice.sandbox.square.body import Body, in_period, instant
from onevoice.sandbox.square.errors import refusal
from onevoice.sandbox.state import Fields

MOST_FILTERS = 10
"""Attribute filters in one search."""

Test = Callable[[Any], bool]


class AttributeFilters:
    """Tests on customers' attribute values."""

    def __init__(self, attributes: Attributes) -> None:
        self._attributes = attributes

    def test(self, asked: Body) -> Callable[[str, Fields], bool]:
        """The test of a whole `custom_attribute` filter: all its parts must hold."""
        tests: dict[str, Callable[[str, Fields], bool]] = {}
        for one in asked.only("filters").objects("filters", MOST_FILTERS):
            key = one.only("key", "filter", "updated_at").need("key").text("key")
            if key in tests:
                raise refusal("INVALID_VALUE", "The keys of the filters must differ.", one.path("key"))
            tests[key] = self._one(key, one)
        return lambda customer, row: all(test(customer, row) for test in tests.values())

    def _one(self, key: str, asked: Body) -> Callable[[str, Fields], bool]:
        kind = attribute_type(self._attributes.definition(key)["schema"], "schema")
        if not asked.has("filter") and not asked.has("updated_at"):
            raise refusal("MISSING_REQUIRED_PARAMETER", "Field must be set: filter or updated_at", asked.where)
        period = asked.period("updated_at")
        told = asked.inner("filter").only(*_BY_TYPE)
        if any(_KINDS[name] != kind for name in told.fields):
            raise refusal("INVALID_VALUE", f"A filter for another type than {kind}.", told.where)
        tests = [make(told, name) for name, make in _BY_TYPE.items() if told.has(name)]

        def test(customer: str, row: Fields) -> bool:
            held = (row.get("custom_attributes") or {}).get(key)
            if held is None or not all(one(held["value"]) for one in tests):
                return False
            return period == ("", "") or in_period(
                self._attributes.seen_stamps(customer, key, row)["updated_at"], period
            )

        return test


def text_test(asked: Body) -> Test:
    """A CustomerTextFilter.

    Exact: the same but for upper and lower case. Fuzzy: every word is part of some word of the value.
    """
    asked.only("exact", "fuzzy")
    if asked.has("exact") == asked.has("fuzzy"):
        raise refusal("CONFLICTING_PARAMETERS", "Exactly one of exact and fuzzy must be set.", asked.where)
    if asked.has("exact"):
        wanted = asked.text("exact").casefold()
        return lambda value: str(value).casefold() == wanted
    words = _words(asked.text("fuzzy"))
    return lambda value: all(any(word in known for known in _words(str(value))) for word in words)


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"\W+", text.casefold()) if word]


def _text(asked: Body, name: str) -> Test:
    return text_test(asked.inner(name))


def _date(asked: Body, name: str) -> Test:
    told = asked.inner(name).only("start_at", "end_at")
    start, end = (_day(told, at) for at in ("start_at", "end_at"))
    return lambda value: (not start or str(value) >= start) and (not end or str(value) <= end)


def _day(asked: Body, name: str) -> str:
    """A date, or the date of a datetime."""
    text = asked.text(name)
    return text if re.fullmatch(r"(\d{4}-\d{2}-\d{2})?", text) else instant(text, asked.path(name))[:10]


def _number(asked: Body, name: str) -> Test:
    told = asked.inner(name).only("start_at", "end_at")
    try:
        start, end = (Decimal(told.text(at)) if told.has(at) else None for at in ("start_at", "end_at"))
    except InvalidOperation:
        raise refusal("INVALID_VALUE", "Expected a decimal number.", told.where) from None
    return lambda value: (start is None or Decimal(value) >= start) and (end is None or Decimal(value) <= end)


def _boolean(asked: Body, name: str) -> Test:
    wanted = asked.flag(name)
    return lambda value: value is wanted


_KINDS = {
    "email": "Email",
    "phone": "PhoneNumber",
    "text": "String",
    "date": "Date",
    "number": "Number",
    "boolean": "Boolean",
}
"""Filter -> the type of attribute it is for."""
_BY_TYPE: dict[str, Callable[[Body, str], Test]] = {
    "email": _text,
    "phone": _text,
    "text": _text,
    "date": _date,
    "number": _number,
    "boolean": _boolean,
}
