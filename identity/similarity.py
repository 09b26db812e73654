"""Text similarity, in the definitions DuckDB uses, so that vetoes and scores agree on what a slip of the pen is."""

from __future__ import annotations

from functools import lru_cache

_PREFIX = 4
_PREFIX_WEIGHT = 0.1
_BOOST_FROM = 0.7
"""Below this Jaro similarity the common prefix does not count (Winkler's rule, as in DuckDB)."""


def _jaro(a: str, b: str) -> float:
    if a == b:
        return 1.0
    if not a or not b:
        return 0.0
    reach = max(max(len(a), len(b)) // 2 - 1, 0)
    taken = [False] * len(b)
    matched: list[str] = []
    for position, letter in enumerate(a):
        for other in range(max(0, position - reach), min(len(b), position + reach + 1)):
            if not taken[other] and b[other] == letter:
                taken[other] = True
                matched.append(letter)
                break
    if not matched:
        return 0.0
    facing = [letter for letter, used in zip(b, taken, strict=True) if used]
    transposed = sum(x != y for x, y in zip(matched, facing, strict=True)) // 2
    hits = len(matched)
    return (hits / len(a) + hits / len(b) + (hits - transposed) / hits) / 3


@lru_cache(maxsize=200_000)
def jaro_winkler(a: str, b: str) -> float:
    """Similarity from 0 to 1 that forgives late differences more than early ones; the same in either order."""
    plain = _jaro(min(a, b), max(a, b))
    if plain <= _BOOST_FROM:
        return plain
    prefix = 0
    for x, y in zip(a[:_PREFIX], b[:_PREFIX], strict=False):
        if x != y:
            break
        prefix += 1
    return plain + prefix * _PREFIX_WEIGHT * (1 - plain)


@lru_cache(maxsize=200_000)
def slips(a: str, b: str) -> int:
    """Damerau-Levenshtein distance: letters added, dropped, changed, or swapped with their neighbour."""
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        earlier, before, row = before, row, [i]
        for j, y in enumerate(b, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
    return row[-1]
