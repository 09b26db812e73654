"""The canonical language of the hub: what vendor records are mapped to, and what is known of a customer.

Values only: frozen, no input or output, no rule. Times are aware and in UTC, dates are plain calendar days, money is
Decimal. A canonical item travels through the store as a flat JSON object, so `KINDS` is its one definition.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple


class FieldType(StrEnum):
    """Types a canonical field or a fact may have."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"


_T, _I, _M, _B, _D, _S = (
    FieldType.TEXT,
    FieldType.INTEGER,
    FieldType.DECIMAL,
    FieldType.BOOLEAN,
    FieldType.DATE,
    FieldType.DATETIME,
)

KINDS: Mapping[str, Mapping[str, FieldType]] = MappingProxyType(
    {
        "customer": MappingProxyType(
            {
                "given_name": _T,
                "family_name": _T,
                "birth_date": _D,
                "birth_place": _T,
                "gender": _T,
                "occupation": _T,
                "email": _T,
                "phone": _T,
                "street": _T,
                "city": _T,
                "postcode": _T,
                "region": _T,
                "country": _T,
                "card_number": _T,
                "national_id": _T,
            }
        ),
        "consent": MappingProxyType(
            {
                "contact_point": _T,
                "channel": _T,
                "purpose": _T,
                "brand": _T,
                "effect": _T,
                "event_time": _S,
                "origin": _T,
                "evidence": _T,
            }
        ),
        "membership": MappingProxyType(
            {
                "programme": _T,
                "number": _T,
                "status": _T,
                "type": _T,
                "enrolled_on": _D,
                "ends_on": _D,
                "tier": _T,
                "tier_until": _D,
                "points": _M,
            }
        ),
        "tier_hold": MappingProxyType({"tier": _T, "since": _D, "until": _D}),
        "balance": MappingProxyType({"wallet": _T, "available": _M, "pending": _M}),
        "order": MappingProxyType(
            {
                "ordered_at": _S,
                "orders": _I,
                "total": _M,
                "list_total": _M,
                "currency": _T,
                "category": _T,
                "channel": _T,
                "cancelled_at": _S,
            }
        ),
        "case": MappingProxyType(
            {"opened_at": _S, "closed_at": _S, "is_open": _B, "kind": _T},
        ),
        "cart": MappingProxyType({"abandoned_at": _S, "closed_at": _S, "category": _T, "total": _M}),
        "point_expiry": MappingProxyType({"wallet": _T, "points": _M, "expires_on": _D}),
        "reward": MappingProxyType({"kind": _T, "granted_on": _D}),
        "visit": MappingProxyType({"at": _S, "store": _T, "channel": _T}),
    }
)
"""Canonical kinds and their fields. `customer` may have further attributes, declared in config/profile.yaml.

`tier_hold`, `balance` and `point_expiry` belong to a membership, `customer` to nobody, every other kind to a customer.
An order of several lines is several `order` items of one record: one per line.
"""


class Ref(NamedTuple):
    """A vendor record anywhere: system, stream, key.

    A tuple, since resolution looks up, compares and sorts refs by the million, and tuples do that without Python code.
    """

    system: str
    stream: str
    key: str

    def __str__(self) -> str:
        return f"{self.system}/{self.stream}/{self.key}"

    @classmethod
    def parse(cls, text: str) -> Ref:
        """Read `system/stream/key` back; only the key may hold a slash."""
        system, stream, key = text.split("/", 2)
        return cls(system, stream, key)


@dataclass(frozen=True, slots=True)
class Item:
    """One canonical item made from a vendor record; one record may make several of different kinds.

    `data` holds JSON values only: dates and times as ISO text, decimals as text, absent fields left out.
    """

    source: Ref
    kind: str
    data: Mapping[str, Any]
    owner: Ref | None = None
    """The record it belongs to (a case's contact); None for a customer."""


class Effect(StrEnum):
    """What a consent event says."""

    GRANT = "grant"
    DENY = "deny"


