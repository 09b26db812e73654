"""The door, rates, partial failures and faults: met by call count, each counted once."""

from __future__ import annotations

from datetime import timedelta
from zlib import crc32

from loopback import caller
from onevoice.sandbox.gate import Schedule
from onevoice.sandbox.misfortune import LOST_ENTRIES, REJECTED_SHARE
from onevoice.sandbox.square import limits

BULK = "customers/custom-attributes/bulk-upsert"


def codes(answer):
    return [(error["category"], error["code"]) for error in answer["errors"]]


def upserts(customers):
    values = {key: {"customer_id": key, "custom_attribute": {"key": "tier", "value": "gold"}} for key in customers}
    return {"values": values}


def test_the_door(seller):
    for header in ({}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic x"}):
        with caller(f"{seller.url}/v2", headers=header) as client:
            answer = client.get("customers")
        assert answer.status_code == 401
        assert codes(answer.json()) == [("AUTHENTICATION_ERROR", "UNAUTHORIZED")]
    answer = seller.http.get("customers", headers={"Square-Version": "latest"})
    assert codes(answer.json()) == [("INVALID_REQUEST_ERROR", "INVALID_SQUARE_VERSION_FORMAT")]
    assert seller.http.get("customers", headers={"Square-Version": "2026-09-16"}).status_code == 200


def test_there_is_nothing_else(seller):
    for method, path in (
        ("GET", "payments"),
        ("DELETE", "loyalty/accounts/x"),
        ("PATCH", "customers/x"),
        ("POST", "orders"),
    ):
        answer = seller.http.request(method, path)
        assert (answer.status_code, codes(answer.json())) == (404, [("INVALID_REQUEST_ERROR", "NOT_FOUND")])
    answer = seller.http.post("customers/search", content=b"{nonsense", headers={"Content-Type": "application/json"})
    assert codes(answer.json()) == [("INVALID_REQUEST_ERROR", "EXPECTED_JSON_BODY")]


def test_a_run_of_a_few_dozen_calls_meets_each_misfortune_once(seller):
    seller.define("tier")
    seller.state.faults.limits_on = True
    customers = [seller.customer() for _ in range(10)]
    for number in range(24):
        seller.state.clock.advance(1)
        answer = seller.http.post(BULK, json=upserts(customers))
        if answer.status_code == 429:
            assert codes(answer.json()) == [("RATE_LIMIT_ERROR", "RATE_LIMITED")]
            assert answer.headers["retry-after"] == "1"
        else:
            failed = [key for key, value in answer.json()["values"].items() if "errors" in value]
            assert len(failed) == (LOST_ENTRIES if number == 0 else 0)
    counted = seller.state.calls.summary()
    assert (counted["throttled"], counted["partial_failures"], counted["token_expired"]) == (1, 1, 0)


def test_entries_that_failed_go_through_when_sent_again(seller):
    seller.define("tier")
    seller.state.faults.limits_on = True
    customers = [seller.customer() for _ in range(5)]
    values = seller.post(BULK, upserts(customers))["values"]
    failed = [key for key, value in values.items() if "errors" in value]
    assert codes(values[failed[0]]) == [("API_ERROR", "INTERNAL_SERVER_ERROR")]
    again = seller.post(BULK, upserts(failed))["values"]
    assert all(value["custom_attribute"]["value"] == "gold" for value in again.values())


def test_calls_a_second(seller, monkeypatch):
    moment = seller.state.clock.now()
    monkeypatch.setattr(seller.state.clock, "now", lambda: moment)
    monkeypatch.setattr(limits, "BUSY", Schedule(first=1_000, every=1_000))
    seller.state.faults.limits_on = True
    statuses = [seller.http.get("locations").status_code for _ in range(limits.CALLS_A_SECOND + 1)]
    assert statuses == [200] * limits.CALLS_A_SECOND + [429]
    moment += timedelta(seconds=limits.RETRY_AFTER)
    assert seller.http.get("locations").status_code == 200


def test_faults(seller):
    seller.define("tier")
    faults = seller.state.faults
    picked = next(key for _ in range(500) if crc32((key := seller.customer()).encode()) % REJECTED_SHARE == 0)
    other = next(iter(seller.state.tables["customers"].rows))
    group = seller.add("groups", {"name": "g"})
    faults.reject_some = True
    for _ in range(2):
        values = seller.post(BULK, upserts([picked, other]))["values"]
        assert codes(values[picked]) == [("INVALID_REQUEST_ERROR", "BAD_REQUEST")]
        assert "errors" not in values[other]
        assert seller.put(f"customers/{picked}/groups/{group}", status=400)
    faults.reject_some = False
    assert seller.put(f"customers/{picked}/groups/{group}") == {}
    faults.down = True
    assert codes(seller.get("customers", 503)) == [("API_ERROR", "SERVICE_UNAVAILABLE")]
    faults.down, faults.throttle = False, True
    assert [seller.http.get("customers").status_code for _ in range(8)].count(429) == 4
    faults.throttle, faults.expire_tokens = False, True
    assert {seller.http.get("customers").status_code for _ in range(8)} == {200}


def test_a_restarted_server_knows_everything(seller, restart):
    seller.define("tier")
    customer = seller.post("customers", {"given_name": "Ada"})["customer"]["id"]
    path = f"customers/{customer}/custom-attributes/tier"
    seller.post(path, {"custom_attribute": {"value": "gold"}})
    seller.put(f"customers/{customer}", {"note": "x"})
    before = [seller.get(where) for where in (f"customers/{customer}", path)]
    again = restart()
    assert [again.get(where) for where in (f"customers/{customer}", path)] == before
    assert again.found() == [customer]
    assert again.post("customers", {"given_name": "Eve"})["customer"]["id"] != customer


def test_two_runs_that_end_in_the_same_place_compare_equal(seller, opened, restart):
    customer = seller.customer()
    seller.define("tier")
    again = restart()
    for state, times in ((seller.state, 1), (again.state, 2)):
        one = opened(state)
        for _ in range(times):
            one.post(f"customers/{customer}/custom-attributes/tier", {"custom_attribute": {"value": "gold"}})
            one.put(f"customers/{customer}", {"note": "x"})
    both = [{name: table.stable() for name, table in one.state.tables.items()} for one in (seller, again)]
    assert both[0] == both[1]
