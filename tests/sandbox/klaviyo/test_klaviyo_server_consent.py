"""Consent and suppression jobs, with the three traps that a careless caller steps into."""

from __future__ import annotations

import pytest

from onevoice.sandbox.klaviyo import finish_due_jobs

SUBSCRIBE, UNSUBSCRIBE, SUPPRESS, UNSUPPRESS = (
    "profile-subscription-bulk-create-job",
    "profile-subscription-bulk-delete-job",
    "profile-suppression-bulk-create-job",
    "profile-suppression-bulk-delete-job",
)
REASONS = ("HARD_BOUNCE", "INVALID_EMAIL", "SPAM_COMPLAINT", "UNSUBSCRIBE", "USER_SUPPRESSED")
THEN = "2026-11-01T08:00:00+00:00"


def _consenting(consent, *, sms=None, at=None, **identifiers):
    said = {"marketing": {"consent": consent, **({"consented_at": at} if at else {})}}
    channels = {"sms" if name == "phone_number" else name: said for name in identifiers if name != "id"}
    return {"type": "profile", "attributes": {**identifiers, "subscriptions": channels}}


def _people(*profiles, **more):
    return {"profiles": {"data": list(profiles)}, **more}


def _addresses(*emails):
    return _people(*({"type": "profile", "attributes": {"email": email}} for email in emails))


def _email(account, key):
    """E-mail consent as the API tells it, once all jobs are done."""
    account.settle()
    asked = {"additional-fields[profile]": "subscriptions"}
    return account.get(f"profiles/{key}", **asked)["data"]["attributes"]["subscriptions"]["email"]["marketing"]


def _suppressed(account, *reasons, consent="UNSUBSCRIBED"):
    """A profile with these suppressions."""
    entries = [{"reason": reason, "timestamp": THEN} for reason in reasons]
    return account.profile(email="a@shop.example", email_marketing={"consent": consent, "suppression": entries})


def _list(account, **more):
    return account.post("lists", {"type": "list", "attributes": {"name": "News", **more}}, 201)["data"]["id"]


def test_subscribing_takes_away_the_no_and_the_complaint_but_no_bounce(account):
    key = _suppressed(account, *REASONS)
    account.do(SUBSCRIBE, _people(_consenting("SUBSCRIBED", email="A@shop.example")))
    told = _email(account, key)
    assert told["consent"] == "SUBSCRIBED"
    assert [one["reason"] for one in told["suppression"]] == ["HARD_BOUNCE", "INVALID_EMAIL"]
    assert told["can_receive_email_marketing"] is False


def test_who_said_no_gets_mail_again_after_a_careless_subscribe(account):
    key = _suppressed(account, "UNSUBSCRIBE", "SPAM_COMPLAINT", "USER_SUPPRESSED")
    assert _email(account, key)["can_receive_email_marketing"] is False
    account.do(SUBSCRIBE, _people(_consenting("SUBSCRIBED", email="a@shop.example")))
    assert _email(account, key)["can_receive_email_marketing"] is True


def test_a_historical_import_brings_the_time_of_the_yes(account):
    old = _consenting("SUBSCRIBED", email="a@shop.example", at=THEN)
    account.do(SUBSCRIBE, _people(old), 400)
    account.do(SUBSCRIBE, _people(_consenting("SUBSCRIBED", email="a@shop.example"), historical_import=True), 400)
    future = _consenting("SUBSCRIBED", email="a@shop.example", at="2027-01-01T00:00:00Z")
    account.do(SUBSCRIBE, _people(future, historical_import=True), 400)
    account.do(SUBSCRIBE, _people(old, historical_import=True))
    account.settle()
    account.get("lists")
    (key,) = account.state.tables["profiles"].rows
    assert _email(account, key)["consent_timestamp"] == THEN


def test_a_double_opt_in_list_asks_first(account):
    double = _list(account, opt_in_process="double_opt_in")
    key = account.profile(email="a@shop.example")
    account.do(SUBSCRIBE, _people(_consenting("SUBSCRIBED", email="a@shop.example")), list=double)
    assert _email(account, key)["consent"] == "NEVER_SUBSCRIBED"
    assert account.get(f"lists/{double}/profiles")["data"] == []


def test_unsubscribing_is_for_one_channel(account):
    sms = {"consent": "SUBSCRIBED"}
    key = account.profile(email="a@shop.example", phone_number="+447700900001", sms_marketing=sms)
    account.do(UNSUBSCRIBE, _people(_consenting("UNSUBSCRIBED", email="a@shop.example")))
    assert [one["reason"] for one in _email(account, key)["suppression"]] == ["UNSUBSCRIBE"]
    assert account.row(key)["sms_marketing"] == sms
    account.do(UNSUBSCRIBE, _people(_consenting("UNSUBSCRIBED", phone_number="+447700900001")))
    account.settle()
    finish_due_jobs(account.state)
    assert account.row(key)["sms_marketing"]["consent"] == "UNSUBSCRIBED"
    assert "suppression" not in account.row(key)["sms_marketing"]


def test_unsubscribing_with_a_list_hits_everything_for_those_not_on_it(account):
    news = _list(account)
    on_list, elsewhere = (
        account.profile(email=f"{name}@shop.example", email_marketing={"consent": "SUBSCRIBED"}) for name in "ab"
    )
    account.post(f"lists/{news}/relationships/profiles", [{"type": "profile", "id": on_list}], 204)
    both = (_consenting("UNSUBSCRIBED", email=f"{name}@shop.example") for name in "ab")
    account.do(UNSUBSCRIBE, _people(*both), list=news)
    member, stranger = _email(account, on_list), _email(account, elsewhere)
    assert (member["consent"], member["suppression"]) == ("SUBSCRIBED", [])
    assert [(one["list_id"], one["reason"]) for one in member["list_suppressions"]] == [(news, "UNSUBSCRIBE")]
    assert account.get(f"lists/{news}/profiles")["data"] == []
    assert (stranger["consent"], stranger["can_receive_email_marketing"]) == ("UNSUBSCRIBED", False)


