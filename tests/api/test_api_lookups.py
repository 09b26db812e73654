"""Finding customers: every kind of identifier, several people behind one, nobody behind another."""

from __future__ import annotations

from typing import Any

import pytest

JAMES = {
    "email": {"email": "JAMES.HALE@example.org "},
    "phone": {"phone": "+44 7700 900123"},
    "national phone": {"phone": "07700 900123"},
    "card": {"card": "club 10472"},
    "record": {"system": "hubspot", "stream": "contacts", "key": "1"},
    "a record that belongs to one": {"system": "salesforce", "stream": "LoyaltyMemberTier", "key": "t1"},
}


@pytest.mark.parametrize("named", JAMES.values(), ids=JAMES.keys())
@pytest.mark.parametrize("by", ["query", "body"])
def test_every_kind_of_identifier_finds_the_one_customer(town: Any, named: dict[str, str], by: str) -> None:
    answer = town.get("/v1/profiles", params=named) if by == "query" else town.post("/v1/profiles:lookup", named)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["total"] == 1
    assert found["complete"] is True
    [candidate] = found["candidates"]
    profile = candidate["profile"]
    assert profile["profile_id"] == town.id_of("salesforce/Contact/c1") == town.id_of("hubspot/contacts/1")
    assert profile["customer"]["email"]["value"] == "james.hale@example.org"
    assert profile["records"] == 2
    assert candidate["match"]["shared_with"] == 0


def test_an_identifier_shared_by_several_names_all_and_picks_none(town: Any) -> None:
    found = town.get("/v1/profiles", params={"phone": "07700 900456"}).json()
    assert found["total"] == 2
    names = {c["profile"]["customer"]["given_name"]["value"] for c in found["candidates"]}
    assert names == {"Ann", "Bob"}
    assert [c["match"]["shared_with"] for c in found["candidates"]] == [1, 1]
    assert {r["key"] for c in found["candidates"] for r in c["match"]["records"]} == {"c2", "c3"}


NOBODY = {
    "email": {"email": "nobody@example.org"},
    "no address": {"email": "nobody"},
    "phone": {"phone": "+44 20 7946 0000"},
    "no number": {"phone": "12"},
    "card": {"card": "CLUB-99999"},
    "record": {"system": "hubspot", "stream": "contacts", "key": "404"},
    "no system": {"system": "fax", "stream": "x", "key": "1"},
}


@pytest.mark.parametrize("named", NOBODY.values(), ids=NOBODY.keys())
def test_nobody_is_a_404(town: Any, named: dict[str, str]) -> None:
    answer = town.get("/v1/profiles", params=named)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:onevoice:problem:not-found"


WRONG = [
    {},
    {"email": "a@b.example", "phone": "07700 900123"},
    {"email": "a@b.example", "system": "hubspot", "stream": "contacts", "key": "1"},
    {"system": "hubspot", "key": "1"},
    {"system": "hub/spot", "stream": "contacts", "key": "1"},
    {"mail": "a@b.example"},
]


@pytest.mark.parametrize("named", WRONG)
def test_not_exactly_one_identifier_is_a_422(town: Any, named: dict[str, str]) -> None:
    for answer in (town.get("/v1/profiles", params=named), town.post("/v1/profiles:lookup", named)):
        assert answer.status_code == 422
        assert answer.json()["errors"]
        assert "a@b.example" not in answer.text


def test_what_is_known_carries_its_age_and_where_it_comes_from(town: Any) -> None:
    james = town.id_of("salesforce/Contact/c1")
    profile = town.get(f"/v1/profiles/{james}").json()
    moment = town.hub.as_of.isoformat().replace("+00:00", "Z")
    assert profile["customer"]["given_name"]["as_of"] == moment
    [club] = profile["memberships"]
    assert (club["is_member"], club["tier"], club["member_since"]) == (True, "gold", "2024-03-01")
    assert club["as_of"] == moment
    sources = town.get(f"/v1/profiles/{james}/sources").json()["sources"]
    assert [(s["record"]["system"], s["record"]["key"]) for s in sources] == [("hubspot", "1"), ("salesforce", "c1")]
    assert sources[1]["customer"]["street"] == "1 High Street"
    assert sources[1]["as_of"] == moment
    fields = town.get(f"/v1/profiles/{james}/provenance").json()["fields"]
    assert fields["street"]["source"] == {"system": "salesforce", "stream": "Contact", "key": "c1"}
    assert fields["street"]["value"] == "1 High Street"
    assert fields["street"]["rule"]


def test_an_opt_out_is_told_with_its_evidence(town: Any) -> None:
    zoe = town.get(f"/v1/profiles/{town.id_of('salesforce/Contact/c4')}").json()
    whole = [o for o in zoe["objections"] if o["reaches"] == "customer"]
    assert [(o["channel"], o["purpose"], o["opted_out"]) for o in whole] == [("email", "marketing", True)]
    assert whole[0]["stated_in"] == {"system": "salesforce", "stream": "Contact", "key": "c4"}
    at = [o["contact_point"] for o in zoe["objections"] if o["reaches"] == "contact_point"]
    assert at == ["zoe@quill.example"]


def test_asking_again_for_the_same_costs_no_body(town: Any) -> None:
    path = f"/v1/profiles/{town.id_of('salesforce/Contact/c1')}"
    first = town.get(path)
    tag = first.headers["etag"]
    again = town.get(path, headers={"If-None-Match": f'"other", W/{tag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert town.get(path, headers={"If-None-Match": '"other"'}).status_code == 200
    masked = town.get(path, key=town.key("profiles:read"), headers={"If-None-Match": tag})
    assert masked.status_code == 200, "the tag of what others see must not answer for this caller"


def test_an_id_that_nobody_ever_had(town: Any) -> None:
    for rest in ("", "/sources", "/provenance", "/decisions", "/history", "/service-view"):
        answer = town.get(f"/v1/profiles/0123456789abcdef0123{rest}")
        assert (answer.status_code, answer.json()["status"]) == (404, 404)
