"""One schedule: from a seed to a world, troubles, a hub that is killed and starts again, quiet, and a verdict."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from sqlalchemy import select

from identity import Cluster, Clustering, Constraint, Degree, Edge, NormalisedRecord
from onevoice.model import Ref
from onevoice.pipeline import Hub, PushLimits, open_hub, run_cycle
from onevoice.store import runs
from onevoice.store.schema import outbox, quarantine
from simulated.clock import BEGIN, Clock
from simulated.moments import Killed, Moments
from simulated.oracle import violations
from simulated.store import SimulatedStore
from simulated.vendors import Troubles
from simulated.world import World

PROJECT = Path(__file__).resolve().parents[1] / "project"
COMPILED = ("mappings", "targets", "model", "programme", "marketing", "versions", "counted_blanks")
"""What a hub derives from its configuration: made once, and handed on."""
MOST_CYCLES = 14
"""After so many cycles in a quiet world the hub must have nothing to write."""
SOON = timedelta(minutes=3)


class Told:
    """Who is who, as the simulation knows it: a record's key begins with its person."""

    def edges(
        self, pairs: Iterable[tuple[NormalisedRecord, NormalisedRecord]], _degrees: Mapping[str, Degree]
    ) -> list[Edge]:
        same = [(a.ref, b.ref) for a, b in pairs if _person(a.ref) == _person(b.ref)]
        return [Edge(*pair, 50.0, 1.0, "told") for pair in sorted({(min(pair), max(pair)) for pair in same})]

    def cluster(
        self, records: Mapping[Ref, NormalisedRecord], _edges: Sequence[Edge], _constraints: Sequence[Constraint]
    ) -> Clustering:
        people: dict[str, set[Ref]] = {}
        for ref in records:
            people.setdefault(_person(ref), set()).add(ref)
        return Clustering(tuple(Cluster(frozenset(refs)) for _, refs in sorted(people.items())), ())


def _person(ref: Ref) -> str:
    return ref.key.partition("-")[0]


@dataclass(slots=True)
class Verdict:
    """What became of a schedule."""

    seed: int
    broken: list[str] = field(default_factory=list)
    """What did not hold; empty when everything did."""
    trace: Sequence[str] = ()
    operations: int = 0
    kills: int = 0
    cycles: int = 0


class Simulator:
    """Runs schedules one after another, with what is dear to make kept between them."""

    def __init__(self) -> None:
        self._store = SimulatedStore()
        template = open_hub(PROJECT, environment={}, database="sqlite://", as_of=BEGIN, people=Told())
        template.store.close()
        self._hub = replace(template, store=self._store.store, limits=PushLimits(first=True))
        self._compiled = {name: getattr(self._hub, name) for name in COMPILED}

    def close(self) -> None:
        self._store.close()

    def run(
        self,
        seed: int,
        *,
        trace: bool = False,
        without: Collection[str] = (),
        mutant: Callable[[], AbstractContextManager[Any]] = nullcontext,
    ) -> Verdict:
        """Run a schedule. `without` leaves out kinds of trouble (kills, troubles, moves, turns): to find the cause."""
        schedule = _Schedule(self, seed, trace=trace, without=without)
        with mutant():
            schedule.play()
        return schedule.verdict

    def hub(self, moments: Moments, world: World, number: int) -> Hub:
        """A new process: nothing is left of the one before but the store."""
        clock = moments.clock
        hub = replace(
            self._hub, as_of=clock.now, run_id=f"run-{number}", sleep=_sleeper(moments), clock=lambda: clock.now
        )
        hub.__dict__.update(self._compiled)
        hub._connectors = dict(world.vendors)
        return hub

    @property
    def store(self) -> SimulatedStore:
        return self._store


def _sleeper(moments: Moments) -> Callable[[float], None]:
    def sleep(seconds: float) -> None:
        moments.clock.sleep(seconds)
        moments.reach(f"slept {seconds} s")

    return sleep


