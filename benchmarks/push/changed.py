"""What it costs to tell three systems of many changed profiles: calls, seconds, memory. See README.md."""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from base import Person, change, fill

from onevoice.cli.sandbox_process import Sandbox, running_sandbox
from onevoice.model import Ref
from onevoice.pipeline import Hub, PushLimits, open_hub, run_cycle
from onevoice.pipeline.accounts import provision
from onevoice.project import copy_template
from onevoice.sandbox.keep import keep_world
from onevoice.sandbox.population.hardcases import FEWEST_PEOPLE
from onevoice.sandbox.state import Table
from onevoice.sandbox.world import World, build_world

TABLES = {"salesforce": "Contact", "hubspot": "contacts", "klaviyo": "profiles"}
SEED = 7


def main() -> None:
    """Make the vendors' records and the store, change every profile, plan, push, and count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profiles", type=int, default=100_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # In a process of its own: the memory that a world takes is not the hub's.
        with get_context("spawn").Pool(1) as builder:
            people = builder.apply(_make_world, (folder / "state", asked.profiles))
        with running_sandbox(
            seed=SEED, people=FEWEST_PEOPLE, log=folder / "sandbox.log", limits=False, state=folder / "state"
        ) as sandbox:
            _run(folder, sandbox, people)


def _make_world(folder: Path, number: int) -> list[Person]:
    world = build_world(SEED, FEWEST_PEOPLE)
    people = list(_populate(world, number))
    keep_world(world, folder)
    return people


def _populate(world: World, number: int) -> Iterator[Person]:
    """Add everybody to the three systems, each a copy of a record that is there, with an address of its own."""
    tables = {system: world.vendors[system].tables[name] for system, name in TABLES.items()}
    like = {system: next(iter(table.rows.items())) for system, table in tables.items()}
    for n in range(number):
        refs = [Ref(system, TABLES[system], _copy(tables[system], *like[system], n)) for system in TABLES]
        yield f"p{n:09}", refs


def _copy(table: Table, key: str, row: dict[str, Any], n: int) -> str:
    new = table.spec.new_id(10_000_000 + n)
    own = {name: f"{n}@example.com" for name in ("Email", "email") if name in row}
    ids = {name: new for name, value in row.items() if value == key}
    return table.insert({**row, **own, **ids}, stamp=table.stamps[key], key=new, actor="seed")


def _run(folder: Path, sandbox: Sandbox, people: list[Person]) -> None:
    copy_template(folder / "project")
    hub = open_hub(
        folder / "project",
        environment=sandbox.environment,
        database=f"sqlite:///{folder}/hub.sqlite",
        as_of=datetime.fromisoformat(sandbox.as_of),
        limits=PushLimits(first=True, systems=frozenset(TABLES)),
    )
    for system in TABLES:
        provision(hub, system, dry_run=False)
    fill(hub, people)
    change(hub, people, "gold")
    _ask(sandbox, "/calls/reset", {})
    _report(hub, len(people), sandbox)


def _report(hub: Hub, number: int, sandbox: Sandbox) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    cycle = run_cycle(hub, only=("plan", "push"))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{number:,} changed profiles, three systems: {cycle.seconds}, {wall:.0f} s, {cpu:.0f} s of the processor")
    written = fewest = 0
    for system, calls in _ask(sandbox, "/calls").items():
        if system not in TABLES:
            continue
        records, made, least = calls["records_written"], calls["write_calls"], calls["minimum_calls"]
        print(f"  {system}: {records:,} records, {made:,} write calls, at least {least:,}")
        written, fewest = written + made, fewest + least
    print(f"  together {written:,} of at least {fewest:,}: {100 * (written / max(1, fewest) - 1):.2f} % more")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  peak memory of this process {peak:.0f} MB; exit code {cycle.exit_code}")


def _ask(sandbox: Sandbox, path: str, body: dict[str, Any] | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    with urlopen(Request(sandbox.admin + path, data=data)) as answer:
        return json.load(answer)


if __name__ == "__main__":
    main()
