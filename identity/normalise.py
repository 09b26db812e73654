"""From a canonical customer record to what matching reads: one spelling per fact, junk left out. Pure and versioned."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

import phonenumbers

from identity import address, contact, names
from identity.records import IdentityRecord, NormalisedRecord
from onevoice.configfile.identity_file import IdentityFile, Junk

PLACEHOLDER_DATES = frozenset({"1900-01-01", "1901-01-01", "1970-01-01", "1911-11-11", "1111-11-11"})
"""What forms, spreadsheets and epoch clocks fill in by themselves."""
_AFTER_ALL = "2100"
"""No birth date is later; which day it is does not matter here, or a form would change with time."""
_REGIONS = {
    **dict.fromkeys(("gb", "uk", "united kingdom", "great britain", "england", "scotland", "wales"), "GB"),
    **dict.fromkeys(("us", "usa", "united states", "united states of america"), "US"),
    **{code.casefold(): code for code in phonenumbers.SUPPORTED_REGIONS if code not in ("GB", "US")},
}
"""Country as a record may state it -> whose dialling rules its numbers follow."""
_NOTHING = frozenset({"", "x", "xx", "xxx", "na", "n a", "none", "null", "unknown", "test", "nil"})


@dataclass(frozen=True, slots=True)
class Part:
    """Columns of the normalised form that depend on the same canonical fields and on no others.

    A full run makes each part once for every distinct combination of these fields (identity/batch/).
    """

    reads: tuple[str, ...]
    form: Callable[[Mapping[str, Any], Rules], dict[str, Any]]
    """(canonical fields, rules) -> column -> value."""


def normalise(record: IdentityRecord, config: IdentityFile) -> NormalisedRecord:
    """The normalised form; anything unreadable becomes absent, never an error."""
    rules = rules_of(config)
    columns: dict[str, Any] = {}
    for part in PARTS:
        columns.update(part.form(record.data, rules))
    return NormalisedRecord(ref=record.ref, **columns, **other_fields(record.data, rules))


def other_fields(data: Mapping[str, Any], _rules: Rules) -> dict[str, Any]:
    """The one column that is made of all canonical fields without a form of their own."""
    texts = ((name, other_text(data[name])) for name in sorted(data.keys() - SPECIAL))
    return {"text": tuple((name, value) for name, value in texts if value)}


def other_text(value: Any) -> str:
    """Normalised form of a canonical field that no part reads."""
    return _believed(address.plain(_stripped(value)))


def _names(data: Mapping[str, Any], rules: Rules) -> dict[str, Any]:
    givens, family_words = names.split_name(_text(data, "given_name"), _text(data, "family_name"))
    if " ".join((*givens, *family_words)) in rules.junk_names:
        givens, family_words = (), ()
    given = next((name for name in givens if len(name) > 1), givens[0] if givens else "")
    full = names.roots(given)
    return {
        "given": given,
        "givens": givens,
        "roots": full,
        "starts": tuple(sorted({given[0], *(name[0] for name in full)})) if given else (),
        "known_given": names.is_known(given),
        "family": "".join(family_words),
        "families": names.family_parts(family_words),
    }


def _birth_date(data: Mapping[str, Any], rules: Rules) -> dict[str, Any]:
    return {"birth_date": birth_day(_text(data, "birth_date"), rules)}


def _email(data: Mapping[str, Any], rules: Rules) -> dict[str, Any]:
    mailbox, fixed = mailboxes(_text(data, "email"), rules)
    return {"email": mailbox, "email_fixed": fixed}


def mailboxes(text: str, rules: Rules) -> tuple[str, str]:
    """(mailbox as written, mailbox as probably meant); both empty for junk."""
    mailbox, fixed = contact.email(text)
    if mailbox in rules.junk_emails or "@" + mailbox.rpartition("@")[2] in rules.junk_emails:
        return "", ""
    return mailbox, fixed


def _phones(data: Mapping[str, Any], rules: Rules) -> dict[str, Any]:
    region = dialling_region(data, rules)
    return {"phones": _all(data.get("phone"), lambda text: contact.phone(text, region), rules.junk_phones)}


def dialling_region(data: Mapping[str, Any], rules: Rules) -> str:
    """Country whose dialling rules the numbers of a record follow where they name none."""
    return _REGIONS.get(_text(data, "country").casefold(), rules.default_region)


def _cards(data: Mapping[str, Any], rules: Rules) -> dict[str, Any]:
    return {"cards": _all(data.get("card_number"), contact.card, rules.junk_cards)}


def _street(data: Mapping[str, Any], _rules: Rules) -> dict[str, Any]:
    house, street = address.street(_text(data, "street"))
    return {"house": house, "street": _believed(street)}


def _city(data: Mapping[str, Any], _rules: Rules) -> dict[str, Any]:
    return {"city": other_text(data.get("city"))}


def _postcode(data: Mapping[str, Any], _rules: Rules) -> dict[str, Any]:
    return {"postcode": address.postcode(_text(data, "postcode"))}


PARTS = (
    Part(("given_name", "family_name"), _names),
    Part(("birth_date",), _birth_date),
    Part(("email",), _email),
    Part(("phone", "country"), _phones),
    Part(("card_number",), _cards),
    Part(("street",), _street),
    Part(("city",), _city),
    Part(("postcode",), _postcode),
)
SPECIAL = frozenset(name for part in PARTS for name in part.reads) - {"country"}
"""Canonical fields with a form of their own; every other one, the country among them, is plain text."""


def _text(data: Mapping[str, Any], name: str) -> str:
    return _stripped(data.get(name))


def _stripped(value: Any) -> str:
    return "" if value is None else str(value).strip()


def _all(value: Any, form: Callable[[str], str], junk: frozenset[str]) -> tuple[str, ...]:
    several = [value] if isinstance(value, str) else value or ()
    return tuple(sorted({form(str(one)) for one in several} - junk - {""}))


def _believed(text: str) -> str:
    return "" if text in _NOTHING else text


def birth_day(text: str, rules: Rules) -> str:
    """The day as ISO text, empty when it is none, too long ago, still to come or a placeholder."""
    return _day(text, rules.earliest_birth, rules.junk_dates)


@lru_cache(maxsize=200_000)
def _day(text: str, earliest: str, junk: frozenset[str]) -> str:
    try:
        day = date.fromisoformat(text[:10]).isoformat()
    except ValueError:
        return ""
    return "" if not earliest <= day < _AFTER_ALL or day in PLACEHOLDER_DATES or day in junk else day


@dataclass(frozen=True, slots=True)
class Rules:
    """What the configuration says of normalising; junk values in normalised form."""

    default_region: str
    earliest_birth: str
    junk_emails: frozenset[str]
    junk_phones: frozenset[str]
    junk_names: frozenset[str]
    junk_dates: frozenset[str]
    junk_cards: frozenset[str]


def rules_of(config: IdentityFile) -> Rules:
    """The rules of a configuration."""
    return _rules(config.junk, config.default_region, config.earliest_birth)


@lru_cache(maxsize=8)
def _rules(junk: Junk, region: str, earliest: date) -> Rules:
    return Rules(
        default_region=region,
        earliest_birth=earliest.isoformat(),
        junk_emails=frozenset(v.lower() if v.startswith("@") else contact.email(v)[0] for v in junk.email) - {"", "@"},
        junk_phones=frozenset(contact.phone(value, region) for value in junk.phone) - {""},
        junk_names=frozenset(" ".join(names.fold(value)) for value in junk.name) - {""},
        junk_dates=frozenset(value.isoformat() for value in junk.birth_date),
        junk_cards=frozenset(contact.card(value) for value in junk.card_number) - {""},
    )
