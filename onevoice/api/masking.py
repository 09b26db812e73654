"""Personal data as those see it who may not see it: enough to tell two customers apart at the desk, no more."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

HIDDEN = "***"
_EMAIL = re.compile(r"[^@\s/]+@[^@\s/]+")

_OPEN = frozenset({"country", "region", "city"})
"""Fields of a customer that name nobody."""


def email(text: str) -> str:
    """anna@example.org -> a***@e***.org."""
    local, _, domain = text.rpartition("@")
    if not local:
        return HIDDEN
    name, dot, last = domain.rpartition(".")
    return f"{local[:1]}***@{name[:1]}***{dot}{last if dot else ''}"


def phone(text: str) -> str:
    """+447700900123 -> ***23."""
    return HIDDEN + text[-2:] if len(text) > 4 else HIDDEN


def initial(text: str) -> str:
    """Anna -> A."""
    return f"{text[:1]}." if text else HIDDEN


def year(text: str) -> str:
    """1990-05-17 -> 1990."""
    return text[:4] if re.fullmatch(r"\d{4}-\d{2}-\d{2}.*", text) else HIDDEN


_MASKS: Mapping[str, Callable[[str], str]] = {
    "email": email,
    "phone": phone,
    "card_number": phone,
    "given_name": initial,
    "family_name": initial,
    "birth_date": year,
}


def value(field: str, found: Any) -> Any:
    """One value of a customer. Fields that an admin has declared are hidden: nobody knows here what they hold."""
    if found is None or field in _OPEN:
        return found
    mask = _MASKS.get(field)
    return mask(str(found)) if mask else HIDDEN


def point(text: str) -> str:
    """A contact point of either kind."""
    return email(text) if "@" in text else phone(text)


def key(text: str) -> str:
    """A record's key, or a sentence with keys in it: an opaque id stays, an address in it does not."""
    return _EMAIL.sub(lambda found: email(found.group()), text)


def facts(found: Mapping[str, Any]) -> dict[str, Any]:
    """What rules have read: of these only the birth date is personal by itself."""
    return {name: year(str(v)) if name == "birth_date" and v is not None else v for name, v in found.items()}
