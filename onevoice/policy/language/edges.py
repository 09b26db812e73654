"""When may an answer change by the mere passing of days? Read off the tree, per customer, without trying days.

A condition changes with the day only where it compares something with `as_of`. Where that is `as_of` give or take some
days against dates that are facts, the day of change is exact; where an age is involved it is the next birthday;
anything else counts as changing every day. So an edge may be named that changes nothing, but never one too late.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum

from onevoice.model import FieldType
from onevoice.policy.language import terms
from onevoice.policy.language.calendar import day_older, shifted
from onevoice.policy.language.closures import Evaluate, Row, compile_term
from onevoice.policy.language.duck import anniversary_sql, date_sql, sql_of
from onevoice.policy.language.terms import AS_OF, Term, depends_on_day


class Kind(Enum):
    """How the day of change follows from the value of a term."""

    DAY = "day"
    """Some days after the date."""
    BIRTHDAY = "birthday"
    """When the age counted from the date changes."""
    DAILY = "daily"
    """Tomorrow; there is no term."""


@dataclass(frozen=True, slots=True)
class Edge:
    """One way in which the answer may change."""

    kind: Kind
    of: Term | None = None
    days: int = 0


def edges_of(term: Term) -> tuple[Edge, ...]:
    """Every edge of a term, each once."""
    return tuple(dict.fromkeys(_edges(term)))


def _edges(term: Term) -> Iterator[Edge]:
    if not depends_on_day(term):
        return
    if isinstance(term, terms.Compare):
        yield from _compare_edges(term)
    elif isinstance(term, terms.Age):
        yield Edge(Kind.BIRTHDAY, term.of)
    elif isinstance(term, terms.Fact | terms.Shift | terms.Anniversary):
        yield Edge(Kind.DAILY)
    else:
        for part in term.parts():
            yield from _edges(part)


def _compare_edges(term: terms.Compare) -> Iterator[Edge]:
    for day_side, other, op in ((term.left, term.right, term.op), (term.right, term.left, _MIRRORED[term.op])):
        offset = _offset(day_side)
        if offset is not None and other.type is FieldType.DATE and not depends_on_day(other):
            # `as_of + offset OP other` turns on the day other - offset, on the one after it, or on both.
            for days in _TURNS[op]:
                yield Edge(Kind.DAY, other, days - offset)
            return
    for side in (term.left, term.right):
        yield from _edges(side)


_MIRRORED: Mapping[str, str] = {"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_TURNS: Mapping[str, tuple[int, ...]] = {"<": (0,), ">=": (0,), "<=": (1,), ">": (1,), "=": (0, 1), "<>": (0, 1)}
"""Days after the date compared with on which a comparison with the day turns."""

MOST_OFFSET = 36_500
"""Beyond a hundred years a shifted `as_of` might meet the end of the calendar; it then counts as changing daily."""


def _offset(term: Term) -> int | None:
    """n when the term is `as_of` plus n days, else None."""
    if isinstance(term, terms.Fact) and term.name == AS_OF:
        return 0
    if isinstance(term, terms.Shift):
        inner = _offset(term.of)
        if inner is not None and abs(inner + term.days) <= MOST_OFFSET:
            return inner + term.days
    return None


def first_edge_after(edges: Sequence[Edge]) -> Evaluate:
    """A function from typed facts to the first edge after their `as_of`, or None."""
    found = [(edge, compile_term(edge.of) if edge.of is not None else None) for edge in edges]

    def evaluate(row: Row) -> date | None:
        as_of: date = row[AS_OF]
        days = (_day(edge, of(row) if of is not None else None, as_of) for edge, of in found)
        return min((day for day in days if day is not None and day > as_of), default=None)

    return evaluate


def _day(edge: Edge, value: date | None, as_of: date) -> date | None:
    if edge.kind is Kind.DAILY:
        return shifted(as_of, 1)
    if value is None:
        return None
    if edge.kind is Kind.BIRTHDAY:
        return day_older(value, as_of)
    day = shifted(value, edge.days)
    return None if day == date.max and edge.days > 0 else day


def first_edge_sql(edges: Iterable[Edge], as_of: date) -> str:
    """A DuckDB expression for the first edge after the day; NULL when there is none."""
    today = date_sql(as_of)
    parts = [_day_sql(edge, as_of) for edge in edges]
    later = [f"CASE WHEN {part} > {today} THEN {part} END" for part in parts]
    return f"least({', '.join(later)})" if later else "CAST(NULL AS DATE)"


def _day_sql(edge: Edge, as_of: date) -> str:
    if edge.of is None:
        return date_sql(shifted(as_of, 1))
    value = sql_of(edge.of, as_of)
    if edge.kind is Kind.BIRTHDAY:
        return anniversary_sql(value, shifted(as_of, 1))
    day, last = f"({value} + {edge.days})", date_sql(date.max)
    beyond = ">=" if edge.days > 0 else ">"
    return f"(CASE WHEN {day} {beyond} {last} THEN {'NULL' if edge.days > 0 else last} ELSE {day} END)"
