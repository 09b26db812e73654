"""Moments between two operations: here other jobs go on, the world moves, and the hub's process may die.

Every statement, commit and vendor call of the hub passes through `reach`. What happens there is drawn from the
schedule's own random numbers, so the same seed gives the same run, operation by operation.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta

from greenlet import getcurrent, greenlet

from onevoice.pipeline import Report, Stage
from simulated.clock import Clock

TICK = timedelta(milliseconds=7)
"""What one operation takes."""
TURNS = 0.3
"""How often another job of the stage goes on, where it may."""


class Killed(BaseException):
    """The process is gone. No error of the hub's: nobody may catch it and go on."""


class Moments:
    """The operations of one hub process after another."""

    def __init__(self, rng: random.Random, clock: Clock) -> None:
        self.rng = rng
        self.clock = clock
        self.number = 0
        """Operations so far, over all processes."""
        self.dies_at: int | None = None
        """The number of the operation at which the process dies."""
        self.dead = False
        self.interleaved = False
        """Whether the jobs of a stage take turns; else one runs after the other."""
        self.move: Callable[[bool], None] = lambda _free: None
        """Lets the world move; told whether the store is free for another writer."""
        self.trace: list[str] | None = None
        """What happened, where somebody wants to read it."""
        self._writing = False
        self._moving = False
        self._stage: greenlet | None = None

    @property
    def side_by_side(self) -> bool:
        """Whether several jobs are under way."""
        return self._stage is not None

    def tell(self, what: str) -> None:
        """Note something for whoever reads the trace."""
        if self.trace is not None:
            self.trace.append(f"{self.number:5} {self.clock.now:%d %H:%M:%S.%f} {' '.join(what.split())}"[:600])

    def reach(self, what: str) -> None:
        """One moment; raises Killed where the process dies, and ever after."""
        if self._moving:  # somebody else's process
            return
        if self.dead:
            raise Killed
        self.number += 1
        if self.trace is not None:
            self.tell(what)
        self.clock.now += TICK
        if self.number == self.dies_at:
            self.tell("*** the process dies ***")
            self.dead = True
            raise Killed
        self._moving = True
        try:
            self.move(not self._writing)
        finally:
            self._moving = False
        if self._stage is not None and not self._writing and self.rng.random() < TURNS:
            self._stage.switch()
            if self.dead:
                raise Killed

    def begin(self) -> None:
        """A write transaction begins. There is one at a time: no job takes its turn while another writes."""
        self.reach("BEGIN")
        self._writing = not self._moving

    def end(self) -> None:
        """The write transaction is over."""
        self._writing = self._writing and self._moving

    def revive(self) -> None:
        """A new process starts."""
        self.dead = self._writing = False
        self.dies_at = None

    def run_stage(self, stage: Stage) -> Mapping[str, Report]:
        """Run the jobs of a stage: they take turns at their moments, as tasks of a flow do."""
        self.tell(f"--- stage {stage.name}")
        if not self.interleaved or len(stage.jobs) == 1:
            return {job.name: job.run() for job in stage.jobs}
        reports: dict[str, Report] = {}
        living = {job.name: greenlet(job.run) for job in stage.jobs}
        self._stage = getcurrent()
        try:
            while living:
                name = self.rng.choice(sorted(living))
                found = living[name].switch()
                if living[name].dead:
                    reports[name] = found
                    del living[name]
        finally:
            self._stage = None
            for job in living.values():
                _end(job)
        return {job.name: reports[job.name] for job in stage.jobs}


def _end(job: greenlet) -> None:
    """A job that is under way goes down with its process."""
    if job:  # begun and not ended
        with suppress(Killed):
            job.throw(Killed)
