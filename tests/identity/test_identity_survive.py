"""Which value survives, with provenance."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from identity import IdentityRecord, survive
from onevoice.configfile.identity_file import IdentityFile, Survivorship
from onevoice.model import Ref


def _record(system: str, year: int, **data: Any) -> IdentityRecord:
    return IdentityRecord(Ref(system, "s", str(year)), data, datetime(year, 1, 1, tzinfo=UTC))


def _with(config: IdentityFile, **rules: Any) -> IdentityFile:
    return config.model_copy(update={"survivorship": Survivorship.model_validate(rules)})


def test_most_recent_and_its_provenance(config: IdentityFile) -> None:
    old, new = _record("crm", 2020, email="old@web.de"), _record("shop", 2024, email="new@web.de")
    golden = survive([new, old], _with(config, default=["most_recent"]))
    assert golden.fields == {"email": "new@web.de"}
    told = golden.provenance["email"]
    assert (told.ref, told.rule, told.at) == (new.ref, "most_recent", new.updated_at)
    assert told.losing == ((old.ref, "old@web.de"),)


def test_source_order_most_frequent_most_complete(config: IdentityFile) -> None:
    records = [
        _record("shop", 2024, gender="x", birth_date="1980-01-02"),
        _record("crm", 2020, gender="y", birth_date="1980-02-01"),
        _record("till", 2021, gender="z", birth_date="1980-02-01"),
    ]
    by_source = survive(records, _with(config, sources=["crm"], default=["source_order"]))
    assert by_source.fields["gender"] == "y"
    frequent = survive(records, _with(config, fields={"birth_date": ["most_frequent", "most_recent"]}))
    assert frequent.fields["birth_date"] == "1980-02-01"
    assert frequent.provenance["birth_date"].ref.system == "till", "the newest of the winning value is named"


def test_a_group_is_taken_from_one_record(config: IdentityFile) -> None:
    group = {"address": {"fields": ["street", "city", "postcode"], "rules": ["most_complete", "most_recent"]}}
    full = _record("crm", 2020, street="1 A Road", city="Leeds", postcode="LS1 1AA")
    part = _record("shop", 2024, street="9 B Road", postcode="YO1 2BB")
    golden = survive([full, part], _with(config, groups=group))
    assert golden.fields == {"street": "1 A Road", "city": "Leeds", "postcode": "LS1 1AA"}
    assert {told.ref for told in golden.provenance.values()} == {full.ref}


def test_junk_never_survives(config: IdentityFile) -> None:
    good = _record("crm", 2019, email="ann@web.de", phone="07700900111", birth_date="1980-05-06", given_name="Ann")
    junk = _record("crm", 2025, email="test@test.com", phone="0000000000", birth_date="1970-01-01", given_name="Test")
    golden = survive([good, junk], _with(config, default=["most_recent"]))
    assert golden.fields == dict(good.data)


def test_spelling_is_no_difference_and_order_does_not_matter(config: IdentityFile) -> None:
    records = [
        _record("a", 2020, phone="07700 900111"),
        _record("b", 2021, phone="+447700900111"),
        _record("c", 2022, phone="07700900222"),
    ]
    rules = _with(config, default=["most_frequent", "most_recent"])
    assert survive(records, rules).fields["phone"] == "+447700900111"
    assert survive(records[::-1], rules) == survive(records, rules)


def test_the_newest_address_of_a_list_field_is_its_first(config: IdentityFile) -> None:
    golden = survive([_record("crm", 2020, card_number=["A100", "B200"])], config)
    assert golden.fields == {"card_number": "A100"}
