"""Vendor records to canonical items: conditions, owners, several items, faults and notes."""

from __future__ import annotations

import json
import math
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onevoice.configfile import load_project
from onevoice.mapping import Defaults, compile_mapping
from onevoice.model import KINDS, Ref

REF = Ref("crm", "people", "7")
ROOT = Path(__file__).parents[2]

PERSON = """
stream: people
pull:
  customer:
    fields:
      email: {from: mail, transform: email}
      phone: {from: [mobile, phone], transform: phone}
      city: {from: address.0.town, blank: [n/a, '-']}
      visits: {from: visits, transform: integer}
      country: {value: DE}
"""


def test_fields_constants_and_nested_values(compile_yaml: Any) -> None:
    data = {"mail": "A@B.org", "address": [{"town": " Bonn "}], "visits": "3"}
    result = compile_yaml(PERSON).pull(REF, data, None)
    assert [(item.kind, item.owner, dict(item.data)) for item in result.items] == [
        ("customer", None, {"country": "DE", "email": "a@b.org", "city": "Bonn", "visits": 3})
    ]
    assert (result.faults, result.notes) == ((), ())


@pytest.mark.parametrize("blank", [None, "", "   ", [], {}, "n/a", " N/A ", "-"])
def test_blank_is_left_out(compile_yaml: Any, blank: Any) -> None:
    (item,) = compile_yaml(PERSON).pull(REF, {"address": [{"town": blank}]}, None).items
    assert "city" not in item.data


@pytest.mark.parametrize("address", [None, "Bonn", [], {}, {"0": None}, [[]], [{"town": ["x"]}], 7])
def test_a_path_that_leads_nowhere_is_blank(compile_yaml: Any, address: Any) -> None:
    (item,) = compile_yaml(PERSON).pull(REF, {"address": address}, None).items
    assert "city" not in item.data


def test_a_field_that_bears_the_dotted_name_wins(compile_yaml: Any) -> None:
    (item,) = compile_yaml(PERSON).pull(REF, {"address.0.town": "Ulm", "address": [{"town": "Bonn"}]}, None).items
    assert item.data["city"] == "Ulm"


def test_an_unusable_first_value_gives_way_to_the_next(compile_yaml: Any) -> None:
    result = compile_yaml(PERSON).pull(REF, {"mobile": "none", "phone": "07700 900123"}, None)
    assert result.items[0].data["phone"] == "+447700900123"
    assert result.notes == ("mobile (customer.phone): a phone number is allowed, as +49 30 1234567",)


@pytest.mark.parametrize(
    ("data", "street"),
    [
        ({"no": "12", "way": " Kent  Street", "flat": "b"}, "12 Kent Street b"),
        ({"no": 12, "way": "Kent Street", "flat": None}, "12 Kent Street"),
        ({"no": " ", "way": "Kent Street"}, "Kent Street"),
        ({"no": "12", "way": "n/a"}, "12"),
        ({"no": "12", "way": ["Kent Street"]}, "12"),
        ({"no": "", "way": None}, None),
    ],
)
def test_joined_fields_follow_one_another(compile_yaml: Any, data: dict[str, Any], street: str | None) -> None:
    mapping = compile_yaml(
        "stream: s\npull: {customer: {fields: {country: {value: AU}, "
        "street: {from: [no, way, flat], transform: joined, blank: [n/a]}}}}\n"
    )
    for _ in range(2):  # the second time from memory
        (item,) = mapping.pull(REF, data, None).items
        assert item.data.get("street") == street


def test_a_note_never_holds_the_value(compile_yaml: Any) -> None:
    secret = "private-7f3a"
    data = dict.fromkeys(("mail", "mobile", "phone", "visits"), secret)
    result = compile_yaml(PERSON).pull(REF, data, None)
    assert result.notes
    assert secret not in " ".join((*result.notes, *result.faults))


def test_remembered_values_do_not_mix_types(compile_yaml: Any) -> None:
    mapping = compile_yaml(
        "stream: s\npull: {customer: {fields: {vip: {from: v, transform: boolean}, city: {from: v}}}}\n"
    )
    found = [mapping.pull(REF, {"v": value}, None).items[0].data for value in ("1", 1, True, 1.0, "1", 0, False, "0")]
    assert [data["vip"] for data in found] == [True, True, True, True, True, False, False, False]
    assert [data["city"] for data in found] == ["1", "1", "true", "1", "1", "0", "false", "0"]


def test_a_value_found_odd_once_is_odd_again(compile_yaml: Any) -> None:
    mapping = compile_yaml(PERSON)
    notes = [mapping.pull(REF, {"mail": "nobody", "visits": "many"}, None).notes for _ in range(3)]
    assert len(notes[0]) == 2
    assert notes[0] == notes[1] == notes[2]


CONSENT = """
stream: people
pull:
  consent:
    - only_with: [effect]
      fields: &fields
        contact_point: {from: mail, transform: email}
        channel: {value: email}
        purpose: {value: marketing}
        effect: {from: out, transform: opt_out}
        event_time: {from: '@updated_at', transform: datetime}
    - only_with: effect
      fields: {channel: {value: email}, purpose: {value: marketing}, effect: {from: words, transform: lower}}
"""


