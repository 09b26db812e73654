"""Records by hand, the shipped configuration, and the sandbox's population read straight from its state."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

import sandbox_people
from identity import IdentityRecord, Model, NormalisedRecord, load_model, normalise
from onevoice.configfile.identity_file import IdentityFile
from onevoice.model import Ref

ROOT = Path(__file__).parents[2]
Make = Callable[..., NormalisedRecord]


@pytest.fixture(scope="session")
def config() -> IdentityFile:
    raw = YAML(typ="safe").load((ROOT / "config/identity.yaml").read_text("utf-8"))
    return IdentityFile.model_validate(raw)


@pytest.fixture(scope="session")
def model() -> Model:
    return load_model("person.yaml")


@pytest.fixture(scope="session")
def make(config: IdentityFile) -> Make:
    """make("key", given_name=..., ...) -> normalised record."""

    def _make(key: str, *, updated_at: datetime | None = None, **data: Any) -> NormalisedRecord:
        return normalise(IdentityRecord(Ref("crm", "contacts", key), data, updated_at), config)

    return _make


@pytest.fixture(scope="session")
def population() -> Callable[[int, int], sandbox_people.Population]:
    """population(seed, people) -> (records, person by record, hard cases), as the vendors hold them."""
    return sandbox_people.population
