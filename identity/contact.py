"""E-mail addresses, phone numbers, card numbers: one form per mailbox, line and card, and what is junk."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import phonenumbers

from identity.names import is_typed

GMAIL = frozenset({"gmail.com", "googlemail.com"})
MISTYPED = {
    "gmial.com": "gmail.com",
    "gmal.com": "gmail.com",
    "gmai.com": "gmail.com",
    "gmaill.com": "gmail.com",
    "gamil.com": "gmail.com",
    "gnail.com": "gmail.com",
    "gmail.co": "gmail.com",
    "gmail.con": "gmail.com",
    "gmail.cm": "gmail.com",
    "gmail.om": "gmail.com",
    "hotmial.com": "hotmail.com",
    "hotmal.com": "hotmail.com",
    "hotmai.com": "hotmail.com",
    "hotmail.con": "hotmail.com",
    "hotnail.com": "hotmail.com",
    "hotmail.co": "hotmail.com",
    "outlok.com": "outlook.com",
    "outloo.com": "outlook.com",
    "outlook.con": "outlook.com",
    "yaho.com": "yahoo.com",
    "yahooo.com": "yahoo.com",
    "yahoo.con": "yahoo.com",
    "yhaoo.com": "yahoo.com",
    "iclod.com": "icloud.com",
    "icoud.com": "icloud.com",
    "icloud.con": "icloud.com",
}
"""Provider names people mistype, and what they meant."""
_MISTYPED_PROVIDERS = {
    wrong.partition(".")[0]: right.partition(".")[0]
    for wrong, right in MISTYPED.items()
    if wrong.partition(".")[0] != right.partition(".")[0]
}
"""The same without the ending, for hotmail.co.uk and its like."""
DISPOSABLE = frozenset(
    [
        *("mailinator.com", "guerrillamail.com", "guerrillamail.net", "sharklasers.com", "10minutemail.com"),
        *("yopmail.com", "tempmail.com", "temp-mail.org", "trashmail.com", "maildrop.cc", "getnada.com"),
        *("dispostable.com", "throwawaymail.com", "fakeinbox.com", "mintemail.com", "moakt.com", "mohmal.com"),
    ]
)
"""Providers whose mail boxes anybody may open."""
JUNK_LOCAL = frozenset(
    [
        "test",
        "tests",
        "tester",
        "noemail",
        "nomail",
        "no",
        "none",
        "na",
        "n/a",
        "null",
        "nil",
        "unknown",
        "noreply",
        "no-reply",
        "donotreply",
        "anonymous",
        "guest",
        "customer",
        "asdf",
        "qwerty",
        "abc",
        "xxx",
        "xx",
        "x",
        "a",
        "email",
        "mail",
        "notprovided",
        "not-provided",
        "refused",
        "declined",
        "no.email",
    ]
)
ROLE_LOCAL = frozenset(
    [
        "info",
        "sales",
        "office",
        "admin",
        "contact",
        "hello",
        "support",
        "accounts",
        "enquiries",
        "reception",
        "shop",
        "orders",
        "billing",
        "marketing",
        "team",
        "hr",
        "webmaster",
        "postmaster",
        "service",
        "help",
    ]
)
"""Addresses of a desk, not of a person."""
_EMAIL = re.compile(r"^[^@\s]+@[^@\s.]+(\.[^@\s.]+)+$")
_DIGITS = re.compile(r"\D+")
_CARD = re.compile(r"[^0-9A-Z]+")
_AMERICAN = re.compile(r"^\(?[2-9]\d{2}\)?[-. ]\s?[2-9]\d{2}[-. ]\d{4}$")
_RUN = re.compile(r"(\d)\1{6,}$")
_COUNTING = frozenset({"1234567890", "0123456789", "123456789", "12345678", "9876543210", "01234567890"})


@lru_cache(maxsize=400_000)
def email(text: str) -> tuple[str, str]:
    """(mailbox, the same with a mistyped provider put right), or two empty texts for junk, roles and non-addresses."""
    address = _plain(text).removeprefix("mailto:")
    if not _EMAIL.match(address):
        return "", ""
    local, _, domain = address.rpartition("@")
    local = local.split("+", 1)[0] or local
    provider, _, ending = domain.partition(".")
    if local in JUNK_LOCAL or local in ROLE_LOCAL or domain in DISPOSABLE or (local == provider and is_typed(local)):
        return "", ""
    meant = MISTYPED.get(domain) or f"{_MISTYPED_PROVIDERS.get(provider, provider)}.{ending}"
    return _mailbox(local, domain), _mailbox(local, meant)


def _plain(text: str) -> str:
    """An address in small letters, without blanks and what nobody sees, wide letters as common ones."""
    if text.isascii():
        return "".join(text.lower().split())
    signs = unicodedata.normalize("NFKC", text).lower()
    return "".join(sign for sign in signs if not sign.isspace() and unicodedata.category(sign) not in ("Cf", "Mn"))


def _mailbox(local: str, domain: str) -> str:
    if domain in GMAIL:
        return f"{local.replace('.', '')}@gmail.com"
    return f"{local}@{domain}"


@lru_cache(maxsize=400_000)
def phone(text: str, region: str) -> str:
    """E.164, or empty when the text is no possible number or an invented one.

    Common notations of Great Britain and North America are read directly, for speed; everything else goes through
    phonenumbers. Possible is enough: numbering plans change faster than releases.
    """
    compact = text.strip().replace("(0)", "")
    digits = _DIGITS.sub("", compact)
    if len(digits) < 7 or _RUN.search(digits) or digits in _COUNTING:
        return ""
    if digits.startswith("00"):
        compact, digits = "+" + digits[2:], digits[2:]
    return _read_directly(compact, digits, region) or _parsed(compact, region)


def _read_directly(compact: str, digits: str, region: str) -> str:
    """E.164 of a familiar notation, else empty; ten digits in the American grouping are American in any region."""
    if compact.startswith("+"):
        familiar = (digits.startswith("44") and len(digits) in (11, 12)) or (digits[0] == "1" and len(digits) == 11)
        return "+" + digits if familiar else ""
    if _AMERICAN.match(compact) or (region in ("US", "CA") and len(digits.removeprefix("1")) == 10):
        return "+1" + digits.removeprefix("1")
    if region == "GB" and digits.startswith("0") and len(digits) in (10, 11):
        return "+44" + digits[1:]
    return ""


def _parsed(text: str, region: str) -> str:
    """E.164 as read in a region; what is no number there may be another country's without its plus."""
    number = _number(text, region)
    if number is None or not phonenumbers.is_possible_number(number):
        number = None if text.startswith("+") else _number("+" + text, region)
        if number is None or not phonenumbers.is_valid_number(number):
            return ""
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _number(text: str, region: str) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None


def card(text: str) -> str:
    """Letters and digits of a card number in upper case; empty when it is one sign repeated or too short to be one."""
    number = _CARD.sub("", text.upper())
    return number if len(number) > 3 and len(set(number)) > 1 else ""
