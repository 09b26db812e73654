"""Hub values to vendor fields, and vendor values to what compares."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onevoice.mapping import PushField
from onevoice.model import FOREVER, FieldType

PUSH = """
stream: people
push:
  fields:
    text: {from: profile.id}
    day: {from: suppress.join, transform: date}
    last: {from: suppress.join, transform: date, latest: '4000-12-31'}
    moment: {from: decided_at, transform: datetime}
    whole: {from: status.club.points, transform: integer}
    exact: {from: status.club.points, transform: decimal}
    known: {from: suppressed.join, transform: boolean}
    tick: {from: suppressed.join, transform: flag}
    native: {from: opt_out.email, transform: flag, irreversible: true}
    gone: {from: opt_out.email, transform: unsubscribed, irreversible: true, seen_in: optout}
    word: {from: status.club.tier, transform: table, table: {gold: G, silver: S}, blank: keep, owner: vendor}
    small: {from: status.club.tier, transform: lower}
"""


@pytest.fixture
def fields(compile_yaml: Any) -> dict[str, PushField]:
    spec = compile_yaml(PUSH).push
    assert (spec.stream, spec.per, spec.key) == ("people", "people", "record")
    return {field.name: field for field in spec.fields}


@pytest.mark.parametrize(
    ("name", "value", "sent"),
    [
        ("text", "p1", "p1"),
        ("text", None, None),
        ("day", FOREVER, "9999-12-31"),
        ("day", "2026-11-22", "2026-11-22"),
        ("last", FOREVER, "4000-12-31"),
        ("last", date(2026, 11, 22), "2026-11-22"),
        ("moment", datetime(2026, 11, 22, 9, 0, 0, 999, tzinfo=UTC), "2026-11-22T09:00:00+00:00"),
        ("whole", Decimal("12.9"), 12),
        ("whole", "12", 12),
        ("exact", Decimal("12.50"), 12.5),
        ("exact", Decimal(12), 12),
        ("known", False, False),
        ("tick", False, False),
        ("native", True, True),
        ("native", False, None),
        ("gone", True, "UNSUBSCRIBED"),
        ("gone", False, None),
        ("word", "Gold", "G"),
        ("word", "blue", None),
        ("small", "GOLD", "gold"),
    ],
)
def test_encode(fields: dict[str, PushField], name: str, value: Any, sent: Any) -> None:
    found = fields[name].encode(value)
    assert found == sent
    assert type(found) is type(sent)


@pytest.mark.parametrize(
    ("name", "alike"),
    [
        ("text", [None, "", "  "]),
        ("day", ["2026-11-22", "2026-11-22T00:00:00.000Z", "2026-11-22T00:00:00.000+0000"]),
        ("day", ["2026-11-22", 1795305600000, "1795305600000"]),
        ("moment", ["2026-11-22T09:00:00+00:00", "2026-11-22T09:00:00.000+0000", 1795338000000]),
        ("moment", ["2026-11-22T09:00:00Z", "2026-11-22T10:00:00.123+01:00"]),
        ("whole", ["3", 3, 3.0, "3.0", "3.00"]),
        ("exact", ["3.50", 3.5, "3.5"]),
        ("known", ["true", True, "TRUE"]),
        ("known", ["false", False]),
        ("tick", ["false", False, None, ""]),
        ("gone", ["UNSUBSCRIBED", "unsubscribed", "true", True]),
        ("gone", ["SUBSCRIBED", "NOT_OPTED", "false", False, None, ""]),
    ],
)  # fmt: skip
def test_these_compare_as_the_same(fields: dict[str, PushField], name: str, alike: list[Any]) -> None:
    assert len({fields[name].decode_observed(value) for value in alike}) == 1


@pytest.mark.parametrize(
    ("name", "different"),
    [
        ("text", ["p1", "P1", " p1", "p1 ", None]),
        ("day", ["2026-11-22", "2026-11-23", " 2026-11-22", None, "soon"]),
        ("whole", [3, 4, None, "three"]),
        ("known", [True, False, None]),
        ("tick", [True, False]),
        ("gone", ["UNSUBSCRIBED", "SUBSCRIBED"]),
    ],
)
def test_these_compare_as_different(fields: dict[str, PushField], name: str, different: list[Any]) -> None:
    assert len({fields[name].decode_observed(value) for value in different}) == len(different)


def test_what_is_sent_compares_with_what_the_vendor_makes_of_it(fields: dict[str, PushField]) -> None:
    """Quiet means quiet: a vendor that answers in its own spelling gives no second write."""
    spelled = {
        "day": (date(2026, 11, 22), "1795305600000"),
        "moment": (datetime(2026, 11, 22, 9, tzinfo=UTC), "2026-11-22T09:00:00.000+0000"),
        "whole": (Decimal(1200), "1200.0"),
        "tick": (False, ""),
        "gone": (True, "true"),
    }
    for name, (value, answered) in spelled.items():
        field = fields[name]
        assert field.decode_observed(field.encode(value)) == field.decode_observed(answered), name


def test_what_a_field_tells_of_itself(fields: dict[str, PushField]) -> None:
    assert [name for name, field in fields.items() if field.is_stamp] == ["moment"]
    assert fields["gone"].seen_in == "optout"
    assert fields["gone"].decode_seen("true") == fields["gone"].decode_observed("UNSUBSCRIBED")
    assert fields["gone"].decode_seen("false") is None
    assert (fields["word"].owner, fields["word"].blank) == ("vendor", "keep")
    types = {name: fields[name].type for name in ("text", "day", "moment", "whole", "exact", "tick", "gone")}
    assert types == {
        "text": FieldType.TEXT, "day": FieldType.DATE, "moment": FieldType.DATETIME, "whole": FieldType.INTEGER,
        "exact": FieldType.DECIMAL, "tick": FieldType.BOOLEAN, "gone": FieldType.TEXT,
    }  # fmt: skip


ANY = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text(), max_size=2)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=ANY)
def test_nothing_a_vendor_answers_raises(fields: dict[str, PushField], value: Any) -> None:
    for field in fields.values():
        found = field.decode_observed(value)
        assert found is None or isinstance(found, str)
        field.encode(value)
