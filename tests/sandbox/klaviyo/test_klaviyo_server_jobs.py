"""Import jobs: taken, queued, worked off; what they could not write is told profile by profile."""

from __future__ import annotations

import pytest

IMPORT = "profile-bulk-import-job"


def _import(account, *profiles, status=202, **relationships):
    data = {"type": IMPORT, "attributes": {"profiles": {"data": list(profiles)}}}
    if relationships:
        data["relationships"] = relationships
    return account.post(f"{IMPORT}s", data, status)


def _profile(key=None, **attributes):
    return {"type": "profile", "attributes": attributes, **({"id": key} if key else {})}


def _status(account, job):
    return account.get(f"{IMPORT}s/{job}")["data"]["attributes"]


def test_a_job_is_queued_then_processing_then_complete(account):
    account.state.faults.limits_on = True
    key = account.profile(email="a@shop.example")
    taken = _import(account, _profile(key, properties={"onevoice_tier": "gold"}))["data"]
    assert taken["attributes"]["status"] == "queued"
    account.state.clock.advance(0.35)
    assert _status(account, taken["id"])["status"] == "processing"
    assert "properties" not in account.row(key)
    account.state.clock.advance(1)
    told = _status(account, taken["id"])
    assert (told["status"], told["total_count"], told["completed_count"], told["failed_count"]) == ("complete", 1, 1, 0)
    assert account.row(key)["properties"] == {"onevoice_tier": "gold"}
    assert account.state.api_writes.values["profiles", key] == {"properties": {"onevoice_tier": "gold"}}


def test_profiles_are_made_or_changed_null_clears_and_absent_keeps(account):
    known = account.profile(email="a@shop.example", first_name="Ada", properties={"x": 1, "y": 2})
    job = _import(
        account,
        _profile(known, properties={"x": None, "z": 3}),
        _profile(email="new@shop.example", first_name="New"),
        _profile(email="NEW@shop.example", last_name="Er"),
    )["data"]["id"]
    assert _status(account, job)["status"] == "complete"
    assert account.row(known)["properties"] == {"y": 2, "z": 3}
    assert account.row(known)["first_name"] == "Ada"
    written = [one["id"] for one in account.get(f"{IMPORT}s/{job}/relationships/profiles")["data"]]
    assert written[0] == known
    assert len(written) == 2
    assert (account.row(written[1])["first_name"], account.row(written[1])["last_name"]) == ("New", "Er")


def test_profiles_that_cannot_be_written_are_told_and_the_rest_is_written(account):
    taken = account.profile(email="taken@shop.example")
    good = account.profile(email="good@shop.example")
    sent = [
        _profile("01NOBODY", properties={"a": 1}),
        _profile(good, properties={"a": 1}),
        _profile(good, email="taken@shop.example"),
        _profile(email="nobody"),
        _profile(first_name="Nobody"),
    ]
    job = _import(account, *sent)["data"]["id"]
    told = _status(account, job)
    assert (told["status"], told["completed_count"], told["failed_count"]) == ("complete", 1, 4)
    errors = [one["attributes"] for one in account.get(f"{IMPORT}s/{job}/import-errors")["data"]]
    assert [one["original_payload"] for one in errors] == [sent[0], *sent[2:]]
    assert [one["code"] for one in errors] == ["not_found", "duplicate_profile", "invalid", "invalid"]
    assert errors[2]["source"]["pointer"] == "/data/attributes/profiles/data/3/attributes/email"
    assert account.row(good)["properties"] == {"a": 1}
    assert account.row(taken)["email"] == "taken@shop.example"
    counted = account.state.calls.operations["import job"]
    assert (counted.units, account.state.calls.summary()["partial_failures"]) == (1, 1)


def test_import_errors_come_in_pages(account):
    job = _import(account, *(_profile(first_name=f"n{n}") for n in range(5)))["data"]["id"]
    first = account.get(f"{IMPORT}s/{job}/import-errors", **{"page[size]": "3"})
    second = account.http.get(first["links"]["next"]).json()
    names = [
        one["attributes"]["original_payload"]["attributes"]["first_name"] for one in first["data"] + second["data"]
    ]
    assert names == [f"n{n}" for n in range(5)]
    assert "next" not in second["links"]


def test_an_import_can_put_profiles_on_a_list_which_is_no_consent(account):
    made = account.post("lists", {"type": "list", "attributes": {"name": "Newsletter"}}, 201)["data"]["id"]
    job = _import(account, _profile(email="a@shop.example"), lists={"data": [{"type": "list", "id": made}]})
    assert _status(account, job["data"]["id"])["status"] == "complete"
    (member,) = account.get(f"lists/{made}/relationships/profiles")["data"]
    assert "email_marketing" not in account.row(member["id"])
    _import(account, _profile(email="a@shop.example"), lists={"data": [{"type": "list", "id": "none"}]}, status=404)


@pytest.mark.parametrize(
    ("profiles", "status"),
    [([], 400), (["a"], 400), ([{"type": "profile"}], 400), ([_profile(title="x" * 5_300_000)], 413)],
)
def test_jobs_that_are_not_taken(account, profiles, status):
    _import(account, *profiles, status=status)
    assert not account.state.tables["jobs"].rows


def test_ten_thousand_profiles_a_job_and_no_more(account):
    many = [{"type": "profile", "attributes": {"external_id": str(n)}} for n in range(10_001)]
    _import(account, *many, status=400)
    assert account.state.calls.operations["import job"].batch_limit == 10_000


def test_jobs_are_listed(account):
    jobs = [_import(account, _profile(email=f"a{n}@shop.example"))["data"]["id"] for n in range(3)]
    listed = account.get(f"{IMPORT}s", filter="equals(status,'complete')")["data"]
    assert [one["id"] for one in listed] == jobs
    assert account.get(f"{IMPORT}s", filter="any(status,['queued','processing'])")["data"] == []
    assert account.get("profile-suppression-bulk-create-jobs")["data"] == []
    account.get(f"{IMPORT}s/01NOJOB", 404)


def test_repeated_writes_are_counted_as_identical(account):
    key = account.profile(email="a@shop.example")
    for _ in range(3):
        _import(account, _profile(key, properties={"onevoice_tier": "gold"}))
    account.get("lists")
    assert account.state.api_writes.identical["profiles", key] == 2


def test_jobs_survive_a_restart(account, restarted):
    account.state.faults.limits_on = True
    key = account.profile(email="a@shop.example")
    job = _import(account, _profile(key, first_name="Ada"))["data"]["id"]
    again = restarted()
    assert "first_name" not in again.row(key)
    again.state.clock.advance(5)
    assert _status(again, job)["status"] == "complete"
    assert again.row(key)["first_name"] == "Ada"
