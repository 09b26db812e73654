"""A vendor that is down, throttles, expires tokens or rejects records: the others go on, the next run heals it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from onevoice.pipeline import Hub
from onevoice.pipeline.views import written_records
from onevoice.store import quarantines

pytestmark = pytest.mark.slow

SYSTEMS = ("salesforce", "hubspot", "shopify", "square", "klaviyo")
TOKENS_EXPIRE = ("salesforce", "hubspot")


def quarantined(hub: Hub) -> list[dict[str, Any]]:
    with hub.store.read() as connection:
        return quarantines.everything(connection)


def causes(here: Any) -> set[str]:
    """Why messages that would go out now contradict."""
    here.tell_assignment()
    return {entry["cause"] for entry in here.messages()["left"]}


@pytest.mark.parametrize(
    "vendor", [SYSTEMS[0], *(pytest.param(system, marks=pytest.mark.long) for system in SYSTEMS[1:])]
)
def test_a_vendor_that_is_down_during_a_cycle(world: Callable[..., Any], vendor: str) -> None:
    here = world(100, seed=21, limits=False)
    here.provision()
    here.post("/faults", {"name": f"{vendor}_down"})
    report = here.cycle(provisioned=True)
    assert report.exit_code == 3
    failed = {name for jobs in report.stages.values() for name, job in jobs.items() if job.failed}
    assert failed
    assert all(vendor in name for name in failed), failed
    calls = here.get("/calls")
    assert {system for system in SYSTEMS if calls[system]["records_written"]} == set(SYSTEMS) - {vendor}

    here.post("/faults", {"name": "none"})
    assert here.cycle(provisioned=True).exit_code == 0
    assert "not_identity" not in causes(here)


@pytest.mark.parametrize("fault", ["throttle", "expire_tokens"])
def test_refusals_that_pass_are_met_and_handled(world: Callable[..., Any], fault: str) -> None:
    here = world(50, seed=22, limits=False)  # few: a throttled vendor makes everybody wait
    here.provision()
    here.post("/faults", {"name": fault})
    report = here.cycle(provisioned=True)
    assert report.exit_code == 0, report.as_dict()
    calls = here.get("/calls")
    counted, concerned = ("throttled", SYSTEMS) if fault == "throttle" else ("token_expired", TOKENS_EXPIRE)
    assert all(calls[system][counted] > 0 for system in concerned), calls
    assert "not_identity" not in causes(here)


def test_rejected_records_do_not_block_the_others_and_heal(world: Callable[..., Any]) -> None:
    here = world(300, seed=23, limits=False)
    here.provision()
    here.post("/faults", {"name": "reject_some"})
    report = here.cycle(provisioned=True)
    assert report.exit_code == 3
    pushed = {name.removeprefix("push "): job.counts for name, job in report.stages["push"].items()}
    assert set(pushed) == set(SYSTEMS)
    assert all(counts["rejected"] > 0 and counts["accepted"] > counts["rejected"] for counts in pushed.values()), pushed
    held = quarantined(here.hubs[-1])
    assert len(held) == sum(counts["rejected"] for counts in pushed.values())
    assert all(row["reason"] for row in held)

    here.post("/faults", {"name": "none"})
    report = here.cycle(provisioned=True)
    assert report.exit_code == 0
    healed = {"/".join(key) for key in written_records(here.hubs[-1], report.run)}
    assert healed == {row["ref"] for row in held}
    assert quarantined(here.hubs[-1]) == []


@pytest.mark.long
def test_with_limits_on_every_refusal_is_met_and_the_promise_holds(world: Callable[..., Any]) -> None:
    here = world(300, seed=24, limits=True)
    assert here.cycle().exit_code == 0
    for system, calls in here.get("/calls").items():
        assert calls["throttled"] > 0, (system, calls)
        assert calls["partial_failures"] > 0, (system, calls)
        assert (calls["token_expired"] > 0) == (system in TOKENS_EXPIRE), (system, calls)
    assert "not_identity" not in causes(here)
    written = here.records_written()
    assert here.cycle().exit_code == 0
    assert here.records_written() == written
