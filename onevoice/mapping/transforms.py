"""What the named transforms do. Each is a plain function of one vendor value; parameters come from the mapping.

`puller` and `pusher` bind the parameters once, when a mapping is compiled. A pull function returns a JSON value or None
for "says nothing", and raises Unusable for a value it cannot read; pulled values never contain the vendor's own types.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from onevoice.configfile import transform_specs as specs
from onevoice.mapping.countries import country_code
from onevoice.mapping.phones import to_phone
from onevoice.mapping.values import (
    Unusable,
    decimal_text,
    to_boolean,
    to_date,
    to_datetime,
    to_decimal,
    to_integer,
    to_text,
)

Pull = Callable[[Any], Any]

_BLANKS = re.compile(r"\s+")
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")


class Odd(Unusable):
    """A value that is kept as it is although it does not look right."""

    def __init__(self, message: str, kept: str) -> None:
        super().__init__(message)
        self.kept = kept


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a mapping leaves unsaid, from config/hub.yaml; without a region, national numbers keep their digits."""

    region: str | None = None
    zone: str = "UTC"


def name(value: Any) -> str:
    """A name without blanks around it and without double blanks; capitals stay."""
    return _BLANKS.sub(" ", to_text(value))


def email(value: Any) -> str:
    """An address in lower case; what is no address is kept, and noted."""
    text = to_text(value).lower()
    if text and not _EMAIL.fullmatch(text):
        raise Odd("an e-mail address is allowed (kept as it is)", text)
    return text


def opt_out(value: Any) -> str | None:
    """`deny` for true; a cleared flag says nothing, because nobody knows who cleared it."""
    return "deny" if to_boolean(value) else None


def lower(value: Any) -> str:
    """Text in small letters."""
    return to_text(value).lower()


def upper(value: Any) -> str:
    """Text in capitals."""
    return to_text(value).upper()


def country(value: Any) -> str:
    """A country's two-letter code where it is known, otherwise the text."""
    return country_code(to_text(value))


def currency(value: Any) -> str:
    """Three capital letters."""
    code = to_text(value).upper()
    if len(code) != 3 or not code.isascii() or not code.isalpha():
        raise Unusable("a currency of three letters is allowed, as EUR")
    return code


def phone(region: str | None) -> Pull:
    """International form; numbers without a country are of `region`."""
    return lambda value: to_phone(value, region)


def day(formats: tuple[str, ...]) -> Pull:
    """A day as ISO text."""
    return lambda value: to_date(value, formats).isoformat()


def moment(formats: tuple[str, ...], zone: tzinfo) -> Pull:
    """A moment as ISO text in UTC."""
    return lambda value: to_datetime(value, zone, formats).isoformat()


def decimal(mark: str) -> Pull:
    """An exact number as text."""
    return lambda value: decimal_text(to_decimal(value, mark))


def minor_units(digits: int) -> Pull:
    """An exact number as text, of a whole number of units that are `digits` places smaller."""
    return lambda value: decimal_text(Decimal(to_integer(value)).scaleb(-digits))


def boolean(*, opposite: bool) -> Pull:
    """True or false, or the other way round."""
    return lambda value: to_boolean(value) is not opposite


def table(entries: Mapping[str, Any]) -> Pull:
    """The entry of a word; an entry that is an empty text says nothing."""
    folded = {key.strip().casefold(): (None if value == "" else value) for key, value in entries.items()}
    allowed = ", ".join(entries)

    def look_up(value: Any) -> Any:
        word = to_text(value).casefold()
        if word not in folded:
            raise Unusable(f"allowed by its table is {allowed}")
        return folded[word]

    return look_up


_PLAIN: Mapping[type[specs.PullField], Pull] = {
    specs.PullText: to_text,
    specs.PullName: name,
    specs.PullJoined: name,
    specs.PullEmail: email,
    specs.PullInteger: to_integer,
    specs.PullOptOut: opt_out,
    specs.PullLower: lower,
    specs.PullUpper: upper,
    specs.PullCountry: country,
    specs.PullCurrency: currency,
}


