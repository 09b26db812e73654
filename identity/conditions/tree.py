"""The expression tree: predicates over one column, or two crossed ones, of two normalised records.

A column is read of both records. A predicate is either about both values alike or tries both ways round, so a tree
cannot tell the left record from the right one. `&`, `|` and `~` put predicates together.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

Taken = Literal["whole", "start", "end", "without_end", "domain", "digits"]


class Condition:
    """Something that holds, or does not hold, of two records."""

    __slots__ = ()

    def __and__(self, other: Condition) -> Condition:
        return Every((self, other))

    def __or__(self, other: Condition) -> Condition:
        return Either((self, other))

    def __invert__(self) -> Condition:
        return Not(self)


@dataclass(frozen=True, slots=True)
class Text:
    """What is read of a text column: all of it, or a part."""

    column: str
    taken: Taken = "whole"
    letters: int = 0
    """How many letters `start` and `end` take, and `without_end` leaves out."""


@dataclass(frozen=True, slots=True)
class Missing(Condition):
    """A record has no value in one of the columns."""

    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Equal(Condition):
    """Both have a value, and what is read of it is equal."""

    text: Text


@dataclass(frozen=True, slots=True)
class SameOrMissing(Condition):
    """The values are equal, or neither record has one."""

    column: str


@dataclass(frozen=True, slots=True)
class Alike(Condition):
    """Jaro-Winkler similarity of at least `thousandths` / 1000; an integer, so that every engine cuts at one place."""

    column: str
    thousandths: int


@dataclass(frozen=True, slots=True)
class Crossed(Condition):
    """Either record's `one` resembles the other record's `other`, as in `Alike`."""

    one: str
    other: str
    thousandths: int


@dataclass(frozen=True, slots=True)
class Slip(Condition):
    """Equal but for one slip of the pen: a letter added, dropped, changed, or swapped with its neighbour.

    Both values have at least `shortest` letters: one letter makes another word of a short one.
    """

    column: str
    shortest: int


@dataclass(frozen=True, slots=True)
class AtLeast(Condition):
    """Both values have at least so many letters."""

    column: str
    letters: int


@dataclass(frozen=True, slots=True)
class Overlap(Condition):
    """The two lists have at least `least` values in common."""

    column: str
    least: int = 1


@dataclass(frozen=True, slots=True)
class Flagged(Condition):
    """The column is true in both records."""

    column: str


@dataclass(frozen=True, slots=True)
class YearsApart(Condition):
    """The years of two ISO dates lie one of these numbers apart."""

    column: str
    years: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class DayAndMonthSwapped(Condition):
    """The day of either ISO date is the month of the other; the years are not looked at."""

    column: str


@dataclass(frozen=True, slots=True)
class EitherEnds(Condition):
    """At least one of the two values ends so."""

    column: str
    ending: str


@dataclass(frozen=True, slots=True)
class Every(Condition):
    """All parts hold."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Either(Condition):
    """At least one part holds."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not(Condition):
    """The part does not hold."""

    part: Condition


def columns_of(condition: Condition) -> frozenset[str]:
    """Columns of the normalised table that a condition reads."""
    match condition:
        case Every(parts) | Either(parts):
            return frozenset().union(*(columns_of(part) for part in parts))
        case Not(part):
            return columns_of(part)
        case Missing(columns):
            return frozenset(columns)
        case Equal(text):
            return frozenset({text.column})
        case Crossed(one, other):
            return frozenset({one, other})
    return frozenset({getattr(condition, fields(condition)[0].name)})  # type: ignore[arg-type]  # a leaf names its column first
