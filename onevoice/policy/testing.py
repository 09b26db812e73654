"""Runs the examples beside the rules and config/suppression_test.yaml; a failed test is a fault at its line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from onevoice.configfile.document import Document, Path
from onevoice.configfile.phrases import validate
from onevoice.configfile.project_config import SUPPRESSION, ProjectConfig
from onevoice.configfile.suppression_file import PolicyTest, RuleTest, SuppressionTestFile
from onevoice.configfile.words import one_of
from onevoice.configfile.yamltext import read_yaml
from onevoice.errors import Fault
from onevoice.model import FOREVER, Decision
from onevoice.policy.decide import Policy, compile_policy
from onevoice.policy.facts import FACTS, fact_readers, typed_row

TEST_FILE = "config/suppression_test.yaml"
FOREVER_WORD, NEVER_WORD, REST_WORD = "forever", "never", "rest"


@dataclass(frozen=True, slots=True)
class TestRun:
    """What came of all tests of the rules."""

    __test__ = False

    tests: int
    faults: Sequence[Fault]
    """Failed tests and whatever is wrong with the tests themselves; empty when all is well."""


def run_tests(project: ProjectConfig) -> TestRun:
    """Run every test of the rules of a project. Raises ConfigError when the rules themselves cannot be used."""
    policy = compile_policy(project.offers, project.suppression, project.loyalty)
    examples = [
        (("rules", place, "tests", number), rule.id, test)
        for place, rule in enumerate(project.suppression.rules)
        for number, test in enumerate(rule.tests)
    ]
    faults = [
        project.fault(SUPPRESSION, (*path, *below), "test failed", message)
        for path, rule, test in examples
        for below, message in _example(policy, rule, test)
    ]
    document, written, unreadable = _read(project)
    tests = written.tests if written else ()
    defaults = written.defaults if written else {}
    faults += unreadable
    faults += [
        document.fault(("tests", number, *below), "test failed", message)
        for number, test in enumerate(tests)
        for below, message in _test(policy, test, defaults)
    ]
    return TestRun(len(examples) + len(tests), sorted(faults))


def check_policy_tests(project: ProjectConfig) -> Iterator[Fault]:
    """For lint: config/suppression_test.yaml has the right shape (its tests are not run)."""
    yield from _read(project)[2]


def _read(project: ProjectConfig) -> tuple[Document, SuppressionTestFile | None, Sequence[Fault]]:
    """The test file, which may be missing; its faults where it cannot be used."""
    path = project.root / TEST_FILE
    nothing = Document(TEST_FILE, None)
    if not path.is_file():
        return nothing, None, ()
    document, faults = read_yaml(TEST_FILE, path.read_bytes())
    if document is None or faults:
        return nothing, None, faults
    written, wrong = validate(document, SuppressionTestFile)
    return document, written, wrong


Complaint = tuple[Path, str]
"""Where below the test, and what is wrong."""


def _example(policy: Policy, rule_id: str, test: RuleTest) -> Iterator[Complaint]:
    rule = policy.by_id[rule_id]
    try:
        row = _row(test.given, _day(test.at))
    except _Unusable as unusable:
        yield unusable.path, unusable.message
        return
    found = "deny" if rule.fires(row) else "silent"
    if found != test.expect:
        yield ("expect",), f"expected {test.expect}, the rule says {found}"
    elif test.until is not None:
        yield from _compare_days(("until",), test.until, rule.last_day(row) if found == "deny" else None)


def _test(policy: Policy, test: PolicyTest, defaults: Mapping[str, Any]) -> Iterator[Complaint]:
    try:
        row = _row({**defaults, **test.given}, _day(test.at))
    except _Unusable as unusable:
        yield unusable.path, f"{test.name}: {unusable.message}"
        return
    decision = policy.decide(row, row["as_of"])
    for path, message in _compare(policy, test, decision):
        yield path, f"{test.name}: {message}"


def _compare(policy: Policy, test: PolicyTest, decision: Decision) -> Iterator[Complaint]:
    denials = {denial.family: denial for denial in decision.denials if denial.channel == test.channel}
    for family in (*test.deny, *test.until, *(set(test.allow) - {REST_WORD})):
        if family not in policy.families:
            yield ("name",), f'"{family}" is not an offer family{one_of(family, policy.families)}'
    for family, rule in test.deny.items():
        denial = denials.get(family)
        if denial is None:
            yield ("deny", family), f"expected {rule} to deny {family}, but it is allowed"
        elif denial.rule != rule:
            yield ("deny", family), f"expected {rule} to decide on {family}, but {denial.rule} does"
    for family, day in test.until.items():
        denial = denials.get(family)
        yield from _compare_days(("until", family), day, denial.until if denial else None)
    named = set(test.allow) - {REST_WORD}
    for family in sorted(named | (policy.families - test.deny.keys() if REST_WORD in test.allow else set())):
        if family in denials:
            yield ("allow",), f"expected {family} to be allowed, but {denials[family].rule} denies it"
    if test.changes_on is not None:
        never = decision.valid_until if decision.valid_until is not None else NEVER_WORD
        if str(never) != test.changes_on:
            yield ("changes_on",), f"expected {test.changes_on}, found {never}"


def _compare_days(path: Path, expected: str, found: date | None) -> Iterator[Complaint]:
    if found is None:
        yield path, f"expected a deny until {expected}, but there is none"
        return
    shown = FOREVER_WORD if found == FOREVER else found.isoformat()
    if shown != expected:
        yield path, f"expected the last day denied to be {expected}, found {shown}"


class _Unusable(Exception):
    def __init__(self, path: Path, message: str) -> None:
        super().__init__(message)
        self.path, self.message = path, message


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise _Unusable(("at",), f'"{text}" is not a day (write it as 2026-11-22)') from error


def _row(given: Mapping[str, Any], as_of: date) -> dict[str, Any]:
    for name in given:
        if name not in FACTS:
            raise _Unusable(("given", name), f'"{name}" is not a fact{one_of(name, FACTS)}')
    try:
        return typed_row(given, as_of, fact_readers(given.keys() - {"as_of"}))
    except ValueError as error:
        raise _Unusable(("given",), str(error)) from error
