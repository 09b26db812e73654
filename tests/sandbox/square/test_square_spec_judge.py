"""The judge itself: an answer or a request that Square's description does not allow must not pass."""

from __future__ import annotations

import json

import pytest
from openapi_core.testing import MockResponse

GOOD = {"customer": {"id": "C1", "version": 0}}


@pytest.fixture
def told(square_judge):
    """What the judge has to say about one exchange."""

    def exchange(answer, status=200, method="GET", path="/v2/customers/C1", asked=b""):
        square_judge.violations.clear()
        response = MockResponse(json.dumps(answer).encode(), status, {}, "application/json")
        square_judge.exchange(method, path, "", {"content-type": "application/json"}, asked, response)
        return list(square_judge.violations)

    return exchange


def test_a_good_answer_passes(told):
    assert told(GOOD) == []


@pytest.mark.parametrize(
    "body",
    [
        {"customer": {"id": 1}},
        {"customer": {"id": "C1", "custom_attributes": {}}},
        {"customer": {"id": "C1", "creation_source": "SHOP"}},
        {"errors": [{"code": "NOT_FOUND"}]},
    ],
)
def test_a_bad_answer_does_not(told, body):
    assert told(body)


def test_a_bad_error_does_not(told):
    error = {"category": "INVALID_REQUEST_ERROR", "code": "NOT_FOUND"}
    assert told({"errors": [error]}, 404) == []
    assert told({"errors": [{**error, "code": "LOST"}]}, 404)
    assert told({"message": "not found"}, 404)


def test_a_bad_request_does_not(told):
    search = {"method": "POST", "path": "/v2/customers/search"}
    assert told({}, **search, asked=b'{"limit": 10}') == []
    assert told({}, **search, asked=b'{"limit": "ten"}')
    assert told({}, **search, asked=b'{"filter": {}}')


def test_what_the_description_does_not_know_is_not_served(told):
    assert told({}, path="/v2/payments")
