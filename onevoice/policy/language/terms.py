"""Checked expressions as typed trees. Whatever is in here can be evaluated, by every back end, with the same answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal as OneOf

from onevoice.model import FieldType

AS_OF = "as_of"
"""The fact that is the day itself."""

CompareOp = OneOf["=", "<>", "<", "<=", ">", ">="]


@dataclass(frozen=True, slots=True)
class Term:
    """Anything that has a value of a type, or NULL."""

    type: FieldType

    def parts(self) -> tuple[Term, ...]:
        """The terms inside this one."""
        return ()


@dataclass(frozen=True, slots=True)
class Constant(Term):
    """A value written in the expression."""

    value: bool | int | Decimal | str | date


@dataclass(frozen=True, slots=True)
class Fact(Term):
    """A fact, a raw field, or the day itself."""

    name: str


@dataclass(frozen=True, slots=True)
class Compare(Term):
    """Two values of comparable types."""

    op: CompareOp
    left: Term
    right: Term

    def parts(self) -> tuple[Term, ...]:
        """Both sides."""
        return (self.left, self.right)


@dataclass(frozen=True, slots=True)
class Junction(Term):
    """All of (`AND`) or any of (`OR`) some conditions."""

    every: bool
    items: tuple[Term, ...]

    def parts(self) -> tuple[Term, ...]:
        """The conditions."""
        return self.items


@dataclass(frozen=True, slots=True)
class Not(Term):
    """The opposite; unknown stays unknown."""

    of: Term

    def parts(self) -> tuple[Term, ...]:
        """The condition."""
        return (self.of,)


@dataclass(frozen=True, slots=True)
class IsNull(Term):
    """Whether a value is unknown."""

    of: Term

    def parts(self) -> tuple[Term, ...]:
        """The value."""
        return (self.of,)


@dataclass(frozen=True, slots=True)
class Is(Term):
    """Whether a condition is exactly true (or exactly false); never unknown."""

    of: Term
    value: bool

    def parts(self) -> tuple[Term, ...]:
        """The condition."""
        return (self.of,)


@dataclass(frozen=True, slots=True)
class Coalesce(Term):
    """The first value that is known."""

    items: tuple[Term, ...]

    def parts(self) -> tuple[Term, ...]:
        """The values in order."""
        return self.items


@dataclass(frozen=True, slots=True)
class Case(Term):
    """The value of the first branch whose condition is true."""

    branches: tuple[tuple[Term, Term], ...]
    otherwise: Term | None

    def parts(self) -> tuple[Term, ...]:
        """Conditions and values."""
        inside = tuple(term for branch in self.branches for term in branch)
        return inside if self.otherwise is None else (*inside, self.otherwise)


@dataclass(frozen=True, slots=True)
class Arithmetic(Term):
    """A sum, a difference or a product of numbers."""

    op: OneOf["+", "-", "*"]
    left: Term
    right: Term

    def parts(self) -> tuple[Term, ...]:
        """Both sides."""
        return (self.left, self.right)


@dataclass(frozen=True, slots=True)
class Shift(Term):
    """A date or time some days later (earlier below nought), never beyond the calendar."""

    of: Term
    days: int

    def parts(self) -> tuple[Term, ...]:
        """The date or time."""
        return (self.of,)


@dataclass(frozen=True, slots=True)
class DayOf(Term):
    """The UTC day of a time."""

    of: Term

    def parts(self) -> tuple[Term, ...]:
        """The time."""
        return (self.of,)


@dataclass(frozen=True, slots=True)
class Fold(Term):
    """A text in lower or upper case."""

    of: Term
    upper: bool

    def parts(self) -> tuple[Term, ...]:
        """The text."""
        return (self.of,)


@dataclass(frozen=True, slots=True)
class Like(Term):
    """Whether a text fits a pattern: `%` is any text, `_` any one character."""

    of: Term
    pattern: str

    def parts(self) -> tuple[Term, ...]:
        """The text."""
        return (self.of,)


@dataclass(frozen=True, slots=True)
class Age(Term):
    """Full years since a date; who was born on 29 February turns older on 1 March in other years."""

    of: Term

    def parts(self) -> tuple[Term, ...]:
        """The date of birth."""
        return (self.of,)


@dataclass(frozen=True, slots=True)
class Anniversary(Term):
    """The first day from the day of the rule on that bears the date's month and day; 29 February as in Age."""

    of: Term

    def parts(self) -> tuple[Term, ...]:
        """The date."""
        return (self.of,)


def walk(term: Term) -> Iterator[Term]:
    """The term and everything inside it."""
    yield term
    for part in term.parts():
        yield from walk(part)


def names_in(term: Term) -> frozenset[str]:
    """Facts that the term reads, the day apart."""
    return frozenset(part.name for part in walk(term) if isinstance(part, Fact) and part.name != AS_OF)


def depends_on_day(term: Term) -> bool:
    """Whether the value may differ on another day although all facts are the same."""
    return any(
        isinstance(part, Age | Anniversary) or (isinstance(part, Fact) and part.name == AS_OF) for part in walk(term)
    )
