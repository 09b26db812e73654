"""What a membership status means: earning aside, does it count as a member, and does it carry perks?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import get_args

from onevoice.configfile.loyalty_file import LoyaltyFile, Programme, Status
from onevoice.model import Membership

RANKED: tuple[str, ...] = (
    "active",
    "grace",
    "pending",
    "suspended",
    "lapsed",
    "closed",
    "earning_nonmember",
    "prospect",
    "merged",
    "erased",
)
"""Statuses from best to worst: a customer with several memberships of one programme has the best of them."""

UNLISTED = "suspended"
"""What an unknown word counts as: a member who gets neither invitations nor perks, so that nothing wrong goes out."""


@dataclass(frozen=True, slots=True)
class Flags:
    """What a status allows; `pending` and `closed` count as a member only for a time (see `counts_as_member`)."""

    member: bool
    perks: bool
    usable: bool
    """Tiers and points of the membership count."""


FLAGS: Mapping[str, Flags] = MappingProxyType(
    {
        "prospect": Flags(member=False, perks=False, usable=False),
        "earning_nonmember": Flags(member=False, perks=False, usable=False),
        "pending": Flags(member=True, perks=False, usable=False),
        "active": Flags(member=True, perks=True, usable=True),
        "grace": Flags(member=True, perks=True, usable=True),
        "suspended": Flags(member=True, perks=False, usable=False),
        "lapsed": Flags(member=False, perks=False, usable=False),
        "closed": Flags(member=False, perks=False, usable=False),
        "merged": Flags(member=False, perks=False, usable=False),
        "erased": Flags(member=False, perks=False, usable=False),
    }
)

_CANONICAL = frozenset(get_args(Status))


@lru_cache(maxsize=1024)
def _lookup(words: tuple[tuple[str, str], ...], word: str) -> str:
    plain = word.strip().casefold()
    table = {key.strip().casefold(): status for key, status in words}
    if plain in table:
        return table[plain]
    return plain if plain in _CANONICAL else UNLISTED


def canonical_status(word: str, config: LoyaltyFile) -> str:
    """The canonical status that a system's word stands for; canonical words stand for themselves."""
    return _lookup(tuple(config.statuses.items()), word)


def counts_as_member(membership: Membership, status: str, programme: Programme, as_of: date) -> bool:
    """Whether an invitation to join would contradict this membership on the day `as_of`."""
    if status == "pending" and membership.enrolled_on is not None:
        return (as_of - membership.enrolled_on).days < programme.pending_days
    if status == "closed" and membership.ends_on is not None:
        return 0 <= (as_of - membership.ends_on).days < programme.cool_off_days
    return FLAGS[status].member


def member_edges(membership: Membership, status: str, programme: Programme) -> tuple[date, ...]:
    """Days on which `counts_as_member` may change by the mere passing of time."""
    if status == "pending" and membership.enrolled_on is not None:
        return (later(membership.enrolled_on, programme.pending_days),)
    if status == "closed" and membership.ends_on is not None and programme.cool_off_days:
        return (membership.ends_on, later(membership.ends_on, programme.cool_off_days))
    return ()


def later(day: date, days: int) -> date:
    """`day` plus `days`, stopping at the last day there is."""
    return day + timedelta(days=min(days, (date.max - day).days))
