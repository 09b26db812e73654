"""Who is this? One record that nobody has stored, resolved against the store in milliseconds. Only reads.

The answer is the profile that the record would come into if it were stored: the same candidates, scores, vetoes, guards
and decisions. What one more record would do to others (a value that becomes shared by it, or a key that falls out of
use) is reckoned for its own pairs alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from identity import (
    Cluster,
    Degree,
    Edge,
    IdentityRecord,
    NormalisedRecord,
    ReviewItem,
    assign_ids,
    blocking_keys,
    in_use,
    normalise,
    profile_id,
    single_keys,
    surname_key,
)
from onevoice.configfile.identity_file import IdentityFile
from onevoice.model import Ref
from onevoice.pipeline.hub import Hub
from onevoice.pipeline.resolution.candidates import Standing, bearing, degrees, holders, limits_of, load_forms
from onevoice.pipeline.resolution.neighbourhood import cluster, components, row_of
from onevoice.store import Connection, identities

ASKED = Ref("onevoice", "question", "who")
"""Stands for the record in question; no system of ours has that name."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """How alike the record in question and a stored one are."""

    profile_id: str
    ref: str
    """The stored record."""
    probability: float
    """That the two are one person, by this pair alone."""
    per_field: Mapping[str, float]
    """Comparison -> bits for (+) or against (-); empty where only a link ties them."""
    kind: str
    """`score`, or `link:<field>` where a strong identifier links by itself."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A profile that the record might belong to as well, and why it does not."""

    like: Likeness
    kind: str
    """As a steward would be asked: grey, veto, guard or cannot."""
    reason: str


@dataclass(frozen=True, slots=True)
class Found:
    """Whose a record is."""

    best: Likeness | None
    """The most alike record of the profile it belongs to; None: it is nobody's yet."""
    review: Sequence[Doubt]
    """What a steward would be asked, most likely first."""

    @property
    def profile_id(self) -> str | None:
        """The profile it belongs to, or None."""
        return self.best.profile_id if self.best else None


def who_is(hub: Hub, connection: Connection, fields: Mapping[str, Any]) -> Found:
    """The profile to which a record with these canonical customer fields belongs, any part of which may be missing.

    `phone` and `card_number` may be one text or a list of them. Nothing is written.
    """
    config = hub.config.identity
    asked = normalise(IdentityRecord(ASKED, fields), config)
    edges = _edges(hub, connection, asked)
    if not edges:
        return Found(None, ())
    others = {_other(edge): edge for edge in edges}
    reach, known, constraints = components(connection, set(map(str, others)))
    forms = {**load_forms(connection, reach), str(ASKED): asked}
    clustering = cluster(hub.people, forms, [*known, *map(row_of, edges)], constraints)
    homes = identities.load_links(connection, reach)
    own = next(one for one in clustering.clusters if ASKED in one.members)
    beside = sorted((others[ref] for ref in own.members if ref in others), key=lambda e: (-e.weight, _other(e)))
    best = _like(beside[0], _home(connection, homes, clustering.clusters, own)) if beside else None
    doubts = [_doubt(item, others, homes) for item in clustering.review if ASKED in (item.left, item.right)]
    return Found(best, sorted(doubts, key=lambda d: (-d.like.probability, d.like.profile_id, d.like.ref)))


def _edges(hub: Hub, connection: Connection, asked: NormalisedRecord) -> list[Edge]:
    """The edges that the record would have, with its own keys counted as if it were there."""
    config = hub.config.identity
    limits = limits_of(config.guards)
    own = _counted_in(connection, asked, degrees(connection, blocking_keys(asked, config), limits), config)
    under = holders(connection, {key for key, degree in own.items() if in_use(key, degree, config.guards)})
    found = load_forms(connection, {ref for refs in under.values() for ref in refs})
    return hub.people.edges(((asked, form) for form in found.values()), Standing(connection, limits, own).of)


def _counted_in(
    connection: Connection, asked: NormalisedRecord, standing: Mapping[str, Degree], config: IdentityFile
) -> dict[str, Degree]:
    """Degrees with one more record. Its surname counts where it would make a value shared; elsewhere nobody asks."""
    surname, most = surname_key(asked), config.guards.max_surnames
    full = {key for key in single_keys(asked, config) if surname and standing[key].surnames == most}
    more = full - bearing(connection, full, surname)
    return {key: Degree(degree.records + 1, degree.surnames + (key in more)) for key, degree in standing.items()}


def _home(connection: Connection, homes: Mapping[str, str], clusters: Iterable[Cluster], own: Cluster) -> str:
    """The profile of a cluster: the id that resolving would give it, if that is one of the profiles there are."""
    lives = identities.load_lives(connection, {*homes.values(), *(profile_id(Ref.parse(ref)) for ref in homes)})
    ids = assign_ids(
        {Ref.parse(ref): home for ref, home in homes.items()},
        list(clusters),
        age=lambda pid: lives[pid].created_at if pid in lives else None,
        standing=lambda pid: "free" if pid not in lives else "retired" if lives[pid].redirect else "living",
    )
    given, held = ids.assigned[ASKED], sorted(homes[str(ref)] for ref in own.members if str(ref) in homes)
    return given if given in held else held[0]


def _doubt(item: ReviewItem, edges: Mapping[Ref, Edge], homes: Mapping[str, str]) -> Doubt:
    other = item.left if item.right == ASKED else item.right
    return Doubt(_like(edges[other], homes[str(other)]), item.kind, item.reason)


def _like(edge: Edge, home: str) -> Likeness:
    return Likeness(home, str(_other(edge)), edge.probability, dict(edge.per_field), edge.kind)


def _other(edge: Edge) -> Ref:
    return edge.left if edge.right == ASKED else edge.right
