"""One Prefect server for all tests of flows: a real one, in a process of its own, with the shipped settings."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from onevoice.cli.prefect_server import PrefectServer, prefect_server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrefectServer]:
    """A server with an empty database."""
    with prefect_server(tmp_path_factory.mktemp("prefect")) as running:
        yield running


@pytest.fixture
def shop(checkout: Path, tmp_path: Path) -> Path:
    """A project of files only, so that no sandbox is needed."""
    shutil.copytree(checkout / "docs/examples/own-csv", tmp_path / "shop", ignore=shutil.ignore_patterns(".onevoice"))
    return tmp_path / "shop"


@pytest.fixture
def environment(server: PrefectServer, shop: Path) -> dict[str, str]:
    """What a process exports to run flows on the shop."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ONEVOICE_", "PREFECT_"))}
    return {**kept, **server.environment, "ONEVOICE_SHOP_FOLDER": str(shop / "data")}
