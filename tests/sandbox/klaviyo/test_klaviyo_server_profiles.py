"""Profiles: read in pages, filtered, made, changed; every exchange is judged by Klaviyo's description."""

from __future__ import annotations

from datetime import timedelta

import pytest

from loopback import caller

LONG_AGO = "2026-11-19T09:00:00+00:00"


def _profile(key=None, **attributes):
    return {"type": "profile", "attributes": attributes, **({"id": key} if key else {})}


def _emails(answer):
    return [one["attributes"]["email"] for one in answer["data"]]


def test_pages_lead_through_all_profiles_and_each_comes_once(account):
    keys = [account.profile(email=f"p{n}@shop.example") for n in range(45)]
    assert len(account.get("profiles")["data"]) == 20
    answer, found = account.get("profiles", **{"page[size]": "10", "sort": "-email"}), []
    while True:
        found += [one["id"] for one in answer["data"]]
        if "next" not in answer["links"]:
            break
        answer = account.http.get(answer["links"]["next"]).json()
    assert sorted(found) == sorted(keys)
    assert found == sorted(keys, key=lambda key: account.row(key)["email"], reverse=True)


@pytest.mark.parametrize("size", ["0", "101", "ten"])
def test_page_sizes_have_bounds(account, size):
    error = account.get("profiles", 400, **{"page[size]": size})["errors"][0]
    assert error["source"] == {"parameter": "page[size]"}


def test_bounds_of_times_are_left_out_and_the_index_lags(account):
    old = account.profile(email="old@shop.example")
    new = account.profile(email="new@shop.example")
    account.post("profile-import", _profile(new, first_name="Ada"), 200)
    assert account.row(new)["first_name"] == account.get(f"profiles/{new}")["data"]["attributes"]["first_name"]
    since = {"filter": f"greater-than(updated,{LONG_AGO})", "sort": "updated"}
    assert account.get("profiles", **since)["data"] == []
    account.state.clock.advance(3)
    assert [one["id"] for one in account.get("profiles", **since)["data"]] == [new]
    before = {"filter": f"less-than(created,{LONG_AGO})"}
    assert account.get("profiles", **before)["data"] == []
    assert account.row(old)["updated"] == LONG_AGO
    a_second_less = "2026-11-19T08:59:59Z"
    assert len(account.get("profiles", filter=f"greater-than(updated,{a_second_less})")["data"]) == 2


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('equals(email,"A@shop.example")', ["a@shop.example"]),
        ("any(email,['a@shop.example',\"c@shop.example\"])", ["a@shop.example", "c@shop.example"]),
        ('equals(phone_number,"+447700900001")', ["b@shop.example"]),
        ('any(external_id,["x","7"])', ["c@shop.example"]),
        ("and(equals(email,'a@shop.example'),equals(external_id,'7'))", []),
        ("equals(email,'a@shop.example'),greater-than(updated,2026-11-01)", ["a@shop.example"]),
        ("equals(subscriptions.email.marketing.suppression.reason,'HARD_BOUNCE')", ["b@shop.example"]),
        (
            "greater-or-equal(subscriptions.email.marketing.suppression.timestamp,2026-11-02T00:00:00Z)",
            ["b@shop.example"],
        ),
    ],
)
def test_filters(account, text, found):
    account.profile(email="a@shop.example")
    bounced = {"suppression": [{"reason": "HARD_BOUNCE", "timestamp": "2026-11-02T00:00:00+00:00"}]}
    account.profile(email="b@shop.example", phone_number="+447700900001", email_marketing=bounced)
    account.profile(email="c@shop.example", external_id="7")
    assert _emails(account.get("profiles", filter=text, sort="email")) == found


@pytest.mark.parametrize(
    "text",
    [
        "greater-than(updated,'2026-11-19T09:00:00Z')",
        "greater-or-equal(updated,2026-11-19T09:00:00Z)",
        "greater-than(updated,yesterday)",
        "equals(email,a@shop.example)",
        "equals(first_name,'Ada')",
        "any(email,'a@shop.example')",
        "equals(email,'a'",
        "email = 'a'",
        "any(id,[])",
    ],
)
def test_filters_that_klaviyo_does_not_understand(account, text):
    error = account.get("profiles", 400, filter=text)["errors"][0]
    assert (error["code"], error["source"]) == ("invalid", {"parameter": "filter"})


def test_what_is_shown_is_asked_for(account):
    key = account.profile(email="a@shop.example", properties={"tier": "gold"}, location={"city": "Leeds"})
    plain = account.get(f"profiles/{key}")["data"]["attributes"]
    assert "subscriptions" not in plain
    assert plain["location"]["city"] == "Leeds"
    sparse = {"fields[profile]": "email,location.city,subscriptions.sms"}
    assert account.get(f"profiles/{key}", **sparse)["data"]["attributes"] == {
        "email": "a@shop.example",
        "location": {"city": "Leeds"},
    }
    both = {**sparse, "additional-fields[profile]": "subscriptions"}
    shown = account.get("profiles", **both)["data"][0]["attributes"]
    assert list(shown["subscriptions"]) == ["sms"]
    assert shown["subscriptions"]["sms"]["marketing"]["consent"] == "NEVER_SUBSCRIBED"
    account.get("profiles", 400, **{"fields[profile]": "shoe_size"})
    account.get("profiles", 400, **{"additional-fields[profile]": "predictive_analytics"})
    account.get("profiles", 400, limit="5")


