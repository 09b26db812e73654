"""No opt-out is lost: not by deleting, moving, un-merging, echoing, or saying it twice."""

from __future__ import annotations

import re
from typing import Any

OPTED_OUT = "hs_email_optout_10001"
FOREVER = "9999-12-31"


def newsletter(bench: Any, key: str) -> Any:
    return bench.shop.held("contacts", key).get("onevoice_no_newsletter_until")


def two_records_of_one_person(bench: Any) -> None:
    bench.crm.put("Contact", "c1", FirstName="Ann", LastName="Ash", Email="a@x.org", HasOptedOutOfEmail=True)
    bench.shop.put("contacts", "1", firstname="Ann", lastname="Ash", email="b@x.org")
    bench.people.person = {"salesforce/Contact/c1": "ann", "hubspot/contacts/1": "ann"}


def test_the_opt_out_reaches_the_whole_person(bench: Any) -> None:
    two_records_of_one_person(bench)
    assert bench.cycle().exit_code == 0
    assert newsletter(bench, "1") == FOREVER
    assert bench.quiet()


def test_deleting_the_record_that_stated_it_takes_nothing_back(bench: Any) -> None:
    two_records_of_one_person(bench)
    bench.cycle()
    bench.crm.delete("Contact", "c1")
    bench.cycle()
    assert newsletter(bench, "1") == FOREVER
    assert bench.quiet()


def test_a_record_that_moves_to_an_address_that_opted_out_is_opted_out_there(bench: Any) -> None:
    """Nothing of the person's profile is another than before (both addresses were known, and the CRM's records are the
    more recent), and of the shop it is not told what it sends."""
    offers = bench.project / "config/offers.yaml"
    _, shop, *_ = re.split(r"(?m)^(?=  - system: )", offers.read_text("utf-8"))[1:]
    assert shop.startswith("  - system: hubspot\n")
    bench.edit("config/offers.yaml", shop, "")
    bench.crm.number = 100
    two_records_of_one_person(bench)
    bench.crm.put("Contact", "c2", FirstName="Ann", LastName="Ash", Email="b@x.org")
    bench.people.person["salesforce/Contact/c2"] = "ann"
    bench.cycle()
    assert bench.quiet()
    assert not bench.shop.held("contacts", "1").get(OPTED_OUT)
    bench.shop.put("contacts", "1", email="a@x.org")
    bench.cycle()
    assert bench.shop.held("contacts", "1").get(OPTED_OUT) == "true"
    assert bench.quiet()


def test_after_an_un_merge_it_holds_for_both_for_thirty_days(bench: Any) -> None:
    two_records_of_one_person(bench)
    bench.cycle()
    bench.people.person = {}
    bench.shop.put("contacts", "1", firstname="Anna")
    bench.cycle()
    assert newsletter(bench, "1") == FOREVER
    bench.cycle(minutes=31 * 24 * 60)
    assert newsletter(bench, "1") is None
    assert bench.quiet()


def test_a_second_opt_out_after_a_grant_counts(bench: Any) -> None:
    grant = """
    - only_with: [effect]
      fields:
        contact_point: {from: email, transform: email}
        channel: {value: email}
        purpose: {value: marketing}
        effect: {from: renewed, transform: table, table: {'yes': grant}}
        event_time: {from: renewed_at, transform: datetime}
        origin: {value: customer}
        evidence: {value: sign-up form}
"""
    bench.edit("mappings/hubspot/contacts.yaml", "  # What the web shop believes", grant + "\n  # What the web shop")
    bench.shop.put("contacts", "1", email="a@x.org", **{OPTED_OUT: "true"}, lastmodifieddate="2026-01-01T00:00:00Z")
    bench.cycle()
    assert newsletter(bench, "1") == FOREVER
    bench.shop.put(
        "contacts",
        "1",
        renewed="yes",
        renewed_at="2026-02-01T00:00:00Z",
        lastmodifieddate="2026-02-01T00:00:00Z",
        **{OPTED_OUT: "false"},
    )
    bench.cycle()
    assert newsletter(bench, "1") is None
    bench.shop.put("contacts", "1", **{OPTED_OUT: "true"}, lastmodifieddate="2026-03-01T00:00:00Z")
    bench.cycle()
    assert newsletter(bench, "1") == FOREVER


def strangers_at_one_address(bench: Any) -> None:
    """Bo opted out at the address that Cy uses as well; Cy has another one, in the shop."""
    bench.crm.put("Contact", "bo", FirstName="Bo", LastName="Bay", Email="both@x.org", HasOptedOutOfEmail=True)
    bench.crm.put("Contact", "cy", FirstName="Cy", LastName="Bay", Email="both@x.org")
    bench.shop.put("contacts", "2", firstname="Cy", lastname="Bay", email="cy@x.org")
    bench.people.person = {"salesforce/Contact/cy": "cy", "hubspot/contacts/2": "cy"}


def test_what_the_hub_set_itself_is_no_objection_of_the_person(bench: Any) -> None:
    strangers_at_one_address(bench)
    bench.cycle()
    assert bench.crm.held("Contact", "cy")["HasOptedOutOfEmail"] is True
    assert bench.quiet()
    assert newsletter(bench, "2") is None


