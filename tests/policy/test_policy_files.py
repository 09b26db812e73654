"""The files an admin edits: shipped ones pass, broken ones are refused at their line, failed tests are named."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from onevoice.configfile.load import lint_project, load_project
from onevoice.policy import FACTS, check_policy
from onevoice.policy.templates import STATUSES
from onevoice.policy.testing import check_policy_tests, run_tests

ROOT = Path(__file__).parents[2]
CHECKS = (check_policy, check_policy_tests)


@pytest.fixture
def project_root(tmp_path: Path) -> Path:
    for folder in ("config", "mappings"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    return tmp_path


def edited(root: Path, file: str, old: str, new: str) -> int:
    """Replace text once and return the line on which it stood."""
    path = root / file
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
    path.write_text(text.replace(old, new), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def test_the_shipped_rules_pass_their_tests() -> None:
    found = run_tests(load_project(ROOT, CHECKS))
    assert found.faults == []
    assert found.tests >= 40


def test_every_shipped_rule_and_family_is_tested() -> None:
    project = load_project(ROOT)
    text = (ROOT / "config" / "suppression_test.yaml").read_text(encoding="utf-8")
    for rule in project.suppression.rules:
        assert re.search(rf": {rule.id}\b", text), f"no test in suppression_test.yaml expects {rule.id} to decide"
    for family in project.offers.families:
        assert re.search(rf"\b{family}:", text), f"no test in suppression_test.yaml denies {family}"


@pytest.mark.parametrize(
    ("file", "old", "new", "column"),
    [
        ("config/suppression.yaml", "when: orders_total > 0", "when: order_total > 0", 11),
        (
            "config/suppression.yaml",
            "      points_next_expiry_on IS NULL",
            "      points_expiry_on IS NULL",
            7,
        ),
        ("config/suppression.yaml", "tier_below: silver", "tier_below: sliver", 17),
        ("config/offers.yaml", "when: NOT known_to_club", "when: NOT known_to_clup", 50),
        ("config/offers.yaml", "when: LOWER(loyalty_tier) IN", "when: LOWER(web_orders) IN", 15),
    ],
)
def test_a_mistake_is_named_at_its_line_and_column(
    project_root: Path, file: str, old: str, new: str, column: int
) -> None:
    line = edited(project_root, file, old, new)
    faults = lint_project(project_root, CHECKS)
    assert [(fault.file, fault.line, fault.column) for fault in faults] == [(file, line, column)]


RULES, TESTS = "config/suppression.yaml", "config/suppression_test.yaml"
NEVER = "allow: win_back\n    changes_on: never"
STRANGER = "deny: {tier_perk: no_perk_tier, points_expiry: no_points_expire}\n    allow: rest\n    changes_on: never"
NINETY = "given: {orders_total: 1, last_order_on: 2026-08-24}\n    at: 2026-11-22"
FORMER = "{is_member: false, membership_status: closed}"


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        (RULES, "days: 90}", "days: 60}", "expected bought_recently to deny win_back"),
        (RULES, "tier_below: silver", "tier_below: gold", "no_perk_tier"),
        (TESTS, NEVER, "allow: win_back\n    changes_on: 2026-11-23", "expected 2026-11-23, found never"),
        (TESTS, STRANGER, "allow: rest", "expected tier_perk to be allowed"),
        (TESTS, NEVER, "until: {win_back: forever}", "but there is none"),
        (TESTS, "orders_total: 0\n", "orders: 0\n", "is not a fact"),
        (TESTS, FORMER, "{is_member: maybe}", "fact is_member"),
        (TESTS, NINETY, "at: tomorrow", "is not a day"),
        (TESTS, "    allow: join\n", "    allow: joins\n", "is not an offer family"),
    ],
)
def test_a_test_that_fails_says_so(project_root: Path, file: str, old: str, new: str, says: str) -> None:
    edited(project_root, file, old, new)
    found = run_tests(load_project(project_root, CHECKS))
    assert any(says in fault.message for fault in found.faults), found.faults
    assert all(fault.line > 1 for fault in found.faults)


def test_a_test_file_of_the_wrong_shape_is_a_fault(project_root: Path) -> None:
    line = edited(project_root, "config/suppression_test.yaml", "    allow: join\n", "    alow: join\n")
    assert [fault.line for fault in lint_project(project_root, CHECKS)] == [line]


def test_a_project_without_a_test_file_has_the_examples_left(project_root: Path) -> None:
    (project_root / "config" / "suppression_test.yaml").unlink()
    found = run_tests(load_project(project_root, CHECKS))
    assert found.faults == []
    assert found.tests > 0


def test_the_page_for_marketers_names_everything_a_rule_may_use() -> None:
    page = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    project = load_project(ROOT)
    templates = ("within_days", "member", "has_status", "tier_at_least", "tier_below", "exclusive_with")
    layers = ("erasure", "consent", "safety", "integrity", "contact_policy", "commercial", "hold_out", "arbitration")
    names = (*FACTS, *layers, *STATUSES, *project.offers.families)
    assert [name for name in names if f"`{name}`" not in page] == []
    assert [name for name in templates if f"`{name}: " not in page] == []
    assert not re.search(r"\bK\d", page)
