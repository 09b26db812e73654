"""A full run writes what changes, one after another, would have written."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from customers import person_like, put_customers
from onevoice.pipeline import Hub, open_hub
from onevoice.pipeline.resolution import whole_base
from onevoice.pipeline.resolution.resolve import resolve
from onevoice.store.schema import block, card, edge, identity_record, lineage, review, source_link

KEPT = {
    "identity_record": ("ref", "normalised", "hash"),
    "block": ("value", "ref", "surname"),
    "card": ("number", "ref"),
    "edge": ("left", "right", "kind", "weight", "probability"),
    "source_link": ("ref", "profile_id"),
    "lineage": ("profile_id", "other_id", "kind", "cause"),
    "review": ("left", "right", "kind", "weight", "reason"),
}
TABLES = (identity_record, block, card, edge, source_link, lineage, review)


@pytest.fixture(params=["sqlite", "postgresql"])
def hubs(request: pytest.FixtureRequest, checkout: Path, tmp_path: Path) -> Iterator[tuple[Hub, Hub]]:
    """Two hubs, one of them on either database."""
    urls = [f"sqlite:///{tmp_path}/one.sqlite", f"sqlite:///{tmp_path}/other.sqlite"]
    if request.param == "postgresql":
        urls[1] = request.getfixturevalue("postgres_url")
    one, other = (open_hub(checkout, environment={}, database=url) for url in urls)
    yield one, other
    one.store.close()
    other.store.close()


def held(hub: Hub) -> dict[str, list[Any]]:
    """What the tables of identity hold."""
    with hub.store.read() as connection:
        return {
            table.name: sorted(
                (tuple(row) for row in connection.execute(select(*(table.c[name] for name in KEPT[table.name])))),
                key=str,
            )
            for table in TABLES
        }


def test_a_full_run_and_a_change_write_the_same(hubs: tuple[Hub, Hub], monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(7)
    rows = {f"till/customers/{n:03}": person_like(rng) for n in range(150)}
    by_change, whole = hubs
    put_customers(by_change, rows)
    resolve(by_change)
    monkeypatch.setattr(whole_base, "LEAST", 1)
    put_customers(whole, rows)
    resolve(whole)
    assert held(whole) == held(by_change)
    assert held(whole)["edge"]


def test_after_a_full_run_changes_go_on_as_before(hubs: tuple[Hub, Hub], monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(8)
    rows = {f"till/customers/{n:03}": person_like(rng) for n in range(150)}
    later = {ref: person_like(rng) for ref in rng.sample(sorted(rows), 10)}
    later |= {f"till/customers/{n:03}": person_like(rng) for n in range(200, 210)}
    gone = rng.sample(sorted(rows.keys() - later.keys()), 5)
    by_change, whole = hubs
    for hub, least in ((by_change, 10**9), (whole, 1)):
        monkeypatch.setattr(whole_base, "LEAST", least)
        put_customers(hub, rows)
        resolve(hub)
        with hub.store.read() as connection:
            assert not whole_base.pays(connection, len({*later, *gone}))
        put_customers(hub, later, gone)
        resolve(hub)
    assert held(whole) == held(by_change)
