"""What is held resolves itself when it is mended, and people can put it right, have it tried again, or give it up."""

from __future__ import annotations

from typing import Any

import pytest

from onevoice.errors import ConfigError, OnevoiceError
from onevoice.pipeline.delivery import quarantine
from onevoice.pipeline.delivery.quarantine import drop, edit, entries, lift, retry, show
from onevoice.store import amendments

CONTACT = "hubspot/contacts/1"
CRM = "salesforce/Contact/c1"


def held(bench: Any, **wanted: str) -> dict[str, str]:
    """Ref -> stage of what is held."""
    return {entry.ref: entry.stage for entry in entries(bench.hub(), **wanted)}


@pytest.fixture
def refused(bench: Any) -> Any:
    """HubSpot refuses one contact's profile id as long as it is the hub's own."""
    bench.shop.put("contacts", "1", email="a@x.org")
    bench.shop.put("contacts", "2", email="b@x.org")
    bench.shop.refuse = lambda stream, write: (
        (stream, write.key) == ("contacts", "1") and write.fields.get("onevoice_profile_id") not in {None, "short"}
    )
    assert bench.cycle().exit_code == 3
    assert held(bench) == {CONTACT: "delivery"}
    bench.written()
    return bench


def test_a_refused_write_resolves_itself_when_the_vendor_takes_it(refused: Any) -> None:
    refused.shop.refuse = lambda _stream, _write: False
    refused.cycle(minutes=120)
    assert [key for _, key, _ in refused.written()] == ["1"]
    assert held(refused) == {}


def test_a_mapping_fault_resolves_itself_when_the_mapping_is_mended(bench: Any) -> None:
    bench.edit("mappings/salesforce/Contact.yaml", "  customer:\n", "  customer:\n    required: [family_name]\n")
    bench.crm.put("Contact", "c1", Email="a@x.org")
    bench.cycle()
    assert held(bench) == {CRM: "mapping"}
    bench.edit("mappings/salesforce/Contact.yaml", "    required: [family_name]\n", "")
    bench.cycle()
    assert held(bench) == {}


def test_a_mapping_fault_resolves_itself_when_the_vendor_mends_the_record(bench: Any) -> None:
    bench.edit("mappings/salesforce/Contact.yaml", "  customer:\n", "  customer:\n    required: [family_name]\n")
    bench.crm.put("Contact", "c1", Email="a@x.org")
    bench.cycle()
    bench.crm.put("Contact", "c1", LastName="Ash")
    bench.cycle()
    assert held(bench) == {}


@pytest.fixture
def nameless(bench: Any) -> Any:
    """A contact without the name that its mapping wants."""
    bench.edit("mappings/salesforce/Contact.yaml", "  customer:\n", "  customer:\n    required: [family_name]\n")
    bench.crm.put("Contact", "c1", Email="a@x.org")
    bench.cycle()
    bench.written()
    return bench


