"""The merged view of memberships (knowledge rules R1 to R4, R6, R8 to R10, R13).

A pure function of the memberships, the configuration and the day: order and duplicates do not matter, and when two
customers are taken apart again the view is simply computed anew. Only the system of record is counted; what other
systems say of a membership is a copy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from onevoice.configfile.loyalty_file import LoyaltyFile, Programme
from onevoice.loyalty.statuses import FLAGS, RANKED, canonical_status, counts_as_member, later, member_edges
from onevoice.model import LoyaltyStatus, Membership, TierHold


class _Card(NamedTuple):
    """One counted membership with its canonical status."""

    membership: Membership
    status: str


class _Held(NamedTuple):
    """A tier in force: compared by rank, then by how long it holds."""

    rank: int
    until: date
    tier: str


def merge_memberships(
    memberships: Sequence[Membership], config: LoyaltyFile, as_of: date
) -> Mapping[str, LoyaltyStatus]:
    """The status by programme on the day `as_of`; a programme without any counted membership is left out."""
    return {
        name: _merge(name, cards, config.programmes[name], as_of)
        for name, cards in sorted(_counted(memberships, config).items())
    }


def next_change(memberships: Sequence[Membership], config: LoyaltyFile, as_of: date) -> date | None:
    """First day after `as_of` on which the same memberships may merge to something else; None: never."""
    days = (
        day
        for name, cards in _counted(memberships, config).items()
        for card in cards
        for day in _edges(card, config.programmes[name])
        if day > as_of
    )
    return min(days, default=None)


def _counted(memberships: Iterable[Membership], config: LoyaltyFile) -> dict[str, list[_Card]]:
    """Memberships that count, by programme, in order of their records, each record once."""
    by_source: dict[tuple[object, ...], Membership] = {}
    for membership in memberships:
        programme = config.programmes.get(membership.programme)
        if programme is None or membership.source.system not in _ledgers(programme):
            continue
        if membership.type.casefold() not in programme.types:
            continue
        key = (membership.programme, membership.source)
        known = by_source.get(key)
        if known is None or repr(membership) > repr(known):
            by_source[key] = membership
    counted: dict[str, list[_Card]] = {}
    for membership in sorted(by_source.values(), key=lambda one: one.source):
        card = _Card(membership, canonical_status(membership.status, config))
        counted.setdefault(membership.programme, []).append(card)
    return counted


def _ledgers(programme: Programme) -> frozenset[str]:
    """Systems that state something of their own about the programme; what any other says is a copy."""
    wallets = {wallet.system_of_record for wallet in programme.wallets.values() if wallet.system_of_record}
    return frozenset({programme.system_of_record, *programme.also_joined_in, *wallets})


def _merge(name: str, cards: Sequence[_Card], programme: Programme, as_of: date) -> LoyaltyStatus:
    holders = {programme.system_of_record, *programme.also_joined_in}
    every = [card for card in cards if card.membership.source.system in holders]
    living = [card for card in every if card.status != "erased"]
    holding = [card for card in cards if card.status != "erased" and FLAGS[card.status].usable]
    usable = [card.membership for card in living if FLAGS[card.status].usable]
    restrictions = tuple(sorted({card.status for card in living if card.status == "suspended"}))
    held = _highest(usable, programme, as_of)
    enrolled = [card.membership.enrolled_on for card in living if card.membership.enrolled_on is not None]
    return LoyaltyStatus(
        programme=name,
        status=min((card.status for card in every), key=RANKED.index, default="prospect"),
        is_member=any(counts_as_member(card.membership, card.status, programme, as_of) for card in living),
        has_perks=_has_perks(living, held, programme) and not restrictions,
        tier=held.tier if held else None,
        tier_rank=held.rank if held else None,
        tier_until=held.until if held and held.until != date.max else None,
        points=_points([card.membership for card in holding], programme),
        points_next_expiry_on=_next_expiry([card.membership for card in holding], programme, as_of),
        member_since=min(enrolled, default=None),
        restrictions=restrictions,
        memberships=tuple(card.membership.source for card in living),
    )


def _has_perks(living: Sequence[_Card], held: _Held | None, programme: Programme) -> bool:
    """A suspension on any card is not laundered by a second card: the caller takes restrictions off."""
    if not any(FLAGS[card.status].perks for card in living):
        return False
    if programme.perks_from is None:
        return True
    return held is not None and held.rank > programme.tiers.index(programme.perks_from)


def _highest(usable: Iterable[Membership], programme: Programme, as_of: date) -> _Held | None:
    """The highest tier in force; of equals the one that holds longest."""
    found = (
        _Held(rank, hold.until or date.max, programme.tiers[rank - 1])
        for membership in usable
        if membership.source.system == programme.system_of_record
        for hold in membership.tiers
        if _in_force(hold, as_of) and (rank := _rank(hold.tier, programme)) is not None
    )
    return max(found, default=None)


def _in_force(hold: TierHold, as_of: date) -> bool:
    return (hold.since is None or hold.since <= as_of) and (hold.until is None or as_of <= hold.until)


def _rank(word: str, programme: Programme) -> int | None:
    """1 for the lowest tier; None for a word that is no tier of this programme."""
    plain = word.strip().casefold()
    words = {key.casefold(): tier for key, tier in programme.tier_words.items()}
    tier = words.get(plain, plain)
    return programme.tiers.index(tier) + 1 if tier in programme.tiers else None


def _points(usable: Iterable[Membership], programme: Programme) -> Mapping[str, Decimal]:
    """Available points by wallet: redeemable wallets only, over usable cards; balances below nought are netted."""
    total: dict[str, Decimal] = {}
    for membership in usable:
        for wallet, available in membership.points.items():
            if _counts(wallet, membership, programme):
                total[wallet] = total.get(wallet, Decimal(0)) + Decimal(available)
    return dict(sorted(total.items()))


def _next_expiry(usable: Iterable[Membership], programme: Programme, as_of: date) -> date | None:
    """The next day on which redeemable points are lost; legal overrides by residence (R8) are not known here."""
    days = (
        expiry.expires_on
        for membership in usable
        for expiry in membership.expiries
        if expiry.expires_on >= as_of and expiry.points > 0 and _counts(expiry.wallet, membership, programme)
    )
    return min(days, default=None)


def _counts(wallet: str, membership: Membership, programme: Programme) -> bool:
    """Whether this membership's word on a wallet is the ledger's, and the wallet may be added up."""
    known = programme.wallets.get(wallet)
    if known is None or known.role != "redeemable":
        return False
    return membership.source.system == (known.system_of_record or programme.system_of_record)


def _edges(card: _Card, programme: Programme) -> Iterable[date]:
    yield from member_edges(card.membership, card.status, programme)
    for hold in card.membership.tiers:
        if hold.since is not None:
            yield hold.since
        if hold.until is not None:
            yield later(hold.until, 1)
    for expiry in card.membership.expiries:
        yield later(expiry.expires_on, 1)
