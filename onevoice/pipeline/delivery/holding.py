"""Hold and release: nothing is written to a held system, by any process, from half a second after the hold on.

A hold is a row in the store, so it reaches every process that works on it. It is looked at before each batch leaves the
outbox and before each single writing call, since a batch may take many calls and a call may wait long for its turn.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from onevoice.errors import ConfigError, GuardStopped, OnevoiceError
from onevoice.protocols import Budget, TellsQuotas
from onevoice.store import Store, holds
from onevoice.store.holds import EVERYTHING, Hold

if TYPE_CHECKING:
    from onevoice.pipeline.hub import Hub

BELIEVED_SECONDS = 0.5
"""How long an answer of the store is believed."""


def held(store: Store, system: str) -> Hold | None:
    """The hold under which a system stands."""
    with store.read() as connection:
        standing = holds.standing(connection)
    return standing.get(EVERYTHING) or standing.get(system)


def sentence(standing: Hold, system: str) -> str:
    """What people read of a system that is held."""
    release = "onevoice release" if standing.system == EVERYTHING else f"onevoice release {system}"
    return f"{system}: held since {standing.since:%Y-%m-%d %H:%M} UTC: {standing.reason} (`{release}` lets it go on)"


class HeldBudget:
    """A rate budget that lets no writing call through while its system is held."""

    def __init__(self, budget: Budget, store: Store, system: str, obeys: Callable[[], bool]) -> None:
        self._budget = budget
        self._store = store
        self._system = system
        self._obeys = obeys
        self._asked_at = -BELIEVED_SECONDS

    def acquire(self, kind: str, *, urgent: bool = False, cost: int = 1) -> None:
        """Wait for a turn; raise GuardStopped when the call writes and the system is held by then."""
        self._budget.acquire(kind, urgent=urgent, cost=cost)
        if urgent and self._obeys():
            self._stop_when_held()

    def observe(self, kind: str, *, remaining: int | None = None, limit: int | None = None) -> None:
        """Pass on what the vendor says is left."""
        self._budget.observe(kind, remaining=remaining, limit=limit)

    def throttled(self, kind: str, retry_after: float | None) -> None:
        """Pass on a refusal."""
        self._budget.throttled(kind, retry_after)

    def quotas(self) -> Mapping[str, tuple[int, int]]:
        """What the vendor has told of its quotas."""
        return self._budget.quotas() if isinstance(self._budget, TellsQuotas) else {}

    def _stop_when_held(self) -> None:
        now = time.monotonic()
        if now - self._asked_at < BELIEVED_SECONDS:
            return
        standing = held(self._store, self._system)
        if standing is not None:
            raise GuardStopped(sentence(standing, self._system))
        self._asked_at = now


def hold(hub: Hub, system: str | None, reason: str) -> list[Hold]:
    """Hold a system, or all when none is named; what stands held then."""
    with hub.store.begin() as connection:
        holds.place(connection, [_known(hub, system)], reason, hub.as_of)
        return list(holds.standing(connection).values())


def release(hub: Hub, system: str | None) -> list[Hold]:
    """Release a system, or everything when none is named; what stands held still.

    A single system cannot be released from a hold on everything: that would let through what nobody spoke of.
    """
    with hub.store.begin() as connection:
        standing = holds.standing(connection)
        if system is not None and EVERYTHING in standing:
            raise OnevoiceError(f"release {system}: everything is held (`onevoice release` releases all of it)")
        name = _known(hub, system)
        holds.lift(connection, standing if system is None else [name])
        return list(holds.standing(connection).values())


def _known(hub: Hub, system: str | None) -> str:
    if system is not None and system not in hub.config.hub.systems:
        known = ", ".join(sorted(hub.config.hub.systems))
        raise ConfigError(f"{system}: no such system (there are {known})")
    return system or EVERYTHING
