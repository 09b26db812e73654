"""Text similarity in the definitions DuckDB uses, so that vetoes and scores agree on what a slip of the pen is.

Like DuckDB's, they look at UTF-8 bytes: a letter with a mark counts as two. Normalised names hold none.
"""

from __future__ import annotations

from functools import lru_cache

_PREFIX = 4
_PREFIX_WEIGHT = 0.1
_BOOST_FROM = 0.7
"""Below this Jaro similarity the common prefix does not count (Winkler's rule, as in DuckDB)."""
_TAKEN = 0xFF
"""A byte that UTF-8 never uses."""


def _jaro(a: bytes, b: bytes) -> float:
    if a == b:
        return 1.0
    reach = max(max(len(a), len(b)) // 2 - 1, 0)
    rest = bytearray(b)
    matched: list[int] = []
    places: list[int] = []
    for position, letter in enumerate(a):
        place = rest.find(letter, max(0, position - reach), position + reach + 1)
        if place >= 0:
            rest[place] = _TAKEN
            matched.append(letter)
            places.append(place)
    if not matched:
        return 0.0
    places.sort()
    transposed = sum(letter != b[place] for letter, place in zip(matched, places, strict=True)) // 2
    hits = len(matched)
    return (hits / len(a) + hits / len(b) + (hits - transposed) / hits) / 3


@lru_cache(maxsize=200_000)
def jaro_winkler(a: str, b: str) -> float:
    """Similarity from 0 to 1 that forgives late differences more than early ones; the same in either order."""
    one, other = min(a, b).encode(), max(a, b).encode()
    plain = _jaro(one, other)
    if plain <= _BOOST_FROM:
        return plain
    prefix = 0
    for x, y in zip(one[:_PREFIX], other[:_PREFIX], strict=False):
        if x != y:
            break
        prefix += 1
    return plain + prefix * _PREFIX_WEIGHT * (1 - plain)


def thousandths(a: str, b: str) -> int:
    """Jaro-Winkler similarity in whole thousandths, rounded down.

    The last digits of the fraction differ between processors (some multiply and add in one step); an integer does not.
    """
    return int(jaro_winkler(a, b) * 1000 + 1e-6)


def one_slip(a: str, b: str) -> bool:
    """Whether at most one letter was added, dropped, changed, or swapped with its neighbour."""
    if a == b:
        return True
    one, other = a.encode(), b.encode()
    if abs(len(one) - len(other)) > 1:
        return False
    start = next((at for at, (x, y) in enumerate(zip(one, other, strict=False)) if x != y), min(len(one), len(other)))
    one, other = one[start:], other[start:]
    swapped = one[:2] == other[:2][::-1] and one[2:] == other[2:]
    return swapped or one[1:] == other[1:] or one[1:] == other or one == other[1:]


@lru_cache(maxsize=200_000)
def slips(a: str, b: str) -> int:
    """Damerau-Levenshtein distance: letters added, dropped, changed, or swapped with their neighbour.

    Letters may also be added between two that were swapped (Lowrance and Wagner 1975).
    """
    one, other = a.encode(), b.encode()
    far = len(one) + len(other)
    table = [[far] * (len(other) + 2) for _ in range(len(one) + 2)]
    for i in range(len(one) + 1):
        table[i + 1][1] = i
    for j in range(len(other) + 1):
        table[1][j + 1] = j
    last_row: dict[int, int] = {}
    for i, x in enumerate(one, 1):
        last_column = 0
        for j, y in enumerate(other, 1):
            row, column = last_row.get(y, 0), last_column
            if x == y:
                last_column = j
            table[i + 1][j + 1] = min(
                table[i][j] + (x != y),
                table[i + 1][j] + 1,
                table[i][j + 1] + 1,
                table[row][column] + (i - row - 1) + 1 + (j - column - 1),
            )
        last_row[x] = i
    return table[-1][-1]
