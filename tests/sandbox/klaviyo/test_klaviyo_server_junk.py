"""Whatever a client sends, the server answers in JSON:API and does not fall over: good bodies, each part replaced."""

from __future__ import annotations

import copy
from itertools import cycle

import pytest

JUNK = (5, "x", [], ["a"], True, {"a": 1}, {})
"""Each part is replaced by one of these in turn, and by null."""


def _profile(**more):
    return {"type": "profile", "attributes": {"email": "a@shop.example", "phone_number": "+447700900001", **more}}


def _job(kind, profile, **relationships):
    related = {name: {"data": data} for name, data in relationships.items()}
    return {
        "type": f"profile-{kind}",
        "attributes": {"profiles": {"data": [profile]}},
        **({"relationships": related} if related else {}),
    }


def _said(consent):
    return {name: {"marketing": {"consent": consent}} for name in ("email", "sms")}


LIST = {"type": "list", "id": "none"}
BODIES = {
    "profiles": _profile(location={"city": "Leeds"}, properties={"a": 1}),
    "profile-import": {**_profile(), "id": None, "meta": {"patch_properties": {"append": {"a": 1}, "unset": ["b"]}}},
    "profile-bulk-import-jobs": _job("bulk-import-job", {**_profile(), "id": None, "meta": None}, lists=[LIST]),
    "profile-subscription-bulk-create-jobs": _job(
        "subscription-bulk-create-job", {**_profile(subscriptions=_said("SUBSCRIBED")), "id": None}, list=LIST
    ),
    "profile-subscription-bulk-delete-jobs": _job(
        "subscription-bulk-delete-job", _profile(subscriptions=_said("UNSUBSCRIBED"))
    ),
    "profile-suppression-bulk-create-jobs": _job("suppression-bulk-create-job", _profile()),
    "profile-suppression-bulk-delete-jobs": _job("suppression-bulk-delete-job", _profile(), list=LIST),
    "lists": {"type": "list", "attributes": {"name": "News", "opt_in_process": "single_opt_in"}},
}


def _places(part, at=()):
    """The ways to every part of a body."""
    yield at
    pairs = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for name, inner in pairs:
        yield from _places(inner, (*at, name))


def _with(body, place, value):
    whole = {"data": copy.deepcopy(body)}
    target, last = whole, "data"
    for name in place:
        target, last = target[last], name
    target[last] = value
    return whole


@pytest.mark.parametrize("path", BODIES)
def test_bodies_of_junk(quietly, path):
    for place, junk in zip(_places(BODIES[path]), cycle(JUNK), strict=False):
        assert quietly("POST", path, json=_with(BODIES[path], place, junk)) < 500
        assert quietly("POST", path, json=_with(BODIES[path], place, None)) < 500
    assert quietly("GET", "accounts") == 200


@pytest.mark.parametrize("path", ["profiles", "lists", "profile-bulk-import-jobs", "nowhere"])
def test_queries_of_junk(quietly, path):
    for junk in ("", "(((", "and()", "any(id,['a'", "équals(id,'a')", "W10=", "WzEsMl0="):
        for name in ("filter", "sort", "page[size]", "page[cursor]", "fields[profile]"):
            assert quietly("GET", path, params={name: junk}) < 500


@pytest.fixture
def quietly(account):
    """Ask, and return the status; a refusal must say why in JSON:API."""

    def ask(method, path, **asked):
        answer = account.http.request(method, path, **asked)
        assert answer.status_code < 500, f"{asked}: {answer.text}"
        if answer.status_code >= 400:
            assert answer.json()["errors"][0]["code"]
        return answer.status_code

    return ask
