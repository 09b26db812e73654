"""A sandbox as its own process and a hub beside it, for tests over real HTTP with the real SDKs."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from identity import Cluster, Constraint, Degree, Edge, NormalisedRecord, Resolution
from onevoice.cli.sandbox_process import Sandbox, running_sandbox
from onevoice.model import Ref
from onevoice.pipeline import CycleReport, Hub, PushLimits, open_hub, run_cycle
from onevoice.pipeline.accounts import provision, systems_written
from onevoice.pipeline.people import ResolvesPeople
from onevoice.pipeline.views import partition


@dataclass
class World:
    """One sandbox with one hub project beside it."""

    sandbox: Sandbox
    project: Path
    database: str
    people: ResolvesPeople | None = None
    hubs: list[Hub] = field(default_factory=list)

    def get(self, path: str) -> Any:
        """Ask the judge."""
        return httpx.get(self.sandbox.admin + path, timeout=120).raise_for_status().json()

    def post(self, path: str, body: object = None) -> Any:
        """Tell the judge something."""
        return httpx.post(self.sandbox.admin + path, json=body or {}, timeout=120).raise_for_status().json()

    def hub(self, **limits: Any) -> Hub:
        """Open the hub at the sandbox's own time."""
        opened = open_hub(
            self.project,
            environment=self.sandbox.environment,
            database=self.database,
            as_of=datetime.fromisoformat(self.get("/clock")["as_of"]),
            limits=PushLimits(**{"first": True, **limits}),
            people=self.people,
        )
        self.hubs.append(opened)
        return opened

    def provision(self) -> None:
        """Create the fields that pushing needs."""
        hub = self.hub()
        for system in systems_written(hub):
            provision(hub, system, dry_run=False)

    def cycle(self, *, provisioned: bool = False, **limits: Any) -> CycleReport:
        """Run one cycle, fifteen virtual minutes after whatever happened last; create missing fields before."""
        self.post("/clock", {"advance_seconds": 900})
        if not provisioned:
            self.provision()
        return run_cycle(self.hub(**limits))

    def tell_assignment(self) -> None:
        """Let the judge know to which profiles the hub assigned the till's records, which carry no pushed id."""
        self.post("/assignment", {"records": [list(row) for row in partition(self.hubs[-1])]})

    def messages(self) -> dict[str, Any]:
        """Summary of the messages that would go out now."""
        return dict(self.get("/messages")["summary"])

    def records_written(self) -> int:
        """Vendor records changed through the API since the counts were last reset."""
        return sum(system["records_written"] for system in self.get("/calls").values())

    def close(self) -> None:
        """Close every store."""
        for hub in self.hubs:
            hub.store.close()


class KnownPeople:
    """The planted identities, standing in for resolution: what is left then is not caused by identity."""

    def __init__(self, truth: dict[str, Any]) -> None:
        self.person = {Ref(r["system"], r["stream"], r["key"]): r["person"] for r in truth["records"]}

    def resolve(
        self,
        neighbourhood: list[NormalisedRecord],
        changed: set[Ref],
        previous_edges: list[Edge],
        constraints: list[Constraint],
        degrees: dict[str, Degree],
    ) -> Resolution:
        """Clusters by planted person."""
        together: dict[str, set[Ref]] = {}
        for record in neighbourhood:
            together.setdefault(self.person[record.ref], set()).add(record.ref)
        edges = [
            Edge(left, right, 50.0, 1.0, "truth")
            for refs in together.values()
            for left, right in zip(sorted(refs), sorted(refs)[1:], strict=False)
        ]
        clusters = tuple(Cluster(frozenset(refs)) for refs in together.values())
        return Resolution(tuple(edges), frozenset(changed), clusters, ())


@pytest.fixture
def world(tmp_path: Path, checkout: Path) -> Iterator[Callable[..., World]]:
    """Make worlds that end with the test."""
    with ExitStack() as stack:

        def make(
            people: int, *, seed: int = 7, database: str | None = None, known: bool = False, **sandbox: Any
        ) -> World:
            number = len(list(tmp_path.iterdir()))
            running = stack.enter_context(
                running_sandbox(seed=seed, people=people, log=tmp_path / f"sandbox-{number}.log", **sandbox)
            )
            project = tmp_path / f"project-{number}"
            for part in ("config", "mappings"):
                shutil.copytree(checkout / part, project / part)
            made = World(running, project, database or f"sqlite:///{tmp_path / f'hub-{number}.sqlite'}")
            if known:
                made.people = KnownPeople(made.get("/truth"))
            stack.callback(made.close)
            return made

        yield make