def test_suppressing_leaves_consent_alone_and_makes_profiles_for_new_addresses(account):
    key = account.profile(email="a@shop.example", email_marketing={"consent": "SUBSCRIBED"})
    job = account.do(SUPPRESS, _addresses("A@shop.example", "new@shop.example"))["data"]
    told = _email(account, key)
    assert (told["consent"], told["can_receive_email_marketing"]) == ("SUBSCRIBED", False)
    assert [one["reason"] for one in told["suppression"]] == ["USER_SUPPRESSED"]
    assert {row["email"] for row in account.state.tables["profiles"].rows.values()} == {
        "a@shop.example",
        "new@shop.example",
    }
    again = account.do(SUPPRESS, _addresses("a@shop.example"))["data"]
    account.settle()
    counts = [account.get(f"{SUPPRESS}s/{one['id']}")["data"]["attributes"] for one in (job, again)]
    assert [(one["status"], one["completed_count"], one["skipped_count"]) for one in counts] == [
        ("complete", 2, 0),
        ("complete", 0, 1),
    ]


def test_unsuppressing_lifts_what_a_user_set_and_nothing_else(account):
    key = _suppressed(account, *REASONS)
    account.do(UNSUPPRESS, _addresses("a@shop.example", "nobody@shop.example"))
    assert [one["reason"] for one in _email(account, key)["suppression"]] == list(REASONS[:-1])
    assert len(account.state.tables["profiles"].rows) == 1


def test_a_whole_list_can_be_suppressed(account):
    news = _list(account)
    keys = [account.profile(email=f"p{n}@shop.example") for n in range(150)]
    account.post(f"lists/{news}/relationships/profiles", [{"type": "profile", "id": key} for key in keys], 204)
    account.do(SUPPRESS, {}, list=news)
    assert not any(_email(account, key)["can_receive_email_marketing"] for key in keys[::50])


@pytest.mark.parametrize(("kind", "most"), [(SUBSCRIBE, 1000), (UNSUBSCRIBE, 100), (SUPPRESS, 100), (UNSUPPRESS, 100)])
def test_each_job_has_its_most(account, kind, most):
    consent = "SUBSCRIBED" if kind == SUBSCRIBE else "UNSUBSCRIBED"
    one = _consenting(consent, email="a@shop.example")
    if kind in {SUPPRESS, UNSUPPRESS}:
        one = _addresses("a@shop.example")["profiles"]["data"][0]
    account.do(kind, _people(*[one] * most))
    account.do(kind, _people(*[one] * (most + 1)), 400)
    assert len(account.state.tables["jobs"].rows) == 1, "the second job was not taken"


@pytest.mark.parametrize("attributes", [_people(), _addresses("nobody"), {}, {"profiles": {"data": [5]}}])
def test_suppressions_that_are_not_taken(account, attributes):
    account.do(SUPPRESS, attributes, 400)
    assert not account.state.tables["jobs"].rows


def test_consent_that_is_not_taken(account):
    for wrong in (
        _consenting("UNSUBSCRIBED", email="a@shop.example"),
        {"type": "profile", "attributes": {"email": "a@shop.example"}},
        {"type": "profile", "attributes": {"subscriptions": {"email": {"marketing": {"consent": "SUBSCRIBED"}}}}},
    ):
        account.do(SUBSCRIBE, _people(wrong), 400)
    stranger = {**_consenting("SUBSCRIBED", email="a@shop.example"), "id": "01NOBODY"}
    account.do(SUBSCRIBE, _people(stranger), 404)
    assert not account.state.tables["jobs"].rows


def test_lists(account):
    names = [account.post("lists", {"type": "list", "attributes": {"name": f"L{n:02}"}}, 201) for n in range(12)]
    first = account.get("lists", sort="name")
    second = account.http.get(first["links"]["next"]).json()
    assert [one["attributes"]["name"] for one in first["data"] + second["data"]] == [f"L{n:02}" for n in range(12)]
    assert len(account.get("lists", filter="any(name,['L03','L04'])")["data"]) == 2
    key, profile = names[0]["data"]["id"], account.profile(email="a@shop.example")
    member = [{"type": "profile", "id": profile}]
    account.post(f"lists/{key}/relationships/profiles", member, 204)
    counted = account.get(f"lists/{key}", **{"additional-fields[list]": "profile_count"})
    assert counted["data"]["attributes"]["profile_count"] == 1
    (shown,) = account.get(f"lists/{key}/profiles", filter="equals(email,'a@shop.example')")["data"]
    assert shown["attributes"]["joined_group_at"] > THEN
    assert account.get(f"profiles/{profile}/relationships/lists")["data"] == [{"type": "list", "id": key}]
    answer = account.http.request("DELETE", f"lists/{key}/relationships/profiles", json={"data": member})
    assert answer.status_code == 204
    assert account.get(f"lists/{key}/relationships/profiles")["data"] == []
    account.post(f"lists/{key}/relationships/profiles", [{"type": "profile", "id": "01NOBODY"}], 404)
    account.post("lists", {"type": "list", "attributes": {"name": " "}}, 400)
    account.get("lists/none", 404)