class Origin(StrEnum):
    """Who made a consent event. Only a customer's own act may raise a permission."""

    CUSTOMER = "customer"
    AGENT = "agent"
    IMPORT = "import"
    SYSTEM_COPY = "system_copy"
    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    AUTHORITY = "authority"


@dataclass(frozen=True, slots=True)
class ConsentEvent:
    """One statement about one contact point (normalised e-mail or E.164 phone)."""

    contact_point: str
    channel: str
    purpose: str
    effect: Effect
    event_time: datetime
    origin: Origin
    source: Ref
    brand: str = ""
    evidence: str = ""
    owner: Ref | None = None
    """The customer record that it speaks of; None: the one that states it."""


@dataclass(frozen=True, slots=True)
class ConsentState:
    """What a person's events add up to, at one `as_of`."""

    person_denied: Mapping[tuple[str, str], ConsentEvent]
    """(channel, purpose) -> the deny that reaches every contact point of the person."""
    point_denied: Mapping[tuple[str, str, str], ConsentEvent]
    """(contact point, channel, purpose) -> the deny that stands on that address or number."""
    granted: Mapping[tuple[str, str, str], ConsentEvent]
    """(contact point, channel, purpose) -> the grant in force there."""


@dataclass(frozen=True, slots=True)
class TierHold:
    """A tier of one membership for a time; `until` is the last day it holds, None means no end."""

    tier: str
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class PointExpiry:
    """Points of one wallet that are lost after a day."""

    wallet: str
    points: Any
    """Decimal."""
    expires_on: date


@dataclass(frozen=True, slots=True)
class Membership:
    """One membership as its system of record states it."""

    source: Ref
    programme: str
    status: str
    """The vendor's own word; config/loyalty.yaml says which canonical status it means."""
    type: str = "individual"
    number: str = ""
    enrolled_on: date | None = None
    ends_on: date | None = None
    tiers: Sequence[TierHold] = ()
    points: Mapping[str, Any] = field(default_factory=dict)
    """Wallet name -> available Decimal."""
    expiries: Sequence[PointExpiry] = ()


@dataclass(frozen=True, slots=True)
class LoyaltyStatus:
    """The merged, reversible view of a person's memberships of one programme (never a ledger)."""

    programme: str
    status: str
    is_member: bool
    """Counts as a member: never send them a "join us"."""
    has_perks: bool
    tier: str | None = None
    tier_rank: int | None = None
    tier_until: date | None = None
    points: Mapping[str, Any] = field(default_factory=dict)
    points_next_expiry_on: date | None = None
    """The next day on which points are lost."""
    member_since: date | None = None
    restrictions: Sequence[str] = ()
    memberships: Sequence[Ref] = ()


class Layer(IntEnum):
    """Order of precedence of rules; a deny in any layer wins, the lowest number is named as the reason."""

    ERASURE = 0
    CONSENT = 1
    SAFETY = 2
    INTEGRITY = 3
    CONTACT_POLICY = 4
    COMMERCIAL = 5
    HOLD_OUT = 6
    ARBITRATION = 7


FOREVER = date(9999, 12, 31)
"""Until-date of a deny that only a new customer-made event can lift."""


@dataclass(frozen=True, slots=True)
class Denial:
    """Why one offer family may not reach the customer on one channel."""

    family: str
    channel: str
    rule: str
    """The deciding rule: lowest layer, then name."""
    layer: Layer
    until: date
    """Last day on which any fired rule still denies; FOREVER when no date ends it."""
    fired: Sequence[str] = ()
    """Every rule that denies, sorted."""


@dataclass(frozen=True, slots=True)
class Decision:
    """All denials of one profile; what is not denied is allowed."""

    denials: Sequence[Denial]
    valid_until: date | None
    """First day on which this decision may differ with unchanged facts; None: never."""
    policy: str
    """Content hash of the rules that decided."""
