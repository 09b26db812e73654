"""Loops: a field that the hub and a system change back and forth is left alone, and shown with both values.

It goes round when the very same change, from the value that stands there to the one that the hub wants, was written
again and again within a day: another tool writes it too, the vendor rewrites what it is given, or takes a value that it
never shows. It is written again as soon as either side has another value, or once more when a person asks for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from onevoice.pipeline.delivery.targets import PushTarget
from onevoice.store import Connection, outboxes, quarantines
from onevoice.store.pages import DestinationState
from onevoice.store.quarantines import LOOP, Held

WITHIN = timedelta(days=1)
MOST = 5
"""So often the same change of a field is written within a day; then it goes round."""


class Loops:
    """The fields that go round among some destination records. Values are in comparable form."""

    def __init__(self, connection: Connection, refs: Iterable[str], at: datetime) -> None:
        refs = set(refs)
        self.connection = connection
        self.at = at
        self.written = outboxes.written_since(connection, refs, at - WITHIN)
        self.known = quarantines.load(connection, LOOP, refs)
        self.standing: dict[str, Held] = {}

    def stop(self, target: PushTarget, ref: str, changes: dict[str, Any], state: DestinationState) -> dict[str, Any]:
        """The changes without those that go round."""
        known = self.known.get(ref)
        if known is not None and known.next_at is not None and known.next_at <= self.at:
            return changes  # somebody wants it tried once more
        wanted = target.comparable(changes)
        round_ = {
            name: {"hub": value, "system": state.sent.get(name)}
            for name, value in wanted.items()
            if self._times(ref, name, state.sent.get(name), value) >= MOST
        }
        if not round_:
            return changes
        names = ", ".join(sorted(round_))
        reason = f"{names}: written {MOST} times within a day, and each time something else stood there again"
        self.standing[ref] = Held("LOOP", reason, round_, known.attempts + 1 if known else 1, None)
        return {name: value for name, value in changes.items() if name not in round_}

    def store(self, looked_at: Iterable[str]) -> int:
        """Keep what goes round, and forget what does not any more; how many records are held."""
        quarantines.note(self.connection, LOOP, self.standing, self.at)
        quarantines.drop(self.connection, LOOP, set(looked_at) - self.standing.keys())
        return len(self.standing)

    def _times(self, ref: str, name: str, there: Any, wanted: Any) -> int:
        logged: Iterable[outboxes.Logged] = self.written.get(ref, ())
        return sum(_is_change(entry.before, entry.after, name, there, wanted) for entry in logged)


def _is_change(before: Mapping[str, Any], after: Mapping[str, Any], name: str, there: Any, wanted: Any) -> bool:
    return name in after and after[name] == wanted and before.get(name) == there
