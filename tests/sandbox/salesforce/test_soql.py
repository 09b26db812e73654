"""The SOQL parser: what is a statement, and what is refused with which words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simple_salesforce.format import format_soql

from onevoice.sandbox.salesforce.soql import (
    Comparison,
    Group,
    Literal,
    MalformedQueryError,
    Membership,
    Negation,
    parse,
)


def _where(text):
    return parse(f"SELECT Id FROM Contact WHERE {text}").where


def test_a_whole_statement():
    query = parse(
        "select Id, Account.Owner.Name from Contact where IsDeleted = false "
        "order by SystemModstamp desc nulls last, Id limit 10 offset 5"
    )
    assert query.paths == ("Id", "Account.Owner.Name")
    assert (query.entity, query.limit, query.offset) == ("Contact", 10, 5)
    assert [(o.path, o.descending, o.nulls_last) for o in query.orders] == [
        ("SystemModstamp", True, True),
        ("Id", False, False),
    ]


def test_counts():
    assert parse("SELECT COUNT() FROM Contact").count == ""
    assert parse("SELECT COUNT(Email) FROM Contact").count == "Email"


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("null", "null", None),
        ("TRUE", "boolean", True),
        ("-3.5", "number", -3.5),
        ("2026-11-22", "date", "2026-11-22"),
        ("2026-11-22T09:00:00Z", "datetime", "2026-11-22T09:00:00.000+0000"),
        ("2026-11-22T09:00:00.250+02:00", "datetime", "2026-11-22T07:00:00.250+0000"),
        ("2026-11-22T09:00:00+0000", "datetime", "2026-11-22T09:00:00.000+0000"),
        (r"'O\'Neil\\\n'", "text", "O'Neil\\\n"),
    ],
)
def test_literals(text, kind, value):
    where = _where(f"Name = {text}")
    assert isinstance(where, Comparison)
    assert (where.literal.kind, where.literal.value) == (kind, value)


def test_grouping():
    where = _where(
        "(SystemModstamp > 2026-11-22T09:00:00Z OR (Name = 'a' AND Id > '003')) AND NOT Email IN ('x', null)"
    )
    assert isinstance(where, Group)
    assert where.every
    either, rejected = where.parts
    assert isinstance(either, Group)
    assert not either.every
    assert rejected == Negation(Membership("Email", (Literal("text", "x", "x"), Literal("null", None)), negated=False))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("SELECT Id FROM", "unexpected token: '<EOF>'"),
        ("SELECT FROM Contact", "unexpected token: 'Contact'"),
        ("SELECT Id FROM Contact WHERE Name", "unexpected token: '<EOF>'"),
        ("SELECT Id FROM Contact WHERE a = 1 AND b = 2 OR c = 3", "unexpected token: 'OR'"),
        ("SELECT Id FROM Contact WHERE Name = 'open", "no viable alternative at character"),
        ("SELECT Id FROM Contact WHERE Name = Email", "unexpected token: 'Email'"),
        ("SELECT Id FROM Contact WHERE Birthdate = 2026-02-30", "invalid date"),
        ("SELECT Id FROM Contact WHERE Name IN ()", "unexpected token: ')'"),
        ("SELECT Id FROM Contact LIMIT -1", "unexpected token: '-1'"),
        ("SELECT Id FROM Contact; DROP", "no viable alternative"),
    ],
)
def test_refusals_say_where(text, said):
    with pytest.raises(MalformedQueryError, match=said.replace("(", r"\(").replace(")", r"\)")):
        parse(text)


@given(st.text(max_size=40))
def test_what_the_sdk_quotes_comes_back_as_it_was(text):
    where = parse(format_soql("SELECT Id FROM Contact WHERE Name = {}", text)).where
    assert isinstance(where, Comparison)
    assert where.literal.value == text


@given(st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_moments_the_sdk_writes_are_read_to_the_second(moment):
    where = parse(format_soql("SELECT Id FROM Contact WHERE SystemModstamp > {}", moment)).where
    assert isinstance(where, Comparison)
    assert where.literal.value == f"{moment:%Y-%m-%dT%H:%M:%S}.000+0000"


SOQL_WORDS = ("SELECT", "Id", "FROM", "Contact", "WHERE", "=", "'x'", "AND", "LIMIT", "1", "(", ")", ",", "COUNT()")


@given(st.text(max_size=60) | st.lists(st.sampled_from(SOQL_WORDS), max_size=9).map(" ".join))
def test_any_text_parses_or_is_refused(text):
    try:
        query = parse(text)
    except MalformedQueryError:
        return  # any other exception fails the test
    assert query.paths or query.count is not None
