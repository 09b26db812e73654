"""Conditions in SQL, over the columns `<name>_l` and `<name>_r` of a pair; absent values and empty lists are null.

A condition that does not hold is false or null. `case when` takes both alike; only `not` has to tell them apart, so
only there null is made false: elsewhere it would keep DuckDB from passing over the rest of a decided `and`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import singledispatchmethod

from identity.conditions.tree import (
    Alike,
    AtLeast,
    Condition,
    Crossed,
    DayAndMonthSwapped,
    Either,
    EitherEnds,
    Equal,
    Every,
    Flagged,
    Missing,
    Not,
    Overlap,
    SameOrMissing,
    Slip,
    Text,
    YearsApart,
)


@dataclass(frozen=True)
class Dialect:
    """Renders conditions; its fields are templates for what two engines spell differently."""

    alike: str
    """Jaro-Winkler similarity of {one} and {other} from {thousandths} up; {cut} is the same as a fraction."""
    slip: str
    """At most one slip between {one} and {other}."""
    overlap: str
    """Whether two lists have a value in common."""
    common: str
    """How many values they have in common."""
    digits: str
    """What is left of {text} without anything but digits."""

    def render(self, condition: Condition) -> str:
        """The condition as a boolean SQL expression in brackets."""
        return f"({self._sql(condition)})"

    @singledispatchmethod
    def _sql(self, condition: Condition) -> str:
        raise TypeError(f"{type(condition).__name__} is no condition (name one of identity.conditions)")

    @_sql.register
    def _every(self, condition: Every) -> str:
        return " and ".join(self.render(part) for part in condition.parts)

    @_sql.register
    def _either(self, condition: Either) -> str:
        return " or ".join(self.render(part) for part in condition.parts)

    @_sql.register
    def _not(self, condition: Not) -> str:
        return f"not coalesce({self._sql(condition.part)}, false)"

    @_sql.register
    def _missing(self, condition: Missing) -> str:
        return " or ".join(f"{column}_{side} is null" for column in condition.columns for side in "lr")

    @_sql.register
    def _equal(self, condition: Equal) -> str:
        return f"{self._read(condition.text, 'l')} = {self._read(condition.text, 'r')}"

    @_sql.register
    def _same_or_missing(self, condition: SameOrMissing) -> str:
        return f"coalesce({condition.column}_l, '') = coalesce({condition.column}_r, '')"

    @_sql.register
    def _alike(self, condition: Alike) -> str:
        return self._resembling(f"{condition.column}_l", f"{condition.column}_r", condition.thousandths)

    @_sql.register
    def _crossed(self, condition: Crossed) -> str:
        ways = ((condition.one, condition.other), (condition.other, condition.one))
        return " and ".join(self._resembling(f"{a}_l", f"{b}_r", condition.thousandths) for a, b in ways)

    def _resembling(self, one: str, other: str, least: int) -> str:
        return self.alike.format(one=one, other=other, thousandths=least, cut=least / 1000)

    @_sql.register
    def _slip(self, condition: Slip) -> str:
        column = condition.column
        near = self.slip.format(one=f"{column}_l", other=f"{column}_r")
        return f"{self._at_least(AtLeast(column, condition.shortest))} and {near}"

    @_sql.register
    def _at_least(self, condition: AtLeast) -> str:
        return " and ".join(f"length({condition.column}_{side}) >= {condition.letters}" for side in "lr")

    @_sql.register
    def _overlap(self, condition: Overlap) -> str:
        lists = {"one": f"{condition.column}_l", "other": f"{condition.column}_r"}
        if condition.least == 1:
            return self.overlap.format(**lists)
        return f"{self.common.format(**lists)} >= {condition.least}"

    @_sql.register
    def _flagged(self, condition: Flagged) -> str:
        return f"{condition.column}_l and {condition.column}_r"

    @_sql.register
    def _years_apart(self, condition: YearsApart) -> str:
        one, other = (f"cast(left({condition.column}_{side}, 4) as int)" for side in "lr")
        return f"abs({one} - {other}) in ({', '.join(map(str, condition.years))})"

    @_sql.register
    def _day_and_month_swapped(self, condition: DayAndMonthSwapped) -> str:
        months = [f"substring({condition.column}_{side}, 6, 2)" for side in "lr"]
        days = [f"substring({condition.column}_{side}, 9, 2)" for side in "lr"]
        return f"{months[0]} = {days[1]} and {days[0]} = {months[1]}"

    @_sql.register
    def _either_ends(self, condition: EitherEnds) -> str:
        length = len(condition.ending)
        return " or ".join(f"right({condition.column}_{side}, {length}) = '{condition.ending}'" for side in "lr")

    def _read(self, text: Text, side: str) -> str:
        column = f"{text.column}_{side}"
        match text.taken:
            case "start":
                return f"left({column}, {text.letters})"
            case "end":
                return f"right({column}, {text.letters})"
            case "without_end":
                return f"left({column}, greatest(length({column}) - {text.letters}, 0))"
            case "domain":
                return f"split_part({column}, '@', 2)"
            case "digits":
                return self.digits.format(text=column)
        return column


DUCKDB = Dialect(
    # `least` passes over null: an absent name would resemble every other. Jaro-Winkler depends on the order of its
    # arguments now and then, so they are put in order. Its last binary digit differs between processors.
    alike="{one} is not null and {other} is not null "
    "and jaro_winkler_similarity(least({one}, {other}), greatest({one}, {other})) >= {cut} - 1e-9",
    # damerau_levenshtein takes microseconds, so it only decides where it can: a swap of neighbours is two plain slips.
    slip="(abs(length({one}) - length({other})) <= 1 and levenshtein({one}, {other}) <= 2 "
    "and damerau_levenshtein({one}, {other}) <= 1)",
    overlap="list_has_any({one}, {other})",
    common="len(list_intersect({one}, {other}))",
    digits="regexp_replace({text}, '[^0-9]', '', 'g')",
)
SPARK = Dialect(
    alike="likeness('jaro_winkler', {one}, {other}) >= {thousandths}",
    slip="likeness('slip', {one}, {other}) = 1",
    overlap="arrays_overlap({one}, {other})",
    common="size(array_intersect({one}, {other}))",
    digits="regexp_replace({text}, '[^0-9]', '')",
)
"""`likeness` is the function that identity/spark registers: Spark has no such measures of its own."""
