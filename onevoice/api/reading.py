"""One request's look at the store: one moment of it, one profile or several, and where a retired id leads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from onevoice.api.access import Caller
from onevoice.api.problems import Problem, not_found
from onevoice.api.serving import Serving
from onevoice.pipeline.lookup import Ages, ages
from onevoice.store import Connection, lookups
from onevoice.store.lookups import KnownProfile


class Moved(Exception):
    """The profile lives on under another id."""

    def __init__(self, profile_id: str) -> None:
        super().__init__(profile_id)
        self.profile_id = profile_id


@dataclass(frozen=True, slots=True)
class Reading:
    """The store at one moment, for one caller."""

    serving: Serving
    caller: Caller
    connection: Connection

    def one(self, profile_id: str) -> KnownProfile:
        """A live profile. Raises Moved where another took its place, Problem where nobody has the id."""
        found = lookups.load_known(self.connection, [profile_id]).get(profile_id)
        if found is None:
            raise self._absence(profile_id)
        self.caller.note([profile_id])
        return found

    def some(self, profile_ids: Iterable[str]) -> dict[str, KnownProfile]:
        """Live profiles by id."""
        found = lookups.load_known(self.connection, profile_ids)
        self.caller.note(found)
        return found

    def ages(self) -> Ages:
        """When each stream was last read."""
        return ages(self.connection)

    def labels(self) -> dict[str, str]:
        """What people call each loyalty programme."""
        return {name: programme.label for name, programme in self.serving.hub.config.loyalty.programmes.items()}

    def _absence(self, profile_id: str) -> Moved | Problem:
        known, current = lookups.redirects(self.connection, profile_id)
        if current is not None:
            return Moved(current)
        if known:
            return Problem(410, "gone", "profile: its customer is gone from every system (nobody took its place)")
        return not_found("profile: nobody has or had this id (look the customer up by an identifier)")


@contextmanager
def reading(serving: Serving, caller: Caller) -> Iterator[Reading]:
    """A look at the store. Raises StoreError when it fails."""
    with serving.hub.store.snapshot() as connection:
        yield Reading(serving, caller, connection)
