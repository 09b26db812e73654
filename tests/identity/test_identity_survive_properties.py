"""What holds of golden records whatever the records and rules are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity import Circumstances, IdentityRecord, survive
from onevoice.configfile.identity_file import IdentityFile, Survivorship
from onevoice.model import Ref

TODAY = date(2026, 11, 22)
PLACE = ("street", "city", "postcode")
GROUPS = {"place": {"fields": PLACE, "rules": ["most_recent", "most_complete"]}}
TRUST = [
    {"source": "crm", "points": 90, "minimum": 10, "days": 40},
    {"source": "shop", "points": 70, "minimum": 40, "days": 15},
    {"source": "till", "points": 55},
    {"source": "till", "field": "place", "points": 30},
]
RULES = [
    {"groups": GROUPS},
    {"groups": GROUPS, "sources": ["till", "crm"], "default": ["source_order"]},
    {"default": ["most_frequent"], "fields": {"email": ["verified_first"], "card_number": ["union"]}},
    {"groups": {"place": {"fields": PLACE, "rules": ["trust"]}}, "default": ["trust", "most_recent"], "trust": TRUST},
    {"groups": {"place": {"fields": PLACE, "rules": ["most_complete"]}}, "fields": {"email": ["union"]}},
]
EMPTY = [None, "", "  ", []]
VALUES: dict[str, list[Any]] = {
    "email": ["ann@web.de", "Ann@Web.de", "a.nn@gmail.com", "test@test.com", "none", *EMPTY],
    "phone": ["+447700900111", "07700 900111", "07700900222", "0000000000", *EMPTY],
    "card_number": ["A-100", ["A100", "B200"], ["B200", "0000"], "C300", *EMPTY],
    "street": ["1 High Street", "1 High St", "2 Low Road", "n/a", *EMPTY],
    "city": ["Leeds", "LEEDS", "York", "unknown", *EMPTY],
    "postcode": ["LS1 1AA", "ls11aa", "YO1 2BB", *EMPTY],
    "points": [5, -5, True, "5.0", *EMPTY],
}
BESIDE = Circumstances(TODAY, frozenset({"ann@gmail.com"}), frozenset({"ann@web.de"}))
STAMPS = [None, *(datetime(2026, month, 20, 9, tzinfo=UTC) for month in (9, 10, 11, 12))]

Records = list[IdentityRecord]


@st.composite
def customers(draw: st.DrawFn) -> Records:
    """The records of one customer."""
    keys = st.tuples(st.sampled_from(["crm", "shop", "till"]), st.integers(1, 3))
    refs = draw(st.lists(keys, min_size=1, max_size=5, unique=True))
    held = st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in VALUES.items()})
    return [
        IdentityRecord(Ref(system, "s", str(key)), draw(held), draw(st.sampled_from(STAMPS))) for system, key in refs
    ]


@pytest.fixture(scope="module", params=range(len(RULES)))
def rules(request: pytest.FixtureRequest, config: IdentityFile) -> IdentityFile:
    return config.model_copy(update={"survivorship": Survivorship.model_validate(RULES[request.param])})


@pytest.fixture(scope="module", params=range(len(RULES)))
def counting(request: pytest.FixtureRequest, config: IdentityFile) -> IdentityFile:
    """The same rules, with empty values counting wherever they may."""
    written = dict(RULES[request.param])
    unions = [name for name, chosen in written.get("fields", {}).items() if chosen == ["union"]]
    grouped = PLACE if "groups" in written else ()
    named = [name for name in (*VALUES, *written.get("groups", ())) if name not in (*unions, *grouped)]
    written["blanks"] = dict.fromkeys(named, "count")
    return config.model_copy(update={"survivorship": Survivorship.model_validate(written)})


def several(held: Any) -> Sequence[Any]:
    return held if isinstance(held, list) else [held]


@given(data=st.data(), records=customers())
def test_the_order_of_records_does_not_matter(counting: IdentityFile, data: st.DataObject, records: Records) -> None:
    shuffled = data.draw(st.permutations(records))
    assert survive(shuffled, counting, BESIDE) == survive(records, counting, BESIDE)


@given(records=customers())
def test_a_golden_value_is_one_of_the_records_values(counting: IdentityFile, records: Records) -> None:
    by_ref = {record.ref: record.data for record in records}
    golden = survive(records, counting, BESIDE)
    for name, value in golden.fields.items():
        told = golden.provenance[name]
        assert told.value == value
        for ref, one in zip(told.holders or [told.ref], value if told.holders else [value], strict=True):
            assert one in several(by_ref[ref][name])


@given(records=customers(), empty=st.sampled_from(EMPTY), stamp=st.sampled_from(STAMPS))
def test_an_empty_record_changes_nothing(
    rules: IdentityFile, records: Records, empty: Any, stamp: datetime | None
) -> None:
    blank = IdentityRecord(Ref("crm", "s", "9"), dict.fromkeys(VALUES, empty), stamp)
    assert survive([*records, blank], rules, BESIDE) == survive(records, rules, BESIDE)


@given(records=customers(), empty=st.sampled_from(EMPTY))
def test_a_newest_empty_record_clears_where_blanks_count(config: IdentityFile, records: Records, empty: Any) -> None:
    blanks = {name: "count" for name in VALUES if name not in PLACE} | {"place": "count"}
    written = {"groups": GROUPS, "default": ["most_recent"], "blanks": blanks}
    rules = config.model_copy(update={"survivorship": Survivorship.model_validate(written)})
    blank = IdentityRecord(Ref("crm", "s", "9"), dict.fromkeys(VALUES, empty), datetime(2027, 1, 1, tzinfo=UTC))
    cleared = survive([*records, blank], rules)
    assert cleared.fields == {}
    assert cleared.provenance.keys() == survive(records, rules).provenance.keys(), "and says what it cleared"


@given(records=customers())
def test_groups_are_never_mixed(counting: IdentityFile, records: Records) -> None:
    if not counting.survivorship.groups:
        return
    golden = survive(records, counting, BESIDE)
    told = [golden.provenance[name] for name in PLACE if name in golden.provenance]
    assert len({each.ref for each in told}) <= 1
    if told:
        (winner,) = (record for record in records if record.ref == told[0].ref)
        alone = survive([winner], counting, BESIDE).fields
        assert {name: golden.fields.get(name) for name in PLACE} == {name: alone.get(name) for name in PLACE}


@given(records=customers())
def test_every_other_value_is_kept_with_its_record(rules: IdentityFile, records: Records) -> None:
    golden = survive(records, rules, BESIDE)
    for name, told in golden.provenance.items():
        if told.holders:
            continue
        said = [(record.ref, value) for record in records for value in _believed(record, name, rules)]
        assert sorted(told.losing, key=repr) == sorted((each for each in said if each[1] != told.value), key=repr)


def _believed(record: IdentityRecord, name: str, rules: IdentityFile) -> list[Any]:
    """What a record says of a field, without junk and without a second spelling of the same."""
    alone = survive([record], rules, BESIDE)
    if name not in alone.provenance:
        return []
    told = alone.provenance[name]
    return [told.value, *(value for _, value in told.losing)]


@given(records=customers(), later=st.integers(0, 60))
def test_nothing_changes_before_the_day_that_is_told(rules: IdentityFile, records: Records, later: int) -> None:
    golden = survive(records, rules, BESIDE)
    day = TODAY + timedelta(days=later)
    if golden.next_change is None or day < golden.next_change:
        assert survive(records, rules, Circumstances(day, BESIDE.confirmed, BESIDE.bounced)).fields == golden.fields
    else:
        assert golden.next_change > TODAY
