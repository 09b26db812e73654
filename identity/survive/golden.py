"""What goes into the choice of golden values beside the records, and what comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from onevoice.model import Ref

ONLY = "only"
"""In place of a rule: there was one value, however often."""
TIE = "tie"
"""In place of a rule: the rules left several values; the newest record's stands, then that of the lowest reference."""


class Provenance(NamedTuple):
    """Where one golden value comes from."""

    value: Any
    """The golden value; a list for `union`; None where the winner has none but others have, or where blanks count."""
    ref: Ref
    """The record it comes from; for `union` the record of the first value."""
    rule: str
    """The rule that decided, or ONLY, or TIE."""
    at: datetime | None
    """The record's own stamp."""
    losing: tuple[tuple[Ref, Any], ...]
    """Differing values, with the records that hold them, newest first."""
    holders: tuple[Ref, ...] = ()
    """For `union`: the newest record that holds each value, in the order of the values."""


@dataclass(frozen=True, slots=True)
class Golden:
    """Fields of the golden record and the provenance of each, by name."""

    fields: Mapping[str, Any]
    provenance: Mapping[str, Provenance]
    next_change: date | None = None
    """First day after today on which the same records may give other values, as trust sinks; None: never."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is known beside the records."""

    today: date | None = None
    """The day on which trust is reckoned; None: nothing has sunk yet."""
    confirmed: frozenset[str] = frozenset()
    """Contact points (onevoice.consent.contact_point) where the customer's own yes is in force."""
    bounced: frozenset[str] = frozenset()
    """Contact points that messages do not reach."""
