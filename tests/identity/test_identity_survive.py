"""Which value survives, with provenance."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from ruamel.yaml import YAML

from identity import Circumstances, Golden, IdentityRecord, survive
from onevoice.configfile.identity_file import IdentityFile, Junk, Survivorship
from onevoice.model import Ref

PLACE = {"fields": ["city", "street"], "rules": ["most_recent"]}


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


@pytest.mark.parametrize(
    ("junk", "data"),
    [
        ({"email": ["@shop.example"]}, {"email": "till7@shop.example"}),
        ({"phone": ["020 7946 0000"]}, {"phone": "+442079460000"}),
        ({"card_number": ["LC-0000-01"]}, {"card_number": ["LC000001"]}),
        ({"birth_date": [date(1985, 5, 5)]}, {"birth_date": "1985-05-05"}),
        ({"name": ["Laufkundschaft"]}, {"family_name": "Laufkundschaft"}),
        ({"name": ["Walk In"]}, {"given_name": "Walk", "family_name": "In"}),
    ],
)
def test_configured_junk_never_survives(config: IdentityFile, junk: dict[str, Any], data: dict[str, Any]) -> None:
    strict = config.model_copy(update={"junk": Junk.model_validate(junk)})
    record = _record("crm", 2025, **data)
    assert survive([record], config).fields, "it is a value like any other"
    assert survive([record], strict).fields == {}


def test_a_number_is_read_by_the_rules_of_its_own_records_country(config: IdentityFile) -> None:
    there = _record("crm", 2024, phone="0171 2345678", country="DE")
    abroad = _record("shop", 2020, phone="+491712345678", country="DE")
    assert survive([there, abroad], config).provenance["phone"].rule == "only"
    number = {"phone": "0664 123456789"}
    at_home, stray = _record("crm", 2020, **number, country="AT"), _record("shop", 2024, **number, country="US")
    assert survive([stray], config).fields == {"country": "US"}
    assert survive([at_home, stray], config).provenance["phone"].ref == at_home.ref


def test_verified_by_a_flag_by_a_yes_and_last_where_mail_bounced(config: IdentityFile) -> None:
    rules = _with(
        config,
        fields={"email": ["verified_first", "most_recent"], "email_verified": ["most_recent"]},
        verified={"email": "email_verified"},
    )
    newest = _record("shop", 2024, email="new@web.de", email_verified=False)
    flagged = _record("crm", 2020, email="flagged@web.de", email_verified=True)
    other = _record("till", 2019, email="o.ther+x@gmail.com")
    told = survive([newest, flagged, other], rules)
    assert (told.fields["email"], told.provenance["email"].rule) == ("flagged@web.de", "verified_first")
    said_yes = Circumstances(confirmed=frozenset({"other@gmail.com"}))
    assert survive([newest, other], rules, said_yes).fields["email"] == "o.ther+x@gmail.com"
    bounced = Circumstances(bounced=frozenset({"flagged@web.de"}))
    assert survive([newest, flagged], rules, bounced).fields["email"] == "new@web.de"
    assert survive([flagged], rules, bounced).fields["email"] == "flagged@web.de", "better than none"


def test_trust_sinks_evenly_and_tells_when_another_value_takes_over(config: IdentityFile) -> None:
    rules = _with(
        config,
        default=["trust", "most_recent"],
        trust=[
            {"source": "crm", "points": 90, "minimum": 20, "days": 70},
            {"source": "crm", "field": "gender", "points": 0},
            {"source": "shop", "points": 60},
        ],
    )
    crm, shop = _record("crm", 2024, city="Leeds", gender="x"), _record("shop", 2020, city="York", gender="y")
    begin = date(2024, 1, 1)

    def on(days: int) -> Golden:
        return survive([crm, shop], rules, Circumstances(begin + timedelta(days)))

    assert on(0).fields == {"city": "Leeds", "gender": "y"}
    assert on(29).fields["city"] == "Leeds"
    assert on(29).next_change == begin + timedelta(30), "then both have 60 points, and the newest decides"
    assert on(30).provenance["city"].rule == "most_recent"
    assert on(30).next_change == begin + timedelta(31)
    assert on(31).fields["city"] == "York"
    assert on(31).next_change is None
    unstamped = replace(crm, updated_at=None)
    assert survive([unstamped, shop], rules, Circumstances(begin)).fields["city"] == "York"
    assert survive([crm, shop], rules).fields["city"] == "Leeds", "without a day nothing has sunk"


def test_union_keeps_distinct_values_newest_first(config: IdentityFile) -> None:
    rules = _with(config, fields={"card_number": ["union"]})
    old = _record("crm", 2020, card_number=["A-100", "b200"])
    new = _record("till", 2024, card_number=["C300", "A100", "0000"])
    told = survive([old, new], rules)
    assert told.fields == {"card_number": ["C300", "A100", "b200"]}
    assert told.provenance["card_number"].holders == (new.ref, new.ref, old.ref)


def test_blanks_count_only_where_it_is_said_and_only_where_the_record_has_the_field(config: IdentityFile) -> None:
    group = {"place": {"fields": ["street", "city"], "rules": ["most_recent"]}}
    rules = _with(config, groups=group, blanks={"phone": "count", "place": "count"})
    full = _record("crm", 2020, phone="07700900111", email="ann@web.de", street="1 A Road", city="Leeds")
    cleared = _record("shop", 2024, phone=" ", email="", street=None, city="")
    golden = survive([full, cleared], rules)
    assert golden.fields == {"email": "ann@web.de"}
    assert golden.provenance["phone"] == (
        None,
        cleared.ref,
        "most_recent",
        cleared.updated_at,
        ((full.ref, "07700900111"),),
        (),
    )
    assert {golden.provenance[name].losing[0][1] for name in group["place"]["fields"]} == {"1 A Road", "Leeds"}
    partly = survive([_record("shop", 2024, card_number=["", "A100"])], _with(config, blanks={"card_number": "count"}))
    assert partly.fields == {"card_number": "A100"}, "a list with a value in it is not empty"
    silent = _record("shop", 2024, given_name="Ann")
    junk = _record("shop", 2024, phone="0000000000", street="n/a", city="")
    for other in (silent, junk):
        assert survive([full, other], rules).fields.items() >= full.data.items(), "no empty value"


def test_what_no_rule_decides_goes_to_the_newest_and_then_to_the_lowest_reference(config: IdentityFile) -> None:
    rules = _with(config, sources=["crm"], default=["source_order"])
    a, b = _record("shop", 2024, city="York"), _record("till", 2024, city="Leeds")
    newer = _record("till", 2025, city="Hull")
    assert survive([b, a], rules).provenance["city"][1:3] == (a.ref, "tie")
    assert survive([b, a, newer], rules).fields["city"] == "Hull"


def test_a_part_that_the_winner_lacks_is_kept_among_the_losers(config: IdentityFile) -> None:
    group = {"place": {"fields": ["street", "region"], "rules": ["most_recent"]}}
    old, new = _record("crm", 2020, street="1 A Road", region="Kent"), _record("shop", 2024, street="2 B Road")
    golden = survive([old, new], _with(config, groups=group))
    assert golden.fields == {"street": "2 B Road"}
    assert golden.provenance["region"].losing == ((old.ref, "Kent"),)


def test_the_rules_on_the_page_for_admins_are_allowed(checkout: Path) -> None:
    (shown,) = re.findall(r"(?ms)^```yaml\n(.*?)^```$", (checkout / "docs/identity.md").read_text("utf-8"))
    assert Survivorship.model_validate(YAML(typ="safe").load(shown)["survivorship"])


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ({"fields": {"city": ["most_recent"]}, "groups": {"g": PLACE}}, "city has rules twice"),
        ({"groups": {"city": PLACE}}, "city is a field too"),
        ({"default": ["union"]}, "default: union keeps several values"),
        ({"fields": {"email": ["union", "most_recent"]}}, "no other rule stands beside it"),
        ({"fields": {"birth_date": ["union"]}}, "a customer has one"),
        ({"fields": {"email": ["union"]}, "blanks": {"email": "count"}}, "adds nothing to a union"),
        ({"fields": {"city": ["verified_first"]}}, "name the attribute in `verified`"),
        ({"default": ["trust"]}, "need one another"),
        ({"trust": [{"source": "crm", "points": 9}]}, "need one another"),
        ({"default": ["trust"], "trust": [{"source": "crm", "points": 9}] * 2}, "crm, all fields stands twice"),
        ({"default": ["trust"], "trust": [{"source": "crm", "points": 9, "minimum": 8}]}, "so it needs `days`"),
    ],
)
def test_rules_that_contradict_themselves_are_faults(written: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(fault)):
        Survivorship.model_validate(written)


def test_a_name_beats_its_initial(config: IdentityFile) -> None:
    rules = _with(config, default=["most_complete", "most_recent"])
    full, short = _record("crm", 2020, given_name="Ann"), _record("shop", 2024, given_name="A.")
    assert survive([full, short], rules).fields == {"given_name": "Ann"}


def test_an_attributes_signs_matter_and_its_capitals_do_not(config: IdentityFile) -> None:
    rules = _with(config, default=["most_frequent", "most_recent"])
    records = [_record("crm", 2020, score=-5, shop="Leeds"), _record("shop", 2024, score=5, shop="York")]
    third = _record("till", 2019, score=-5, shop="LEEDS")
    assert survive([*records, third], rules).fields == {"score": -5, "shop": "Leeds"}
