"""Writes over HTTP: single records, collections with a result for each record, custom fields."""

from __future__ import annotations

import json

import pytest
from simple_salesforce.exceptions import SalesforceMalformedRequest, SalesforceResourceNotFound

MANY = "/composite/sobjects"


def _rows(ids, **fields):
    return [{"attributes": {"type": "Contact"}, "id": key, **fields} for key in ids]


@pytest.fixture
def send(org):
    with org.http() as client:

        def send(records, **more):
            answer = client.patch(MANY, json={"allOrNone": False, "records": records, **more})
            answer.raise_for_status()
            return answer.json()

        yield send


def _codes(results):
    return ["" if one["success"] else one["errors"][0]["statusCode"] for one in results]


def test_sdk_creates_reads_updates_and_deletes(org):
    sf = org.sdk()
    made = sf.Contact.create({"LastName": "  Moss ", "Email": "ann@example.org", "Title": ""})
    assert made["success"]
    read = sf.Contact.get(made["id"])
    assert (read["LastName"], read["Name"], read["Title"], read["HasOptedOutOfEmail"]) == ("Moss", "Moss", None, False)
    assert read["attributes"]["url"].endswith(made["id"])
    assert sf.Contact.update(made["id"], {"FirstName": "Ann"}) == 204
    assert sf.Contact.get(made["id"][:15])["Name"] == "Ann Moss"
    assert sf.Contact.delete(made["id"]) == 204
    with pytest.raises(SalesforceResourceNotFound, match="ENTITY_IS_DELETED"):
        sf.Contact.get(made["id"])
    with pytest.raises(SalesforceResourceNotFound, match="NOT_FOUND"):
        sf.Contact.update("003000000000001AAA", {"FirstName": "Ann"})
    with pytest.raises(SalesforceMalformedRequest, match="REQUIRED_FIELD_MISSING"):
        sf.Contact.create({"FirstName": "Ann"})


def test_collections_answer_each_record_in_order(org):
    ids = [org.contact() for _ in range(3)]
    gone = org.contact(IsDeleted=True)
    sf = org.sdk()
    records = [
        *_rows([ids[0]], FirstName="Ann"),
        *_rows(["003000000000001AAA", "nonsense", gone], FirstName="Ann"),
        {"attributes": {"type": "Contact"}, "FirstName": "Ann"},
        *_rows([ids[1]], Nope="x"),
        *_rows([ids[1]], Birthdate="1980-13-01"),
        *_rows([ids[1]], FirstName="x" * 41),
        *_rows([ids[1]], HasOptedOutOfEmail="yes"),
        *_rows([ids[1]], HasOptedOutOfEmail=None),
        *_rows([ids[1]], Email="nobody"),
        *_rows([ids[1]], SystemModstamp="2026-11-22T09:00:00Z"),
        *_rows([ids[1]], LastName=""),
        *_rows([ids[2]], FirstName="Eve"),
    ]
    body = json.dumps({"allOrNone": False, "records": records})
    results = sf.restful("composite/sobjects", method="PATCH", data=body)
    assert _codes(results) == [
        "",
        "INVALID_CROSS_REFERENCE_KEY",
        "MALFORMED_ID",
        "ENTITY_IS_DELETED",
        "MISSING_ARGUMENT",
        "INVALID_FIELD",
        "JSON_PARSER_ERROR",
        "STRING_TOO_LONG",
        "JSON_PARSER_ERROR",
        "INVALID_TYPE_ON_FIELD_IN_RECORD",
        "INVALID_EMAIL_ADDRESS",
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        "REQUIRED_FIELD_MISSING",
        "",
    ]
    assert (results[0]["id"], results[-1]["id"]) == (ids[0], ids[2])
    assert set(results[7]["errors"][0]) == {"statusCode", "message", "fields"}
    assert org.state.calls.summary()["records_written"] == 2


def test_all_or_none_keeps_everything_out(org, send):
    ids = [org.contact(), org.contact()]
    results = send([*_rows([ids[0]], FirstName="Ann"), *_rows([ids[1]], Nope=1)], allOrNone=True)
    assert _codes(results) == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "INVALID_FIELD"]
    assert org.state.tables["Contact"].get(ids[0]).get("FirstName") is None


