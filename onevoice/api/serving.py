"""What every request works with: the open hub, the clock, the audit, and what is worth remembering between them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from anyio import CapacityLimiter

from onevoice.api.audit import Audit
from onevoice.pipeline.hub import Hub
from onevoice.pipeline.service_view import TOP_SHARE
from onevoice.store import Connection, changes, lookups

WRITERS = 2
"""Threads that may wait for the store's one writer; the others stay free for reads."""
Clock = Callable[[], datetime]


def now() -> datetime:
    """The present."""
    return datetime.now(UTC)


class Serving:
    """One server's state. Handlers run in threads; nothing here is changed but under a lock."""

    def __init__(self, hub: Hub, clock: Clock = now) -> None:
        self.hub = hub
        self.clock = clock
        self.zone = ZoneInfo(hub.config.hub.timezone)
        self.audit = Audit(hub.store)
        self.writers = CapacityLimiter(WRITERS)
        self._lock = threading.Lock()
        self._best: tuple[int, float | None] = (-1, None)

    @property
    def today(self) -> date:
        """The company's day: until-dates and rules see days."""
        return self.clock().astimezone(self.zone).date()

    def best_from(self, connection: Connection) -> float | None:
        """The annual spend from which on customers are the best ones; reckoned again when any profile has changed."""
        seq = changes.last_change(connection)
        with self._lock:
            if self._best[0] == seq:
                return self._best[1]
        found = lookups.spend_at_share(connection, TOP_SHARE)
        with self._lock:
            self._best = (seq, found)
        return found
