"""The review queue: what stewards are asked, first where a wrong answer costs most. Only reads."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from identity import Reason, explain_pair
from onevoice.errors import DecisionRefused
from onevoice.model import Ref
from onevoice.pipeline.hub import Hub
from onevoice.pipeline.proofs.matches import Matches, MatchLink
from onevoice.pipeline.resolution.candidates import degrees_of, load_forms
from onevoice.store import Connection, identities, steward
from onevoice.store.steward import KeptQuestion, StewardDecision, Worth

PER_CONTRADICTION, PER_MEMBER, PER_TIER, PER_CHANNEL = 10.0, 5.0, 5.0, 2.0
POINTS, SPEND = 1000.0, 100.0
"""So many loyalty points, or so much spend in twelve months, count one."""


@dataclass(frozen=True, slots=True)
class Impact:
    """What the customers of a question would suffer, and cost, if it were answered wrong."""

    contradictions: int
    """Open ones."""
    members: int
    """Profiles with a living loyalty membership."""
    tiers: int
    """Their tier ranks, added up."""
    points: float
    spend: float
    """Of the last twelve months, in the company's currency."""
    channels: int
    """Systems that the hub writes to about them."""

    @property
    def score(self) -> float:
        """One number to order the queue by; the commands' help and the how-to tell this formula."""
        return round(
            PER_CONTRADICTION * self.contradictions
            + PER_MEMBER * self.members
            + PER_TIER * self.tiers
            + self.points / POINTS
            + self.spend / SPEND
            + PER_CHANNEL * self.channels,
            1,
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """An open question with what depends on it."""

    item: KeptQuestion
    profiles: tuple[str, ...]
    """The profiles of the two records: two ids, or one when they are together."""
    impact: Impact


@dataclass(frozen=True, slots=True)
class Side:
    """One of two records that are compared."""

    ref: str
    profile_id: str
    records: int
    """How many records its profile has."""
    updated_at: datetime | None
    customer: Mapping[str, Any]
    """Canonical fields."""
    cards: Sequence[str]
    """Numbers of the loyalty cards that belong to it."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two records side by side, with everything that speaks for and against one person."""

    left: Side
    right: Side
    reasons: Sequence[Reason]
    """Weights by field, links and vetoes, the verdict."""
    decisions: Sequence[StewardDecision]
    """What stewards decided on either of the two, withdrawn decisions too."""
    chain: Sequence[MatchLink]
    """By way of which matches they are one profile; empty when they are two."""


def queue(hub: Hub) -> list[Asked]:
    """Every open question, that with the highest impact first; among equals the heavier one, then the older one."""
    with hub.store.read() as connection:
        items = steward.open_items(connection)
        asked = _with_impact(hub, connection, items)
    return sorted(asked, key=lambda one: (-one.impact.score, -one.item.weight, one.item.id))


def question(hub: Hub, item: int) -> tuple[KeptQuestion, Pair]:
    """A question, open or closed, with its records side by side.

    Raises DecisionRefused when there is no such question, or when one of its records is gone.
    """
    with hub.store.read() as connection:
        found = steward.load_item(connection, item)
    if found is None:
        raise DecisionRefused(f"review item {item}: there is none (`onevoice review list` shows them)")
    return found, compare(hub, found.left, found.right)


def compare(hub: Hub, left: str, right: str) -> Pair:
    """Two records (`system/stream/key`) side by side. Raises DecisionRefused when one is not known."""
    with hub.store.read() as connection:
        customers = identities.load_customers(connection, (left, right))
        links = identities.load_links(connection, (left, right))
        forms = load_forms(connection, (left, right))
        for ref in (left, right):
            if not (ref in customers and ref in links and ref in forms):
                raise DecisionRefused(f"{ref}: no customer record that is resolved (write system/stream/key)")
        members = identities.load_members(connection, set(links.values()))
        decisions = steward.decisions_on(connection, (left, right))
        chain = _chain(hub, connection, left, right, members[links[left]])
        standing = degrees_of(connection, forms.values(), hub.config.identity)
    sides = [
        Side(ref, links[ref], len(members[links[ref]]), row.updated_at, row.data, row.cards)
        for ref, row in ((ref, customers[ref]) for ref in (left, right))
    ]
    reasons = explain_pair(forms[left], forms[right], hub.model, hub.config.identity, standing)
    return Pair(sides[0], sides[1], reasons, decisions, chain)


def _chain(hub: Hub, connection: Connection, left: str, right: str, members: Collection[str]) -> Sequence[MatchLink]:
    if right not in members:
        return ()
    matches = Matches(connection, members, hub.config.identity.thresholds.match)
    return matches.chains(left, members)[right].links


def _with_impact(hub: Hub, connection: Connection, items: Iterable[KeptQuestion]) -> list[Asked]:
    items = list(items)
    links = identities.load_links(connection, {ref for item in items for ref in (item.left, item.right)})
    ids = set(links.values())
    worths = steward.load_worths(connection, ids)
    channels = _channels(hub, identities.load_members(connection, ids))
    contradictions = steward.open_contradictions(connection)
    asked = []
    for item in items:
        profiles = tuple(sorted({links[ref] for ref in (item.left, item.right) if ref in links}))
        reached = {system for profile_id in profiles for system in channels.get(profile_id, ())}
        against = sum(contradictions.get(profile_id, 0) for profile_id in profiles)
        impact = _impact([worths[pid] for pid in profiles if pid in worths], against, len(reached))
        asked.append(Asked(item, profiles, impact))
    return asked


def _impact(worths: Sequence[Worth], contradictions: int, channels: int) -> Impact:
    states = [state for worth in worths for state in worth.status.values()]
    return Impact(
        contradictions=contradictions,
        members=sum(any(state["is_member"] for state in worth.status.values()) for worth in worths),
        tiers=sum(state["tier_rank"] or 0 for state in states),
        points=sum(float(state["points"] or 0) for state in states),
        spend=sum(worth.annual_spend for worth in worths),
        channels=channels,
    )


def _channels(hub: Hub, members: Mapping[str, Sequence[str]]) -> dict[str, set[str]]:
    """Systems that the hub writes to, by profile that has records there."""
    written = {(target.system, target.per) for target in hub.targets}
    return {
        profile_id: {ref.system for ref in map(Ref.parse, refs) if (ref.system, ref.stream) in written}
        for profile_id, refs in members.items()
    }
