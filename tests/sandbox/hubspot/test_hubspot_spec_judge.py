"""The judge itself: an answer or a request that HubSpot's description does not allow must not pass."""

from __future__ import annotations

import httpx
import pytest
from openapi_core.exceptions import OpenAPIError

URL = "http://portal.test/crm/v3/objects/contacts"
GOOD = {
    "results": [{"id": "1", "properties": {}, "createdAt": "2026-11-22T09:00:00Z", "updatedAt": "2026-11-22T09:00:00Z"}]
}


def _answer(body, *, method="GET", url=URL, asked=None):
    request = httpx.Request(method, url, headers={"Authorization": "Bearer token"}, json=asked)
    return httpx.Response(200, json=body, request=request)


def test_a_good_answer_passes(judges):
    judges["contacts"].check(_answer(GOOD))


@pytest.mark.parametrize(
    "body", [{}, {"results": [{"id": 1}]}, {"results": [{**GOOD["results"][0], "properties": {"a": 1}}]}]
)
def test_a_bad_answer_does_not(judges, body):
    with pytest.raises(OpenAPIError):
        judges["contacts"].check(_answer(body))


def test_a_bad_request_does_not(judges):
    search = _answer({"total": 0, "results": []}, method="POST", url=f"{URL}/search", asked={"limit": "ten"})
    with pytest.raises(OpenAPIError):
        judges["contacts"].check(search)