def test_no_more_than_two_hundred(org):
    ids = [org.contact() for _ in range(201)]
    with org.http() as client:
        answer = client.patch(MANY, json={"records": _rows(ids, FirstName="Ann")})
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "EXCEEDED_ID_LIMIT")
        assert client.patch(MANY, json={"records": _rows(ids[:200], FirstName="Ann")}).status_code == 200
        assert client.patch(MANY, content=b"{").json()[0]["errorCode"] == "JSON_PARSER_ERROR"
        read = client.post(f"{MANY}/Contact", json={"ids": ids * 10, "fields": ["Id"]})
        assert read.status_code == 400


def test_retrieving_many_gives_null_for_what_is_not_there(org):
    ann, gone = org.contact(FirstName="Ann"), org.contact(IsDeleted=True)
    with org.http() as client:
        body = {"ids": ["003000000000001AAA", ann, gone], "fields": ["Id", "FirstName"]}
        answer = client.post(f"{MANY}/Contact", json=body)
        assert [row and row["FirstName"] for row in answer.json()] == [None, "Ann", None]
        assert client.get(f"{MANY}/Contact", params={"ids": ann, "fields": "FirstName"}).json()[0]["FirstName"] == "Ann"
        assert client.post(f"{MANY}/Contact", json={"ids": [ann], "fields": ["Nope"]}).status_code == 400


def test_create_and_delete_many(org):
    rows = [{"attributes": {"type": "Contact"}, "LastName": f"N{n}"} for n in range(2)]
    with org.http() as client:
        made = client.post(MANY, json={"records": [*rows, {"attributes": {"type": "Contact"}}]}).json()
        assert _codes(made) == ["", "", "REQUIRED_FIELD_MISSING"]
        ids = ",".join([made[0]["id"], made[1]["id"], "003000000000001AAA"])
        assert _codes(client.delete(MANY, params={"ids": ids}).json()) == ["", "", "INVALID_CROSS_REFERENCE_KEY"]


def test_opting_out_is_one_event_per_real_change(org, send):
    key = org.contact(Email="ann@example.org")
    for _ in range(2):
        send(_rows([key], HasOptedOutOfEmail=True))
    events = [e for e in org.state.events if e["field"] == "HasOptedOutOfEmail"]
    assert [(e["key"], e["old"], e["new"], e["actor"]) for e in events] == [(key, None, True, "api")]
    counted = org.state.calls.operations["update batch"]
    assert (counted.calls, counted.units, org.state.api_writes.identical.total()) == (2, 1, 1)


def test_custom_fields_exist_once_they_are_made(org, send):
    key = org.contact()
    assert _codes(send(_rows([key], onevoice_tier__c="gold"))) == ["INVALID_FIELD"]
    sf = org.sdk()
    metadata = {"label": "Tier", "type": "Text", "length": 40}
    body = {"FullName": "Contact.onevoice_tier__c", "Metadata": metadata}
    assert sf.toolingexecute("sobjects/CustomField", method="POST", data=body)["success"]
    with pytest.raises(SalesforceMalformedRequest, match="DUPLICATE_DEVELOPER_NAME"):
        sf.toolingexecute("sobjects/CustomField", method="POST", data=body)
    described = {field["name"]: field for field in sf.Contact.describe()["fields"]}
    field = described["onevoice_tier__c"]
    assert (field["type"], field["length"], field["custom"], field["updateable"]) == ("string", 40, True, True)
    assert _codes(send(_rows([key], onevoice_tier__c="gold"))) == [""]
    assert sf.Contact.get(key)["onevoice_tier__c"] == "gold"


