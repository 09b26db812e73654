"""Single contacts, the list of all, properties, merges, erasure: through the real SDK and held against the spec."""

from __future__ import annotations

import json

import pytest
from hubspot.crm.contacts.exceptions import NotFoundException

PEOPLE = "/crm/v3/objects/contacts"


def test_sdk_creates_reads_updates_and_archives(portal):
    api = portal.sdk().crm.contacts.basic_api
    made = api.create({"properties": {"email": " Ann@Example.org ", "firstname": "Ann"}})
    assert made.properties["email"] == "ann@example.org"
    changed = api.update(made.id, {"properties": {"firstname": "Anna", "lastname": "Moss"}})
    assert changed.properties["firstname"] == "Anna"
    read = api.get_by_id("ann@example.org", id_property="email", properties=["lastname", "phone"])
    assert (read.id, read.properties["lastname"], read.properties["phone"]) == (made.id, "Moss", None)
    api.archive(made.id)
    with pytest.raises(NotFoundException):
        api.get_by_id(made.id)
    assert [one.id for one in api.get_page(archived=True).results] == [made.id]


def test_sdk_lists_all_in_pages(portal):
    ids = [portal.contact(email=f"a{n}@example.org", firstname=f"N{n}") for n in range(205)]
    assert [one.id for one in portal.sdk().crm.contacts.get_all(properties=["firstname"])] == ids
    page = portal.sdk().crm.contacts.basic_api.get_page(limit=100, after=ids[-1])
    assert [one.id for one in page.results] == ids[-1:]
    assert page.paging is None


def test_empty_text_clears(judged, portal):
    key = portal.contact(email="ann@example.org", firstname="Ann")
    judged.patch(f"{PEOPLE}/{key}", json={"properties": {"firstname": ""}}).raise_for_status()
    assert judged.get(f"{PEOPLE}/{key}").json()["properties"]["firstname"] is None


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        ({"onevoice_tier": "gold"}, "PROPERTY_DOESNT_EXIST"),
        ({"loyalty_member": "yes"}, "INVALID_OPTION"),
        ({"web_orders": "many"}, "INVALID_NUMBER"),
        ({"cart_abandoned_at": "yesterday"}, "INVALID_DATE"),
        ({"email": "not an address"}, "INVALID_EMAIL"),
        ({"hs_email_optout_10001": "true"}, "READ_ONLY_VALUE"),
    ],
)
def test_bad_values_refuse_the_call_and_name_the_property(judged, portal, properties, code):
    key = portal.contact(email="ann@example.org")
    answer = judged.patch(f"{PEOPLE}/{key}", json={"properties": {"firstname": "Ann", **properties}})
    assert answer.status_code == 400
    assert answer.json()["category"] == "VALIDATION_ERROR"
    assert [error["code"] for error in answer.json()["errors"]] == [code]
    assert json.loads(answer.json()["message"].partition(": ")[2])[0]["error"] == code
    assert portal.state.tables["contacts"].get(key).get("firstname") is None


@pytest.mark.parametrize("value", [3, True, None, ["a"]])
def test_values_that_are_not_text_are_refused(portal, value):
    key = portal.contact(email="ann@example.org")
    with portal.http() as client:
        assert client.patch(f"{PEOPLE}/{key}", json={"properties": {"web_orders": value}}).status_code == 400


def test_dates_are_days_and_datetimes_are_iso_with_milliseconds(judged, portal):
    portal.property("onevoice_tier_until", "date", "date")
    key = portal.contact(email="ann@example.org")

    def sent(name, value):
        answer = judged.patch(f"{PEOPLE}/{key}", json={"properties": {name: value}})
        return answer.json().get("properties", {}).get(name, answer.status_code)

    assert sent("onevoice_tier_until", "2027-03-31") == "2027-03-31"
    assert sent("onevoice_tier_until", "1806451200000") == "2027-03-31"
    assert sent("onevoice_tier_until", "1806451200001") == 400
    assert sent("onevoice_tier_until", "2027-02-30") == 400
    assert sent("onevoice_tier_until", "9999-12-31") == "9999-12-31"
    assert sent("web_last_order_at", "2026-11-01T10:00:00+02:00") == "2026-11-01T08:00:00.000Z"
    assert sent("web_last_order_at", "1793520000000") == "2026-11-01T08:00:00.000Z"


def test_addresses_are_unique_in_the_portal(judged, portal):
    first, second = portal.contact(email="ann@example.org"), portal.contact(email="bob@example.org")
    answer = judged.post(PEOPLE, json={"properties": {"email": "ANN@example.org"}})
    assert (answer.status_code, answer.json()["category"]) == (409, "CONFLICT")
    assert first in answer.json()["message"]
    assert judged.patch(f"{PEOPLE}/{second}", json={"properties": {"email": "ann@example.org"}}).status_code == 409
    assert judged.patch(f"{PEOPLE}/{first}", json={"properties": {"email": "ann@example.org"}}).status_code == 200
    judged.patch(f"{PEOPLE}/{first}", json={"properties": {"email": "carl@example.org"}})
    assert judged.post(PEOPLE, json={"properties": {"email": "ann@example.org"}}).status_code == 201


