"""May this offer reach this customer? Rules, contact points, people who share an identifier, people nobody knows."""

from __future__ import annotations

from typing import Any

import pytest


def check(api: Any, **question: Any) -> dict[str, Any]:
    answer = api.post("/v1/offers:check", {"checks": [{"channel": "email", **question}]})
    assert answer.status_code == 200, answer.text
    [result] = answer.json()["results"]
    return dict(result)


def test_a_member_is_not_invited_to_join(town: Any) -> None:
    james = town.id_of("salesforce/Contact/c1")
    found = check(town, profile_id=james, family="join")
    assert (found["result"], found["profile_ids"], found["shared"]) == ("deny", [james], False)
    assert found["reasons"][0]["rule"] == "already_member"
    assert found["reasons"][0]["layer"] == "integrity"
    assert found["reasons"][0]["sentence"] == "The customer is a member of the club already."
    assert found["reasons"][0]["until"] is None
    assert found["as_of"] == town.hub.as_of.isoformat().replace("+00:00", "Z")


def test_what_nothing_denies_is_allowed(town: Any) -> None:
    found = check(town, email="james.hale@example.org", family="newsletter")
    assert (found["result"], found["reasons"], found["note"]) == ("allow", [], None)


def test_many_questions_are_answered_in_their_order(town: Any) -> None:
    questions = [
        {"email": "james.hale@example.org", "family": "join", "channel": "email"},
        {"email": "james.hale@example.org", "family": "newsletter", "channel": "email"},
        {"card": "CLUB-10472", "family": "join", "channel": "email"},
    ]
    answer = town.post("/v1/offers:check", {"checks": questions}).json()
    assert [result["result"] for result in answer["results"]] == ["deny", "allow", "deny"]
    assert answer["policy"] == town.hub.policy.version


def test_of_people_who_share_a_number_one_denied_is_all_denied_and_it_says_so(town: Any) -> None:
    ann = check(town, email="ann@moss.example", family="newsletter")
    assert ann["result"] == "allow", "Ann by herself may be written to"
    both = check(town, phone="07700 900456", family="newsletter")
    assert (both["result"], both["shared"]) == ("deny", True)
    assert len(both["profile_ids"]) == 2
    assert both["note"].startswith("2 customers share this phone")
    assert {reason["profile_id"] for reason in both["reasons"]} == {town.id_of("salesforce/Contact/c3")}


def test_an_address_on_which_somebody_opted_out_takes_no_marketing_whoever_it_is_for(town: Any) -> None:
    james = town.id_of("salesforce/Contact/c1")
    found = check(town, profile_id=james, family="newsletter", contact_point="Zoe@Quill.example")
    assert found["result"] == "deny"
    assert found["reasons"] == [
        {
            "sentence": "Somebody opted out on this very address.",
            "rule": "contact_point_opted_out",
            "layer": "consent",
            "until": None,
            "profile_id": None,
        }
    ]
    assert (
        check(town, profile_id=james, family="newsletter", contact_point="james.hale@example.org")["result"] == "allow"
    )


def test_a_number_for_which_nobody_asked_takes_no_text_message(town: Any) -> None:
    james = town.id_of("salesforce/Contact/c1")
    found = check(town, profile_id=james, family="discount", channel="sms", contact_point="07700 900456")
    assert [reason["rule"] for reason in found["reasons"]] == ["contact_point_not_asked_for", "texts_not_allowed"]


@pytest.mark.parametrize("who", [{"email": "new@example.org"}, {"profile_id": "0123456789"}, {"phone": "12"}])
def test_whoever_is_not_known_is_denied_and_it_says_why(town: Any, who: dict[str, str]) -> None:
    found = check(town, family="newsletter", **who)
    assert (found["result"], found["profile_ids"], found["as_of"]) == ("deny", [], None)
    assert [reason["rule"] for reason in found["reasons"]] == ["unknown_customer"]


@pytest.mark.parametrize(
    ("question", "where"),
    [
        ({"email": "a@b.example", "family": "lottery"}, "body.checks.0.family"),
        ({"email": "a@b.example", "family": "join", "channel": "fax"}, "body.checks.0.channel"),
        ({"family": "join"}, "body.checks.0"),
        ({"family": "join", "profile_id": "1", "email": "a@b.example"}, "body.checks.0"),
        ({"family": "join", "profile_id": "../x"}, "body.checks.0.profile_id"),
        ({"family": "join", "email": "a@b.example", "colour": "red"}, "body.checks.0.colour"),
        ({"family": "join", "email": 7}, "body.checks.0.email"),
    ],
)
def test_a_question_that_makes_no_sense_is_a_422_that_says_where(town: Any, question: Any, where: str) -> None:
    answer = town.post("/v1/offers:check", {"checks": [{"channel": "email", **question}]})
    assert answer.status_code == 422
    assert [error["where"] for error in answer.json()["errors"]] == [where]
    assert "a@b.example" not in answer.text


def test_decisions_cover_every_offer_and_explain_themselves(town: Any) -> None:
    james = town.get(f"/v1/profiles/{town.id_of('salesforce/Contact/c1')}/decisions").json()
    offers = town.hub.config.offers
    places = [(family, channel) for family in offers.families for channel in offers.channels_of(family)]
    assert [(d["family"], d["channel"]) for d in james["decisions"]] == places
    by_place = {(d["family"], d["channel"]): d for d in james["decisions"]}
    join = by_place["join", "email"]
    assert (join["result"], join["sole_blocker"]) == ("deny", "already_member")
    assert join["reasons"][0]["sentence"] == "The customer is a member of the club already."
    assert join["outlook"].startswith("Stays so until")
    win_back = by_place["win_back", "email"]
    assert win_back["result"] == "deny"
    assert "2026" in win_back["reasons"][0]["sentence"] or "gold" in win_back["reasons"][0]["sentence"]
    assert james["policy"] == james["stored_policy"] == town.hub.policy.version
    for decision in james["decisions"]:
        asked = check(town, profile_id=james["profile_id"], family=decision["family"], channel=decision["channel"])
        assert asked["result"] == decision["result"]
        assert [r["rule"] for r in asked["reasons"]] == [r["rule"] for r in decision["reasons"]]