def test_values_of_custom_fields_by_type(org, send):
    for name, metadata in {
        "onevoice_points__c": {"type": "Number", "precision": 18, "scale": 0},
        "onevoice_tier_until__c": {"type": "Date"},
        "onevoice_decided_at__c": {"type": "DateTime"},
        "onevoice_flag__c": {"type": "Checkbox", "defaultValue": "false"},
    }.items():
        assert org.field(name, **metadata).status_code == 201
    key, sf = org.contact(), org.sdk()
    values = {
        "onevoice_points__c": 120,
        "onevoice_tier_until__c": "9999-12-31",
        "onevoice_decided_at__c": "2026-11-22T10:00:00+01:00",
        "onevoice_flag__c": True,
    }
    assert _codes(send(_rows([key], **values))) == [""]
    read = sf.Contact.get(key)
    assert (read["onevoice_points__c"], type(read["onevoice_points__c"])) == (120.0, float)
    assert read["onevoice_tier_until__c"] == "9999-12-31"
    assert read["onevoice_decided_at__c"] == "2026-11-22T09:00:00.000+0000"
    assert _codes(send(_rows([key], onevoice_points__c=None, onevoice_tier_until__c=None))) == [""]
    assert sf.Contact.get(key)["onevoice_points__c"] is None
    assert _codes(send(_rows([key], onevoice_points__c="many"))) == ["JSON_PARSER_ERROR"]


@pytest.mark.parametrize(
    ("name", "metadata", "code"),
    [
        ("onevoice_a__c", {"type": "Text"}, "FIELD_INTEGRITY_EXCEPTION"),
        ("onevoice_a__c", {"type": "Text", "length": 256}, "FIELD_INTEGRITY_EXCEPTION"),
        ("onevoice_a__c", {"type": "Number", "precision": 18}, "FIELD_INTEGRITY_EXCEPTION"),
        ("onevoice_a__c", {"type": "Checkbox"}, "FIELD_INTEGRITY_EXCEPTION"),
        ("onevoice_a__c", {"type": "Colour"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        ("onevoice_a", {"type": "Date"}, "FIELD_INTEGRITY_EXCEPTION"),
        ("one__voice__c", {"type": "Date"}, "FIELD_INTEGRITY_EXCEPTION"),
    ],
)
def test_fields_that_cannot_be_made(org, name, metadata, code):
    answer = org.field(name, **metadata)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, code)


def test_upsert_by_external_id(org):
    org.field("onevoice_link__c", type="Text", length=40, externalId=True, unique=True)
    sf = org.sdk()
    assert sf.Contact.upsert("onevoice_link__c/p-1", {"LastName": "Moss"}) == 201
    assert sf.Contact.upsert("onevoice_link__c/p-1", {"FirstName": "Ann"}) == 200
    known = sf.Contact.get_by_custom_id("onevoice_link__c", "p-1")
    assert (known["FirstName"], len(org.state.tables["Contact"])) == ("Ann", 1)
    with pytest.raises(SalesforceMalformedRequest, match="DUPLICATE_VALUE"):
        sf.Contact.create({"LastName": "Moss", "onevoice_link__c": "p-1"})
    records = [
        {"attributes": {"type": "Contact"}, "onevoice_link__c": "p-1", "FirstName": "Anna"},
        {"attributes": {"type": "Contact"}, "onevoice_link__c": "p-2", "LastName": "Vale"},
        {"attributes": {"type": "Contact"}, "LastName": "Nobody"},
    ]
    body = json.dumps({"allOrNone": False, "records": records})
    results = sf.restful("composite/sobjects/Contact/onevoice_link__c", method="PATCH", data=body)
    assert [one.get("created") for one in results] == [False, True, None]
    assert _codes(results) == ["", "", "MISSING_ARGUMENT"]


def test_a_closed_case_gets_its_date(org):
    sf = org.sdk()
    key = sf.Case.create({"ContactId": org.contact(), "Type": "Complaint", "Subject": "Late"})["id"]
    opened = sf.Case.get(key)
    assert (opened["Status"], opened["IsClosed"], opened["ClosedDate"]) == ("New", False, None)
    sf.Case.update(key, {"Status": "Closed"})
    closed = sf.Case.get(key)
    assert closed["IsClosed"]
    assert closed["ClosedDate"] == closed["SystemModstamp"]
    with pytest.raises(SalesforceMalformedRequest, match="INVALID_CROSS_REFERENCE_KEY"):
        sf.Case.create({"ContactId": "003000000000001AAA"})