class _Schedule:
    """One run of the world and the hub in it."""

    def __init__(self, simulator: Simulator, seed: int, *, trace: bool, without: Collection[str]) -> None:
        self.simulator = simulator
        self.rng = random.Random(seed)
        self.clock = Clock()
        self.moments = Moments(self.rng, self.clock)
        self.moments.trace = [] if trace else None
        self.world = World(self.rng, self.clock, self.moments)
        self.without = frozenset(without)
        self.verdict = Verdict(seed)
        self.processes = 0

    def play(self) -> None:
        """The whole schedule."""
        self.simulator.store.fresh(self.moments)
        try:
            with self._processes():
                self._trouble()
                self._quiet()
            self.verdict.broken += violations(self.world, self.simulator.store.store)
        except AssertionError as exc:
            self.verdict.broken.append(f"{type(exc).__name__}: {exc}")
        finally:
            self.simulator.store.quietly(None)
        self.verdict.trace = self.moments.trace or ()
        self.verdict.operations = self.moments.number

    def _processes(self) -> AbstractContextManager[Any]:
        """Processes here are simulated: each has a name of its own, and the others are dead."""
        name = lambda: f"simulated:{self.processes}:0"  # noqa: E731
        return patch.multiple(runs, process_name=name, _still_holds=lambda owner, _until, _now: owner == name())

    def _trouble(self) -> None:
        """Some cycles in a world in which everything happens."""
        self.moments.move = self.world.move
        rng = self.rng
        troubled = rng.random() < 0.7
        killing = rng.random() < 0.7
        self.moments.interleaved = rng.random() < 0.5 and "turns" not in self.without
        busy = rng.choice((0.0, 0.01, 0.05))
        level = rng.choice((0.05, 0.2, 0.5))
        for number in range(rng.randint(2, 5)):
            for _ in range(rng.randint(0, 4)):
                if "moves" not in self.without:
                    self.world.something()
                self.clock.sleep(rng.choice((1, 20, 400)))
            self.clock.sleep(rng.choice((1, 60, 900, 3600)))
            if number and troubled and "troubles" not in self.without:
                self._make_trouble(level)
            self.world.busy = busy if "moves" not in self.without else 0.0
            dies_after = rng.randint(1, 260) if killing and rng.random() < 0.7 and "kills" not in self.without else None
            self._cycle(dies_after)

    def _make_trouble(self, level: float) -> None:
        rng = self.rng
        for vendor in self.world.vendors.values():
            kinds = {name: rng.random() * level for name in ("reading", "writing", "lost", "single")}
            on = {name: rate for name, rate in kinds.items() if rng.random() < 0.5}
            forgotten = rng.random() * 0.2 if rng.random() < 0.2 else 0.0
            vendor.troubles = Troubles(**on, forgotten=forgotten)
            vendor.refuses = {key for key in vendor.living() if rng.random() < 0.05}
            vendor.poisonous = {key for key in vendor.living() if rng.random() < 0.03}
            vendor.locked_until = self.clock.now + timedelta(seconds=20) if rng.random() < 0.05 else None

    def _quiet(self) -> None:
        """Nothing happens and nothing goes wrong any more; some records are refused for ever."""
        world = self.world
        world.busy = 0.0
        self.moments.tell("=== quiet")
        self.moments.interleaved = False
        for vendor in world.vendors.values():
            vendor.troubles = Troubles()
            vendor.locked_until = None
            if self.rng.random() < 0.7:
                vendor.refuses, vendor.poisonous = set(), set()
        self.clock.now += timedelta(hours=1)
        for vendor in world.vendors.values():
            vendor.happen()
        for _ in range(MOST_CYCLES):
            self.clock.now += SOON
            before = self._calls()
            self._cycle(None)
            if self._calls() == before:
                waiting = self._waits_until()
                if waiting is None:
                    return
                self.clock.now = max(self.clock.now, waiting)
        self.verdict.broken.append(f"quiet: still writing after {MOST_CYCLES} cycles in which nothing happened")

    def _waits_until(self) -> datetime | None:
        """When the next write is due that was put off or refused; None when none is, or every one is refused for ever.
        It only tells how long to wait: what has to hold by then is the oracle's."""
        with self.simulator.store.store.read() as connection:
            waiting = list(connection.execute(select(outbox.c.ref, outbox.c.attempts, outbox.c.next_at)))
            waiting += connection.execute(select(quarantine.c.ref, quarantine.c.attempts, quarantine.c.next_at))
        tried = {row.ref for row in waiting if row.attempts > 1}
        waiting = [row for row in waiting if self._passes(row.ref) or row.ref not in tried]
        times = [row.next_at for row in waiting if row.next_at is not None]
        return min(times, default=None)

    def _passes(self, ref: str) -> bool:
        """Whether the vendor would take the write by now."""
        system, _, key = ref.split("/", 2)
        vendor = self.world.vendors[system]
        return key not in vendor.refuses | vendor.poisonous

    def _calls(self) -> int:
        return sum(vendor.write_calls for vendor in self.world.vendors.values())

    def _cycle(self, dies_after: int | None) -> None:
        self.processes += 1
        self.moments.revive()
        self.moments.dies_at = None if dies_after is None else self.moments.number + dies_after
        self.moments.tell(f"=== cycle {self.processes}")
        self.verdict.cycles += 1
        hub = self.simulator.hub(self.moments, self.world, self.processes)
        try:
            run_cycle(hub, self.moments.run_stage)
        except Killed:
            self.verdict.kills += 1
        self.world.ends[hub.run_id] = self.clock.now
