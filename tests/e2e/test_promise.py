"""The promise, judged by planted truth: no channel sends a contradictory offer, nobody is silenced for nothing."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from identity import normalise
from identity.baselines import exact_keys, splink_default
from identity.evaluate import evaluate
from onevoice.model import Ref
from onevoice.pipeline.views import contradictions_now, customers_written, identity_records, partition, reported

pytestmark = pytest.mark.slow

DEFAULT_SEED, DEFAULT_PEOPLE = 7, 2000
"""What `make demo` shows."""
MANY = 5000
CLASSES = ("K1", "K2", "K3", "K4", "K5", "K6", "K7", "K8", "K9", "K10", "K13", "K16", "K18", "K19", "K25")
SYSTEMS = {"salesforce", "hubspot", "shopify", "square", "klaviyo"}
CHANNELS = {"email", "sms", "receipt"}


def drawn_seed(checkout: Path) -> int:
    """A seed nobody chose: from the commit under test, so that every commit meets another population."""
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=checkout, capture_output=True, text=True, check=False)
    return int(head.stdout.strip()[:6] or "1", 16) % 100_000


def allowed(here: Any) -> set[tuple[str, str, str]]:
    """Distinct (person, family, channel) that some system sends now and the truth allows."""
    return {(person, family, channel) for person, family, channel in here.get("/allowed")["allowed"]}


def left_over(here: Any) -> dict[tuple[str, str], int]:
    """(class, cause) -> contradictory messages that would go out now."""
    here.tell_assignment()
    return {(entry["class"], entry["cause"]): entry["count"] for entry in here.messages()["left"]}


def test_the_people_of_the_demo(world: Callable[..., Any]) -> None:
    here = world(DEFAULT_PEOPLE, seed=DEFAULT_SEED, limits=False)
    promise_is_kept(here, DEFAULT_SEED, least=10)
    hub, told = here.hubs[-1], here.get("/truth")
    assert len(told["hard_cases"]) >= 16
    truth = {Ref(r["system"], r["stream"], r["key"]): r["person"] for r in told["records"]}
    records = [normalise(record, hub.config.identity) for record in identity_records(hub)]
    assert evaluate(exact_keys(records), truth).f1 <= 0.90
    assert evaluate(splink_default(records), truth).f1 <= 0.93


@pytest.mark.long
def test_five_thousand_people_nobody_chose(world: Callable[..., Any], checkout: Path) -> None:
    seed = int(os.environ.get("ONEVOICE_TEST_SEED") or drawn_seed(checkout))
    promise_is_kept(world(MANY, seed=seed, limits=False), seed, least=30)


def promise_is_kept(here: Any, seed: int, *, least: int) -> None:
    """Three cycles, the third after edits by hand; `least` = wrong messages of each class that there are before."""
    said = here.get("/messages")
    before = said["summary"]
    assert before["contradictory"] >= 500, seed
    assert all(before["by_class"].get(label, 0) >= least for label in CLASSES), (seed, before["by_class"])
    assert {row["system"] for row in said["messages"] if row["contradictory"]} == SYSTEMS
    assert {row["channel"] for row in said["messages"] if row["contradictory"]} == CHANNELS
    sent = allowed(here)

    assert here.cycle().exit_code == 0, seed
    left = left_over(here)
    assert not {cause for _, cause in left} - {"identity_miss", "identity_mixup", "human_task"}, (seed, left)
    assert sum(left.values()) <= 0.02 * before["contradictory"], (seed, left)
    assert here.get("/native-opt-outs")["wrong"] == 0, seed
    silenced = sent - allowed(here)
    assert len(silenced) <= 0.01 * len(sent), (seed, len(silenced), len(sent))
    for system, calls in here.get("/calls").items():
        assert calls["write_calls"] <= 1.1 * calls["minimum_calls"] + 2, (seed, system, calls)
    people_are_found(here, seed)

    written = here.records_written()
    assert here.cycle().exit_code == 0
    assert here.records_written() == written, (seed, "a quiet second run wrote")

    edits_are_mended(here, seed)
    left = left_over(here)
    assert sum(left.values()) <= 0.02 * before["contradictory"], (seed, left)


def people_are_found(here: Any, seed: int) -> None:
    """Records are grouped as the truth has them."""
    truth = {Ref(r["system"], r["stream"], r["key"]): r["person"] for r in here.get("/truth")["records"]}
    quality = evaluate({Ref(s, t, k): pid for s, t, k, pid in partition(here.hubs[-1])}, truth)
    assert quality.precision >= 0.99, (seed, quality)
    assert quality.recall >= 0.95, (seed, quality)


def edits_are_mended(here: Any, seed: int) -> None:
    """After edits by hand in all systems the hub writes just what it must, and told of every one that contradicts."""
    asked = here.post("/edits", {"count": 25, "seed": seed})
    assert {edit["system"] for edit in asked["edits"]} == SYSTEMS, seed
    report = here.cycle()
    assert report.exit_code == 0
    expected = {tuple(record) for record in asked["expected_records"]}
    changed = customers_written(here.hubs[-1], report.run)
    assert changed == expected, (seed, sorted(changed ^ expected), asked["edits"])
    wrong = {(edit["system"], edit["stream"], edit["key"]) for edit in asked["edits"] if edit["contradicts"]}
    assert wrong, "no edit by hand contradicted anything"
    assert wrong <= set(reported(here.hubs[-1])), (seed, "a contradicting edit went unreported")


def test_with_known_identities_nothing_is_left(world: Callable[..., Any]) -> None:
    here = world(1500, known=True, limits=False)
    sent = allowed(here)
    assert here.cycle().exit_code == 0
    assert left_over(here) == {}
    assert sent - allowed(here) == set()
    assert here.get("/native-opt-outs")["wrong"] == 0
    assert contradictions_now(here.hubs[-1])["rows"] == []
