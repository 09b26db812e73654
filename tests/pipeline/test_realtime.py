"""Asking who somebody is gives what storing the record would give, and writes nothing."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from customers import person_like, put_customers
from onevoice.pipeline import Hub, open_hub
from onevoice.pipeline.resolution.realtime import ASKED, Found, who_is
from onevoice.pipeline.resolution.resolve import resolve
from onevoice.pipeline.unify import unify
from onevoice.store import identities
from onevoice.store.schema import metadata

LIMITS = {"max_surnames": 2, "max_block": 8, "max_records": 6, "max_given_names": 2}
"""Low enough to be crossed."""


@pytest.fixture(scope="module")
def low_limits(tmp_path_factory: pytest.TempPathFactory, checkout: Path) -> Path:
    """The shipped project with limits that a dozen records meet."""
    folder = tmp_path_factory.mktemp("project")
    for part in ("config", "mappings"):
        shutil.copytree(checkout / part, folder / part, ignore=shutil.ignore_patterns("*_test.yaml"))
    file = folder / "config/identity.yaml"
    text = file.read_text("utf-8")
    for limit, number in LIMITS.items():
        text, found = re.subn(rf"(?m)^  {limit}: \d+", f"  {limit}: {number}", text)
        assert found == 1, limit
    file.write_text(text, "utf-8")
    return folder


@pytest.fixture(params=["sqlite", "postgresql"])
def hub(request: pytest.FixtureRequest, low_limits: Path, tmp_path: Path) -> Iterator[Hub]:
    url = f"sqlite:///{tmp_path}/hub.sqlite"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
    opened = open_hub(low_limits, environment={}, database=url)
    yield opened
    opened.store.close()


@pytest.fixture
def empty_hub(low_limits: Path, tmp_path: Path) -> Iterator[Callable[[], Hub]]:
    """Hubs with an empty store each."""
    hubs: list[Hub] = []
    blank = tmp_path / "blank.sqlite"
    open_hub(low_limits, environment={}, database=f"sqlite:///{blank}").store.close()

    def another() -> Hub:
        copy = tmp_path / f"{len(hubs)}.sqlite"
        shutil.copy(blank, copy)
        hubs.append(open_hub(low_limits, environment={}, database=f"sqlite:///{copy}"))
        return hubs[-1]

    yield another
    for one in hubs:
        one.store.close()


def asked(hub: Hub, fields: dict[str, Any]) -> Found:
    with hub.store.read() as connection:
        return who_is(hub, connection, fields)


def profiles(hub: Hub) -> dict[str, str]:
    with hub.store.read() as connection:
        return dict(identities.all_links(connection))


ANN = {"given_name": "Ann", "family_name": "Lister", "email": "ann.lister@posteo.net", "birth_date": "1980-02-03"}
EMMA = {**ANN, "given_name": "Emma", "email": "emma.lister@posteo.net", "birth_date": "1992-07-01"}
MOBILE = {"phone": "+447700900666"}


def test_a_known_customer_is_found_by_a_part_of_what_is_known(hub: Hub) -> None:
    put_customers(hub, {"till/customers/1": {**ANN, **MOBILE}, "till/customers/2": EMMA})
    resolve(hub)
    found = asked(hub, {"given_name": "ann", **MOBILE})
    assert found.profile_id == profiles(hub)["till/customers/1"]
    assert found.best is not None
    assert (found.best.ref, found.best.kind) == ("till/customers/1", "score")
    assert found.best.per_field["phone"] > 0
    assert 0.5 <= found.best.probability <= 1


def test_a_stranger_is_nobody(hub: Hub) -> None:
    put_customers(hub, {"till/customers/1": ANN})
    resolve(hub)
    assert asked(hub, {"given_name": "Olga", "email": "olga@posteo.net"}) == Found(None, ())
    assert asked(hub, {}) == Found(None, ())


def test_a_veto_keeps_a_sister_apart_and_says_so(hub: Hub) -> None:
    put_customers(hub, {"till/customers/1": {**ANN, **MOBILE}})
    resolve(hub)
    found = asked(hub, {**ANN, **MOBILE, "given_name": "Emma", "birth_date": "1992-07-01"})
    assert found.profile_id is None
    [doubt] = found.review
    assert (doubt.kind, doubt.like.profile_id) == ("veto", profiles(hub)["till/customers/1"])
    assert doubt.reason == "the given names are clearly different"


def test_a_value_that_the_record_itself_would_make_shared_says_nothing(hub: Hub) -> None:
    rows = {
        f"till/customers/{n}": {"given_name": "Jo", "family_name": f, **MOBILE} for n, f in enumerate(("Berg", "Raman"))
    }
    put_customers(hub, rows)
    resolve(hub)
    assert asked(hub, {"given_name": "Jo", "family_name": "Berg", **MOBILE}).profile_id
    assert asked(hub, {"given_name": "Jo", "family_name": "Okafor", **MOBILE}) == Found(None, ())


def test_nothing_is_written(hub: Hub) -> None:
    put_customers(hub, {"till/customers/1": ANN})
    resolve(hub)
    unify(hub)

    def rows() -> dict[str, int]:
        with hub.store.read() as connection:
            return {
                name: connection.execute(select(func.count()).select_from(table)).scalar_one()
                for name, table in metadata.tables.items()
            }

    before = rows()
    assert asked(hub, ANN).profile_id
    assert rows() == before


@given(seed=st.integers(0, 10**9), base=st.integers(1, 24))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_answer_is_where_the_record_comes_when_it_is_stored(
    empty_hub: Callable[[], Hub], seed: int, base: int
) -> None:
    rng, hub = random.Random(seed), empty_hub()
    put_customers(hub, {f"till/customers/{n:02}": person_like(rng) for n in range(base)})
    resolve(hub)
    before, fields = profiles(hub), person_like(rng)
    found = asked(hub, fields)
    put_customers(hub, {str(ASKED): fields})
    resolve(hub)
    now = profiles(hub)[str(ASKED)]
    # A record that founds a profile, or one that splits off with others, comes into none of those that were there.
    assert found.profile_id == now if now in before.values() else found.profile_id in {None, *before.values()}
