"""Rate budgets that learn from the vendor.

Each limit of the manifest is a token bucket whose size and speed together never let more than `calls` through in any
window of `seconds`. A refusal halves the speed and holds until the vendor's own time; a clean window gives 5 % back.
What the vendor says is left replaces the local guess when it is lower, and what it says of its limit replaces the
manifest's number. A share of each bucket is kept for urgent calls.

A bucket of size b filled at r per second lets b + r * seconds calls through in one window: b is a fifth of `calls`,
r the rest over `seconds`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Protocol

from connectors._manifest import Limit
from onevoice.errors import Throttled

BURST_SHARE = 0.2
CUT = 0.5
CREEP = 0.05
SLOWEST = 0.1
"""The rate is never cut below a tenth: a vendor that refuses for ever is ended by the caller's retry policy."""
HOLD_SHARE = 0.05
"""Part of the window that is held after a refusal without a time: a rolling window frees a little all the while, and
the retry policy's own pauses grow."""
LONGEST_WAIT_SECONDS = 120.0
"""A longer wait than this is not waited for: the caller hears Throttled and the next run goes on."""
RECHECKS_PER_WINDOW = 24
"""How often a spent quota of the vendor is tried again: hourly for a daily one."""


@dataclass(slots=True)
class Gauge:
    """The moving part of one limit. Times are seconds of the budget's clock."""

    tokens: float
    filled_at: float
    share: float = 1.0
    """The part of the full speed that is used now."""
    shifted_at: float = 0.0
    """When `share` last moved."""
    hold_until: float = 0.0
    cut_at: float = -math.inf
    """When `share` was last cut: refusals of calls that were under way together are one sign, not several."""
    remaining: int | None = None
    """What the vendor said is left, counted down since."""
    total: int | None = None
    told_at: float = 0.0


class Gauges(Protocol):
    """Where the moving parts live. Whoever opens them holds them alone."""

    def open(self) -> AbstractContextManager[Mapping[str, Gauge]]:
        """The gauges by name of limit; changes made inside the block are kept."""


class ProcessGauges:
    """Gauges in the memory of this process, for all its threads."""

    def __init__(self, gauges: Mapping[str, Gauge]) -> None:
        self._gauges = gauges
        self._lock = Lock()

    @contextmanager
    def open(self) -> Iterator[Mapping[str, Gauge]]:
        """Hold the lock for the length of the block."""
        with self._lock:
            yield self._gauges


def fresh_gauges(limits: Sequence[Limit], now: float) -> Mapping[str, Gauge]:
    """Full buckets."""
    return {limit.name: Gauge(_size(limit.calls or 0), now, shifted_at=now) for limit in limits}


