"""Batch calls: what fails refuses itself or the whole call, as at the vendor."""

from __future__ import annotations

BATCH = "/crm/v3/objects/contacts/batch"


def _inputs(ids, **properties):
    return {"inputs": [{"id": key, "properties": properties} for key in ids]}


def test_sdk_reads_and_updates_in_batches(portal):
    ids = [portal.contact(email=f"a{n}@example.org") for n in range(3)]
    api = portal.sdk().crm.contacts.batch_api
    done = api.update(_inputs(ids, city="Ulm"))
    assert [one.id for one in done.results] == ids
    read = api.read({"inputs": [{"id": key} for key in ids], "properties": ["city"], "propertiesWithHistory": []})
    assert {one.properties["city"] for one in read.results} == {"Ulm"}


def test_missing_records_fail_alone(judged, portal):
    known = portal.contact(email="a@example.org")
    answer = judged.post(f"{BATCH}/update", json=_inputs([known, "404"], city="Ulm"))
    assert answer.status_code == 207
    assert [one["id"] for one in answer.json()["results"]] == [known]
    assert answer.json()["numErrors"] == 1
    assert answer.json()["errors"][0]["category"] == "OBJECT_NOT_FOUND"
    assert answer.json()["errors"][0]["context"]["ids"] == ["404"]
    body = {"inputs": [{"id": "404"}, {"id": known}], "properties": [], "propertiesWithHistory": []}
    read = judged.post(f"{BATCH}/read", json=body)
    assert read.status_code == 207
    assert read.json()["errors"][0]["context"]["ids"] == ["404"]


def test_a_bad_value_refuses_the_whole_batch(judged, portal):
    ids = [portal.contact(email=f"a{n}@example.org") for n in range(2)]
    body = _inputs(ids, city="Ulm")
    body["inputs"][1]["properties"] = {"loyalty_member": "maybe"}
    assert judged.post(f"{BATCH}/update", json=body).status_code == 400
    assert portal.state.tables["contacts"].get(ids[0]).get("city") is None


def test_limits_of_a_batch(judged, portal):
    ids = [portal.contact(email=f"a{n}@example.org") for n in range(101)]
    assert judged.post(f"{BATCH}/update", json=_inputs(ids, city="Ulm")).status_code == 400
    assert judged.post(f"{BATCH}/update", json=_inputs(ids[:100], city="Ulm")).status_code == 200
    assert judged.post(f"{BATCH}/update", json=_inputs([ids[0], ids[0]], city="Ulm")).status_code == 400
    assert judged.post(f"{BATCH}/update", json={"inputs": []}).status_code == 400


def test_upsert_tells_new_from_known(judged, portal):
    known = portal.contact(email="ann@example.org")
    body = {
        "inputs": [
            {"id": "ann@example.org", "idProperty": "email", "properties": {"city": "Ulm"}, "objectWriteTraceId": "r1"},
            {
                "id": "bob@example.org",
                "idProperty": "email",
                "properties": {"city": "Bonn"},
                "objectWriteTraceId": "r2",
            },
        ]
    }
    answer = judged.post(f"{BATCH}/upsert", json=body)
    assert answer.status_code == 200
    assert [(one["objectWriteTraceId"], one["new"]) for one in answer.json()["results"]] == [
        ("r1", False),
        ("r2", True),
    ]
    assert answer.json()["results"][0]["id"] == known
    again = judged.post(f"{BATCH}/upsert", json=body).json()["results"]
    assert [one["new"] for one in again] == [False, False]
    assert len(portal.state.tables["contacts"]) == 2


def test_sdk_upserts_by_a_unique_property(portal):
    portal.property("onevoice_link", hasUniqueValue=True)
    row = {"id": "p-1", "idProperty": "onevoice_link", "properties": {"firstname": "Ann"}, "objectWriteTraceId": "r1"}
    done = portal.sdk().crm.contacts.batch_api.upsert({"inputs": [row]})
    assert done.results[0].new
    again = portal.sdk().crm.contacts.batch_api.upsert({"inputs": [row]})
    assert (again.results[0].id, again.results[0].new) == (done.results[0].id, False)


def test_create_and_archive(judged, portal):
    body = {"inputs": [{"properties": {"email": f"a{n}@example.org"}} for n in range(3)]}
    made = judged.post(f"{BATCH}/create", json=body)
    assert made.status_code == 201
    assert judged.post(f"{BATCH}/create", json=body).status_code == 409
    ids = [{"id": one["id"]} for one in made.json()["results"]]
    assert judged.post(f"{BATCH}/archive", json={"inputs": ids[:2]}).status_code == 204
    assert list(portal.state.tables["contacts"].rows) == [ids[2]["id"]]


def test_calls_are_counted_by_what_really_changed(portal):
    ids = [portal.contact(email=f"a{n}@example.org") for n in range(150)]
    api = portal.sdk().crm.contacts.batch_api
    api.update(_inputs(ids[:100], city="Ulm"))
    api.update(_inputs(ids[100:], city="Ulm"))
    api.update(_inputs(ids[:50], city="Ulm"))
    counted = portal.state.calls.summary()
    assert (counted["write_calls"], counted["records_written"], counted["minimum_calls"]) == (3, 150, 2)
    assert portal.state.api_writes.identical.total() == 50
