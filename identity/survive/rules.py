"""The rules: each keeps those of several differing values that are best by it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from identity.survive.bids import Bid
from identity.survive.golden import Circumstances
from identity.survive.trust import TrustTable, next_shift
from onevoice.configfile.identity_file import CONTACT_FIELDS, Survivorship
from onevoice.consent import contact_point

Narrowed = tuple[Sequence[Bid], date | None]
"""The bids that stay, and the first day after today on which others might."""
Rule = Callable[[Sequence[Bid], Circumstances], Narrowed]
"""(bids, newest record first; what is known beside them) -> those that are best, in the same order."""


def rule_named(name: str, target: str, fields: Sequence[str], config: Survivorship) -> Rule:
    """A rule for the field or group `target`, which takes `fields` together."""
    if name == "most_recent":
        return _most_recent
    if name == "most_frequent":
        return _most_frequent
    if name == "most_complete":
        return _most_complete
    if name == "source_order":
        return _source_order(config.sources)
    if name == "verified_first":
        return _verified_first(fields, config.verified.get(target))
    return _trust(TrustTable(config.trust, target))


def _most_recent(bids: Sequence[Bid], _: Circumstances) -> Narrowed:
    newest = bids[0].record.updated_at
    return [bid for bid in bids if bid.record.updated_at == newest], None


def _most_frequent(bids: Sequence[Bid], _: Circumstances) -> Narrowed:
    said = [tuple(bid.spelling) for bid in bids]
    counts = Counter(said)
    return _highest(bids, [counts[each] for each in said]), None


def _most_complete(bids: Sequence[Bid], _: Circumstances) -> Narrowed:
    """Most fields filled, then most of them with more than an initial."""
    filled = [[str(value).strip(" .") for value in bid.values if value is not None] for bid in bids]
    return _highest(bids, [(len(texts), sum(len(text) > 1 for text in texts)) for texts in filled]), None


def _source_order(sources: Sequence[str]) -> Rule:
    rank = {system: -at for at, system in enumerate(sources)}

    def best(bids: Sequence[Bid], _: Circumstances) -> Narrowed:
        return _highest(bids, [rank.get(bid.record.ref.system, -len(sources)) for bid in bids]), None

    return best


def _verified_first(fields: Sequence[str], flag: str | None) -> Rule:
    """Verified by the record's flag or a yes in force on its contact point; bounced contact points come last."""
    contacts = [at for at, field in enumerate(fields) if field in CONTACT_FIELDS]

    def rank(bid: Bid, beside: Circumstances) -> int:
        points = {contact_point(str(bid.values[at])) for at in contacts if bid.values[at] is not None}
        if not points.isdisjoint(beside.bounced):
            return 0
        flagged = flag is not None and bid.record.data.get(flag) is True
        return 2 if flagged or not points.isdisjoint(beside.confirmed) else 1

    def best(bids: Sequence[Bid], beside: Circumstances) -> Narrowed:
        return _highest(bids, [rank(bid, beside) for bid in bids]), None

    return best


def _trust(table: TrustTable) -> Rule:
    def best(bids: Sequence[Bid], beside: Circumstances) -> Narrowed:
        held = [table.standing(bid.record.ref.system, bid.record.updated_at) for bid in bids]
        points = [each.on(beside.today.toordinal()) if beside.today else each.points for each in held]
        if beside.today is None:
            return _highest(bids, points), None
        leader = held[points.index(max(points))]
        return _highest(bids, points), next_shift(leader, held, beside.today)

    return best


def _highest(bids: Sequence[Bid], ranks: Sequence[Any]) -> Sequence[Bid]:
    best = max(ranks)
    return [bid for bid, rank in zip(bids, ranks, strict=True) if rank == best]