def test_an_opt_out_that_was_planned_but_never_sent_is_the_customers_own(bench: Any) -> None:
    strangers_at_one_address(bench)
    bench.cycle(skip=("push", "verify"))
    bench.crm.put("Contact", "cy", HasOptedOutOfEmail=True)
    bench.cycle()
    assert newsletter(bench, "2") == FOREVER


def test_opting_out_again_after_the_hubs_mark_was_cleared_is_the_customers_own(bench: Any) -> None:
    strangers_at_one_address(bench)
    bench.cycle()
    bench.cycle()
    bench.crm.put("Contact", "cy", Email="new@x.org", HasOptedOutOfEmail=None)
    bench.cycle()
    assert newsletter(bench, "2") is None
    bench.crm.put("Contact", "cy", HasOptedOutOfEmail=True)
    bench.cycle()
    assert newsletter(bench, "2") == FOREVER


def test_the_hubs_mark_does_not_travel_with_a_new_address(bench: Any) -> None:
    strangers_at_one_address(bench)
    bench.shop.put("contacts", "3", firstname="Di", email="new@x.org")
    bench.cycle()
    bench.crm.put("Contact", "cy", Email="new@x.org")
    bench.cycle()
    assert OPTED_OUT not in bench.shop.held("contacts", "3"), "nobody opted out at that address"


def test_an_opt_out_from_everything_is_no_echo_of_the_one_the_hub_set(bench: Any) -> None:
    bench.crm.put("Contact", "bo", FirstName="Bo", LastName="Bay", Email="both@x.org", HasOptedOutOfEmail=True)
    bench.shop.put("contacts", "2", firstname="Cy", lastname="Bay", email="both@x.org")
    bench.shop.put("contacts", "3", firstname="Cy", lastname="Bay", email="cy@x.org")
    bench.people.person = {"hubspot/contacts/2": "cy", "hubspot/contacts/3": "cy"}
    bench.cycle()
    bench.cycle()
    assert bench.shop.held("contacts", "2")[OPTED_OUT] == "true"
    assert newsletter(bench, "3") is None
    bench.shop.put("contacts", "2", hs_email_optout="true")
    bench.cycle()
    assert newsletter(bench, "3") == FOREVER


CASES_SPEAK = """
  consent:
    owner: {stream: Contact, from: ContactId}
    only_with: [effect, owner]
    fields:
      contact_point: {from: Subject, transform: email}
      channel: {value: email}
      purpose: {value: marketing}
      effect: {from: Priority, transform: table, table: {'STOP': deny}}
      event_time: {from: CreatedDate, transform: datetime}
      origin: {value: %s}
"""


def test_an_opt_out_on_a_record_of_its_own_is_its_owners(bench: Any) -> None:
    path = bench.project / "mappings/salesforce/Case.yaml"
    path.write_text(path.read_text("utf-8") + CASES_SPEAK % "customer", "utf-8")
    bench.crm.put("Contact", "c1", FirstName="Ann", LastName="Ash", Email="a@x.org")
    bench.shop.put("contacts", "1", firstname="Ann", lastname="Ash", email="b@x.org")
    bench.people.person = {"salesforce/Contact/c1": "ann", "hubspot/contacts/1": "ann"}
    bench.crm.put(
        "Case",
        "k1",
        ContactId="c1",
        Priority="STOP",
        Subject="a@x.org",
        CreatedDate="2026-11-01T00:00:00Z",
        IsClosed=True,
    )
    bench.cycle()
    assert newsletter(bench, "1") == FOREVER
    bench.crm.delete("Case", "k1")
    bench.cycle()
    assert newsletter(bench, "1") == FOREVER


def test_a_bounce_is_no_opt_out(bench: Any) -> None:
    path = bench.project / "mappings/salesforce/Case.yaml"
    path.write_text(path.read_text("utf-8") + CASES_SPEAK % "bounce", "utf-8")
    bench.crm.put("Contact", "c1", FirstName="Ann", LastName="Ash", Email="a@x.org")
    bench.crm.put(
        "Case",
        "k1",
        ContactId="c1",
        Priority="STOP",
        Subject="a@x.org",
        CreatedDate="2026-11-01T00:00:00Z",
        IsClosed=True,
    )
    bench.cycle()
    held = bench.crm.held("Contact", "c1")
    assert held["onevoice_no_newsletter_until__c"] == "4000-12-31"
    assert "HasOptedOutOfEmail" not in held


def test_a_merge_at_the_vendor_hands_the_opt_out_to_the_winner(bench: Any) -> None:
    bench.shop.put("contacts", "1", lastname="Ash", email="a@x.org", hs_email_optout="true")
    for key in ("2", "3"):
        bench.shop.put("contacts", key, lastname="Bay", email=f"{key}@x.org")
    bench.cycle()
    for loser, winner in (("1", "2"), ("2", "3")):
        assert newsletter(bench, winner) is None
        bench.shop.delete("contacts", loser, merged_into=winner)
        bench.cycle()
        assert newsletter(bench, winner) == FOREVER
    assert bench.quiet()
