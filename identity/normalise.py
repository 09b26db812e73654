"""From a canonical customer record to what matching reads: one spelling per fact, junk left out. Pure and versioned."""

from __future__ import annotations

from collections.abc import Callable
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
_REGIONS = {
    **dict.fromkeys(("gb", "uk", "united kingdom", "great britain", "england", "scotland", "wales"), "GB"),
    **dict.fromkeys(("us", "usa", "united states", "united states of america"), "US"),
    **{code.casefold(): code for code in phonenumbers.SUPPORTED_REGIONS if code not in ("GB", "US")},
}
"""Country as a record may state it -> whose dialling rules its numbers follow."""
_SPECIAL = frozenset(
    {"given_name", "family_name", "birth_date", "email", "phone", "street", "city", "postcode", "card_number"}
)
_NOTHING = frozenset({"", "na", "n a", "none", "null", "unknown", "test", "nil"})


def normalise(record: IdentityRecord, config: IdentityFile) -> NormalisedRecord:
    """The normalised form; anything unreadable becomes absent, never an error."""
    data = record.data
    junk = _junk(config.junk, config.default_region)
    givens, family_words = names.split_name(_text(data, "given_name"), _text(data, "family_name"))
    if " ".join((*givens, *family_words)) in junk.names:
        givens, family_words = (), ()
    given = next((name for name in givens if len(name) > 1), givens[0] if givens else "")
    mailbox, fixed = contact.email(_text(data, "email"))
    if mailbox in junk.emails or "@" + mailbox.rpartition("@")[2] in junk.emails:
        mailbox = fixed = ""
    region = _REGIONS.get(_text(data, "country").casefold(), config.default_region)
    house, street = address.street(_text(data, "street"))
    return NormalisedRecord(
        ref=record.ref,
        given=given,
        givens=givens,
        roots=(full := names.roots(given)),
        starts=tuple(sorted({given[0], *(name[0] for name in full)})) if given else (),
        known_given=names.is_known(given),
        family="".join(family_words),
        families=names.family_parts(family_words),
        birth_date=_birth_date(_text(data, "birth_date"), config.earliest_birth.isoformat(), junk.dates),
        email=mailbox,
        email_fixed=fixed,
        phones=_all(data.get("phone"), lambda text: contact.phone(text, region), junk.phones),
        cards=_all(data.get("card_number"), contact.card, junk.cards),
        house=house,
        street=_believed(street),
        city=_believed(address.plain(_text(data, "city"))),
        postcode=address.postcode(_text(data, "postcode")),
        text=tuple(
            (name, value)
            for name in sorted(data.keys() - _SPECIAL)
            if (value := _believed(address.plain(_text(data, name))))
        ),
    )


def _text(data: Any, name: str) -> str:
    value = data.get(name)
    return "" if value is None else str(value).strip()


def _all(value: Any, form: Callable[[str], str], junk: frozenset[str]) -> tuple[str, ...]:
    several = [value] if isinstance(value, str) else value or ()
    return tuple(sorted({form(str(one)) for one in several} - junk - {""}))


def _believed(text: str) -> str:
    return "" if text in _NOTHING else text


@lru_cache(maxsize=200_000)
def _birth_date(text: str, earliest: str, junk: frozenset[str]) -> str:
    try:
        day = date.fromisoformat(text[:10]).isoformat()
    except ValueError:
        return ""
    return "" if day < earliest or day in PLACEHOLDER_DATES or day in junk else day


@dataclass(frozen=True, slots=True)
class _Junk:
    """The configured junk values in normalised form."""

    emails: frozenset[str]
    phones: frozenset[str]
    names: frozenset[str]
    dates: frozenset[str]
    cards: frozenset[str]


@lru_cache(maxsize=8)
def _junk(junk: Junk, region: str) -> _Junk:
    return _Junk(
        emails=frozenset(v.lower() if v.startswith("@") else contact.email(v)[0] for v in junk.email) - {"", "@"},
        phones=frozenset(contact.phone(value, region) for value in junk.phone) - {""},
        names=frozenset(" ".join(names.fold(value)) for value in junk.name) - {""},
        dates=frozenset(value.isoformat() for value in junk.birth_date),
        cards=frozenset(contact.card(value) for value in junk.card_number) - {""},
    )
