"""Closures and DuckDB give the same answer for every expression and every row, unknown values included."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onevoice.model import FieldType
from onevoice.policy.language import Vocabulary, compile_term, edges_of, first_edge_after, first_edge_sql, parse, sql_of
from onevoice.policy.language.closures import lower, upper
from onevoice.policy.language.terms import Age, Fact

TYPES = {
    "yes": FieldType.BOOLEAN,
    "also": FieldType.BOOLEAN,
    "word": FieldType.TEXT,
    "name": FieldType.TEXT,
    "count": FieldType.INTEGER,
    "other": FieldType.INTEGER,
    "money": FieldType.DECIMAL,
    "day": FieldType.DATE,
    "late": FieldType.DATE,
    "at": FieldType.DATETIME,
    "as_of": FieldType.DATE,
}
VOCABULARY = Vocabulary(TYPES, {"years": Age(FieldType.INTEGER, Fact(FieldType.DATE, "late"))})
ARROW = {
    FieldType.BOOLEAN: pa.bool_(),
    FieldType.TEXT: pa.string(),
    FieldType.INTEGER: pa.int64(),
    FieldType.DECIMAL: pa.decimal128(30, 4),
    FieldType.DATE: pa.date32(),
    FieldType.DATETIME: pa.timestamp("us"),
}

letters = st.text(alphabet="abZzÄäß\u0130\u0131\u01c5%_' \u0301", max_size=4)
days = st.one_of(st.dates(), st.dates(date(2023, 1, 1), date(2029, 1, 1)), st.just(date(2024, 2, 29)))
VALUES: dict[FieldType, st.SearchStrategy[Any]] = {
    FieldType.BOOLEAN: st.booleans(),
    FieldType.TEXT: letters,
    FieldType.INTEGER: st.one_of(st.integers(-5, 5), st.integers(-(10**12), 10**12)),
    FieldType.DECIMAL: st.decimals(-(10**12), 10**12, places=4),
    FieldType.DATE: days,
    FieldType.DATETIME: st.datetimes(timezones=st.just(UTC)),
}
rows = st.fixed_dictionaries({n: st.none() | VALUES[k] for n, k in TYPES.items() if n != "as_of"})


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


numbers = st.recursive(
    st.sampled_from(["count", "other", "money", "years"]) | st.integers(0, 99).map(str) | st.just("2.5"),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-"), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        st.tuples(st.sampled_from(["count", "money", "3"]), st.sampled_from(["other", "2"])).map(" * ".join),
        inner.map(lambda t: f"-({t})"),
        inner.map(lambda t: f"COALESCE(count, {t})"),
    ),
    max_leaves=4,
)
texts = st.one_of(
    st.sampled_from(["word", "name", "LOWER(word)", "UPPER(name)", "LOWER(UPPER(word))", "COALESCE(word, name)"]),
    letters.map(quoted),
)
moments = st.one_of(
    st.sampled_from(["day", "late", "as_of", "CAST(at AS DATE)", "COALESCE(day, late)", "NEXT_ANNIVERSARY(late)"]),
    st.tuples(st.sampled_from(["day", "as_of", "late"]), st.sampled_from("+-"), st.integers(0, 36_500)).map(
        lambda t: f"({t[0]} {t[1]} INTERVAL '{t[2]}' DAY)"
    ),
    days.map(lambda day: f"DATE '{day}'"),
)
times = st.one_of(st.just("at"), st.integers(0, 36_500).map(lambda n: f"(at + INTERVAL '{n}' DAY)"))
signs = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])


def comparison(side: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(side, signs, side).map(" ".join),
        st.tuples(side, side, side).map(lambda t: f"{t[0]} BETWEEN {t[1]} AND {t[2]}"),
        st.tuples(side, side, side).map(lambda t: f"{t[0]} IN ({t[1]}, {t[2]})"),
        st.tuples(side, side, side).map(lambda t: f"{t[0]} NOT IN ({t[1]}, {t[2]})"),
        side.map(lambda t: f"{t} IS NULL"),
        side.map(lambda t: f"{t} IS NOT NULL"),
    )


conditions = st.recursive(
    st.one_of(
        st.sampled_from(["yes", "also", "TRUE", "FALSE", "yes = also", "yes <> TRUE"]),
        comparison(numbers),
        comparison(texts),
        comparison(moments),
        comparison(times),
        st.tuples(texts, letters).map(lambda t: f"{t[0]} LIKE {quoted(t[1])}"),
    ),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda t: f"({t[0]}) AND ({t[1]})"),
        st.tuples(inner, inner).map(lambda t: f"({t[0]}) OR ({t[1]})"),
        inner.map(lambda t: f"NOT ({t})"),
        inner.map(lambda t: f"({t}) IS NOT TRUE"),
        inner.map(lambda t: f"({t}) IS FALSE"),
        st.tuples(inner, inner, inner).map(lambda t: f"CASE WHEN {t[0]} THEN ({t[1]}) ELSE ({t[2]}) END"),
        st.tuples(inner, inner).map(lambda t: f"CASE WHEN {t[0]} THEN ({t[1]}) END"),
        st.tuples(inner, inner).map(lambda t: f"COALESCE(({t[0]}), ({t[1]}))"),
    ),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def engine() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(":memory:")


def in_duckdb(engine: duckdb.DuckDBPyConnection, sql: str, given_rows: list[dict[str, Any]]) -> list[Any]:
    columns = {
        name: pa.array([_plain(row[name]) for row in given_rows], type=ARROW[kind])
        for name, kind in TYPES.items()
        if name != "as_of"
    }
    table = pa.table({"nr": pa.array(range(len(given_rows))), **columns})
    engine.register("given_rows", table)
    return [value for _, value in engine.sql(f"SELECT nr, {sql} FROM given_rows ORDER BY nr").fetchall()]


def _plain(value: Any) -> Any:
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value


@settings(max_examples=300, deadline=None)
@given(text=conditions, given_rows=st.lists(rows, min_size=1, max_size=6), as_of=days)
def test_both_engines_agree(
    engine: duckdb.DuckDBPyConnection, text: str, given_rows: list[dict[str, Any]], as_of: date
) -> None:
    term = parse(text, VOCABULARY)
    evaluate = compile_term(term)
    assert [evaluate({**row, "as_of": as_of}) for row in given_rows] == in_duckdb(
        engine, sql_of(term, as_of), given_rows
    )


@settings(max_examples=200, deadline=None)
@given(text=conditions, given_rows=st.lists(rows, min_size=1, max_size=6), as_of=days)
def test_both_engines_name_the_same_day_of_change(
    engine: duckdb.DuckDBPyConnection, text: str, given_rows: list[dict[str, Any]], as_of: date
) -> None:
    edges = edges_of(parse(text, VOCABULARY))
    first = first_edge_after(edges)
    found = in_duckdb(engine, first_edge_sql(edges, as_of), given_rows)
    assert [first({**row, "as_of": as_of}) for row in given_rows] == found


@settings(max_examples=300, deadline=None)
@given(text=conditions, row=rows, as_of=st.dates(date(2023, 1, 1), date(2028, 1, 1)), ahead=st.integers(1, 800))
def test_nothing_changes_before_the_day_of_change(text: str, row: dict[str, Any], as_of: date, ahead: int) -> None:
    term = parse(text, VOCABULARY)
    evaluate = compile_term(term)
    change = first_edge_after(edges_of(term))({**row, "as_of": as_of})
    later = date.fromordinal(as_of.toordinal() + ahead)
    if change is None or later < change:
        assert evaluate({**row, "as_of": later}) == evaluate({**row, "as_of": as_of})


@pytest.mark.parametrize("sign", ["=", "<>", "<", "<=", ">", ">="])
@pytest.mark.parametrize("shift", ["", " + INTERVAL '2' DAY", " - INTERVAL '2' DAY"])
@pytest.mark.parametrize("turned", [False, True])
def test_the_day_of_change_of_a_comparison_is_exact(sign: str, shift: str, turned: bool) -> None:
    as_of, sides = date(2024, 2, 27), ("day", f"as_of{shift}")
    left, right = sides[::-1] if turned else sides
    term = parse(f"{left} {sign} {right}", VOCABULARY)
    evaluate, first = compile_term(term), first_edge_after(edges_of(term))
    for distance in range(-5, 6):
        row = {"day": as_of + timedelta(days=distance)}
        ahead = [as_of + timedelta(days=n) for n in range(20)]
        answers = [evaluate({**row, "as_of": today}) for today in ahead]
        changes = [
            today for today, before, after in zip(ahead[1:], answers, answers[1:], strict=False) if before != after
        ]
        edges = [first({**row, "as_of": today}) for today in ahead]
        assert set(changes) == {edge for edge in edges if edge is not None}


@pytest.mark.parametrize(
    ("born", "as_of", "years"),
    [
        (date(2000, 11, 22), date(2026, 11, 21), 25),
        (date(2000, 11, 22), date(2026, 11, 22), 26),
        (date(2000, 2, 29), date(2026, 2, 28), 25),
        (date(2000, 2, 29), date(2026, 3, 1), 26),
        (date(2000, 2, 29), date(2028, 2, 28), 27),
        (date(2000, 2, 29), date(2028, 2, 29), 28),
    ],
)
def test_age_in_both_engines(engine: duckdb.DuckDBPyConnection, born: date, as_of: date, years: int) -> None:
    term = parse(f"years = {years}", VOCABULARY)
    row = {**dict.fromkeys(TYPES), "late": born}
    assert compile_term(term)({**row, "as_of": as_of}) is True
    assert in_duckdb(engine, sql_of(term, as_of), [row]) == [True]


def test_every_letter_is_folded_alike(engine: duckdb.DuckDBPyConnection) -> None:
    letters_there_are = [chr(code) for code in range(1, 0x110000) if not 0xD800 <= code < 0xE000]
    engine.register("letters", pa.table({"c": letters_there_are}))
    found = engine.sql("SELECT c, lower(c), upper(c) FROM letters").fetchall()
    assert [row for row in found if (lower(row[0]), upper(row[0])) != row[1:]] == []


@pytest.mark.parametrize(
    ("text", "row", "expected"),
    [
        ("yes AND also", {"yes": False, "also": None}, False),
        ("yes AND also", {"yes": True, "also": None}, None),
        ("yes OR also", {"yes": True, "also": None}, True),
        ("yes OR also", {"yes": False, "also": None}, None),
        ("NOT yes", {"yes": None}, None),
        ("yes IS NOT TRUE", {"yes": None}, True),
        ("count NOT IN (1, other)", {"count": 2, "other": None}, None),
        ("count NOT IN (1, other)", {"count": 1, "other": None}, False),
        ("word = ''", {"word": None}, None),
        ("money * 2 > 5", {"money": Decimal("2.5001")}, True),
        ("CASE WHEN yes THEN count END = 1", {"yes": None, "count": 1}, None),
        ("word LIKE 'a_%'", {"word": "a"}, False),
        ("word LIKE 'a_%'", {"word": "aß\n"}, True),
    ],
)
def test_unknown_is_neither_true_nor_false(text: str, row: dict[str, Any], expected: bool | None) -> None:
    assert compile_term(parse(text, VOCABULARY))({**row, "as_of": date(2026, 11, 22)}) is expected
