"""The simulation finds ten known bugs: each stored seed fails with its bug, and holds without."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from simulated.mutants import CAUGHT_BY, MUTANTS
from simulated.schedule import Simulator


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    made = Simulator()
    yield made
    made.close()


def test_every_mutant_has_a_seed():
    assert CAUGHT_BY.keys() == MUTANTS.keys()


@pytest.mark.parametrize("name", sorted(MUTANTS))
def test_a_planted_bug_is_found(simulator, name):
    seed = CAUGHT_BY[name]
    assert simulator.run(seed, mutant=MUTANTS[name]).broken
    assert simulator.run(seed).broken == []