def test_consent_and_suppression_are_told_apart(account):
    yes = {"consent": "SUBSCRIBED", "consent_timestamp": LONG_AGO, "method": "PREFERENCE_PAGE"}
    bounced = {"reason": "HARD_BOUNCE", "timestamp": LONG_AGO}
    rows = {
        "yes": {"email_marketing": yes},
        "never": {},
        "bounced": {"email_marketing": {**yes, "suppression": [bounced]}},
        "no": {"email_marketing": {"consent": "UNSUBSCRIBED"}},
    }
    told = {}
    for name, fields in rows.items():
        key = account.profile(email=f"{name}@shop.example", phone_number=f"+4477009{len(name):05}", **fields)
        asked = {"additional-fields[profile]": "subscriptions"}
        told[name] = account.get(f"profiles/{key}", **asked)["data"]["attributes"]["subscriptions"]
    can = {name: one["email"]["marketing"]["can_receive_email_marketing"] for name, one in told.items()}
    assert can == {"yes": True, "never": True, "bounced": False, "no": False}
    assert told["bounced"]["email"]["marketing"]["consent"] == "SUBSCRIBED"
    assert told["bounced"]["email"]["marketing"]["suppression"] == [bounced]
    assert told["yes"]["sms"]["marketing"]["can_receive_sms_marketing"] is False


def test_create_refuses_a_second_profile_with_the_same_identifier(account):
    made = account.post("profiles", _profile(email="New@shop.example", properties={"a": 1}), 201)["data"]
    assert account.row(made["id"])["properties"] == {"a": 1}
    error = account.post("profiles", _profile(email="new@SHOP.example"), 409)["errors"][0]
    assert (error["code"], error["meta"]) == ("duplicate_profile", {"duplicate_profile_id": made["id"]})


def test_upsert_finds_by_id_or_identifier_and_null_clears_while_absent_keeps(account):
    made = account.post("profile-import", _profile(email="a@shop.example", first_name="Ada", title="Dr"), 201)
    key = made["data"]["id"]
    account.post("profile-import", _profile(email="A@shop.example", title=None, properties={"x": 1, "y": [2]}), 200)
    account.post("profile-import", _profile(key, properties={"x": None}), 200)
    row = account.row(key)
    assert (row["first_name"], row["title"], row["properties"]) == ("Ada", None, {"y": [2]})
    account.post("profile-import", _profile("01NOBODY", first_name="Eve"), 404)
    account.post("profile-import", _profile(first_name="Eve"), 400)
    other = account.profile(phone_number="+447700900002")
    account.post("profile-import", _profile(email="a@shop.example", phone_number="+447700900002"), 409)
    assert account.row(other)["phone_number"] == "+447700900002"


def test_update_patches_properties(account):
    key = account.profile(email="a@shop.example", properties={"skus": ["1", "2"], "gone": True})
    patch = {"append": {"skus": "3"}, "unappend": {"skus": ["1"]}, "unset": "gone"}
    data = {**_profile(key, last_name="B"), "meta": {"patch_properties": patch}}
    answer = account.http.patch(f"profiles/{key}", json={"data": data})
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"]["attributes"]["properties"] == {"skus": ["2", "3"]}
    assert account.http.patch(f"profiles/{key}", json={"data": _profile("other")}).status_code == 400
    assert account.http.patch("profiles/other", json={"data": _profile("other")}).status_code == 404


@pytest.mark.parametrize(
    "attributes",
    [
        {"email": "nobody"},
        {"email": "a@shop.example", "phone_number": "07700 900001"},
        {"email": "a@shop.example", "first_name": 5},
        {"email": "a@shop.example", "shoe_size": 44},
        {"email": "a@shop.example", "properties": ["a"]},
        {"email": "a@shop.example", "location": {"planet": "Mars"}},
    ],
)
def test_attributes_that_are_not_taken(account, attributes):
    error = account.post("profiles", _profile(**attributes), 400)["errors"][0]
    name = list(attributes)[-1]
    assert error["source"] == {"pointer": f"/data/attributes/{name}"}
    assert not account.state.tables["profiles"].rows


def test_bodies_that_are_not_taken(account):
    post = account.http.post
    assert post("profiles", content=b"{", headers={}).json()["errors"][0]["code"] == "parse_error"
    assert post("profiles", json=[]).status_code == 400
    assert post("profiles", json={"data": {"type": "profil", "attributes": {}}}).status_code == 400
    assert post("profiles", json={"data": {}}, headers={"Content-Type": "application/json"}).status_code == 415
    assert account.post("profiles", _profile(email="a@shop.example", title="x" * 102_401), 413)


def test_key_and_revision_are_required(account):
    def said(**headers):
        with caller(f"{account.url}/api") as stranger:
            answer = stranger.get("profiles", headers=headers)
        return answer.status_code, answer.json()["errors"][0]["code"] if answer.is_error else None

    key, stranger = account.http.headers["Authorization"], (401, "not_authenticated")
    assert said(revision="2026-07-15") == stranger
    assert said(revision="2026-07-15", Authorization="Klaviyo-API-Key pk_other") == stranger
    assert said(revision="2026-07-15", Authorization=key.replace("Klaviyo-API-Key", "Bearer")) == stranger
    assert said(Authorization=key) == (400, "missing_revision")
    assert said(Authorization=key, revision="2019-01-01") == (400, "invalid_revision")
    assert said(Authorization=key, revision="2026-07-15") == (200, None)


def test_who_am_i_and_what_is_not_there(account):
    (mine,) = account.get("accounts")["data"]
    assert account.get(f"accounts/{mine['id']}")["data"] == mine
    account.get("accounts/other", 404)
    account.get("segments", 404)
    account.get("profiles/01NOBODY", 404)


def test_times_are_whole_seconds(account):
    made = account.post("profiles", _profile(email="a@shop.example"), 201)["data"]["attributes"]
    account.state.clock.advance(timedelta(hours=1).total_seconds())
    assert made["created"] == made["updated"]
    assert len(made["created"]) == len(LONG_AGO)
    assert made["created"].endswith("+00:00")
