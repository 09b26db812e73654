"""Every test beside every shipped mapping passes, every mapped field is tested, and the runner can fail."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from onevoice.configfile import load_project
from onevoice.mapping.testing import CaseResult, run_mapping_tests, untested_fields

ROOT = Path(__file__).parents[2]
RESULTS = list(run_mapping_tests(load_project(ROOT)))


@pytest.mark.parametrize("result", RESULTS, ids=lambda result: f"{result.file}: {result.name}")
def test_case(result: CaseResult) -> None:
    assert result.differences == (), f"{result.file}:{result.line}"


def test_every_mapped_field_is_tested() -> None:
    assert untested_fields(load_project(ROOT)) == {}


@pytest.fixture
def failing(tmp_path: Path) -> Callable[[str, str], list[CaseResult]]:
    """Replace the test of till cards and return its failures."""
    for name in ("config", "mappings"):
        shutil.copytree(ROOT / name, tmp_path / name)

    def run(stream: str, text: str) -> list[CaseResult]:
        (tmp_path / f"mappings/{stream}_test.yaml").write_text(text)
        file = f"mappings/{stream}_test.yaml"
        return [result for result in run_mapping_tests(load_project(tmp_path)) if result.file == file]

    return run


def test_a_wrong_value_a_missing_field_and_a_surplus_one_are_told(failing: Callable[..., list[CaseResult]]) -> None:
    (result,) = failing(
        "till/cards",
        "pull:\n  - name: wrong\n    given: {card_no: '1', city: Leeds, email: none}\n"
        "    expect: {customer: {card_number: 1, postcode: LS1}, cart: {category: x}}\n    faults: [no such]\n",
    )
    assert (result.line, result.name) == (2, "wrong")
    assert result.differences == (
        "cart: expected 1 items, made 0",
        'customer.card_number: expected 1, made "1"',
        'customer.city: expected nothing, made "Leeds"',
        'customer.email: expected nothing, made "none"',
        'customer.postcode: expected "LS1", made nothing',
        'fault: expected one with "no such", made none',
        'note: expected none, made "email (customer.email): an e-mail address is allowed (kept as it is)"',
    )


def test_wrong_pushes_are_told(failing: Callable[..., list[CaseResult]]) -> None:
    (result,) = failing(
        "hubspot/lists",
        "push:\n  - name: wrong\n    given: {suppressed.newsletter: true, profile.id: p}\n    expect: {other: true}\n",
    )
    assert result.differences == (
        "given.profile.id: no field of this mapping is filled from it",
        "push.onevoice_no_newsletter: expected nothing, made true",
        "push.other: expected true, made nothing",
    )
