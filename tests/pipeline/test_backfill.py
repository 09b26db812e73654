"""What a system was sent is written again, for one field, one stream or all, and nothing else is touched."""

from __future__ import annotations

from typing import Any

import pytest

from onevoice.errors import ConfigError
from onevoice.pipeline.delivery.backfill import backfill
from onevoice.pipeline.delivery.summary import summarise
from onevoice.store import acts

PLANNED = ("push", "verify")
OPTED_OUT = "hs_email_optout_10001"


@pytest.fixture
def synced(bench: Any) -> Any:
    """Ann, who opted out, and Bob, in both systems and in step."""
    bench.shop.put("contacts", "1", email="a@x.org", **{OPTED_OUT: "true"})
    bench.shop.put("contacts", "2", email="b@x.org")
    bench.crm.put("Contact", "c1", LastName="Ash", Email="a@x.org")
    bench.people.person = {"hubspot/contacts/1": "ann", "salesforce/Contact/c1": "ann"}
    bench.cycle()
    assert bench.quiet()
    return bench


def emptied(vendor: Any, stream: str, key: str, *names: str) -> None:
    """A restored backup: values are gone and no stamp says so."""
    number, data, deleted = vendor.records[stream][key]
    vendor.records[stream][key] = (number, {n: v for n, v in data.items() if n not in names}, deleted)


def test_one_field_is_written_again_and_nothing_else(synced: Any) -> None:
    emptied(synced.shop, "contacts", "1", "onevoice_profile_id")
    assert synced.quiet()  # nobody told the hub
    [marked] = backfill(synced.hub(), "hubspot", "ann", field="onevoice_profile_id", reason="backup of Sunday")
    assert (marked.stream, marked.records, marked.fields) == ("contacts", 2, ("onevoice_profile_id",))
    synced.cycle(skip=PLANNED)
    planned = summarise(synced.hub(), 2)
    assert {(p.system, p.field, p.operation): n for p, n in planned.counts.items()} == {
        ("hubspot", "onevoice_profile_id", "set"): 2,
        ("hubspot", "onevoice_decided_at", "set"): 2,
    }
    assert synced.written() == []
    synced.cycle()
    written = synced.written()
    assert {(stream, key) for stream, key, _ in written} == {("contacts", "1"), ("contacts", "2")}
    assert {name for _, _, fields in written for name in fields} == {"onevoice_profile_id", "onevoice_decided_at"}
    assert synced.shop.held("contacts", "1")["onevoice_profile_id"]
    assert synced.quiet()
    with synced.hubs[-1].store.read() as connection:
        [done] = acts.of(connection, "hubspot.contacts")
    assert (done.act, done.actor, done.reason, done.detail["records"]) == ("backfill", "ann", "backup of Sunday", 2)


def test_a_whole_system_is_written_again_but_for_what_is_irreversible(synced: Any) -> None:
    marked = {one.stream: one for one in backfill(synced.hub(), "salesforce", "ann")}
    assert marked["Contact"].left_out.keys() == {"HasOptedOutOfEmail", "onevoice_decided_at__c"}
    synced.cycle()
    [(stream, key, fields)] = synced.written()
    assert (stream, key) == ("Contact", "c1")
    assert "onevoice_no_newsletter_until__c" in fields
    assert "HasOptedOutOfEmail" not in fields
    assert synced.quiet()
    emptied(synced.crm, "Contact", "c1", "HasOptedOutOfEmail")
    [marked_alone] = backfill(synced.hub(), "salesforce", "ann", field="HasOptedOutOfEmail")
    assert marked_alone.records == 1
    synced.cycle()
    [(_, _, fields)] = synced.written()
    assert fields["HasOptedOutOfEmail"] is True


def test_what_the_hub_had_cleared_is_cleared_again_and_what_it_never_wrote_is_not(synced: Any) -> None:
    synced.shop.put("contacts", "2", onevoice_tier="gold")  # scribbled: the hub clears it
    synced.cycle()
    assert "onevoice_tier" not in synced.shop.held("contacts", "2")
    synced.written()
    backfill(synced.hub(), "hubspot", "ann", stream="contacts", field="onevoice_tier")
    synced.cycle()
    [(_, key, fields)] = synced.written()
    assert (key, fields["onevoice_tier"]) == ("2", None)
    assert synced.quiet()


def test_lists_are_a_stream_of_their_own(synced: Any) -> None:
    [marked] = backfill(synced.hub(), "hubspot", "ann", stream="lists")
    assert marked.records == 1
    synced.cycle()
    assert synced.written() == [("lists", "1", {"onevoice_no_newsletter": True})]


def test_a_value_that_the_vendor_had_first_stands(synced: Any) -> None:
    synced.edit(
        "mappings/hubspot/contacts.yaml",
        "onevoice_tier: {from: status.club.tier}",
        "club_tier: {from: status.club.tier, mode: adopt}",
    )
    synced.shop.put("contacts", "2", club_tier="founder")
    synced.cycle()
    synced.written()
    [marked] = backfill(synced.hub(), "hubspot", "ann", field="club_tier")
    assert marked.records == 0
    assert synced.quiet()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"system": "shopfy"}, "--system: shopfy is no system.*there are hubspot, salesforce"),
        ({"stream": "Contact"}, "--stream: Contact is no stream of hubspot.*contacts, lists, subscriptions"),
        ({"field": "onevoice_tiers"}, "--field: onevoice_tiers is not pushed there.*onevoice_tier,"),
        ({"field": "onevoice_decided_at"}, "--field: onevoice_decided_at: it tells when"),
    ],
)
def test_what_is_not_there_is_named_with_what_is(bench: Any, asked: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        backfill(bench.hub(), asked.pop("system", "hubspot"), "ann", **asked)
