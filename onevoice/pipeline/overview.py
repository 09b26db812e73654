"""How things stand, for the people who run the hub: how fresh each stream is, what was refused."""

from __future__ import annotations

from collections import Counter
from typing import Any

from onevoice.model import Ref
from onevoice.pipeline.hub import Hub
from onevoice.store import holds, identities, outboxes, pages, quarantines, runs


def status(hub: Hub, last: int = 5) -> dict[str, Any]:
    """The last runs, when each stream was read, what is held (`*`: everything), what waits to be written, and what was
    refused by system and code."""
    with hub.store.read() as connection:
        cursors = pages.all_cursors(connection)
        held = holds.standing(connection)
        waiting = Counter(Ref.parse(row.ref).system for row in outboxes.open_writes(connection))
        refused = Counter(
            (Ref.parse(entry["ref"]).system, entry["stage"], entry["code"])
            for entry in quarantines.everything(connection)
        )
    return {
        "runs": runs.last_runs(hub.store, last),
        "streams": [{"system": s, "stream": t, "read_at": at} for s, t, at in cursors],
        "held": [{"system": h.system, "since": h.since, "reason": h.reason} for h in held.values()],
        "waiting": dict(sorted(waiting.items())),
        "refused": [
            {"system": system, "stage": stage, "code": code, "records": count}
            for (system, stage, code), count in sorted(refused.items())
        ],
    }


def profile_behind(hub: Hub, text: str) -> str | None:
    """The profile id meant by a profile id or by `system/stream/key`; None when nobody is known by it."""
    if text.count("/") < 2:
        return text
    with hub.store.read() as connection:
        return identities.load_links(connection, [text]).get(text)


def held_by(hub: Hub, profile_id: str) -> list[dict[str, Any]]:
    """What the systems hold of one customer in the fields that the hub pushes, and what is still to be written."""
    with hub.store.read() as connection:
        members = identities.load_members(connection, [profile_id]).get(profile_id, [])
        states = pages.load_destinations(connection, members)
        waiting = outboxes.load_outbox(connection, members)
    return [
        {
            "record": ref,
            "holds": {name: value for name, value in sorted(states[ref].observed.items()) if value is not None},
            "waiting": dict(waiting[ref].fields) if ref in waiting else {},
        }
        for ref in members
        if ref in states
    ]