def test_several_items_of_one_kind_and_conditions(compile_yaml: Any) -> None:
    at = datetime(2026, 11, 22, 9, tzinfo=UTC)
    result = compile_yaml(CONSENT).pull(REF, {"mail": "a@b.org", "out": "true", "words": "GRANT"}, at)
    assert [item.data["effect"] for item in result.items] == ["deny", "grant"]
    assert result.items[0].data["event_time"] == "2026-11-22T09:00:00+00:00"
    assert {item.owner for item in result.items} == {REF}
    assert compile_yaml(CONSENT).pull(REF, {"out": "false"}, at).items == ()


def test_a_word_outside_a_closed_list_is_left_out(compile_yaml: Any) -> None:
    result = compile_yaml(CONSENT).pull(REF, {"words": "perhaps"}, None)
    assert result.items == ()
    assert result.notes == ("words (consent.effect): allowed is deny, grant",)


ORDER = """
stream: receipts
pull:
  order:
    owner: {stream: cards, from: [card, old_card]}
    only_with: [%s]
    required: [ordered_at]
    fields:
      ordered_at: {from: at, transform: datetime}
      total: {from: total, transform: decimal}
"""


def test_the_owner_is_a_record_of_the_same_system(compile_yaml: Any) -> None:
    mapping = compile_yaml(ORDER % "owner")
    (item,) = mapping.pull(REF, {"card": " ", "old_card": 12, "at": "2026-11-22T09:00:00Z"}, None).items
    assert item.owner == Ref("crm", "cards", "12")
    assert mapping.pull(REF, {"card": None, "at": "2026-11-22T09:00:00Z"}, None).items == ()
    assert mapping.pull_fields == ("at", "card", "old_card", "total")


def test_what_is_required_and_missing_is_a_fault(compile_yaml: Any) -> None:
    result = compile_yaml(ORDER % "").pull(REF, {"at": "soon", "total": "1"}, None)
    assert result.items == ()
    assert result.faults == (
        "at is blank or unusable, but every order needs its ordered_at",
        "card, old_card is blank or unusable, but every order needs its owner",
    )


def test_an_item_without_its_essence_is_a_fault(compile_yaml: Any) -> None:
    fields = "{wallet: {from: w}, available: {from: a, transform: decimal}}"
    text = f"stream: s\npull: {{balance: {{owner: {{stream: m, from: m}}, fields: {fields}}}}}\n"
    result = compile_yaml(text).pull(REF, {"m": "1", "w": "points"}, None)
    assert result.faults == ("a is blank or unusable, but every balance needs its available",)


def test_a_record_that_says_nothing_makes_nothing(compile_yaml: Any) -> None:
    mapping = compile_yaml("stream: s\npull: {customer: {fields: {email: {from: mail}}}}\n")
    assert mapping.pull(REF, {}, None).items == ()


def test_the_version_follows_everything_that_matters(compile_yaml: Any) -> None:
    same = compile_yaml(PERSON).version
    assert compile_yaml(PERSON + "# a comment\n").version == same
    assert compile_yaml(PERSON.replace("value: DE", "value: AT")).version != same
    assert compile_yaml(PERSON, region="US").version != same
    assert compile_yaml(PERSON, zone="UTC").version != same


TRICKY = [
    "",
    " ",
    "true",
    "2026-11-22",
    "2026-11-22T09:00:00Z",
    "1e999",
    "Infinity",
    "-0",
    "+44",
    "\ud800",
    "\0",
    "\uff19",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(TRICKY),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
PROJECT = load_project(ROOT)
SHIPPED = {
    key: compile_mapping(model, PROJECT.profile.custom_fields(), Defaults("GB", "Europe/Berlin"))
    for key, model in PROJECT.mappings.items()
}


@pytest.mark.parametrize("key", [key for key, mapping in SHIPPED.items() if mapping.pull_fields], ids="/".join)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_record_is_mapped_without_raising(key: tuple[str, str], data: st.DataObject) -> None:
    mapping = SHIPPED[key]
    record = data.draw(st.fixed_dictionaries({}, optional=dict.fromkeys(mapping.pull_fields, JSON)))
    result = mapping.pull(Ref(*key, "1"), record, None)
    assert mapping.pull(Ref(*key, "1"), record, None) == result, "the same record always gives the same"
    for item in result.items:
        assert item.data.keys() <= KINDS[item.kind].keys()
        text = json.dumps(dict(item.data), allow_nan=False, ensure_ascii=False)
        text.encode()
        assert "\\u0000" not in text
        assert all(not isinstance(value, float) or math.isfinite(value) for value in item.data.values())


def test_fast_enough_for_a_full_load() -> None:
    """A full load has hundreds of thousands of records; the floor is far below what is measured (70,000 a second)."""
    mapping = SHIPPED["salesforce", "Contact"]
    records = [
        {
            "FirstName": f"Name{i % 400}", "LastName": f"Family{i % 7000}",
            "Birthdate": f"19{50 + i % 50}-0{1 + i % 9}-1{i % 10}",
            "Email": f"p{i}@example.org", "MobilePhone": f"+4477009{i:05d}", "MailingStreet": f"{i % 300} High Street",
            "MailingCity": "Leeds", "MailingPostalCode": f"LS{i % 30} 4AB", "MailingCountry": "United Kingdom",
            "HasOptedOutOfEmail": i % 20 == 0, "SystemModstamp": f"2026-11-20T10:{i % 60:02d}:00.000+0000",
        }
        for i in range(20_000)
    ]  # fmt: skip
    begin = time.process_time()
    for record in records:
        mapping.pull(REF, record, None)
    assert len(records) / (time.process_time() - begin) > 15_000
