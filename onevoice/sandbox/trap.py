"""A trap for one call of a vendor: it is held just before its effect or just after, until it is released.

Whoever kills a client while its call is held knows exactly what the client knew, and what the vendor did.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from onevoice.sandbox.calls import READ, WRITE

BEFORE, AFTER = "before", "after"
"""Moments. A call that was held before its effect is never carried out: it is cut off when it is released."""

T = TypeVar("T")


class CutOffError(Exception):
    """The call was held before its effect, and released: its answer is that of a lost connection."""


@dataclass(frozen=True, slots=True)
class Snare:
    """Which call is to be held: number `nth`, from 1, of its kind, or of one named operation."""

    kind: str
    nth: int
    moment: str
    operation: str = ""

    def __post_init__(self) -> None:
        """Refuse what no call could be."""
        if self.kind not in {READ, WRITE}:
            raise ValueError(f"trap: kind must be {READ} or {WRITE}")
        if self.moment not in {BEFORE, AFTER}:
            raise ValueError(f"trap: moment must be {BEFORE} or {AFTER}")
        if not isinstance(self.nth, int) or isinstance(self.nth, bool) or self.nth < 1:
            raise ValueError("trap: nth must be a whole number from 1")


class Trap:
    """Holds one call of one vendor at a time."""

    def __init__(self) -> None:
        self._snare: Snare | None = None
        self._left = 0
        self._caught = ""
        self._released = asyncio.Event()
        self.passed: Counter[tuple[str, str]] = Counter()
        """Calls that came by, by kind and operation."""

    def arm(self, snare: Snare) -> None:
        """Wait for this call from now on; a call that is held is released."""
        self.release()
        self._snare, self._left = snare, snare.nth
        self._released = asyncio.Event()

    def release(self) -> None:
        """Let the held call go, and wait for no other."""
        self._snare, self._caught = None, ""
        self._released.set()

    def state(self) -> dict[str, Any]:
        """Whether it waits, the operation that it holds, and what came by, in the same way of counting as `nth`."""
        passed: dict[str, dict[str, int]] = {READ: {}, WRITE: {}}
        for (kind, operation), calls in sorted(self.passed.items()):
            passed.setdefault(kind, {})[operation] = calls
        return {"armed": self._snare is not None, "caught": self._caught or None, "passed": passed}

    async def around(self, operation: str, kind: str, carry_out: Callable[[], Awaitable[T]]) -> T:
        """Carry out a call; CutOffError when it was held before its effect."""
        moment = self._moment(operation, kind)
        if moment == BEFORE:
            await self._hold(operation)
            raise CutOffError
        answer = await carry_out()
        if moment == AFTER:
            await self._hold(operation)
        return answer

    def _moment(self, operation: str, kind: str) -> str | None:
        """Count the call; when to hold it, None: not at all."""
        self.passed[kind, operation] += 1
        snare = self._snare
        if snare is None or kind != snare.kind or (snare.operation or operation) != operation:
            return None
        self._left -= 1
        return snare.moment if self._left == 0 else None

    async def _hold(self, operation: str) -> None:
        self._caught = operation
        await self._released.wait()
