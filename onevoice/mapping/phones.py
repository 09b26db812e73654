"""Phone numbers in international form (E.164)."""

from __future__ import annotations

import re
from functools import lru_cache

import phonenumbers
from phonenumbers import (
    COUNTRY_CODE_TO_REGION_CODE,
    NumberParseException,
    PhoneMetadata,
    PhoneNumberFormat,
    ValidationResult,
)

from onevoice.mapping.values import Unusable, to_text

_INTERNATIONAL = re.compile(r"\+([1-9][0-9]{7,14})")
_NOT_DIGITS = re.compile(r"[^0-9]")
MAX_LENGTH = 60
"""Longer texts are notes, not numbers."""
MIN_DIGITS = 5
"""Fewer digits are an extension or a slip."""


def to_phone(value: object, region: str | None) -> str:
    """+49...; a number without a country is of `region`. What is no possible number keeps its digits, if it has five.

    Unusable are texts with fewer digits, and texts too long for a number.
    """
    text = to_text(value)
    exact = _INTERNATIONAL.fullmatch(text)
    if exact and _is_plainly_right(exact.group(1)):
        return text
    digits = _NOT_DIGITS.sub("", text)
    if len(text) > MAX_LENGTH or len(digits) < MIN_DIGITS:
        raise Unusable("a phone number is allowed, as +49 30 1234567")
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException:
        return digits
    if phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        return digits
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def _is_plainly_right(digits: str) -> bool:
    """Whether a number in international form needs no second look: a known country, a possible length, no trunk prefix.

    A full parse costs forty times as much, and most numbers of a CRM are stored like this.
    """
    for length in (1, 2, 3):
        shape = _shape(int(digits[:length]))
        if shape is not None:
            lengths, trunk = shape
            rest = digits[length:]
            return len(rest) in lengths and not (trunk and rest.startswith(trunk)) and not rest.startswith("0")
    return False


@lru_cache(maxsize=1024)
def _shape(country_code: int) -> tuple[frozenset[int], str] | None:
    """Possible lengths of national numbers and the trunk prefix of a calling code; None when there is no such code."""
    regions = COUNTRY_CODE_TO_REGION_CODE.get(country_code)
    if not regions:
        return None
    metadata = PhoneMetadata.metadata_for_region(regions[0]) if regions[0] != "001" else None
    if metadata is None or metadata.general_desc is None:
        return frozenset(), ""
    return frozenset(metadata.general_desc.possible_length), metadata.national_prefix or ""
