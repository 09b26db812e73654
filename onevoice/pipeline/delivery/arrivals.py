"""Arrivals: what customers refuse while a push is under way does not wait for its end.

Between two batches, every few seconds, the systems are asked who refused just now. The vendor does the filtering: the
hub's own writes of status move thousands of stamps, and would all come back. A record that states a new opt-out is read
whole and goes the way of every change: resolve, unify, decide, plan. Its writes are at once the most urgent ones, and
leave in every system before anything else. Whatever this quick look does not show is met by the next pull: no watermark
moves here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial

from onevoice.errors import ConnectorError
from onevoice.model import Effect
from onevoice.pipeline.decide import decide
from onevoice.pipeline.delivery.desired import OPT_OUTS
from onevoice.pipeline.delivery.plan import plan
from onevoice.pipeline.hub import Hub
from onevoice.pipeline.pull import PageReader, store_page
from onevoice.pipeline.report import Report
from onevoice.pipeline.resolution.resolve import resolve
from onevoice.pipeline.unify import unify
from onevoice.protocols import Record
from onevoice.store import outboxes, pages
from onevoice.store.outboxes import Due

EVERY = timedelta(seconds=5)
"""How long a push goes on between two looks."""
ARRIVALS = "arrivals"
"""Name of the turn: one job at a time looks."""
STEPS = ("resolve", "unify", "decide", "plan")
"""Steps that may have been left something by an earlier look: a write in flight is not planned over."""

PushUrgent = Callable[[Hub, str, Due], Report]


class Arrivals:
    """Looks for arrivals on behalf of the job that pushes into one system."""

    def __init__(self, hub: Hub, system: str, push: PushUrgent) -> None:
        self.hub = hub
        self.system = system
        self.push = push
        limits = hub.limits
        self.off = any(limit is not None for limit in (limits.plan, limits.fields, limits.records, limits.pilot))
        """A run that was told what to write writes nothing else."""

    def attend(self) -> None:
        """Look, unless it is too soon or another job does; a system that cannot be asked is passed over."""
        hub = self.hub
        if self.off or hub.clock() - hub.looked_at < EVERY or not hub.turns.take(ARRIVALS):
            return
        try:
            self._look(hub.later())
        finally:
            hub.looked_at = hub.clock()
            hub.turns.give_back(ARRIVALS)

    def _look(self, now: Hub) -> None:
        arrived = 0
        for system in sorted(name for name, system in now.config.hub.systems.items() if system.read):
            arrived += self._with_turn(system, partial(self._take_in, now, system))
        with now.store.read() as connection:
            left = pages.any_work(connection, STEPS)
        if not arrived and not left:
            return
        for step in (resolve, unify, decide, partial(plan, arrived=True)):
            step(now)
        for system in sorted({target.system for target in now.targets_written} - {self.system}):
            self._with_turn(system, partial(self._push, now, system))

    def _with_turn(self, system: str, work: Callable[[], int]) -> int:
        """Do something at a system unless another job talks to it: that one looks, and pushes, by itself."""
        if system == self.system:
            return work()
        if not self.hub.turns.take(system):
            return 0
        try:
            return work()
        finally:
            self.hub.turns.give_back(system)

    def _take_in(self, now: Hub, system: str) -> int:
        """Store the records of a system that state a new opt-out; how many."""
        try:
            glancer = now.glancer(system)
            if glancer is None:
                return 0
            return sum(self._take_in_stream(now, system, stream) for stream in _stating(now, system))
        except ConnectorError:  # the next pull tells of it
            return 0

    def _take_in_stream(self, now: Hub, system: str, stream: str) -> int:
        glancer, fetcher = now.glancer(system), now.fetcher(system)
        if glancer is None or fetcher is None:
            return 0
        mapping = now.mappings[system, stream]
        since = now.glanced.get((system, stream), self.hub.as_of)
        records = tuple(glancer.glance(stream, since, mapping.refusals, mapping.consent_fields, now.as_of))
        keys = _refusing(now, system, stream, mapping.consent_fields, records)
        if keys:
            asked = now.fields_to_read(system, stream)
            store_page(now, system, stream, list(fetcher.fetch(stream, keys, asked)), None, asked)
        now.glanced[system, stream] = now.as_of
        return len(keys)

    def _push(self, now: Hub, system: str) -> int:
        due = Due(now.as_of, most_urgent=OPT_OUTS, planned_from=now.as_of)
        if _few(now, system, due):
            self.push(now, system, due)
        return 0


def _stating(hub: Hub, system: str) -> Iterator[str]:
    """Streams of a system whose records can state an opt-out."""
    for (name, stream), mapping in sorted(hub.mappings.items()):
        if name == system and mapping.refusals:
            yield stream


def _refusing(hub: Hub, system: str, stream: str, fields: tuple[str, ...], records: tuple[Record, ...]) -> list[str]:
    """Keys of records that state an opt-out of which the store does not know; nothing is stored."""
    reader = PageReader(hub, system, stream, records, fields)
    with hub.store.read() as connection:
        reader.read(pages.load_before(connection, reader.refs, reader.related()), {})
    return sorted({event.source.key for event in reader.change.events if event.effect is Effect.DENY})


def _few(hub: Hub, system: str, due: Due) -> bool:
    """Whether no stream would change in more records than the guard lets through; many wait for the next run."""
    guard = hub.config.hub.guard
    with hub.store.read() as connection:
        for target in hub.targets_written:
            if target.system != system:
                continue
            total = outboxes.count_records(connection, system, target.per)
            if outboxes.count_due(connection, system, target.stream, due) > max(
                guard.mass_change_share * total, guard.always_allowed
            ):
                return False
    return True
