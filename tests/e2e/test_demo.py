"""`onevoice demo` as a newcomer runs it, in small: its promises, and the report's published shape."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

pytestmark = pytest.mark.slow

PEOPLE, SEED = 400, 11


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str, Path]:
    """The report of a small demo, what it printed, and the folder it kept."""
    folder = tmp_path_factory.mktemp("demo")
    arguments = [
        "--people",
        str(PEOPLE),
        "--seed",
        str(SEED),
        "--keep",
        folder / "kept",
        "--json",
        folder / "report.json",
    ]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ONEVOICE_", "PREFECT_"))}
    program = Path(sys.executable).with_name("onevoice")
    said = subprocess.run(
        [program, "demo", *arguments], cwd=folder, env=kept, capture_output=True, text=True, check=False, timeout=280
    )
    assert said.returncode == 0, said.stdout + said.stderr
    assert "Traceback" not in said.stderr
    return json.loads((folder / "report.json").read_text("utf-8")), said.stdout, folder / "kept"


def test_report_has_the_published_shape(demo: tuple[dict[str, Any], str, Path], checkout: Path) -> None:
    schema = json.loads((checkout / "docs/demo-report.schema.json").read_text("utf-8"))
    jsonschema.validate(demo[0], schema)


def test_contradictions_go_and_other_messages_stay(demo: tuple[dict[str, Any], str, Path]) -> None:
    messages, over = demo[0]["messages"], demo[0]["over_suppressed"]
    assert messages["before"]["contradictory"] >= 50
    assert messages["after"]["contradictory"] <= 0.02 * messages["before"]["contradictory"]
    assert [left for left in messages["left"] if left["cause"] == "not_identity"] == []
    assert over["allowed"] > 300
    assert over["rate"] <= 0.01


def test_the_hub_sees_before_what_the_judge_sees(demo: tuple[dict[str, Any], str, Path]) -> None:
    """The hub's own count may be wider (it cannot know which third gets a discount), never blind to a class."""
    own, judged = demo[0]["contradictions"], demo[0]["messages"]["before"]["by_class"]
    assert {name for name in judged if own.get(name, {"before": 0})["before"] == 0} == set()
    assert sum(change["after"] for change in own.values()) == 0


def test_quiet_means_quiet_and_edits_are_mended(demo: tuple[dict[str, Any], str, Path]) -> None:
    report, printed, _ = demo
    assert report["second_run"]["writes"] == 0
    assert report["third_run"]["records_written"] == report["third_run"]["records_expected"] > 0
    assert "not expected" not in printed
    assert "missing" not in printed


def test_identity_beats_the_usual_ways(demo: tuple[dict[str, Any], str, Path]) -> None:
    identity = demo[0]["identity"]
    assert identity["precision"] >= 0.99
    assert identity["recall"] >= 0.95
    assert identity["f1"] > max(identity["exact_key_f1"], identity["splink_default_f1"])


def test_calls_are_few_and_time_is_told(demo: tuple[dict[str, Any], str, Path]) -> None:
    report = demo[0]
    for system, said in report["writes"].items():
        assert said["calls"] <= 1.1 * said["minimum_calls"] + 2, system
    assert set(report["seconds"]) == {"pull", "resolve", "unify", "decide", "plan", "push", "verify", "total"}
    assert 50 < report["peak_memory_mb"] < 4000


def test_three_customers_stories_are_told(demo: tuple[dict[str, Any], str, Path]) -> None:
    _, printed, _ = demo
    for number in (1, 2, 3):
        assert f"\n{number}. " in printed
    assert printed.count(": wrong, ") >= 3
    assert "{" not in printed  # a sentence whose facts were not filled in


def test_what_was_kept_can_be_looked_at(demo: tuple[dict[str, Any], str, Path]) -> None:
    _, printed, kept = demo
    [command] = [line.split() for line in printed.splitlines() if " explain " in line]
    program = Path(sys.executable).with_name("onevoice")
    said = subprocess.run([program, *command[1:]], cwd=kept.parent, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
    assert "Must not reach them" in said.stdout
