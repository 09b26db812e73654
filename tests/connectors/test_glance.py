"""Asking a system who refused just now: the vendor filters, so that thousands of other changes cost nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from onevoice.configfile import load_project
from onevoice.mapping import CompiledMapping, compile_mapping
from onevoice.protocols import Record
from onevoice.sandbox.shopify.tables import shopify_stamp

ROOT = Path(__file__).parents[2]
STREAMS = {
    "salesforce": "Contact",
    "hubspot": "contacts",
    "shopify": "customers",
    "klaviyo": "profiles",
    "square": "customers",
}


@pytest.fixture(scope="module")
def mappings() -> Mapping[str, CompiledMapping]:
    """Those that are shipped."""
    project = load_project(ROOT)
    return {name: compile_mapping(project.mappings[name, stream], {}) for name, stream in STREAMS.items()}


def glanced(rig: Any, mapping: CompiledMapping, since: datetime) -> list[Record]:
    """What a look answers that begins at `since`."""
    found = rig.open().glance(
        rig.stream, since, mapping.refusals, mapping.consent_fields, rig.state.clock.now() + timedelta(seconds=1)
    )
    return list(found)


def keys(found: list[Record]) -> set[str]:
    return {record.key for record in found}


def told(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def test_the_mapping_says_what_a_refusal_is(mappings: Mapping[str, CompiledMapping]) -> None:
    assert mappings["salesforce"].refusals == {"HasOptedOutOfEmail": ("true",)}
    assert mappings["hubspot"].refusals == {"hs_email_optout": ("true",), "hs_email_optout_10001": ("true",)}
    assert mappings["shopify"].refusals == {
        "defaultEmailAddress.marketingState": ("UNSUBSCRIBED",),
        "defaultPhoneNumber.marketingState": ("UNSUBSCRIBED",),
    }
    assert set(mappings["klaviyo"].refusals["subscriptions.email.marketing.suppression.reason"]) == {
        "HARD_BOUNCE",
        "INVALID_EMAIL",
        "SPAM_COMPLAINT",
        "UNSUBSCRIBE",
        "USER_SUPPRESSED",
    }
    assert mappings["square"].refusals == {"preferences.email_unsubscribed": ("true",)}
    assert "firstname" not in mappings["hubspot"].consent_fields
    assert {"email", "lastmodifieddate"} <= set(mappings["hubspot"].consent_fields)


def test_salesforce_answers_opt_outs_alone(salesforce: Any, mappings: Mapping[str, CompiledMapping]) -> None:
    everybody = salesforce.contacts(2_500)
    [long_ago] = salesforce.contacts(1, HasOptedOutOfEmail=True)
    since = salesforce.later(hours=1)
    for key in everybody:
        salesforce.edit(key)
    salesforce.people.update(everybody[9], {"HasOptedOutOfEmail": True}, actor="hand")
    salesforce.later(seconds=3)
    before = salesforce.calls()
    found = glanced(salesforce, mappings["salesforce"], since)
    assert keys(found) == {everybody[9]}
    assert long_ago not in keys(found)
    assert found[0].data["HasOptedOutOfEmail"] is True
    assert salesforce.calls() - before <= 3, "a token, a description, one answer"


def test_salesforce_is_asked_for_words_as_well(salesforce: Any) -> None:
    one, other, *_ = salesforce.contacts(4, Title="Editor")
    since = salesforce.later(hours=1)
    salesforce.people.update(one, {"Title": "No 'mail' \\ ever"}, actor="hand")
    salesforce.people.update(other, {"Title": "No"}, actor="hand")
    now = salesforce.later(seconds=3)
    refusals = {"Title": ("Never", "No 'mail' \\ ever"), "NotOfThisOrg__c": ("true",)}
    assert keys(list(salesforce.open().glance("Contact", since, refusals, ["Title"], now))) == {one}
    not_to_be_asked = {"NotOfThisOrg__c": ("true",), "Description": ("Never",)}  # a long text cannot be filtered by
    assert list(salesforce.open().glance("Contact", since, not_to_be_asked, ["Title"], now)) == []


def test_hubspot_answers_opt_outs_alone(hubspot: Any, mappings: Mapping[str, CompiledMapping]) -> None:
    everybody = hubspot.contacts(600)
    since = hubspot.later(hours=1)
    for key in everybody:
        hubspot.edit(key)
    hubspot.people.update(everybody[9], {"hs_email_optout": "true"}, actor="hand")
    hubspot.people.update(everybody[8], {"hs_email_optout_10001": "true"}, actor="hand")
    hubspot.later(seconds=6)
    before = hubspot.calls()
    found = glanced(hubspot, mappings["hubspot"], since)
    assert keys(found) == {everybody[8], everybody[9]}
    assert hubspot.calls() - before <= 3, "a token, the properties, one search"


def test_hubspot_takes_five_groups_a_search(hubspot: Any) -> None:
    everybody = hubspot.contacts(8)
    since = hubspot.later(hours=1)
    names = ["firstname", "lastname", "city", "state", "zip", "address", "phone"]
    for key, name in zip(everybody, names, strict=False):
        hubspot.people.update(key, {name: "Never"}, actor="hand")
    now = hubspot.later(seconds=6)
    refusals = dict.fromkeys(names, ("Never",))
    assert keys(list(hubspot.open().glance("contacts", since, refusals, names, now))) == set(everybody[:7])


def test_shopify_answers_opt_outs_alone(shopify: Any, mappings: Mapping[str, CompiledMapping]) -> None:
    everybody = shopify.contacts(300)
    since = shopify.later(hours=1)
    for key in everybody:
        shopify.edit(key)
    said = {"state": "UNSUBSCRIBED", "optInLevel": "UNKNOWN", "updatedAt": shopify_stamp(since)}
    shopify.people.update(everybody[9], {"emailMarketing": said}, actor="hand")
    shopify.people.update(everybody[8], {"phone": "+447700900123", "phoneMarketing": said}, actor="hand")
    shopify.later(seconds=5)
    before = shopify.calls()
    found = {record.key: record.data for record in glanced(shopify, mappings["shopify"], since)}
    assert found.keys() == {everybody[8], everybody[9]}
    assert found[everybody[9]]["defaultEmailAddress"]["marketingState"] == "UNSUBSCRIBED"
    assert shopify.calls() - before == 1


def test_klaviyo_answers_suppressed_profiles_alone(klaviyo: Any, mappings: Mapping[str, CompiledMapping]) -> None:
    everybody = klaviyo.contacts(150)
    since = klaviyo.later(hours=1)
    for key in everybody:
        klaviyo.edit(key)
    said = {"consent": "UNSUBSCRIBED", "suppression": [{"reason": "UNSUBSCRIBE", "timestamp": told(since)}]}
    klaviyo.change(everybody[9], email_marketing=said)
    klaviyo.settle_index()
    found = glanced(klaviyo, mappings["klaviyo"], since)
    assert keys(found) == {everybody[9]}
    assert len(klaviyo.asked("/api/profiles")) == 1


def test_square_answers_changed_profiles_but_not_attributes(
    square: Any, mappings: Mapping[str, CompiledMapping]
) -> None:
    everybody = square.contacts(30)
    square.later(hours=2)
    since = square.state.clock.now()
    for key in everybody:
        square.put(key, "onevoice_tier", "gold")
    square.people.update(everybody[9], {"preferences": {"email_unsubscribed": True}}, actor="hand")
    square.later(seconds=31)
    square.asked.clear()
    assert keys(glanced(square, mappings["square"], since + timedelta(seconds=30))) == {everybody[9]}
    assert square.paths("") == ["POST /v2/customers/search"]
