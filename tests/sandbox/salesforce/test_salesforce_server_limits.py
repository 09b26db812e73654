"""Sessions, limits and faults: met by call count, each counted once; and what the org tells about itself."""

from __future__ import annotations

import json
import zlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceAuthenticationFailed, SalesforceExpiredSession

from onevoice.sandbox.calls import THROTTLED
from onevoice.sandbox.gate import RefusalError
from onevoice.sandbox.misfortune import LOST_ENTRIES, REJECTED_SHARE
from onevoice.sandbox.salesforce import limits
from onevoice.sandbox.salesforce.schema import OBJECTS
from onevoice.sandbox.state import Clock
from onevoice.sandbox.tables import salesforce_state

STANDARD = json.loads((Path(__file__).parents[2] / "specs" / "salesforce" / "objects-api67.json").read_text())[
    "objects"
]
TYPES = {
    "id": "Id",
    "reference": "Id",
    "boolean": "Boolean",
    "date": "Date",
    "datetime": "Datetime",
    "double": "Decimal",
}


@pytest.mark.parametrize("entity", sorted(OBJECTS.keys() & STANDARD.keys()))
def test_standard_fields_are_those_of_the_vendor(entity):
    for field in OBJECTS[entity]:
        if not field.custom:
            assert STANDARD[entity].get(field.name) == TYPES.get(field.type, "String"), field.name


def test_the_objects_are_judged():
    assert {"Contact", "LoyaltyProgramMember", "LoyaltyMemberTier"} <= OBJECTS.keys() & STANDARD.keys()


def test_three_ways_to_sign_in(org):
    for signed_in in (
        {"consumer_key": "client", "consumer_secret": "secret", "domain": "sandbox"},
        {"consumer_key": "client", "consumer_secret": "secret", "username": "client", "password": "secret"},
        {"username": "client", "password": "sec", "security_token": "ret"},
    ):
        sf = Salesforce(**signed_in, version="67.0", session=org.session())
        assert sf.query("SELECT Id, IsSandbox FROM Organization")["records"][0]["IsSandbox"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"consumer_key": "client", "consumer_secret": "x", "domain": "sandbox"},
        {"username": "client", "password": "x", "security_token": "y"},
    ],
)
def test_wrong_credentials_are_refused(org, wrong):
    with pytest.raises(SalesforceAuthenticationFailed):
        Salesforce(**wrong, version="67.0", session=org.session())


def test_sessions_end_and_the_sdk_signs_in_again(org):
    sf = org.sdk()
    other = Salesforce(session_id=sf.session_id, instance_url=org.url, version="67.0", session=org.session())
    org.state.clock.advance(2 * 3600)
    with pytest.raises(SalesforceExpiredSession) as refused:
        other.limits()
    assert refused.value.content[0]["errorCode"] == "INVALID_SESSION_ID"
    assert "DailyApiRequests" in sf.limits()
    assert sf.api_usage["api-usage"].total == limits.DAILY_CALLS
    assert org.state.calls.summary()["token_expired"] == 2


def test_a_run_of_a_few_dozen_calls_meets_each_misfortune_once(org):
    org.state.faults.limits_on = True
    ids = [org.contact() for _ in range(10)]
    records = [{"attributes": {"type": "Contact"}, "id": key, "FirstName": "Ann"} for key in ids]
    client, statuses = org.http(), []
    for _ in range(25):
        answer = client.patch("/composite/sobjects", json={"records": records})
        statuses.append(answer.status_code)
        if answer.status_code == 401:
            client.close()
            client = org.http()
        if answer.status_code == 403:
            assert answer.json()[0]["errorCode"] == "REQUEST_LIMIT_EXCEEDED"
        if len(statuses) == 1:
            failed = [one["errors"][0]["statusCode"] for one in answer.json() if not one["success"]]
            assert failed == ["UNABLE_TO_LOCK_ROW"] * LOST_ENTRIES
    client.close()
    assert sorted(statuses) == [200] * 23 + [401, 403]
    counted = org.state.calls.summary()
    assert (counted["throttled"], counted["token_expired"], counted["partial_failures"]) == (1, 1, 1)
    assert {org.state.tables["Contact"].get(key)["FirstName"] for key in ids} == {"Ann"}


def test_a_fast_client_meets_the_rolling_window():
    state = salesforce_state(Clock(datetime(2026, 11, 22, 9, tzinfo=UTC)))
    rates = limits.Limits(state)

    def refused(calls):
        outcomes = []
        for _ in range(calls):
            try:
                rates.admit()
            except RefusalError as error:
                outcomes.append(error.answer.outcome)
        assert set(outcomes) <= {THROTTLED}
        return len(outcomes)

    busy = sum(limits.BUSY.due(call) for call in range(1, 251))
    assert refused(250) == 50
    assert 0 < busy < 50
    state.clock.advance(10)
    assert refused(20) == 0


def test_faults(org):
    faults = org.state.faults
    key = next(key for _ in range(500) if zlib.crc32((key := org.contact()).encode()) % REJECTED_SHARE == 0)
    body = {"records": [{"attributes": {"type": "Contact"}, "id": key, "FirstName": "Ann"}]}
    with org.http() as client:
        faults.use("salesforce_down", "salesforce")
        assert client.get("/limits").status_code == 503
        assert client.post(f"{org.url}/services/oauth2/token", data={"grant_type": "password"}).status_code == 503
        assert client.get(f"{org.url}/services/data").status_code == 503
        faults.use("reject_some", "salesforce")
        for _ in range(2):
            rejected = client.patch("/composite/sobjects", json=body).json()[0]["errors"][0]
            assert rejected["statusCode"] == "FIELD_CUSTOM_VALIDATION_EXCEPTION"
        faults.use("none", "salesforce")
        assert client.patch("/composite/sobjects", json=body).json()[0]["success"]
        faults.use("throttle", "salesforce")
        assert [client.get("/limits").status_code for _ in range(8)].count(403) == 4
        faults.use("expire_tokens", "salesforce")
        assert client.get("/limits").status_code == 401


def test_what_the_org_tells(org):
    with org.http() as client:
        versions = client.get(f"{org.url}/services/data/").json()
        assert versions[-1] == {"label": "v67.0", "url": "/services/data/v67.0", "version": "67.0"}
        assert client.get("").status_code == 200
        assert client.get(f"{org.url}/services/data/v59.0/limits").status_code == 200
        assert client.get(f"{org.url}/services/data/vXX/limits").status_code == 404
        assert client.get("/nothing/here").json()[0]["errorCode"] == "NOT_FOUND"
        assert client.get(f"{org.url}/services/oauth2/userinfo").json()["organization_id"].startswith("00D")
    assert "Contact" in {one["name"] for one in org.sdk().describe()["sobjects"]}
    assert org.sdk().Contact.metadata()["objectDescribe"]["keyPrefix"] == "003"
    with org.stranger() as client:
        assert client.get("/limits").json()[0]["errorCode"] == "INVALID_SESSION_ID"
