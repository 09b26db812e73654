"""Lists and communication preferences: through the real SDK and held against the spec."""

from __future__ import annotations

import pytest

LISTS = "/crm/v3/lists"
PREFERENCES = "/communication-preferences/v3"
OPTOUT = "hs_email_optout_10001"


def _ask(address):
    return {"emailAddress": address, "subscriptionId": "10001", "legalBasis": "LEGITIMATE_INTEREST_CLIENT"}


def test_sdk_keeps_a_static_list(portal):
    ids = [portal.contact(email=f"a{n}@example.org") for n in range(4)]
    lists = portal.sdk().crm.lists
    request = {"name": "onevoice_no_newsletter", "objectTypeId": "0-1", "processingType": "MANUAL"}
    made = lists.lists_api.create(request).list
    named = lists.lists_api.get_by_name("onevoice_no_newsletter", "0-1").list
    assert named.list_id == made.list_id
    added = lists.memberships_api.add(made.list_id, [ids[0], ids[1], "404"])
    assert (added.records_ids_added, added.record_ids_missing) == (ids[:2], ["404"])
    moved = lists.memberships_api.add_and_remove(
        made.list_id, {"recordIdsToAdd": [ids[1], ids[2]], "recordIdsToRemove": [ids[0], ids[3]]}
    )
    assert (moved.records_ids_added, moved.record_ids_removed) == ([ids[2]], [ids[0]])
    page = lists.memberships_api.get_page(made.list_id, limit=1)
    assert [one.record_id for one in page.results] == [ids[1]]
    page = lists.memberships_api.get_page(made.list_id, limit=1, after=page.paging.next.after)
    assert [one.record_id for one in page.results] == [ids[2]]
    assert page.paging is None
    with pytest.raises(Exception, match="DUPLICATE_LIST_NAMES"):
        lists.lists_api.create(request)
    assert portal.state.calls.operations["list members"].units == 4


def test_lists_answer_as_described(judged, portal):
    key = portal.contact(email="ann@example.org")
    body = {"name": "Quiet", "objectTypeId": "0-1", "processingType": "MANUAL"}
    one = judged.post(f"{LISTS}/", json=body).json()["list"]["listId"]
    judged.post(f"{LISTS}/", json={**body, "name": "Follows", "processingType": "DYNAMIC"})
    judged.put(f"{LISTS}/{one}/memberships/add", json=[key]).raise_for_status()
    assert judged.get(f"{LISTS}/{one}").json()["list"]["size"] == 1
    assert judged.get(f"{LISTS}/", params={"listIds": one}).json()["lists"][0]["name"] == "Quiet"
    assert judged.post(f"{LISTS}/search", json={"query": "qui"}).json()["total"] == 1
    assert judged.get(f"{LISTS}/records/0-1/{key}/memberships").json()["results"][0]["listId"] == one
    assert judged.get(f"{LISTS}/{one}/memberships").json()["results"][0]["recordId"] == key
    assert judged.put(f"{LISTS}/2/memberships/add", json=[key]).status_code == 400
    assert judged.put(f"{LISTS}/{one}/memberships/remove", json=[key]).json()["recordIdsRemoved"] == [key]
    assert judged.delete(f"{LISTS}/{one}").status_code == 204
    assert judged.get(f"{LISTS}/{one}").status_code == 404
    assert judged.get(f"{LISTS}/object-type-id/0-1/name/Quiet").status_code == 404


def test_archived_contacts_leave_their_lists(portal):
    key = portal.contact(email="ann@example.org")
    sdk = portal.sdk()
    made = sdk.crm.lists.lists_api.create({"name": "Quiet", "objectTypeId": "0-1", "processingType": "MANUAL"}).list
    sdk.crm.lists.memberships_api.add(made.list_id, [key])
    sdk.crm.contacts.basic_api.archive(key)
    assert sdk.crm.lists.memberships_api.get_page(made.list_id).results == []


def test_sdk_unsubscribes_once(portal):
    key = portal.contact(email="ann@example.org", **{OPTOUT: "false"})
    stamp = portal.state.tables["contacts"].get(key)["lastmodifieddate"]
    preferences = portal.sdk().communication_preferences
    statuses = preferences.status_api.get_email_status("Ann@example.org").subscription_statuses
    assert [one.status for one in statuses] == ["SUBSCRIBED"]
    first = preferences.status_api.unsubscribe(_ask("Ann@example.org"))
    assert (first.id, first.status) == ("10001", "NOT_SUBSCRIBED")
    contact = portal.sdk().crm.contacts.basic_api.get_by_id(key, properties=[OPTOUT])
    assert contact.properties[OPTOUT] == "true"
    assert contact.properties["lastmodifieddate"] > stamp

    def events():
        return [e for e in portal.state.events if (e["table"], e["field"]) == ("subscriptions", "status")]

    assert [(e["key"], e["new"], e["actor"]) for e in events()] == [("ann@example.org", "NOT_SUBSCRIBED", "api")]
    assert preferences.status_api.unsubscribe(_ask("ann@example.org")).status == "NOT_SUBSCRIBED"
    assert len(events()) == 1
    assert portal.state.calls.operations["unsubscribe"].units == 1


def test_an_opt_out_cannot_be_taken_back(judged, portal):
    portal.contact(email="ann@example.org")
    judged.post(f"{PREFERENCES}/unsubscribe", json=_ask("ann@example.org")).raise_for_status()
    assert judged.post(f"{PREFERENCES}/subscribe", json=_ask("ann@example.org")).status_code == 400
    status = judged.get(f"{PREFERENCES}/status/email/ann@example.org").json()["subscriptionStatuses"][0]
    assert (status["status"], status["legalBasis"]) == ("NOT_SUBSCRIBED", "LEGITIMATE_INTEREST_CLIENT")


def test_an_address_without_a_contact_can_opt_out_and_a_later_contact_has_it(judged, portal):
    judged.post(f"{PREFERENCES}/unsubscribe", json=_ask("new@example.org")).raise_for_status()
    made = judged.post("/crm/v3/objects/contacts", json={"properties": {"email": "new@example.org"}}).json()
    assert portal.state.tables["contacts"].get(made["id"])[OPTOUT] == "true"


def test_preferences_answer_as_described(judged):
    assert judged.get(f"{PREFERENCES}/definitions").json()["subscriptionDefinitions"][0]["id"] == "10001"
    assert judged.post(f"{PREFERENCES}/subscribe", json=_ask("ann@example.org")).json()["status"] == "SUBSCRIBED"
    other = {"emailAddress": "ann@example.org", "subscriptionId": "7"}
    assert judged.post(f"{PREFERENCES}/unsubscribe", json=other).status_code == 400