def test_an_edited_record_is_mapped_with_the_next_sync_and_stays_so_while_the_vendor_says_the_same(
    nameless: Any,
) -> None:
    edit(nameless.hub(), CRM, {"LastName": "Ash"}, "ann", stage=None, reason="told by phone")
    nameless.cycle()
    assert held(nameless) == {}
    assert {key for _, key, _ in nameless.written()} == {"c1"}
    nameless.crm.put("Contact", "c1", Phone="+447700900123")  # another field: the edit still stands
    nameless.cycle()
    assert held(nameless) == {}
    nameless.crm.put("Contact", "c1", LastName="Elm")  # the vendor has a word of its own now
    nameless.cycle()
    nameless.crm.put("Contact", "c1", LastName=None)
    nameless.cycle()
    with nameless.hubs[-1].store.read() as connection:
        [given] = amendments.load(connection, "mapping", [CRM])[CRM].values()
    assert (given.instead_of, given.value) == (None, "Ash")
    assert held(nameless) == {}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"LastNam": "Ash"}, "LastNam: is no field that the mapping reads.*did you mean LastName"),
        ({"Phone": "1"}, "mappings/salesforce/Contact.yaml: still not mapped: .*family_name"),
    ],
)
def test_an_edit_that_does_not_mend_a_record_is_refused(nameless: Any, values: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        edit(nameless.hub(), CRM, values, "ann", stage=None)
    nameless.cycle()
    assert held(nameless) == {CRM: "mapping"}


def test_an_edited_write_is_sent_and_stays_until_another_value_is_wanted(refused: Any) -> None:
    edit(refused.hub(), CONTACT, {"onevoice_profile_id": "short"}, "ann", stage=None, reason="too long for them")
    refused.cycle()
    [(_, key, fields)] = refused.written()
    assert (key, fields["onevoice_profile_id"]) == ("1", "short")
    assert held(refused) == {}
    assert refused.quiet()
    refused.shop.put("contacts", "1", onevoice_profile_id="scribbled")
    refused.cycle()
    assert [fields["onevoice_profile_id"] for _, _, fields in refused.written()] == ["short"]
    refused.edit(
        "mappings/hubspot/contacts.yaml", "{from: profile.id}", "{from: profile.id, transform: upper}"
    )  # now another value is wanted, and the edit is void
    refused.shop.refuse = lambda _stream, _write: False
    refused.cycle()
    assert refused.shop.held("contacts", "1")["onevoice_profile_id"] not in {"short", "SHORT"}
    with refused.hubs[-1].store.read() as connection:
        assert amendments.load(connection, "delivery", [CONTACT]) == {}


def test_the_edit_is_signed_and_shown(refused: Any) -> None:
    edit(refused.hub(), CONTACT, {"onevoice_profile_id": "short"}, "ann", stage=None, reason="too long for them")
    shown = show(refused.hub(), CONTACT)
    [(entry, payload)] = shown.held
    assert (entry.stage, entry.code, entry.attempts) == ("delivery", "NO", 1)
    assert payload["onevoice_profile_id"] not in {None, "short"}
    assert shown.amended["delivery"]["onevoice_profile_id"].value == "short"
    [done] = shown.acts
    assert (done.act, done.actor, done.reason) == ("edit", "ann", "too long for them")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (
            {"onevoice_profil_id": "x"},
            "onevoice_profil_id: is not in the refused write.*did you mean onevoice_profile_id",
        ),
        ({"onevoice_profile_id": 3}, "hubspot.contacts.onevoice_profile_id: the value does not fit.*allowed: a text"),
        ({"onevoice_decided_at": "x"}, "onevoice_decided_at: is not in the refused write"),
    ],
)
def test_an_edit_that_the_mapping_does_not_take_says_what_is_allowed(
    refused: Any, values: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        edit(refused.hub(), CONTACT, values, "ann", stage=None)
    assert show(refused.hub(), CONTACT).amended == {}


def test_a_refused_write_waits_out_its_back_off_unless_it_is_tried_again(refused: Any) -> None:
    refused.shop.refuse = lambda _stream, _write: False
    refused.cycle(minutes=1)
    assert refused.written() == []
    assert retry(refused.hub(), quarantine.named(refused.hub(), [CONTACT]), "ann") == 1
    refused.cycle(minutes=1)
    assert [key for _, key, _ in refused.written()] == ["1"]
    assert held(refused) == {}


def test_what_is_dropped_is_not_planned_until_something_else_is_wanted(refused: Any) -> None:
    [gone] = drop(refused.hub(), CONTACT, "a test account", "ann", stage=None)
    assert gone.stage == "delivery"
    assert held(refused) == {}
    refused.cycle(minutes=3000)
    refused.shop.put("contacts", "1", lastname="Ash")  # the profile is planned again; the same is wanted
    refused.cycle()
    assert refused.written() == []
    assert held(refused) == {}
    refused.shop.put("contacts", "1", hs_email_optout_10001="true")  # now suppressions are wanted
    refused.cycle()
    [(_, _, fields)] = [write for write in refused.written() if write[0] == "contacts"]
    assert "onevoice_profile_id" not in fields
    assert "onevoice_no_newsletter_until" in fields


def test_a_drop_can_be_taken_back(refused: Any) -> None:
    drop(refused.hub(), CONTACT, "a test account", "ann", stage=None)
    refused.shop.refuse = lambda _stream, _write: False
    refused.cycle(minutes=3000)
    assert refused.written() == []
    assert {(ref, dropped) for ref, _, _, dropped in quarantine.amended(refused.hub())} == {(CONTACT, True)}
    assert lift(refused.hub(), CONTACT, "it was none", "ann") > 0
    refused.cycle()
    assert [key for _, key, _ in refused.written()] == ["1"]
    assert [act.act for act in show(refused.hub(), CONTACT).acts] == ["drop", "lift"]
    with pytest.raises(OnevoiceError, match="nothing of this record is edited or dropped"):
        lift(refused.hub(), CONTACT, "again", "ann")


def test_an_edit_of_a_record_can_be_taken_back(nameless: Any) -> None:
    edit(nameless.hub(), CRM, {"LastName": "Ash"}, "ann", stage=None)
    nameless.cycle()
    lift(nameless.hub(), CRM, "another person", "ann")
    nameless.cycle()
    assert held(nameless) == {CRM: "mapping"}


def test_a_dropped_record_is_looked_at_again_when_it_changes(nameless: Any) -> None:
    drop(nameless.hub(), CRM, "a test record", "ann", stage="mapping")
    nameless.cycle()
    assert held(nameless) == {}
    nameless.crm.put("Contact", "c1", Phone="+447700900123")
    nameless.cycle()
    assert held(nameless) == {CRM: "mapping"}


def test_what_is_not_held_is_said_to_be_not(bench: Any) -> None:
    with pytest.raises(OnevoiceError, match="nothing is held of this record"):
        show(bench.hub(), "hubspot/contacts/9")
    with pytest.raises(OnevoiceError, match="nothing is held of 1 of these"):
        quarantine.named(bench.hub(), ["hubspot/contacts/9"])
    with pytest.raises(ConfigError, match=r"--stage: deliver is not known .did you mean delivery"):
        entries(bench.hub(), stage="deliver")
    with pytest.raises(ConfigError, match="--system: hub is not known"):
        entries(bench.hub(), system="hub")


@pytest.fixture
def round_and_round(bench: Any) -> Any:
    """Another tool of HubSpot's puts its own profile id there after every write."""
    bench.shop.put("contacts", "1", email="a@x.org")
    for _ in range(7):
        bench.cycle()
        bench.shop.put("contacts", "1", onevoice_profile_id="theirs")
    bench.cycle()
    assert held(bench) == {CONTACT: "loop"}
    bench.written()
    return bench


def test_a_field_that_goes_round_is_left_alone_once_it_is_dropped(round_and_round: Any) -> None:
    bench = round_and_round
    [(_, payload)] = show(bench.hub(), CONTACT).held
    assert payload["onevoice_profile_id"]["system"] == "theirs"
    with pytest.raises(OnevoiceError, match=r"held at loop: .*mapping and delivery can be edited"):
        edit(bench.hub(), CONTACT, {"onevoice_profile_id": "x"}, "ann", stage=None)
    drop(bench.hub(), CONTACT, "theirs, from now on", "ann", stage=None)
    bench.cycle(minutes=3000)  # a day later it would be written again
    bench.shop.put("contacts", "1", lastname="Ash")
    bench.cycle()
    assert bench.written() == []
    assert held(bench) == {}


def test_a_field_that_goes_round_is_written_once_more_when_asked(round_and_round: Any) -> None:
    bench = round_and_round
    bench.cycle()
    assert bench.written() == []
    retry(bench.hub(), quarantine.named(bench.hub(), [CONTACT]), "ann")
    bench.cycle()
    assert [(key, set(fields)) for _, key, fields in bench.written()] == [
        ("1", {"onevoice_profile_id", "onevoice_decided_at"})
    ]


def test_a_value_without_a_word_is_held_until_the_mapping_has_one(bench: Any) -> None:
    bench.edit(
        "mappings/hubspot/contacts.yaml",
        "onevoice_profile_id: {from: profile.id}",
        "onevoice_profile_id: {from: profile.id, transform: table, table: {nobody: none}}",
    )
    bench.shop.put("contacts", "1", email="a@x.org")
    bench.cycle()
    assert held(bench) == {CONTACT: "planning"}
    assert "onevoice_no_points_balance_until" in bench.shop.held("contacts", "1")  # the rest is written
    bench.edit("mappings/hubspot/contacts.yaml", ", transform: table, table: {nobody: none}}", "}")
    bench.cycle()
    assert held(bench) == {}
    assert bench.shop.held("contacts", "1")["onevoice_profile_id"]
