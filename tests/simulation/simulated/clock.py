"""Time that passes only when somebody lets it: the one clock of a simulated world."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

BEGIN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class Clock:
    """The moment it is. Always whole milliseconds, as vendors tell them."""

    def __init__(self) -> None:
        self.now = BEGIN

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(milliseconds=round(seconds * 1000))