def test_every_change_moves_lastmodifieddate(judged, portal):
    key = portal.contact(email="ann@example.org")
    before = judged.get(f"{PEOPLE}/{key}").json()
    after = judged.patch(f"{PEOPLE}/{key}", json={"properties": {"city": "Ulm"}}).json()
    assert after["updatedAt"] > before["updatedAt"]
    assert after["properties"]["lastmodifieddate"] == after["updatedAt"]


def test_merge_keeps_one_and_leads_the_old_id_to_it(judged, portal):
    winner = portal.contact(email="ann@example.org", firstname="Ann")
    loser = portal.contact(email="a.moss@example.org", firstname="A.", city="Ulm")
    merged = judged.post(f"{PEOPLE}/merge", json={"primaryObjectId": winner, "objectIdToMerge": loser}).json()
    assert merged["id"] == winner
    answer = judged.get(f"{PEOPLE}/{loser}", params={"properties": ["firstname", "city", "hs_merged_object_ids"]})
    assert answer.json()["id"] == winner
    assert answer.json()["properties"]["firstname"] == "Ann"
    assert answer.json()["properties"]["city"] == "Ulm"
    assert answer.json()["properties"]["hs_merged_object_ids"] == loser
    assert judged.post(f"{PEOPLE}/merge", json={"primaryObjectId": winner, "objectIdToMerge": "1"}).status_code == 400


def test_erasure_forgets_by_address(judged, portal):
    key = portal.contact(email="ann@example.org")
    gone = judged.post(f"{PEOPLE}/gdpr-delete", json={"objectId": "ann@example.org", "idProperty": "email"})
    assert gone.status_code == 204
    assert judged.get(f"{PEOPLE}/{key}").status_code == 404
    assert judged.get(PEOPLE, params={"archived": "true"}).json()["results"] == []


def test_provisioning_is_seen_at_once_and_refused_twice(portal):
    api = portal.sdk().crm.properties.core_api
    body = {
        "name": "onevoice_points",
        "label": "Points",
        "type": "number",
        "fieldType": "number",
        "groupName": "contactinformation",
    }
    assert api.create("contacts", body).name == "onevoice_points"
    assert "onevoice_points" in {one.name for one in api.get_all("contacts").results}
    assert portal.state.schema["contacts"]["onevoice_points"]["type"] == "number"
    with pytest.raises(Exception, match="already exists") as refused:
        api.create("contacts", body)
    assert refused.value.status == 409


def test_batch_provisioning_tells_each_property_apart(judged, portal):
    def one(name, **more):
        described = {"type": "string", "fieldType": "text", "groupName": "contactinformation", **more}
        return {"name": name, "label": name, **described}

    url = "/crm/v3/properties/contacts"
    judged.post(f"{url}/groups", json={"name": "onevoice", "label": "Onevoice"}).raise_for_status()
    first = judged.post(f"{url}/batch/create", json={"inputs": [one("onevoice_a"), one("onevoice_b")]})
    assert first.status_code == 201
    inputs = [one("onevoice_b"), one("onevoice_c", groupName="onevoice"), one("onevoice_d", groupName="nowhere")]
    second = judged.post(f"{url}/batch/create", json={"inputs": inputs})
    assert second.status_code == 207
    assert [made["name"] for made in second.json()["results"]] == ["onevoice_c"]
    assert [e["context"]["name"] for e in second.json()["errors"]] == [["onevoice_b"], ["onevoice_d"]]
    read = judged.post(f"{url}/batch/read", json={"archived": False, "inputs": [{"name": "onevoice_c"}]})
    assert read.json()["results"][0]["groupName"] == "onevoice"
    assert judged.get(f"{url}/onevoice_c").status_code == 200
    assert judged.get(f"{url}/groups").status_code == 200
    assert judged.get(f"{url}/groups/onevoice").json()["label"] == "Onevoice"
    assert judged.patch(f"{url}/onevoice_c", json={"label": "C"}).json()["label"] == "C"
    assert judged.delete(f"{url}/onevoice_c").status_code == 204
    assert judged.get(f"{url}/onevoice_c").status_code == 404
    assert judged.get(url).status_code == 200


def test_unknown_paths_and_types_are_not_found(portal):
    with portal.http() as client:
        assert client.get("/crm/v3/objects/deals").status_code == 404
        assert client.get("/crm/v3/properties/deals").status_code == 400
        assert client.post(PEOPLE, content=b"{").status_code == 400
