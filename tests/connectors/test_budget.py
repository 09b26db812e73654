"""Rate budgets: never over the vendor's limit, slower when told, faster again, and a reserve for what is urgent."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from connectors._budget import AdaptiveBudget
from connectors._manifest import Limit
from onevoice.errors import Throttled

POINTS = {"points": True, "kinds": ("read", "write"), "reserve": 0.1}


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


def limit(name: str = "pace", calls: int | None = 10, seconds: float = 1, **more: object) -> Limit:
    entry = {"kinds": ("read",), "why": "as in the test", "source": "the test itself", **more}
    return Limit.model_validate({"name": name, "calls": calls, "seconds": seconds, **entry})


def made(time: Time, *limits: Limit) -> AdaptiveBudget:
    return AdaptiveBudget("acme", limits, clock=time, sleep=time.sleep)


def moments(budget: AdaptiveBudget, time: Time, count: int, *, urgent: bool = False) -> Sequence[float]:
    taken = []
    for _ in range(count):
        budget.acquire("read", urgent=urgent)
        taken.append(time.now)
    return taken


def busiest(taken: Sequence[float], seconds: float) -> int:
    return max(sum(start <= moment < start + seconds for moment in taken) for start in taken)


@pytest.mark.parametrize(("calls", "seconds"), [(10, 1), (5, 1), (100, 10), (1, 2)])
def test_no_window_holds_more_calls_than_the_limit(calls: int, seconds: float) -> None:
    time = Time()
    taken = moments(made(time, limit(calls=calls, seconds=seconds)), time, 5 * calls + 3, urgent=True)
    assert busiest(taken, seconds) <= calls
    assert taken[-1] - taken[0] < 7 * seconds + 5 * seconds * (calls == 1)


def test_refusal_holds_for_the_vendors_time_then_goes_slower_then_recovers() -> None:
    time = Time()
    budget = made(time, limit())
    moments(budget, time, 20)
    told = time.now
    budget.throttled("read", 7.0)
    after = moments(budget, time, 20)
    assert after[0] >= told + 7
    assert 3.5 < (len(after) - 1) / (after[-1] - after[0]) < 5.5
    moments(budget, time, 200)
    late = moments(budget, time, 40)
    assert (len(late) - 1) / (late[-1] - late[0]) > 7.5


def test_refusal_without_a_time_holds_for_a_part_of_the_window() -> None:
    time = Time()
    budget = made(time, limit(seconds=10))
    budget.throttled("pace", None)
    assert 1000.5 <= moments(budget, time, 1)[0] < 1005


def test_refusals_of_one_moment_cut_the_speed_once() -> None:
    time = Time()
    budget = made(time, limit())
    for _ in range(8):
        budget.throttled("read", 0.0)
    taken = moments(budget, time, 20)
    assert (len(taken) - 1) / (taken[-1] - taken[0]) > 3.5


def test_refusal_by_name_leaves_other_limits_alone() -> None:
    time = Time()
    budget = made(time, limit("one", kinds=("read",)), limit("two", kinds=("search",)))
    budget.throttled("two", 60)
    assert moments(budget, time, 1) == [1000.0]


def test_what_the_vendor_says_is_left_is_believed_when_it_is_less() -> None:
    time = Time()
    budget = made(time, limit(calls=100, seconds=10))
    budget.observe("pace", remaining=0)
    assert moments(budget, time, 1, urgent=True)[0] > 1000


@pytest.mark.parametrize("told", [50, 200])
def test_limit_that_the_vendor_tells_replaces_the_one_of_the_manifest(told: int) -> None:
    time = Time()
    budget = made(time, limit(calls=100, seconds=10))
    budget.observe("pace", limit=told)
    taken = moments(budget, time, 5 * told, urgent=True)
    assert 0.7 * told < busiest(taken[told:], 10) <= told


def test_urgent_calls_use_the_reserve_of_the_bucket() -> None:
    time = Time()
    budget = made(time, limit(calls=100, seconds=10, reserve=0.5))
    ordinary = 0
    while time.now == 1000.0:
        budget.acquire("read")
        ordinary += 1
    time = Time()
    budget = made(time, limit(calls=100, seconds=10, reserve=0.5))
    for _ in range(ordinary - 1):
        budget.acquire("read")
    budget.acquire("read", urgent=True)
    assert time.now == 1000.0


def test_daily_quota_keeps_its_reserve_for_urgent_calls_and_stops_the_others() -> None:
    time = Time()
    budget = made(time, limit("daily", calls=None, seconds=86400, reserve=0.2))
    moments(budget, time, 50)
    budget.observe("daily", remaining=21, limit=100)
    moments(budget, time, 1)
    with pytest.raises(Throttled) as caught:
        budget.acquire("read")
    assert caught.value.until_reset
    moments(budget, time, 20, urgent=True)
    with pytest.raises(Throttled):
        budget.acquire("read", urgent=True)
    time.now += 3601
    budget.acquire("read")


def test_spent_quota_is_told_by_a_refusal_too() -> None:
    time = Time()
    budget = made(time, limit("daily", calls=None, seconds=86400))
    budget.throttled("daily", None)
    with pytest.raises(Throttled):
        budget.acquire("read")


def test_short_refusal_does_not_spend_the_daily_quota() -> None:
    time = Time()
    budget = made(time, limit("daily", calls=None, seconds=86400), limit())
    budget.throttled("read", 1.0)
    assert moments(budget, time, 1)[0] < 1010


def test_kinds_without_a_limit_do_not_wait() -> None:
    time = Time()
    budget = made(time, limit())
    for _ in range(100):
        budget.acquire("write")
    assert time.now == 1000.0


def test_threads_share_one_bucket() -> None:
    budget = AdaptiveBudget("acme", [limit(calls=50, seconds=0.5)])
    taken: list[float] = []

    def work() -> None:
        for _ in range(10):
            budget.acquire("read", urgent=True)
            taken.append(threading.get_native_id())

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 50


def test_a_call_takes_its_own_cost_of_points() -> None:
    time = Time()
    budget = made(time, limit(calls=1000, seconds=10, **POINTS))
    budget.acquire("write", urgent=True, cost=200)
    began = time.now
    budget.acquire("write", urgent=True, cost=40)
    assert time.now - began == pytest.approx(40 / 80, rel=0.01)


def test_cost_is_nothing_to_a_limit_that_counts_calls() -> None:
    time = Time()
    budget = made(time, limit(calls=10, seconds=1))
    budget.acquire("read", urgent=True, cost=500)
    budget.acquire("read", urgent=True, cost=500)
    assert time.now == 1000.0


def test_points_that_are_told_to_be_left_are_believed_upwards_too() -> None:
    time = Time()
    budget = made(time, limit(calls=1000, seconds=10, **POINTS))
    budget.acquire("read", cost=150)
    budget.observe("pace", remaining=195)  # the vendor gave back what the call did not need
    budget.acquire("read", cost=150)
    assert time.now == 1000.0
    budget.observe("pace", remaining=0)
    budget.acquire("write", urgent=True, cost=80)
    assert time.now == pytest.approx(1001.0, rel=0.001)


def test_call_that_costs_more_than_the_bucket_holds_goes_through_a_full_one() -> None:
    time = Time()
    budget = made(time, limit(calls=1000, seconds=10, **POINTS))
    budget.acquire("read", cost=900)
    assert time.now == 1000.0
    budget.acquire("read", cost=900)
    assert 1000.0 < time.now < 1000.0 + 12 * 10
