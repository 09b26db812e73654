"""The shipped rules, compiled once."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import pytest
from pydantic import BaseModel

from onevoice.configfile.loyalty_file import LoyaltyFile
from onevoice.configfile.offers_file import OffersFile
from onevoice.configfile.suppression_file import SuppressionFile
from onevoice.configfile.yamltext import read_yaml
from onevoice.policy import Policy, compile_policy

ROOT = Path(__file__).parents[2]
Model = TypeVar("Model", bound=BaseModel)


def shipped_file(name: str, model: type[Model]) -> Model:
    document, faults = read_yaml(name, (ROOT / "config" / name).read_bytes())
    assert document is not None
    assert not faults
    return model.model_validate(document.value)


@pytest.fixture(scope="session")
def offers() -> OffersFile:
    return shipped_file("offers.yaml", OffersFile)


@pytest.fixture(scope="session")
def suppression() -> SuppressionFile:
    return shipped_file("suppression.yaml", SuppressionFile)


@pytest.fixture(scope="session")
def loyalty() -> LoyaltyFile:
    return shipped_file("loyalty.yaml", LoyaltyFile)


@pytest.fixture(scope="session")
def policy(offers: OffersFile, suppression: SuppressionFile, loyalty: LoyaltyFile) -> Policy:
    return compile_policy(offers, suppression, loyalty)
