"""One spelling per fact, and junk left out."""

from __future__ import annotations

import json

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identity import IdentityRecord, NormalisedRecord, address, contact, names, normalise
from identity.similarity import jaro_winkler, slips
from onevoice.configfile.identity_file import IdentityFile, Junk
from onevoice.model import Ref

_NAMES = st.text(alphabet="abcdelmnorst", max_size=9)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Jürgen Müller", "Juergen Mueller"),
        ("Łukasz Żółciński", "Lukasz Zolcinski"),
        ("Zoë O'Brien", "ZOE OBRIEN"),
        ("Дмитрий", "Dmitriy"),
    ],
)
def test_names_fold_over_scripts_and_marks(one: str, other: str) -> None:
    assert names.fold(one) == names.fold(other)


def test_titles_go_and_a_lone_full_name_is_split() -> None:
    assert names.split_name("Dr. Mary Ann Smith", "") == (("mary", "ann"), ("smith",))
    assert names.split_name("Test", "Customer") == ((), ())
    assert names.family_parts(("van", "der", "berg")) == ("berg",)


@pytest.mark.parametrize(
    ("given", "family"), [("Hill", "Heating Ltd."), ("", "Hill Heating GmbH"), ("Hill Heating Limited", "")]
)
def test_a_company_has_no_name_of_a_person(given: str, family: str) -> None:
    assert names.split_name(given, family) == ((), ())
    assert names.split_name("Limited", "Hill") == (("limited",), ("hill",))


def test_the_core_of_a_family_name_is_one_over_particles_and_transliterations() -> None:
    one, other = (names.core(names.family_parts(names.fold(name))) for name in ("Al-Shcherbakova", "el Scherbakowa"))
    assert one == other


@pytest.mark.parametrize("given", ["Male child", "Lady", "Gentleman of the house", "adult", "Husband"])
def test_who_somebody_is_in_the_house_is_no_given_name(given: str) -> None:
    assert names.split_name(given, "House") == ((), ("house",))
    assert names.split_name("Lady Jane", "Child") == (("lady", "jane"), ("child",))
    assert names.split_name("Mia", "don't know") == (("mia",), ())


def test_a_digit_amid_letters_is_the_letter_it_looks_like() -> None:
    assert names.fold("Ar1ene 0'Nei1l") == ("arlene", "neill")
    assert names.fold("J0hn 2") == ("john",)


@pytest.mark.parametrize(
    "pair", [("bill", "william"), ("jen", "jennifer"), ("jrnnifer", "jen"), ("r", "becky"), ("jck", "john")]
)
def test_short_forms_and_initials_do_not_clash(pair: tuple[str, str]) -> None:
    assert not names.given_names_clash(*pair)
    assert not names.given_names_clash(*reversed(pair))


@pytest.mark.parametrize("pair", [("emma", "ella"), ("daniel", "danielle"), ("robert", "thomas"), ("j", "mary")])
def test_two_everyday_names_are_two_people(pair: tuple[str, str]) -> None:
    assert names.given_names_clash(*pair)
    assert names.given_names_clash(*reversed(pair))


@pytest.mark.parametrize(
    ("text", "mailbox"),
    [
        (" O.Luwaseun+sale@GMAIL.com", "oluwaseun@gmail.com"),
        ("oluwaseun@googlemail.com", "oluwaseun@gmail.com"),
        ("j.farquhar@outlook.com", "j.farquhar@outlook.com"),
        ("test@test.com", ""),
        ("info@company.com", ""),
        ("n/a", ""),
    ],
)
def test_mailboxes(text: str, mailbox: str) -> None:
    assert contact.email(text)[0] == mailbox


def test_a_mistyped_provider_is_noted_beside_the_address_as_written() -> None:
    assert contact.email("fatima@gmial.com") == ("fatima@gmial.com", "fatima@gmail.com")


@pytest.mark.parametrize(
    ("text", "region", "number"),
    [
        ("+44 (0)7843 955520", "GB", "+447843955520"),
        ("00447843955520", "GB", "+447843955520"),
        ("07843 955520", "GB", "+447843955520"),
        ("(302) 555-0180", "GB", "+13025550180"),
        ("3025550180", "US", "+13025550180"),
        ("030 12345678", "DE", "+493012345678"),
        ("31655501234", "GB", "+31655501234"),
        ("07000000000", "GB", ""),
        ("0000000000", "GB", ""),
        ("01234567890", "GB", ""),
        ("call me", "GB", ""),
    ],
)
def test_phone_numbers(text: str, region: str, number: str) -> None:
    assert contact.phone(text, region) == number


def test_addresses_meet_over_abbreviations() -> None:
    assert address.street("24 Queen Road") == address.street("24, Queen Rd.") == ("24", "queen rd")
    assert address.postcode("hd29 6aa") == address.postcode("HD296AA")


def test_junk_is_absent_and_configured_junk_too(config: IdentityFile, make) -> None:
    junk = make("1", given_name="N/A", family_name="N/A", birth_date="1970-01-01", email="a@a.com", phone="0000000000")
    assert (junk.given, junk.family, junk.birth_date, junk.email, junk.phones) == ("", "", "", "", ())
    assert make("2", birth_date="1969-12-31").birth_date == "1969-12-31"
    assert make("3", birth_date="nonsense").birth_date == ""
    assert make("3", birth_date="6978-07-03").birth_date == ""
    own = config.model_copy(update={"junk": Junk(email=("@shop.example",), phone=("07700 900999",))})
    data = {"email": "ann@shop.example", "phone": "+447700900999", "birth_date": "1969-12-31"}
    cleaned = normalise(IdentityRecord(Ref("crm", "contacts", "4"), data), own)
    assert (cleaned.email, cleaned.phones, cleaned.birth_date) == ("", (), "1969-12-31")


def test_numbers_follow_the_country_of_the_record(make) -> None:
    assert make("1", phone="3025550180", country="United States").phones == ("+13025550180",)
    assert make("2", phone=["07843955520", "01914980457"]).phones == ("+441914980457", "+447843955520")


def test_the_stored_form_comes_back_the_same(make) -> None:
    record = make("k", given_name="Bill", family_name="Smith", card_number=["A123", "B456"], gender="male")
    assert NormalisedRecord.from_dict(json.loads(json.dumps(record.as_dict()))) == record


@settings(deadline=None)  # DuckDB opens slowly on a busy machine
@given(st.lists(st.tuples(_NAMES, _NAMES), min_size=1, max_size=20))
def test_similarity_is_that_of_duckdb(pairs: list[tuple[str, str]]) -> None:
    with duckdb.connect() as connection:
        for a, b in pairs:
            if not a or not b:
                continue
            theirs = connection.execute(
                "select jaro_winkler_similarity(?, ?), damerau_levenshtein(?, ?)", [min(a, b), max(a, b), a, b]
            ).fetchall()[0]
            assert jaro_winkler(a, b) == pytest.approx(theirs[0], abs=1e-9)
            assert slips(a, b) >= theirs[1]
