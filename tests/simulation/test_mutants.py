"""The simulation finds ten known bugs: a stored seed of each fails with the bug, and holds without."""

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
    finds = (seed for seed in CAUGHT_BY[name] if simulator.run(seed, mutant=MUTANTS[name]).broken)
    seed = next(finds, None)
    assert seed is not None, f"no stored seed finds it (look for others: run.py --mutant {name})"
    assert simulator.run(seed).broken == []
