"""What a value says: one spelling for each meaning, nothing for junk. The words and lists are the normaliser's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from identity import address, contact, names
from identity.normalise import Rules, birth_day, dialling_region, mailboxes, other_text
from identity.records import IdentityRecord
from onevoice.model import KINDS

JUNK = ""
"""What a value says that means nothing."""
Read = Callable[[Any, Mapping[str, Any]], str | None]
"""(one value, the fields of its record) -> what counts as the same value: one spelling, JUNK, or None if empty."""
Form = Callable[[str], str]
"""Text without outer spaces -> its one spelling, or JUNK."""

REMEMBERED = 10_000
"""Distinct values remembered per field; beyond it the memory starts afresh (about 2 MB)."""

_NAME = ("given_name", "family_name")
_NEW = "\0"


def readings_of(rules: Rules) -> Callable[[str], Read]:
    """By field, how its values are read under these rules."""
    forms: dict[str, Form] = {
        "email": lambda text: mailboxes(text, rules)[0] if "@" in text else JUNK,
        "card_number": lambda text: _unless(rules.junk_cards, contact.card(text)),
        "birth_date": lambda text: birth_day(text, rules),
        "street": lambda text: " ".join(address.street(text)) if other_text(text) else JUNK,
        "postcode": lambda text: address.postcode(text) if other_text(text) else JUNK,
        **dict.fromkeys(_NAME, lambda text: _name(text, rules)),
    }
    reads = {field: _remembered(forms.get(field, other_text)) for field in KINDS["customer"]}
    reads["phone"] = _phone(rules)
    return lambda field: reads.get(field) or _remembered(_attribute)


def without_junk_name(record: IdentityRecord, rules: Rules) -> IdentityRecord:
    """The record; without its name where that, as a whole, is listed as meaning nothing."""
    given, family = names.split_name(*(str(record.data.get(field) or "") for field in _NAME))
    if " ".join((*given, *family)) not in rules.junk_names:
        return record
    left = {field: value for field, value in record.data.items() if field not in _NAME}
    return IdentityRecord(record.ref, left, record.updated_at)


def _remembered(form: Form) -> Read:
    """A reading that needs no other field. Values repeat: within a customer, and common names and towns everywhere."""
    memory: dict[Any, str | None] = {}
    known = memory.get

    def read(value: Any, _: Mapping[str, Any]) -> str | None:
        said = known(value, _NEW)
        if said is _NEW:
            if len(memory) >= REMEMBERED:
                memory.clear()
            text = "" if value is None else str(value).strip()
            said = memory[value] = form(text) if text else None
        return said

    return read


def _phone(rules: Rules) -> Read:
    """A number without a country code follows the dialling rules of the record's country."""
    by_region: dict[str, Read] = {}

    def read(value: Any, data: Mapping[str, Any]) -> str | None:
        region = dialling_region(data, rules)
        if region not in by_region:
            by_region[region] = _remembered(lambda text: _unless(rules.junk_phones, contact.phone(text, region)))
        return by_region[region](value, data)

    return read


def _unless(junk: frozenset[str], value: str) -> str:
    return JUNK if value in junk else value


def _name(text: str, rules: Rules) -> str:
    words = names.fold(text)
    return JUNK if "".join(words) in names.JUNK else _unless(rules.junk_names, " ".join(words))


def _attribute(text: str) -> str:
    """An attribute of config/profile.yaml: every sign may matter (-5 is not 5), capitals do not."""
    return text.casefold() if other_text(text) else JUNK
