"""Events from outside: each is kept under its sender's id, and becomes part of the one customer it surely belongs to.

An event never makes a customer, and never chooses between two. One that has no owner yet is looked at again with every
sync, because the record that explains it may be on its way.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import orjson

from onevoice.model import Item, Ref
from onevoice.pipeline.hub import Hub
from onevoice.pipeline.lookup import Identifier, Match, find
from onevoice.store import Connection, events, identities, pages
from onevoice.store.events import EventRow

CHECK_IN = "check_in"
SYSTEM = "onevoice"
"""System under which items stand that came by the API and not from a configured system."""
LOOKED_AT_AGAIN = timedelta(days=30)
"""So long an event waits for its customer; whoever is not known by then was passing by."""


@dataclass(frozen=True, slots=True)
class CheckIn:
    """A customer came into a store and said who they are."""

    event_id: str
    at: datetime
    store: str
    who: Identifier


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of an event: it is stored in any case."""

    received_at: datetime
    profile_id: str | None
    """Whose it is; None: surely nobody's."""
    candidates: int
    """How many customers hold the identifier at this moment."""
    repeated: bool
    """The very same event had come before."""


class SameIdOtherEvent(Exception):
    """An event id that was used for something else."""


def take_in(hub: Hub, check_in: CheckIn, now: datetime) -> Taken:
    """Store an event, durably before this returns; the same one twice is stored once.

    Raises SameIdOtherEvent when the id belongs to another event, StoreError when the store cannot be written.
    """
    row = EventRow(
        event_id=check_in.event_id,
        type=CHECK_IN,
        at=check_in.at.astimezone(UTC),
        store=check_in.store,
        identifier=check_in.who.kind,
        value=check_in.who.value,
        digest=_digest(check_in),
        owner=None,
        received_at=now,
    )
    with hub.store.writing() as connection:
        known = events.load_event(connection, row.event_id)
        if known is not None and known.digest != row.digest:
            raise SameIdOtherEvent
        matches = find(connection, check_in.who)
        if known is not None:
            owner = known.owner and identities.load_links(connection, [known.owner]).get(known.owner)
            return Taken(known.received_at, owner or None, len(matches), repeated=True)
        return Taken(now, _give(connection, row, matches), len(matches), repeated=False)


def settle_events(hub: Hub, connection: Connection) -> None:
    """Look again at events without an owner: once a cycle, when it is known anew who is who."""
    for row in events.unowned_events(connection, hub.as_of - LOOKED_AT_AGAIN):
        matches = find(connection, Identifier(row.identifier, row.value))  # type: ignore[arg-type]  # as it was stored
        if len(matches) == 1:
            _give(connection, row, matches)


def _give(connection: Connection, row: EventRow, matches: list[Match]) -> str | None:
    """Store an event, as a visit of the one customer who is meant; nobody's when it is not one."""
    if len(matches) != 1:
        events.save_event(connection, row, None)
        return None
    match = matches[0]
    owner = match.records[0]
    data = {"at": row.at.isoformat(), "store": row.store, "channel": "store"}
    made = Item(Ref(SYSTEM, row.type, row.event_id), "visit", data, Ref.parse(owner))
    events.save_event(connection, replace(row, owner=owner), made)
    pages.mark_work(connection, {("unify", match.profile_id)})
    return match.profile_id


def _digest(check_in: CheckIn) -> str:
    content = [check_in.at.astimezone(UTC).isoformat(), check_in.store, check_in.who.kind, check_in.who.value]
    return hashlib.blake2b(orjson.dumps(content), digest_size=16).hexdigest()
