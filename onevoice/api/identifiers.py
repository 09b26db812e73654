"""The one identifier of a request: exactly one, and in the hub's own form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from onevoice.api.answers import IdentifierKind
from onevoice.api.problems import invalid
from onevoice.mapping.values import to_text
from onevoice.model import Ref
from onevoice.pipeline import lookup
from onevoice.pipeline.hub import Hub

_RECORD = ("system", "stream", "key")


@dataclass(frozen=True, slots=True)
class Parts:
    """An identifier as it was sent."""

    kind: IdentifierKind
    text: str


@dataclass(frozen=True, slots=True)
class Asked:
    """An identifier in the hub's own form; `who` is None where the text is none that anybody could have."""

    kind: IdentifierKind
    who: lookup.Identifier | None


def from_parts(where: str, sent: Mapping[str, str | None]) -> Parts:
    """The one identifier among the fields that were sent. Raises a 422 Problem unless there is exactly one."""
    given = {name: text for name, text in sent.items() if text is not None}
    record = [name for name in _RECORD if name in given]
    simple: list[IdentifierKind] = [name for name in ("email", "phone", "card") if name in given]
    if len(simple) + bool(record) != 1:
        raise invalid(where, "exactly one is allowed: email, phone, card, or system with stream and key")
    if simple:
        return Parts(simple[0], given[simple[0]])
    missing = [name for name in _RECORD if name not in given]
    if missing:
        raise invalid(f"{where}.{missing[0]}", "a record is named by system, stream and key together")
    for name in ("system", "stream"):
        if "/" in given[name]:
            raise invalid(f"{where}.{name}", "a name without a slash is allowed")
    return Parts("record", str(Ref(to_text(given["system"]), to_text(given["stream"]), to_text(given["key"]))))


def asked_for(hub: Hub, parts: Parts) -> Asked:
    """The identifier as the hub writes it."""
    return Asked(parts.kind, lookup.identifier(hub, parts.kind, parts.text))


def required(hub: Hub, where: str, parts: Parts) -> lookup.Identifier:
    """The identifier as the hub writes it. Raises a 422 Problem when the text is none that anybody could have."""
    found = lookup.identifier(hub, parts.kind, parts.text)
    if found is None:
        raise invalid(f"{where}.{parts.kind}", f"not usable as {parts.kind}")
    return found
