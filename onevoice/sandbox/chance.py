"""Random numbers of a world: one stream per purpose, so that a change in one part leaves the others as they were."""

from __future__ import annotations

import random


def stream(seed: int, purpose: str) -> random.Random:
    """The random numbers for one purpose of one seed; always the same."""
    return random.Random(f"{seed}:{purpose}")  # noqa: S311 - a population, not a secret
