"""The values that pass through identity resolution: records, edges, clusters, events. Frozen, without behaviour
beyond their own text form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple

from onevoice.model import Ref

NORMALISER_VERSION = 3
"""Raised whenever the same input may normalise differently; the store then normalises and scores afresh."""


@dataclass(frozen=True, slots=True)
class IdentityRecord:
    """One customer record as the mappings made it: canonical fields, not yet normalised."""

    ref: Ref
    data: Mapping[str, Any]
    """Canonical customer fields; `card_number` and `phone` may be one text or a list of them."""
    updated_at: datetime | None = None


class NormalisedRecord(NamedTuple):
    """What matching reads of a record. Empty text means: absent, or not to be believed.

    A tuple: a change of a thousand records reads some ten thousand of these from the store.
    """

    ref: Ref
    given: str = ""
    """First given name, folded to a-z."""
    givens: tuple[str, ...] = ()
    """All given names, folded."""
    roots: tuple[str, ...] = ()
    """Full names that the first given name may stand for, sorted; the name itself when it is nobody's short form."""
    starts: tuple[str, ...] = ()
    """Letters by which the first given name may be cut short: its own and those of its full names."""
    known_given: bool = False
    """The given name is an everyday one, so a near miss of it is another name rather than a slip."""
    family: str = ""
    """Family name in one piece, folded."""
    families: tuple[str, ...] = ()
    """Parts of the family name without particles."""
    birth_date: str = ""
    email: str = ""
    """Address in the form in which the mail provider tells mailboxes apart."""
    email_fixed: str = ""
    """The same with a mistyped provider put right; equal to `email` otherwise."""
    phones: tuple[str, ...] = ()
    """E.164, sorted."""
    cards: tuple[str, ...] = ()
    house: str = ""
    street: str = ""
    city: str = ""
    postcode: str = ""
    text: tuple[tuple[str, str], ...] = ()
    """Other canonical fields, folded, sorted by field."""
    version: int = NORMALISER_VERSION

    def as_dict(self) -> dict[str, Any]:
        """JSON form for the store."""
        return {**self._asdict(), "ref": list(self.ref)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> NormalisedRecord:
        """The record that `as_dict` wrote, after any way through JSON."""
        return cls(
            ref=Ref(*data["ref"]),
            given=data["given"],
            givens=tuple(data["givens"]),
            roots=tuple(data["roots"]),
            starts=tuple(data["starts"]),
            known_given=data["known_given"],
            family=data["family"],
            families=tuple(data["families"]),
            birth_date=data["birth_date"],
            email=data["email"],
            email_fixed=data["email_fixed"],
            phones=tuple(data["phones"]),
            cards=tuple(data["cards"]),
            house=data["house"],
            street=data["street"],
            city=data["city"],
            postcode=data["postcode"],
            text=tuple(map(tuple, data["text"])),
            version=data["version"],
        )


class Degree(NamedTuple):
    """How widely one blocking key is used: what a guard on shared values needs to know."""

    records: int
    surnames: int


@dataclass(frozen=True, slots=True)
class Edge:
    """Evidence that two records are one person; `left` < `right`."""

    left: Ref
    right: Ref
    weight: float
    """Match weight in bits; 0 means even odds."""
    probability: float
    kind: str = "score"
    """`score`, or `link:<field>` where a strong identifier links by itself."""
    per_field: Mapping[str, float] = field(default_factory=dict)
    """Comparison -> bits for (+) or against (-)."""


@dataclass(frozen=True, slots=True)
class Constraint:
    """A steward's decision on two records; outlives every re-run."""

    left: Ref
    right: Ref
    kind: Literal["must", "cannot"]


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """Two records a person should look at, and why, in one sentence without personal data."""

    kind: Literal["grey", "veto", "guard", "cannot", "contradiction"]
    left: Ref
    right: Ref
    weight: float
    reason: str


@dataclass(frozen=True, slots=True)
class Cluster:
    """Records that are one person."""

    members: frozenset[Ref]
    edges: tuple[Edge, ...] = ()
    """The edges that joined them, in the order they did."""


@dataclass(frozen=True, slots=True)
class Clustering:
    """Every record in exactly one cluster, and what was left for a person to judge."""

    clusters: tuple[Cluster, ...]
    review: tuple[ReviewItem, ...]
