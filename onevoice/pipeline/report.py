"""What a job tells the people who run it: counts and sentences, never records."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

DONE, FAILED, REJECTED, STOPPED = 0, 1, 3, 4
"""Exit codes of a cycle; 2 is a wrong configuration and is raised before a cycle begins."""


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of one job."""

    counts: Mapping[str, int] = field(default_factory=dict)
    notes: Sequence[str] = ()
    rejected: int = 0
    failed: str | None = None
    """One sentence when the job could not be done; the other jobs go on."""
    stopped: str | None = None
    """One sentence when a guard stopped the job before it wrote anything."""
    again: bool = False
    """The job failed at something that may pass: the same job may succeed a little later."""
    alone: bool = False
    """The failure concerns one stream; others of the same system may work."""
    contradictions: Mapping[str, int] = field(default_factory=dict)
    """Of the plan: open contradictions by class, as the systems stand before anything is pushed."""

    def as_dict(self) -> dict[str, Any]:
        """The report as a JSON object."""
        return {
            "counts": dict(self.counts),
            "notes": list(self.notes),
            "rejected": self.rejected,
            "failed": self.failed,
            "stopped": self.stopped,
            "contradictions": dict(self.contradictions),
        }


@dataclass(frozen=True, slots=True)
class Job:
    """One unit of a stage: one system, or the whole store."""

    name: str
    system: str | None
    run: Callable[[], Report]


@dataclass(frozen=True, slots=True)
class Stage:
    """Jobs that may run side by side; stages run one after another."""

    name: str
    jobs: Sequence[Job]


@dataclass(frozen=True, slots=True)
class CycleReport:
    """The outcome of a whole cycle."""

    run: str
    stages: Mapping[str, Mapping[str, Report]]
    seconds: Mapping[str, float]

    @property
    def exit_code(self) -> int:
        """0 done, 3 done with faults or rejected records, 4 stopped by a guard."""
        reports = [report for jobs in self.stages.values() for report in jobs.values()]
        if any(report.stopped for report in reports):
            return STOPPED
        return REJECTED if any(report.failed or report.rejected for report in reports) else DONE

    def as_dict(self) -> dict[str, Any]:
        """The report as a JSON object."""
        return {
            "run": self.run,
            "exit_code": self.exit_code,
            "stages": {s: {j: r.as_dict() for j, r in jobs.items()} for s, jobs in self.stages.items()},
            "seconds": dict(self.seconds),
        }
