"""The life of a profile id: every event with its cause, the decisions of stewards, and where a retired id leads now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from onevoice.pipeline.hub import Hub
from onevoice.store import Connection, identities, lookups, steward
from onevoice.store.lookups import LineageEntry
from onevoice.store.steward import StewardDecision


@dataclass(frozen=True, slots=True)
class Named:
    """A record that the history speaks of."""

    ref: str
    name: str
    """Given and family name as the record has them; empty when it has none, or is gone."""
    profile_id: str | None
    """Where it is now; None when it is gone."""
    since: datetime | None


@dataclass(frozen=True, slots=True)
class History:
    """What happened to a profile id, and to the ids that were merged into it."""

    profile_id: str
    current: str | None
    """The live id behind it; None when no record is left."""
    events: Sequence[LineageEntry]
    """Oldest first."""
    decisions: Sequence[StewardDecision]
    """What stewards decided on its records, oldest first, withdrawn decisions too."""
    records: Sequence[Named]


def history(hub: Hub, profile_id: str) -> History | None:
    """The life of an id, live or retired; None when nobody ever had it."""
    with hub.store.snapshot() as connection:
        known, current = lookups.redirects(connection, profile_id)
        if not known:
            return None
        events = lookups.load_history(connection, profile_id)
        members = identities.load_members(connection, [current]).get(current, []) if current else []
        told = {word for event in events for word in event.cause.split() if word.count("/") >= 2}
        refs = {*members, *told}
        return History(
            profile_id=profile_id,
            current=current,
            events=events,
            decisions=steward.decisions_on(connection, refs),
            records=_named(connection, refs),
        )


def _named(connection: Connection, refs: Iterable[str]) -> list[Named]:
    refs = sorted(refs)
    customers = identities.load_customers(connection, refs)
    homes = steward.load_homes(connection, refs)
    return [
        Named(ref, _name(customers[ref].data) if ref in customers else "", *homes.get(ref, (None, None)))
        for ref in refs
    ]


def _name(customer: Mapping[str, object]) -> str:
    parts = (customer.get("given_name"), customer.get("family_name"))
    return " ".join(str(part) for part in parts if part)