_BOUND: Mapping[type[specs.PullField], Callable[[Any, Defaults], Pull]] = {
    specs.PullPhone: lambda field, defaults: phone(field.region or defaults.region),
    specs.PullDate: lambda field, _: day(tuple(field.formats)),
    specs.PullDatetime: lambda field, defaults: moment(tuple(field.formats), ZoneInfo(field.zone or defaults.zone)),
    specs.PullDecimal: lambda field, _: decimal(field.decimal_mark),
    specs.PullMinorUnits: lambda field, _: minor_units(field.digits),
    specs.PullBoolean: lambda field, _: boolean(opposite=field.opposite),
    specs.PullTable: lambda field, _: table(field.table),
}


def puller(field: specs.PullField, defaults: Defaults) -> Pull:
    """The function of a pulled field with its parameters bound."""
    bind = _BOUND.get(type(field))
    return bind(field, defaults) if bind else _PLAIN[type(field)]


@dataclass(frozen=True, slots=True)
class Pushed:
    """How a pushed value looks at the vendor, and how two vendor values compare."""

    encode: Callable[[Any], Any]
    """A hub value (never None) to what the connector sends; None clears."""
    comparable: Callable[[Any], str | None]
    """A vendor value (sent or read back) in comparable form; blank and unset are None."""


def as_text(value: Any) -> str | None:
    """Comparable text; blank is None."""
    return to_text(value) or None


def as_day(value: Any) -> str | None:
    """Comparable day."""
    return to_date(value).isoformat()


def as_moment(value: Any) -> str | None:
    """Comparable moment in whole seconds: vendors cut or add fractions."""
    return to_datetime(value, UTC).replace(microsecond=0).isoformat()


def as_number(value: Any) -> str | None:
    """Comparable number: '3', 3 and 3.0 are the same."""
    return decimal_text(to_decimal(value))


def as_boolean(value: Any) -> str | None:
    """Comparable yes or no."""
    return "true" if to_boolean(value) else "false"


def as_flag(value: Any) -> str | None:
    """Comparable tick box: unticked and unset are the same."""
    return "true" if to_boolean(value) else None


UNSUBSCRIBED = "UNSUBSCRIBED"


def as_unsubscribed(value: Any) -> str | None:
    """Comparable subscription status: only `unsubscribed` counts; also told by a flag that shows it."""
    word = to_text(value).upper()
    return UNSUBSCRIBED if word in {UNSUBSCRIBED, "TRUE"} else None


def encode_moment(value: Any) -> str:
    """ISO text in UTC with whole seconds."""
    return to_datetime(value, UTC).replace(microsecond=0).isoformat()


def encode_decimal(value: Any) -> int | float:
    """A number; whole ones without decimals."""
    number = to_decimal(value)
    return int(number) if number == number.to_integral_value() else float(number)


def encode_day(latest: str | None) -> Callable[[Any], str]:
    """ISO text, no later than `latest`."""

    def encode(value: Any) -> str:
        text = to_date(value).isoformat()
        return min(text, latest) if latest else text

    return encode


_PUSHES: Mapping[type[specs.PushedField], Pushed] = {
    specs.PushText: Pushed(to_text, as_text),
    specs.PushLower: Pushed(lower, as_text),
    specs.PushUpper: Pushed(upper, as_text),
    specs.PushDatetime: Pushed(encode_moment, as_moment),
    specs.PushInteger: Pushed(lambda value: int(to_decimal(value)), as_number),
    specs.PushDecimal: Pushed(encode_decimal, as_number),
    specs.PushBoolean: Pushed(to_boolean, as_boolean),
    specs.PushFlag: Pushed(to_boolean, as_flag),
    specs.PushUnsubscribed: Pushed(lambda value: UNSUBSCRIBED if to_boolean(value) else None, as_unsubscribed),
}


def pusher(field: specs.PushedField) -> Pushed:
    """Encoding and comparison of a pushed field with its parameters bound."""
    match field:
        case specs.PushDate():
            return Pushed(encode_day(field.latest), as_day)
        case specs.PushTable():
            return Pushed(table(field.table), as_text)
        case _:
            return _PUSHES[type(field)]
