"""The named transforms that mapping YAML may use: their parameters, what they make, what they take.

Only what an admin writes stands here; what a transform does is in `onevoice.mapping.transforms`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, Discriminator, Field, Tag

from onevoice.configfile.base import DAY, Names, Scalar, StrictModel
from onevoice.configfile.known_keys import VALUE, tag
from onevoice.configfile.words import did_you_mean
from onevoice.model import FieldType

_PROBE = datetime.fromisoformat("2001-02-03T04:05:06+00:00")


def _format(text: str) -> str:
    try:
        read = datetime.strptime(_PROBE.strftime(text), text)  # noqa: DTZ007  (only tried out, never kept)
    except ValueError as error:
        raise ValueError(f'"{text}" is not a date format (write one like %d.%m.%Y)') from error
    if (read.year, read.month, read.day) != (_PROBE.year, _PROBE.month, _PROBE.day):
        raise ValueError(f'the format "{text}" needs year, month and day (write one like %d.%m.%Y)')
    return text


def time_zone(text: str) -> str:
    """The name of a time zone that exists, as in `Europe/Berlin`."""
    zones = available_timezones()
    if text not in zones:
        raise ValueError(f'"{text}" is not a time zone{did_you_mean(text, zones)} (write one like Europe/Berlin)')
    return text


def region(text: str) -> str:
    """A country as two capital letters."""
    if len(text) != 2 or not text.isascii() or not text.isalpha() or not text.isupper():
        raise ValueError(f'"{text}" is not a country code (write two capital letters, as in DE or US)')
    return text


Zone = Annotated[str, AfterValidator(time_zone)]
Region = Annotated[str, AfterValidator(region)]
Format = Annotated[str, AfterValidator(_format)]


def _table(entries: Mapping[str, Any]) -> Mapping[str, Any]:
    folded: dict[str, str] = {}
    for key in entries:
        other = folded.setdefault(key.strip().casefold(), key)
        if other != key:
            raise ValueError(f'"{other}" and "{key}" are the same word (capitals and blanks do not count)')
    return entries


Table = Annotated[Mapping[str, Scalar], Field(min_length=1), AfterValidator(_table)]
"""What is written at the vendor -> what it means here; an empty text means nothing."""


class PullField(StrictModel):
    """Where a canonical field comes from; of several vendor fields the first that is not blank counts."""

    makes: ClassVar[FieldType] = FieldType.TEXT
    source: Names = Field(alias="from", min_length=1)
    blank: Sequence[str] = Field(default=(), description="Values that mean nothing, as in n/a")


class PullText(PullField):
    """Text without blanks around it."""

    transform: Literal["text"] = "text"


class PullName(PullField):
    """A name: blanks around it and double blanks go, capitals stay."""

    transform: Literal["name"]


class PullJoined(PullField):
    """Every vendor field that is not blank, in their order with one blank between, as house number and street."""

    transform: Literal["joined"]


class PullEmail(PullField):
    """An e-mail address in lower case."""

    transform: Literal["email"]


class PullPhone(PullField):
    """A phone number in international form (+49...); numbers without a country are of `region`."""

    transform: Literal["phone"]
    region: Region | None = None


class PullDate(PullField):
    """A calendar day: ISO text, milliseconds since 1970, or one of `formats`."""

    makes = FieldType.DATE
    transform: Literal["date"]
    formats: Sequence[Format] = ()


class PullDatetime(PullField):
    """A moment: ISO text, milliseconds since 1970, or one of `formats`; without an offset, local time of `zone`."""

    makes = FieldType.DATETIME
    transform: Literal["datetime"]
    formats: Sequence[Format] = ()
    zone: Zone | None = None


class PullInteger(PullField):
    """A whole number."""

    makes = FieldType.INTEGER
    transform: Literal["integer"]


class PullDecimal(PullField):
    """A number with decimals, kept exactly."""

    makes = FieldType.DECIMAL
    transform: Literal["decimal"]
    decimal_mark: Literal[".", ","] = "."


class PullMinorUnits(PullField):
    """Money told in its smallest unit: 5990 pence become 59.90. `digits` is 0 for a currency without a smaller unit."""

    makes = FieldType.DECIMAL
    transform: Literal["minor_units"]
    digits: Annotated[int, Field(ge=0, le=4)] = 2


class PullBoolean(PullField):
    """True or false (also yes/no, on/off, 1/0); `opposite` turns it round."""

    makes = FieldType.BOOLEAN
    transform: Literal["boolean"]
    opposite: bool = False


class PullOptOut(PullField):
    """An opt-out flag: true becomes `deny`, anything else says nothing."""

    transform: Literal["opt_out"]


class PullLower(PullField):
    """Text in small letters."""

    transform: Literal["lower"]


class PullUpper(PullField):
    """Text in capitals."""

    transform: Literal["upper"]


class PullTable(PullField):
    """A word looked up in `table`; capitals and blanks do not count."""

    transform: Literal["table"]
    table: Table


class PullCountry(PullField):
    """A country as its two-letter code, where it is known; otherwise the text stays."""

    transform: Literal["country"]


class PullCurrency(PullField):
    """A currency as its three-letter code."""

    transform: Literal["currency"]


class Constant(StrictModel):
    """The same value for every record."""

    value: Scalar


def _chosen(written: object) -> str:
    """The union tag of what an admin wrote (or, when a model is written out again, of the model)."""
    if isinstance(written, StrictModel):
        return tag(getattr(written, "transform", VALUE))
    name = written.get("transform", "text") if isinstance(written, Mapping) else "text"
    return tag(name if isinstance(name, str) else "text")


def _pull_choice(written: object) -> str:
    if isinstance(written, Mapping) and VALUE in written:
        return tag(VALUE)
    return _chosen(written)


AnyPullField = Annotated[
    Annotated[Constant, Tag(tag(VALUE))]
    | Annotated[PullText, Tag(tag("text"))]
    | Annotated[PullName, Tag(tag("name"))]
    | Annotated[PullJoined, Tag(tag("joined"))]
    | Annotated[PullEmail, Tag(tag("email"))]
    | Annotated[PullPhone, Tag(tag("phone"))]
    | Annotated[PullDate, Tag(tag("date"))]
    | Annotated[PullDatetime, Tag(tag("datetime"))]
    | Annotated[PullInteger, Tag(tag("integer"))]
    | Annotated[PullDecimal, Tag(tag("decimal"))]
    | Annotated[PullMinorUnits, Tag(tag("minor_units"))]
    | Annotated[PullBoolean, Tag(tag("boolean"))]
    | Annotated[PullOptOut, Tag(tag("opt_out"))]
    | Annotated[PullLower, Tag(tag("lower"))]
    | Annotated[PullUpper, Tag(tag("upper"))]
    | Annotated[PullTable, Tag(tag("table"))]
    | Annotated[PullCountry, Tag(tag("country"))]
    | Annotated[PullCurrency, Tag(tag("currency"))],
    Discriminator(_pull_choice),
]


class PushedField(StrictModel):
    """What a vendor field shall hold, and who may change it."""

    takes: ClassVar[frozenset[FieldType]] = frozenset({FieldType.TEXT})
    source: str = Field(alias="from", min_length=1)
    owner: Literal["hub", "vendor"] = Field(
        default="hub", description="hub: an edit at the vendor is put back; vendor: it is left standing"
    )
    mode: Literal["push", "adopt", "compare"] = Field(
        default="push",
        description="push: the hub's value is written; adopt: a value that the vendor had before the hub first wrote "
        "the field stands until the hub's own value changes; compare: never written, differences are told by `plan`",
    )
    blank: Literal["clear", "keep"] = Field(
        default="clear", description="What happens when the hub knows no value: clear the field or keep what is there"
    )
    seen_in: str = Field(
        default="", description="Field of the described record (see `per`) in which the vendor shows the same thing"
    )
    irreversible: bool = Field(
        default=False, description="A write nobody can take back: never undone, listed apart, off until switched on"
    )


class PushText(PushedField):
    """Any value as text."""

    takes = frozenset(FieldType)
    transform: Literal["text"] = "text"


class PushDate(PushedField):
    """A day as YYYY-MM-DD; a day after `latest` is written as `latest`, where the vendor's calendar ends earlier."""

    takes = frozenset({FieldType.DATE})
    transform: Literal["date"]
    latest: Annotated[str, Field(pattern=DAY)] | None = None


