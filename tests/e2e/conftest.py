"""A sandbox as its own process and a hub beside it, for tests over real HTTP with the real SDKs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from identity import Cluster, Clustering, Constraint, Degree, Edge, NormalisedRecord
from onevoice.cli.sandbox_process import Sandbox, running_sandbox
from onevoice.model import Ref
from onevoice.pipeline import CycleReport, Hub, PushLimits, open_hub, run_cycle
from onevoice.pipeline.accounts import provision, systems_written
from onevoice.pipeline.resolution.people import ResolvesPeople
from onevoice.pipeline.views import partition

PROGRAM = Path(sys.executable).with_name("onevoice")
CLOCKWORK = frozenset({"jobs", "version", "updatedAt", "timestamp", "last_updated", "consent_timestamp"})
"""Names in the vendors' state that tell when or how often something was written, and not what."""


def _settled(value: Any) -> Any:
    """A state without its clockwork and without fields that hold nothing: what was cleared is as good as never set."""
    if isinstance(value, dict):
        kept = {name: _settled(part) for name, part in value.items() if name not in CLOCKWORK}
        return {name: part for name, part in kept.items() if part not in (None, "", {}, [])}
    if isinstance(value, list) and not any(isinstance(part, dict | list) for part in value):
        return sorted(value, key=str)  # tags and groups: what a record has, in whatever order they came
    return [_settled(part) for part in value] if isinstance(value, list) else value


def _differences(one: Any, other: Any, path: str) -> Iterator[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted(one.keys() | other.keys()):
            yield from _differences(one.get(key), other.get(key), f"{path}/{key}")
    elif one != other:
        yield f"{path}: {one!r} here, {other!r} there"


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

    def state(self) -> dict[str, dict[str, dict[str, Any]]]:
        """What the vendors hold, by system, table and record id; '', null and a field that is not there are one."""
        return {
            system: {table: {key: _settled(row) for key, row in rows.items()} for table, rows in tables.items()}
            for system, tables in self.get("/state").items()
            for tables in [{name: rows for name, rows in tables.items() if name not in CLOCKWORK}]
        }

    def differs(self, other: World) -> list[str]:
        """Where another world holds something else, as paths with both values; when it was decided is left out."""
        return [line for line in _differences(self.state(), other.state(), "") if "decided_at" not in line]

    def now(self) -> str:
        """The sandbox's own time."""
        return str(self.get("/clock")["as_of"])

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start `onevoice WORDS` beside the test."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ONEVOICE_")}
        return subprocess.Popen(
            [PROGRAM, "--database", self.database, *words],
            cwd=self.project,
            env={**kept, **self.sandbox.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def onevoice(self, *words: str, code: int = 0) -> str:
        """Run `onevoice WORDS` to its end, which must be this exit code; what it printed."""
        process = self.start(*words)
        said, complained = process.communicate(timeout=240)
        assert process.returncode == code, said + complained
        return said

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

    def edges(
        self,
        pairs: Iterable[tuple[NormalisedRecord, NormalisedRecord]],
        degrees: Callable[[Collection[str]], Mapping[str, Degree]],
    ) -> list[Edge]:
        """Every two neighbours of one planted person, whether they have anything in common or not."""
        together: dict[str, set[Ref]] = {}
        for ref, person in self.person.items():
            together.setdefault(person, set()).add(ref)
        neighbours = [pair for refs in together.values() for pair in pairwise(sorted(refs))]
        return [Edge(left, right, 50.0, 1.0, "truth") for left, right in neighbours]

    def cluster(
        self, records: Mapping[Ref, NormalisedRecord], edges: Sequence[Edge], constraints: Sequence[Constraint]
    ) -> Clustering:
        """Clusters by planted person."""
        together: dict[str, set[Ref]] = {}
        for ref in records:
            together.setdefault(self.person[ref], set()).add(ref)
        return Clustering(tuple(Cluster(frozenset(refs)) for refs in together.values()), ())


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
