"""The judge itself: what Klaviyo's description does not allow must not pass, the missing revision included."""

from __future__ import annotations

import json

import pytest
from openapi_core.testing import MockResponse

LINKS = {"self": "http://vendor.test/api/profiles"}
GOOD = {"data": [], "links": LINKS}
PROFILE = {"type": "profile", "id": "01J", "attributes": {"email": "a@shop.example"}, "links": LINKS}
HEADERS = {
    "authorization": "Klaviyo-API-Key pk_1",
    "revision": "2026-07-15",
    "content-type": "application/vnd.api+json",
}


@pytest.fixture
def violations(klaviyo_judge):
    """What the judge has against one exchange."""

    def judge(
        body=GOOD,
        *,
        status=200,
        method="GET",
        path="/api/profiles",
        query="",
        asked=None,
        headers=HEADERS,
        kind="application/vnd.api+json",
    ):
        klaviyo_judge.violations.clear()
        content = json.dumps(body).encode() if body is not None else b""
        sent = json.dumps(asked).encode() if asked is not None else b""
        answer = MockResponse(content, status, {"content-type": kind}, kind)
        klaviyo_judge.exchange(method, path, query, headers, sent, answer)
        return list(klaviyo_judge.violations)

    return judge


def test_good_exchanges_pass(violations):
    assert violations(query="page%5Bsize%5D=100&filter=equals(email,'a')&fields%5Bprofile%5D=email,location.city") == []
    assert violations({**GOOD, "data": [PROFILE]}) == []
    created = {"data": PROFILE}
    asked = {"data": {"type": "profile", "attributes": {"email": "a@shop.example"}}}
    assert violations(created, status=201, method="POST", asked=asked) == []
    assert violations(None, status=204, method="GET", path="/api/unknown") != []


def test_a_missing_revision_is_seen(violations):
    headers = {name: value for name, value in HEADERS.items() if name != "revision"}
    assert violations(headers=headers) == ["GET /api/profiles: the required header revision is missing"]


@pytest.mark.parametrize("query", ["page[size]=101", "page[size]=ten", "sort=first_name", "fields[profile]=shoe_size"])
def test_bad_parameters_are_seen(violations, query):
    assert violations(query=query)


@pytest.mark.parametrize("query", ["page[size]=101"])
def test_bad_requests_that_were_turned_down_are_not(violations, query):
    error = {"id": "1", "code": "invalid", "title": "Invalid input.", "detail": "no"}
    assert violations({"errors": [error]}, status=400, query=query) == []
    assert violations({"errors": [{}]}, status=400, query=query)
    assert violations({"errors": [error]}, status=429, query=query)


@pytest.mark.parametrize(
    "asked",
    [
        {"data": {"type": "profil", "attributes": {"email": "a@shop.example"}}},
        {"data": {"type": "profile", "attributes": {"email": 5}}},
        {"data": {"type": "profile"}},
        [],
        None,
    ],
)
def test_bad_bodies_are_seen(violations, asked):
    assert violations({"data": PROFILE}, status=201, method="POST", asked=asked)


def test_a_body_of_another_media_type_is_seen(violations):
    asked = {"data": {"type": "profile", "attributes": {"email": "a@shop.example"}}}
    headers = {**HEADERS, "content-type": "application/json"}
    assert violations({"data": PROFILE}, status=201, method="POST", asked=asked, headers=headers)


@pytest.mark.parametrize(
    "wrong", [{"id": 5}, {"type": "list"}, {"attributes": {"created": "yesterday"}}, {"links": {}}]
)
def test_bad_answers_are_seen(violations, wrong):
    assert violations({**GOOD, "data": [{**PROFILE, **wrong}]})


def test_other_mistakes_are_seen(violations):
    assert violations({}, status=200)
    assert violations(kind="application/json")
    assert violations(status=207)
    assert violations(headers={"revision": "2026-07-15"})


def test_an_operation_that_is_not_described_must_not_be_answered(violations):
    assert violations(method="DELETE", path="/api/profiles/1")
    assert violations({"errors": []}, status=404, method="DELETE", path="/api/profiles/1") == []
