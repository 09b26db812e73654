"""A real hub with the shipped mappings against a Klaviyo account: what it sets there comes back as nobody's word."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from onevoice.pipeline import CycleReport, Hub, PushLimits, open_hub, run_cycle
from onevoice.store import pages

SYSTEM = """systems:
  klaviyo: {connector: klaviyo, env_prefix: ONEVOICE_KLAVIYO, write: true, irreversible_writes: true,
            streams: [profiles, suppressions]}
"""
UNSUBSCRIBED = {"consent": "UNSUBSCRIBED", "consent_timestamp": "2026-10-01T09:00:00+00:00"}

Cycle = Callable[[], tuple[CycleReport, Hub]]


@pytest.fixture
def cycle(klaviyo: Any, tmp_path: Path, checkout: Path) -> Iterator[Cycle]:
    """Run a cycle some hours after the last, over a store of its own."""
    for part in ("config", "mappings"):
        others = shutil.ignore_patterns("salesforce", "hubspot", "till", "shopify", "square")
        shutil.copytree(checkout / part, tmp_path / part, ignore=others)
    hub_yaml = tmp_path / "config" / "hub.yaml"
    hub_yaml.write_text(hub_yaml.read_text("utf-8").partition("systems:")[0] + SYSTEM, "utf-8")

    hubs: list[Hub] = []

    def run() -> tuple[CycleReport, Hub]:
        hub = open_hub(
            tmp_path,
            environment={f"ONEVOICE_KLAVIYO_{name.upper()}": value for name, value in klaviyo.settings.items()},
            database=f"sqlite:///{tmp_path / 'hub.sqlite'}",
            as_of=klaviyo.settled(),
            limits=PushLimits(first=True),
        )
        hubs.append(hub)
        return run_cycle(hub), hub

    yield run
    for hub in hubs:
        hub.store.close()


@pytest.fixture(autouse=True)
def waiting_passes_time(klaviyo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors._retry.nap.sleep", klaviyo.state.clock.advance)


def statements(hub: Hub, key: str) -> list[tuple[str, str]]:
    """(channel, origin) of everything that a profile is known to have said."""
    ref = f"klaviyo/profiles/{key}"
    with hub.store.read() as connection:
        return [(event.channel, event.origin.value) for event in pages.load_events(connection, [ref])[ref]]


def verified(report: CycleReport) -> dict[str, int]:
    counts = report.stages["verify"]["verify klaviyo"].counts
    return {name: counts[name] for name in ("records", "not_kept", "contradictions")}


def test_own_suppression_comes_back_as_nobodys_word(klaviyo: Any, cycle: Cycle) -> None:
    """0005: an opt-out that the hub set itself is no new statement."""
    [key] = klaviyo.contacts(1, email_marketing=UNSUBSCRIBED)
    _, hub = cycle()
    assert [entry["reason"] for entry in klaviyo.row(key)["email_marketing"]["suppression"]] == ["USER_SUPPRESSED"]
    assert statements(hub, key) == [("email", "customer")]
    _, hub = cycle()
    assert statements(hub, key) == [("email", "customer")]


def test_suppression_set_by_somebody_else_counts_for_the_address(klaviyo: Any, cycle: Cycle) -> None:
    said = {"suppression": [{"reason": "USER_SUPPRESSED", "timestamp": "2026-10-01T09:00:00+00:00"}]}
    [key] = klaviyo.contacts(1, email_marketing=said)
    _, hub = cycle()
    assert statements(hub, key) == [("email", "import")]


def test_unsubscribe_after_our_own_suppression_is_the_customers_word(klaviyo: Any, cycle: Cycle) -> None:
    [key] = klaviyo.contacts(1, email_marketing=UNSUBSCRIBED)
    cycle()
    before = klaviyo.row(key)["email_marketing"]
    later = {"reason": "SPAM_COMPLAINT", "timestamp": "2026-11-22T12:00:00+00:00"}
    klaviyo.change(key, email_marketing={**before, "suppression": [*before["suppression"], later]})
    _, hub = cycle()
    assert sorted(statements(hub, key)) == [("email", "complaint"), ("email", "customer")]


def test_what_was_written_is_read_back_and_the_next_cycle_is_quiet(klaviyo: Any, cycle: Cycle) -> None:
    """Lists of profiles show a write three seconds late: that is no lost write."""
    klaviyo.contacts(30, email_marketing=UNSUBSCRIBED)
    report, _ = cycle()
    assert report.exit_code == 0
    assert verified(report) == {"records": 60, "not_kept": 0, "contradictions": 0}
    klaviyo.judge.calls.clear()
    cycle()
    assert [call for call in klaviyo.judge.calls if call.method != "GET"] == []
