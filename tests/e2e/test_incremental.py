"""Whatever way the data came in, the people found are the same; and the whole cycle runs on PostgreSQL as well."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from onevoice.pipeline import Hub, run_cycle
from onevoice.pipeline.views import customers_written, partition

pytestmark = pytest.mark.slow


def people(hub: Hub) -> set[frozenset[tuple[str, str, str]]]:
    together: dict[str, set[tuple[str, str, str]]] = {}
    for system, stream, key, profile_id in partition(hub):
        together.setdefault(profile_id, set()).add((system, stream, key))
    return {frozenset(records) for records in together.values()}


def test_records_that_came_bit_by_bit_give_the_same_people(world: Callable[..., Any], tmp_path: Path) -> None:
    here = world(250, seed=31, limits=False)
    here.provision()
    for away in ("hubspot", "square"):
        here.post("/faults", {"name": f"{away}_down"})
        here.cycle(provisioned=True)
    here.post("/faults", {"name": "none"})
    here.cycle(provisioned=True)
    here.post("/edits", {"count": 25, "seed": 31})
    here.cycle(provisioned=True)

    here.post("/clock", {"advance_seconds": 900})
    step_by_step = here.hub()
    run_cycle(step_by_step, only=("pull", "resolve"))
    here.database = f"sqlite:///{tmp_path / 'fresh.sqlite'}"
    at_once = here.hub()
    run_cycle(at_once, only=("pull", "resolve"))
    assert people(step_by_step) == people(at_once)


def test_the_whole_cycle_on_postgresql(world: Callable[..., Any], postgres_url: str) -> None:
    here = world(250, seed=32, limits=False, database=postgres_url)
    assert here.cycle().exit_code == 0
    here.tell_assignment()
    assert "not_identity" not in {entry["cause"] for entry in here.messages()["left"]}
    written = here.records_written()
    assert here.cycle().exit_code == 0
    assert here.records_written() == written
    expected = {tuple(record) for record in here.post("/edits", {"count": 10, "seed": 32})["expected_records"]}
    report = here.cycle()
    assert report.exit_code == 0
    assert customers_written(here.hubs[-1], report.run) == expected != set()
