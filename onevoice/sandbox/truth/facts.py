"""The facts of one person. Each stands on a vendor's record (`ref`). Days are UTC calendar days."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

Ref = tuple[str, str, str]
"""(system, stream, key) of a customer record: a contact, a till card, a customer or a profile."""

EMAIL, SMS, RECEIPT = "email", "sms", "receipt"
TIER_RANK = {"blue": 0, "silver": 1, "gold": 2}


@dataclass(frozen=True, slots=True)
class OptOut:
    """One person's opt-out from marketing on a channel, made on one record and its address or number."""

    ref: Ref
    address: str
    on: date
    channel: str = EMAIL


@dataclass(slots=True)
class Tier:
    """A tier of one membership; `until` is its last day, None when it has no end."""

    key: str
    name: str
    since: date
    until: date | None


@dataclass(slots=True)
class Membership:
    """A membership of the Club. It lives in Salesforce, on the contact `ref`."""

    ref: Ref
    key: str
    number: str
    status: str
    enrolled: date
    ended: date | None
    tiers: list[Tier]
    points: int

    def tier_in_force(self, day: date) -> Tier | None:
        """The highest tier that the membership gives on that day."""
        if self.status != "Active":
            return None
        held = [tier for tier in self.tiers if tier.until is None or tier.until >= day]
        return max(held, key=lambda tier: TIER_RANK[tier.name.lower()], default=None)


@dataclass(slots=True)
class Account:
    """A loyalty account at the tills, which keeps the points; `key` is its own id, `ref` its customer."""

    ref: Ref
    key: str
    balance: int
    """May be below nought."""
    deadlines: list[tuple[int, date]]
    """(points, the day they expire)."""


@dataclass(frozen=True, slots=True)
class Order:
    """One order, as the record `ref` shows it. Cancelled ones are none."""

    ref: Ref
    at: datetime
    category: str
    full_price: bool = False
    """Paid what the list says, and more than nothing. False also where the record does not show prices."""


@dataclass(frozen=True, slots=True)
class Cart:
    """A cart left in the web shop."""

    ref: Ref
    at: datetime
    category: str


@dataclass(frozen=True, slots=True)
class Reward:
    """A reward that P had once: `kind` is birthday or welcome."""

    ref: Ref
    kind: str
    on: date


@dataclass(slots=True)
class Complaint:
    """A complaint case; `closed` is None while it is open."""

    ref: Ref
    key: str
    opened: date
    closed: date | None


@dataclass(slots=True)
class Facts:
    """Everything that is true of one person."""

    opt_outs: list[OptOut] = field(default_factory=list)
    memberships: list[Membership] = field(default_factory=list)
    accounts: list[Account] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    carts: list[Cart] = field(default_factory=list)
    rewards: list[Reward] = field(default_factory=list)
    complaints: list[Complaint] = field(default_factory=list)

    def points(self) -> int | None:
        """The balances of all accounts together; None without an account."""
        return sum(account.balance for account in self.accounts) if self.accounts else None

    def next_expiry(self, day: date) -> date | None:
        """The first day from `day` on at which points of any account expire."""
        days = (on for account in self.accounts for points, on in account.deadlines if points > 0 and on >= day)
        return min(days, default=None)

    def highest_tier(self, day: date) -> tuple[Tier | None, tuple[Ref, ...]]:
        """The highest tier in force over all memberships, and the records that carry it."""
        held = [(tier, member.ref) for member in self.memberships if (tier := member.tier_in_force(day))]
        if not held:
            return None, ()
        best = max((tier for tier, _ in held), key=lambda tier: TIER_RANK[tier.name.lower()])
        return best, tuple(ref for tier, ref in held if tier.name == best.name)
