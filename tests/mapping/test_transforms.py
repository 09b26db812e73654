"""Every named transform, value by value. `ODD` marks values that are kept and noted, `BAD` those that are left out."""

from __future__ import annotations

from typing import Any, get_args

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from onevoice.configfile import transform_specs as specs
from onevoice.mapping.transforms import Defaults, Odd, puller, pusher
from onevoice.mapping.values import Unusable

BAD = object()
DEFAULTS = Defaults("GB", "Europe/Berlin")
PULL = TypeAdapter(specs.AnyPullField)
PUSH = TypeAdapter(specs.AnyPushField)


def pull(transform: str, value: Any, **parameters: Any) -> Any:
    field = PULL.validate_python({"from": "x", "transform": transform, **parameters})
    try:
        return puller(field, DEFAULTS)(value)
    except Odd as odd:
        return ("odd", odd.kept)
    except Unusable:
        return BAD


@pytest.mark.parametrize(
    ("transform", "value", "made"),
    [
        ("text", "  a  b ", "a  b"),
        ("text", 12, "12"),
        ("text", 12.0, "12"),
        ("text", 1.5, "1.5"),
        ("text", True, "true"),
        ("text", "a\x00b\ud800", "ab"),
        ("text", ["a"], BAD),
        ("text", {"a": 1}, BAD),
        ("text", float("nan"), BAD),
        ("name", "  Ana \t Maria\n", "Ana Maria"),
        ("name", "de la CRUZ", "de la CRUZ"),
        ("joined", "  12 ", "12"),
        ("joined", " Kent \t Street\n", "Kent Street"),
        ("joined", 12, "12"),
        ("joined", ["12"], BAD),
        ("email", " Ana@Example.ORG ", "ana@example.org"),
        ("email", "nobody", ("odd", "nobody")),
        ("email", "a@b", ("odd", "a@b")),
        ("email", "a@@b.org", ("odd", "a@@b.org")),
        ("phone", "07700 900123", "+447700900123"),
        ("phone", "+447700900123", "+447700900123"),
        ("phone", "+44 (0)7700 900123", "+447700900123"),
        ("phone", "+4407700900123", "+447700900123"),
        ("phone", "0044 7700 900123", "+447700900123"),
        ("phone", "(415) 555-2671", "+444155552671"),
        ("phone", "+1 415 555 2671", "+14155552671"),
        ("phone", "+39 06 698 12345", "+390669812345"),
        ("phone", 447700900123, "+447700900123"),
        ("phone", "0044 123 45", "004412345"),
        ("phone", "n/a", BAD),
        ("phone", "123", BAD),
        ("phone", "1" * 100, BAD),
        ("date", "2026-11-22", "2026-11-22"),
        ("date", "2026-11-22T23:30:00+02:00", "2026-11-22"),
        ("date", "2026-11-22T23:30:00.000+0000", "2026-11-22"),
        ("date", 1763769600000, "2025-11-22"),
        ("date", "1763769600000", "2025-11-22"),
        ("date", -315619200000, "1960-01-01"),
        ("date", "2026-02-30", BAD),
        ("date", "22.11.2026", BAD),
        ("date", "0000-00-00", BAD),
        ("date", True, BAD),
        ("date", 1e300, BAD),
        ("datetime", "2026-11-22T09:00:00Z", "2026-11-22T09:00:00+00:00"),
        ("datetime", "2026-11-22T09:00:00.000+0000", "2026-11-22T09:00:00+00:00"),
        ("datetime", "2026-11-22T09:00:00", "2026-11-22T08:00:00+00:00"),
        ("datetime", "2026-07-01 09:00", "2026-07-01T07:00:00+00:00"),
        ("datetime", "2026-11-22", "2026-11-21T23:00:00+00:00"),
        ("datetime", 1763769600, "2025-11-22T00:00:00+00:00"),
        ("datetime", "0001-01-01T00:00:00+14:00", BAD),
        ("datetime", "noon", BAD),
        ("integer", "12", 12),
        ("integer", "12.0", 12),
        ("integer", 12.0, 12),
        ("integer", "12.5", BAD),
        ("integer", True, BAD),
        ("integer", "1e3", 1000),
        ("integer", "1e300000", BAD),
        ("decimal", "1,234.50", "1234.5"),
        ("decimal", "-0.00", "0"),
        ("decimal", 0.1, "0.1"),
        ("decimal", "NaN", BAD),
        ("minor_units", 5990, "59.9"),
        ("minor_units", "-5", "-0.05"),
        ("minor_units", 0, "0"),
        ("minor_units", 59.9, BAD),
        ("minor_units", "some", BAD),
        ("decimal", "1" * 40, BAD),
        ("decimal", "12 EUR", BAD),
        ("boolean", "Yes", True),
        ("boolean", "0", False),
        ("boolean", 1, True),
        ("boolean", "maybe", BAD),
        ("opt_out", True, "deny"),
        ("opt_out", "TRUE", "deny"),
        ("opt_out", False, None),
        ("opt_out", "maybe", BAD),
        ("lower", " GOLD ", "gold"),
        ("upper", " ls1 4ab", "LS1 4AB"),
        ("country", "Deutschland", "DE"),
        ("country", "  united  kingdom ", "GB"),
        ("country", "us", "US"),
        ("country", "Atlantis", "Atlantis"),
        ("currency", "eur", "EUR"),
        ("currency", "€", BAD),
    ],
)
def test_pulled(transform: str, value: Any, made: Any) -> None:
    found = pull(transform, value)
    assert found == made
    assert type(found) is type(made)


