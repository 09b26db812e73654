"""Windows, misfortunes by call count, faults."""

from __future__ import annotations

from zlib import crc32

from onevoice.sandbox.misfortune import REJECTED_SHARE

IMPORT = "profile-bulk-import-job"


def _import(account, keys):
    profiles = [{"type": "profile", "id": key, "attributes": {"properties": {"a": 1}}} for key in keys]
    return account.do(IMPORT, {"profiles": {"data": profiles}})["data"]["id"]


def _failed(account, job):
    account.settle()
    errors = account.get(f"{IMPORT}s/{job}/import-errors")["data"]
    return [(one["attributes"]["code"], one["attributes"]["original_payload"]["id"]) for one in errors]


def test_each_endpoint_has_a_window_of_a_second_and_one_of_a_minute(account):
    account.state.faults.limits_on = True
    assert account.http.get("accounts").headers["RateLimit-Remaining"] == "14"
    refused = account.http.get("accounts")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
    assert not [name for name in refused.headers if name.lower().startswith("ratelimit")]
    assert refused.json()["errors"][0]["code"] == "throttled"
    statuses = []
    for _ in range(16):
        account.state.clock.advance(1)
        answer = account.http.get("accounts")
        statuses.append(answer.status_code)
    assert statuses.count(429) == 2
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "44")
    told = account.http.get("profiles")
    assert (told.headers["RateLimit-Limit"], told.headers["RateLimit-Remaining"]) == ("750", "749")
    assert told.headers["RateLimit-Reset"] == "44"
    account.state.clock.advance(60)
    assert account.http.get("accounts").status_code == 200


def test_a_run_of_a_few_dozen_calls_meets_a_throttle_and_a_partial_failure(account):
    account.state.faults.limits_on = True
    keys = [account.profile(email=f"a{n}@shop.example") for n in range(10)]
    job = _import(account, keys)
    failed = _failed(account, job)
    assert failed == [("internal_error", keys[0]), ("internal_error", keys[5]), ("internal_error", keys[9])]
    assert [key for key in keys if "properties" not in account.row(key)] == [key for _, key in failed]
    assert _failed(account, _import(account, [key for _, key in failed])) == []
    statuses = []
    for _ in range(30):
        account.state.clock.advance(1)
        statuses.append(account.http.get("profiles").status_code)
    assert statuses.count(429) == 1
    counted = account.state.calls.summary()
    assert (counted["throttled"], counted["partial_failures"]) == (1, 1)
    assert (counted["write_calls"], counted["minimum_calls"]) == (2, 1)


def test_an_account_without_limits_meets_nothing(account):
    keys = [account.profile(email=f"a{n}@shop.example") for n in range(10)]
    assert _failed(account, _import(account, keys)) == []
    assert {account.http.get("accounts").status_code for _ in range(20)} == {200}


def test_an_outage(account):
    account.state.faults.down = True
    answer = account.http.get("profiles")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (503, "service_unavailable")


def test_throttling_beyond_the_documented_limit(account):
    account.state.faults.throttle = True
    answers = [account.http.get("profiles") for _ in range(10)]
    assert [answer.status_code for answer in answers].count(429) == 5
    assert {answer.headers.get("Retry-After") for answer in answers} == {None, "1"}


def test_some_profiles_are_refused_as_long_as_the_fault_lasts(account):
    keys = [account.profile(email=f"a{n}@shop.example") for n in range(200)]
    expected = [("under_review", key) for key in keys if crc32(key.encode()) % REJECTED_SHARE == 0]
    assert expected
    account.state.faults.reject_some = True
    for _ in range(2):
        assert _failed(account, _import(account, keys)) == expected
    account.state.faults.reject_some = False
    assert _failed(account, _import(account, keys)) == []


def test_a_key_does_not_expire(account):
    account.state.faults.expire_tokens = True
    assert {account.http.get("profiles").status_code for _ in range(10)} == {200}
