"""What a change costs does not grow with the store: no statement of a small change reads a table from end to end."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from customers import person_like, put_customers
from onevoice.pipeline import Hub, open_hub
from onevoice.pipeline.resolution.realtime import who_is
from onevoice.pipeline.resolution.resolve import resolve
from onevoice.pipeline.unify import unify

SMALL = frozenset({"json_each", "event", "work", "step"})
"""What may be read whole: the values asked for, waiting events, the work to do."""
NEARLY_ALL = re.compile(r"\((redirect|closed_at)=\?\)$")
"""Plans that find the rows of an index in which nearly all are alike."""


@pytest.fixture
def hub(checkout: Path, tmp_path: Path) -> Iterator[Hub]:
    opened = open_hub(checkout, environment={}, database=f"sqlite:///{tmp_path}/hub.sqlite")
    yield opened
    opened.store.close()


def test_no_statement_reads_a_table_whole(hub: Hub) -> None:
    rng = random.Random(3)
    rows = {f"till/customers/{n:02}": person_like(rng) for n in range(40)}
    put_customers(hub, rows)
    resolve(hub)
    unify(hub)
    said: dict[str, Any] = {}

    @event.listens_for(hub.store.engine, "before_cursor_execute")
    def _note(_c: object, _cursor: object, statement: str, parameters: Any, _context: object, many: bool) -> None:
        if statement.lstrip().startswith(("SELECT", "UPDATE", "DELETE")):
            said[statement] = parameters[0] if many else parameters

    put_customers(
        hub, {"till/customers/00": person_like(rng), "till/customers/50": person_like(rng)}, ["till/customers/01"]
    )
    said.clear()
    resolve(hub)
    unify(hub)
    with hub.store.read() as connection:
        who_is(hub, connection, person_like(rng))
    event.remove(hub.store.engine, "before_cursor_execute", _note)
    assert len(said) > 30
    with hub.store.read() as connection:
        for statement, parameters in said.items():
            plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            scanned = {found[1] for line in plan if (found := re.match(r"SCAN (\w+)", line))}
            assert scanned <= SMALL | {"held", "named", "given", "anon_1"}, (statement, plan)
            assert not any(NEARLY_ALL.search(line) for line in plan), (statement, plan)
