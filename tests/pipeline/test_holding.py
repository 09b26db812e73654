"""A hold stops what is written to a system: between batches, and within one before the next call leaves."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import pytest

from onevoice.errors import ConfigError, GuardStopped, OnevoiceError
from onevoice.pipeline.delivery import holding
from onevoice.pipeline.delivery.holding import HeldBudget, held, hold, release
from onevoice.pipeline.overview import status
from onevoice.protocols import Stream


@dataclass
class Counting:
    """A budget that lets everything through and counts it."""

    calls: list[tuple[str, bool, int]] = field(default_factory=list)

    def acquire(self, kind: str, *, urgent: bool = False, cost: int = 1) -> None:
        self.calls.append((kind, urgent, cost))

    def observe(self, kind: str, *, remaining: int | None = None, limit: int | None = None) -> None: ...

    def throttled(self, kind: str, retry_after: float | None) -> None: ...


def some_customers(bench: Any, count: int) -> None:
    for number in range(count):
        bench.shop.put("contacts", str(number), lastname=f"Ash{number}", email=f"a{number}@x.org")


def test_a_hold_between_batches_leaves_the_rest_planned_and_release_lets_it_go(bench: Any) -> None:
    bench.shop.streams["contacts"] = Stream("contacts", "id", writes=True, max_batch=10)
    some_customers(bench, 30)
    bench.shop.after_write = lambda _stream, _writes: hold(bench.hubs[0], "hubspot", "wrong rule")
    report = bench.cycle()
    assert report.exit_code == 4
    stopped = report.stages["push"]["push hubspot"]
    assert stopped.stopped is not None
    assert "wrong rule" in stopped.stopped
    assert (stopped.counts["accepted"], stopped.rejected) == (10, 0)
    bench.shop.after_write = lambda _stream, _writes: None
    bench.cycle()
    assert len(bench.written()) == 10, "still held"
    assert release(bench.hub(), "hubspot") == []
    bench.cycle()
    assert len({key for stream, key, _ in bench.written() if stream == "contacts"}) == 20
    assert bench.quiet()


def test_a_hold_on_one_system_does_not_touch_another(bench: Any) -> None:
    some_customers(bench, 1)
    bench.crm.put("Contact", "c1", LastName="Ash", Email="a@x.org")
    hold(bench.hub(), "hubspot", "look first")
    bench.cycle()
    assert {key for _, key, _ in bench.written()} == {"c1"}


def test_everything_is_held_and_released_as_a_whole(bench: Any) -> None:
    hub = bench.hub()
    hold(hub, "hubspot", "first")
    hold(hub, None, "all of it")
    kept = hold(hub, "hubspot", "second")
    assert {each.system: each.reason for each in kept} == {"*": "all of it", "hubspot": "first"}
    standing = held(hub.store, "salesforce")
    assert standing is not None
    assert "`onevoice release`" in holding.sentence(standing, "salesforce")
    with pytest.raises(OnevoiceError, match="everything is held"):
        release(hub, "hubspot")
    with pytest.raises(ConfigError, match="no such system"):
        hold(hub, "hubspto", "")
    assert release(hub, None) == []
    assert held(hub.store, "hubspot") is None


def test_only_calls_that_write_are_stopped_and_only_where_holds_are_obeyed(bench: Any, monkeypatch: Any) -> None:
    hub, inner, obeys = bench.hub(), Counting(), [True]
    budget = HeldBudget(inner, hub.store, "hubspot", lambda: obeys[0])
    budget.acquire("write", urgent=True, cost=3)
    hold(hub, "hubspot", "stop")
    monkeypatch.setattr(holding, "BELIEVED_SECONDS", 0.0)
    budget.acquire("read")
    with pytest.raises(GuardStopped, match="stop"):
        budget.acquire("write", urgent=True)
    obeys[0] = False
    budget.acquire("write", urgent=True)
    assert inner.calls == [("write", True, 3), ("read", False, 1), ("write", True, 1), ("write", True, 1)]


def test_a_hold_is_seen_within_half_a_second_and_never_believed_away(bench: Any) -> None:
    hub = bench.hub()
    budget = HeldBudget(Counting(), hub.store, "hubspot", lambda: True)
    budget.acquire("write", urgent=True)
    hold(hub, "hubspot", "stop")
    time.sleep(holding.BELIEVED_SECONDS)
    for _ in range(2):
        with pytest.raises(GuardStopped, match="stop"):
            budget.acquire("write", urgent=True)


def test_status_tells_what_is_held_and_why(bench: Any) -> None:
    report = bench.cycle()
    assert report.exit_code == 0
    hub = bench.hubs[-1]
    hold(hub, "hubspot", "wrong rule")
    assert [(h["system"], h["reason"]) for h in status(hub)["held"]] == [("hubspot", "wrong rule")]
    release(hub, "hubspot")
    assert status(hub)["held"] == []