class AdaptiveBudget:
    """All limits of one account; implements `onevoice.protocols.Budget`."""

    def __init__(
        self,
        system: str,
        limits: Sequence[Limit],
        *,
        gauges: Gauges | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._system = system
        self._limits = {limit.name: limit for limit in limits}
        self._clock = clock
        self._sleep = sleep
        self._gauges = gauges or ProcessGauges(fresh_gauges(limits, clock()))

    def acquire(self, kind: str, *, urgent: bool = False, cost: int = 1) -> None:
        """Wait until one call of this kind may be made; raise Throttled when that would take minutes."""
        concerned = [limit for limit in self._limits.values() if kind in limit.kinds]
        while True:
            with self._gauges.open() as gauges:
                now = self._clock()
                wait = max(
                    (self._wait(each, gauges[each.name], now, urgent, _price(each, cost)) for each in concerned),
                    default=0.0,
                )
                if wait <= 0:
                    for limit in concerned:
                        _take(gauges[limit.name], limit, _price(limit, cost))
                    return
            if wait > LONGEST_WAIT_SECONDS:
                raise Throttled(
                    f"{self._system}: the call quota is used up but for its reserve (run again when it is reset)",
                    system=self._system,
                    retry_after=wait,
                    until_reset=True,
                )
            self._sleep(wait)

    def observe(self, kind: str, *, remaining: int | None = None, limit: int | None = None) -> None:
        """Take note of what is left; `kind` is a kind of call or the name of a limit."""
        with self._gauges.open() as gauges:
            for known in self._meant(kind):
                gauge = gauges[known.name]
                gauge.total = limit if limit is not None else gauge.total
                if remaining is None:
                    continue
                if known.calls is None:
                    gauge.remaining, gauge.told_at = remaining, self._clock()
                elif known.points:
                    gauge.tokens, gauge.filled_at = float(remaining), self._clock()
                else:
                    gauge.tokens = min(gauge.tokens, float(remaining))

    def throttled(self, kind: str, retry_after: float | None) -> None:
        """Halve the speed and hold; `kind` is a kind of call or the name of a limit."""
        with self._gauges.open() as gauges:
            now = self._clock()
            for known in self._meant(kind):
                gauge = gauges[known.name]
                if known.calls is None:
                    gauge.remaining, gauge.told_at = 0, now
                    continue
                if now - gauge.cut_at >= known.seconds:
                    gauge.share, gauge.cut_at = max(SLOWEST, gauge.share * CUT), now
                gauge.tokens = 0.0
                hold = known.seconds * HOLD_SHARE if retry_after is None else retry_after
                gauge.hold_until = max(gauge.hold_until, now + hold)
                # A window in which nothing was sent proves nothing.
                gauge.shifted_at = gauge.hold_until

    def quotas(self) -> Mapping[str, tuple[int, int]]:
        """What the vendor last said is left of limits whose number only it knows, and of how many; by name of limit."""
        with self._gauges.open() as gauges:
            told = {name: gauges[name] for name, limit in self._limits.items() if limit.calls is None}
            return {
                name: (gauge.remaining, gauge.total)
                for name, gauge in told.items()
                if gauge.remaining is not None and gauge.total is not None
            }

    def _meant(self, kind: str) -> Sequence[Limit]:
        if kind in self._limits:
            return [self._limits[kind]]
        return [limit for limit in self._limits.values() if kind in limit.kinds and limit.calls is not None]

    def _wait(self, limit: Limit, gauge: Gauge, now: float, urgent: bool, price: int) -> float:
        if limit.calls is None:
            return _quota_wait(limit, gauge, now, urgent)
        # The manifest's number is a first guess; the account's plan may allow another one, which the vendor tells.
        calls = gauge.total or limit.calls
        size, speed = _size(calls), _speed(calls, limit.seconds) * gauge.share
        windows = int((now - gauge.shifted_at) // limit.seconds)
        if windows > 0 and gauge.share < 1.0:
            gauge.share = min(1.0, gauge.share + CREEP * windows)
            gauge.shifted_at = now
        # Nothing flows in while held, so that the first moment after a hold is not a burst.
        flowing_since = max(gauge.filled_at, min(gauge.hold_until, now))
        gauge.tokens = min(size, gauge.tokens + (now - flowing_since) * speed)
        gauge.filled_at = now
        # A call that costs more than the bucket holds goes through a full one.
        needed = min(size, price if urgent else price + limit.reserve * size)
        # A clock in floating point may miss the last billionth of a token for ever.
        short = 0.0 if gauge.tokens >= needed - 1e-6 else (needed - gauge.tokens) / speed
        return max(gauge.hold_until - now, short)


def _price(limit: Limit, cost: int) -> int:
    return cost if limit.points else 1


def _take(gauge: Gauge, limit: Limit, price: int) -> None:
    if limit.calls is not None:
        gauge.tokens -= price
    elif gauge.remaining is not None:
        gauge.remaining -= 1


def _quota_wait(limit: Limit, gauge: Gauge, now: float, urgent: bool) -> float:
    if gauge.remaining is None:
        return 0.0
    floor = 0 if urgent else math.ceil(limit.reserve * (gauge.total or 0))
    if gauge.remaining > floor:
        return 0.0
    wait = gauge.told_at + limit.seconds / RECHECKS_PER_WINDOW - now
    if wait <= 0:
        gauge.remaining = None
    return wait


def _size(calls: int) -> float:
    return max(1.0, calls * BURST_SHARE)


def _speed(calls: int, seconds: float) -> float:
    """Tokens a second; a limit of one call in a window still moves."""
    return max(calls - _size(calls), calls * (1 - BURST_SHARE)) / seconds