class PushDatetime(PushedField):
    """A moment as ISO text in UTC with whole seconds."""

    takes = frozenset({FieldType.DATETIME})
    transform: Literal["datetime"]


class PushInteger(PushedField):
    """A whole number; decimals are cut off, never rounded up."""

    takes = frozenset({FieldType.INTEGER, FieldType.DECIMAL})
    transform: Literal["integer"]


class PushDecimal(PushedField):
    """A number with decimals."""

    takes = frozenset({FieldType.INTEGER, FieldType.DECIMAL})
    transform: Literal["decimal"]


class PushBoolean(PushedField):
    """True or false, and empty where the hub does not know."""

    takes = frozenset({FieldType.BOOLEAN})
    transform: Literal["boolean"]


class PushFlag(PushedField):
    """A tick box: true or false; empty is the same as false."""

    takes = frozenset({FieldType.BOOLEAN})
    transform: Literal["flag"]


class PushUnsubscribed(PushedField):
    """A subscription status: `UNSUBSCRIBED` when true, nothing to do when false."""

    takes = frozenset({FieldType.BOOLEAN})
    transform: Literal["unsubscribed"]


class PushLower(PushedField):
    """Text in small letters."""

    transform: Literal["lower"]


class PushUpper(PushedField):
    """Text in capitals."""

    transform: Literal["upper"]


class PushTable(PushedField):
    """A word of ours looked up in `table` gives the vendor's."""

    takes = frozenset({FieldType.TEXT, FieldType.BOOLEAN, FieldType.INTEGER})
    transform: Literal["table"]
    table: Table


AnyPushField = Annotated[
    Annotated[PushText, Tag(tag("text"))]
    | Annotated[PushDate, Tag(tag("date"))]
    | Annotated[PushDatetime, Tag(tag("datetime"))]
    | Annotated[PushInteger, Tag(tag("integer"))]
    | Annotated[PushDecimal, Tag(tag("decimal"))]
    | Annotated[PushBoolean, Tag(tag("boolean"))]
    | Annotated[PushFlag, Tag(tag("flag"))]
    | Annotated[PushUnsubscribed, Tag(tag("unsubscribed"))]
    | Annotated[PushLower, Tag(tag("lower"))]
    | Annotated[PushUpper, Tag(tag("upper"))]
    | Annotated[PushTable, Tag(tag("table"))],
    Discriminator(_chosen),
]
