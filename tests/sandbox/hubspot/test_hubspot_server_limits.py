"""Tokens, rates, partial failures and faults: met by call count, each counted once."""

from __future__ import annotations

from zlib import crc32

import pytest
from hubspot import HubSpot
from hubspot.oauth.exceptions import ApiException as TokenRefused

from loopback import caller
from onevoice.sandbox.misfortune import LOST_ENTRIES, REJECTED_SHARE

PEOPLE = "/crm/v3/objects/contacts"


def test_wrong_credentials_get_no_token(portal):
    api = HubSpot(host=portal.url, retry=False).oauth.tokens_api
    for wrong in ({"client_secret": "x"}, {"refresh_token": "x"}):
        credentials = {"client_id": "client", "client_secret": "secret", "refresh_token": "refresh", **wrong}
        with pytest.raises(TokenRefused) as refused:
            api.create(grant_type="refresh_token", **credentials)
        assert refused.value.status == 400


def test_tokens_live_for_half_an_hour(portal):
    with portal.http() as client:
        assert client.get(PEOPLE).status_code == 200
        portal.state.clock.advance(30 * 60)
        answer = client.get(PEOPLE)
    assert (answer.status_code, answer.json()["category"]) == (401, "EXPIRED_AUTHENTICATION")
    assert portal.state.calls.summary()["token_expired"] == 1
    with caller(portal.url, headers={"Authorization": "Bearer nonsense"}) as client:
        unknown = client.get(PEOPLE)
    assert (unknown.status_code, unknown.json()["category"]) == (401, "INVALID_AUTHENTICATION")


def test_who_am_i(portal):
    token = portal.token()
    assert portal.sdk().oauth.access_tokens_api.get(token).hub_id == 24_001_000
    with portal.http() as client:
        assert client.get("/account-info/v3/details").json()["portalId"] == 24_001_000


def test_a_run_of_a_few_dozen_calls_meets_each_misfortune_once(portal):
    portal.state.faults.limits_on = True
    ids = [portal.contact(email=f"a{n}@example.org") for n in range(10)]
    body = {"inputs": [{"id": key, "properties": {"city": "Ulm"}, "objectWriteTraceId": key} for key in ids]}
    statuses, client = [], portal.http()
    for _ in range(40):
        answer = client.post(f"{PEOPLE}/batch/update", json=body)
        statuses.append(answer.status_code)
        if answer.status_code == 401:
            client.close()
            client = portal.http()
        if answer.status_code == 429:
            assert answer.json()["policyName"] == "TEN_SECONDLY_ROLLING"
            assert "retry-after" not in answer.headers
        if answer.status_code == 207:
            failed = [error["context"]["objectWriteTraceId"][0] for error in answer.json()["errors"]]
            assert len(failed) == LOST_ENTRIES
            assert sorted([*failed, *(one["id"] for one in answer.json()["results"])]) == ids
    client.close()
    counted = portal.state.calls.summary()
    assert (counted["throttled"], counted["token_expired"], counted["partial_failures"]) == (1, 1, 2)
    assert statuses[0] == 207
    assert statuses.count(200) == 36


def test_rows_that_failed_go_through_when_sent_again(portal):
    portal.state.faults.limits_on = True
    ids = [portal.contact(email=f"a{n}@example.org") for n in range(5)]
    body = {"inputs": [{"id": key, "properties": {"city": "Ulm"}} for key in ids]}
    with portal.http() as client:
        first = client.post(f"{PEOPLE}/batch/update", json=body).json()
        again = [{"id": error["context"]["ids"][0], "properties": {"city": "Ulm"}} for error in first["errors"]]
        assert client.post(f"{PEOPLE}/batch/update", json={"inputs": again}).status_code == 200
    assert {portal.state.tables["contacts"].get(key)["city"] for key in ids} == {"Ulm"}


def test_searches_have_their_own_rate_and_no_rate_headers(portal):
    portal.state.faults.limits_on = True
    with portal.http() as client:
        answers = [client.post(f"{PEOPLE}/search", json={}) for _ in range(6)]
        assert [answer.status_code for answer in answers] == [200] * 5 + [429]
        assert answers[-1].json()["policyName"] == "SECONDLY"
        assert not [name for name in answers[0].headers if "ratelimit" in name]
        portal.state.clock.advance(1)
        assert client.post(f"{PEOPLE}/search", json={}).status_code == 200
        assert client.get(PEOPLE).headers["X-HubSpot-RateLimit-Max"] == "190"


def test_faults(portal):
    faults = portal.state.faults
    key = next(
        key
        for n in range(500)
        if crc32((key := portal.contact(email=f"a{n}@example.org")).encode()) % REJECTED_SHARE == 0
    )
    token = {"Authorization": f"Bearer {portal.token()}"}
    with caller(portal.url, headers=token) as client:
        faults.use("hubspot_down", "hubspot")
        assert client.get(PEOPLE).status_code == 503
        assert client.post("/oauth/v1/token", data={"grant_type": "refresh_token"}).status_code == 503
        faults.use("reject_some", "hubspot")
        body = {"inputs": [{"id": key, "properties": {"city": "Ulm"}}]}
        for _ in range(2):
            answer = client.post(f"{PEOPLE}/batch/update", json=body)
            assert (answer.status_code, answer.json()["errors"][0]["category"]) == (207, "VALIDATION_ERROR")
        faults.use("none", "hubspot")
        assert client.post(f"{PEOPLE}/batch/update", json=body).status_code == 200
        faults.use("throttle", "hubspot")
        assert [client.get(PEOPLE).status_code for _ in range(8)].count(429) == 4
        faults.use("expire_tokens", "hubspot")
        assert 401 in [client.get(PEOPLE).status_code for _ in range(4)]