@pytest.mark.parametrize(
    ("transform", "value", "parameters", "made"),
    [
        ("phone", "030 1234567", {"region": "DE"}, "+49301234567"),
        ("date", "22.11.2026", {"formats": ["%d.%m.%Y"]}, "2026-11-22"),
        ("date", "2026-11-22", {"formats": ["%d.%m.%Y"]}, "2026-11-22"),
        ("datetime", "22.11.2026 09:00", {"formats": ["%d.%m.%Y %H:%M"], "zone": "UTC"}, "2026-11-22T09:00:00+00:00"),
        ("decimal", "1.234,50", {"decimal_mark": ","}, "1234.5"),
        ("minor_units", 500, {"digits": 0}, "500"),
        ("minor_units", 1234, {"digits": 3}, "1.234"),
        ("boolean", "false", {"opposite": True}, True),
        ("table", " FEMALE", {"table": {"female": "f", "male": "m"}}, "f"),
        ("table", 1, {"table": {"1": "f"}}, "f"),
        ("table", "none", {"table": {"none": ""}}, None),
        ("table", "other", {"table": {"none": ""}}, BAD),
    ],
)
def test_pulled_with_parameters(transform: str, value: Any, parameters: dict[str, Any], made: Any) -> None:
    assert pull(transform, value, **parameters) == made


def test_a_number_too_long_to_print_is_unusable() -> None:
    assert pull("text", 10**5000) is BAD
    assert pull("integer", 10**5000) is BAD
    assert pull("date", 10**5000) is BAD


def test_without_a_region_a_national_number_keeps_its_digits() -> None:
    field = PULL.validate_python({"from": "x", "transform": "phone"})
    assert puller(field, Defaults())("07700 900-123") == "07700900123"


@pytest.mark.parametrize(
    "number", ["+447700900123", "+14155552671", "+493012345678", "+390669812345", "+2250709090909"]
)
def test_the_short_way_for_phones_agrees_with_the_full_parse(number: str) -> None:
    parsed = phonenumbers.format_number(phonenumbers.parse(number, None), phonenumbers.PhoneNumberFormat.E164)
    assert pull("phone", number) == parsed


@settings(max_examples=500, deadline=None)
@given(st.from_regex(r"\+[1-9][0-9]{7,14}", fullmatch=True))
def test_the_short_way_for_any_number(number: str) -> None:
    try:
        parsed = phonenumbers.parse(number, "GB")
    except phonenumbers.NumberParseException:
        parsed = None
    whole = phonenumbers.ValidationResult.IS_POSSIBLE
    possible = parsed is not None and phonenumbers.is_possible_number_with_reason(parsed) == whole
    full = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) if possible else number[1:]
    assert pull("phone", number) == full


def models(union: Any) -> list[type[specs.StrictModel]]:
    return [get_args(member)[0] for member in get_args(get_args(union)[0])]


def test_every_transform_of_the_language_does_something() -> None:
    for model in models(specs.AnyPullField):
        if model is not specs.Constant:
            example = {"table": {"a": "b"}} if model is specs.PullTable else {}
            name = model.model_fields["transform"].annotation
            assert callable(
                puller(PULL.validate_python({"from": "x", "transform": get_args(name)[0], **example}), DEFAULTS)
            )
    for model in models(specs.AnyPushField):
        example = {"table": {"a": "b"}} if model is specs.PushTable else {}
        name = model.model_fields["transform"].annotation
        assert pusher(PUSH.validate_python({"from": "x", "transform": get_args(name)[0], **example})).encode


def test_every_transform_says_what_it_does() -> None:
    for model in [*models(specs.AnyPullField), *models(specs.AnyPushField)]:
        assert model.__doc__
        assert model.__doc__.endswith(".")
