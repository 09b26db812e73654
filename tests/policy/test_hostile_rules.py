"""Hostile and careless expressions are refused, with the line and column of the character that is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onevoice.configfile.loyalty_file import LoyaltyFile
from onevoice.configfile.offers_file import OffersFile
from onevoice.configfile.suppression_file import SuppressionFile
from onevoice.configfile.yamltext import read_yaml
from onevoice.errors import ConfigError
from onevoice.policy import compile_policy
from onevoice.policy.facts import VOCABULARY
from onevoice.policy.language import Refused, compile_term, parse
from onevoice.policy.positions import placed
from onevoice.policy.rules import compile_rules

MARK = "»"
CORPUS: list[dict[str, Any]] = read_yaml(
    "hostile_rules.yaml", Path(__file__).with_name("hostile_rules.yaml").read_bytes()
)[0].value  # type: ignore[union-attr]

FILE = """\
# A file with one rule.
contact_point: {contradiction: x}
claims: {tier: {contradiction: y}}
rules:
  - id: hostile
    layer: commercial
    because: because
    contradiction: wrong
    deny: {families: join}
"""


def faults_of(text: str, offers: OffersFile, loyalty: LoyaltyFile) -> list[Any]:
    document, faults = read_yaml("config/suppression.yaml", text.encode())
    assert document is not None, faults
    _, found = compile_rules(offers, SuppressionFile.model_validate(document.value), loyalty)
    return [placed(fault, document, text) for fault in found]


def test_the_corpus_is_large_enough() -> None:
    assert len({case["when"] for case in CORPUS}) == len(CORPUS) >= 60


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case["when"])
def test_refused_where_it_is_wrong(case: dict[str, Any], offers: OffersFile, loyalty: LoyaltyFile) -> None:
    marked: str = case["when"]
    text = FILE + "    when: |\n      " + marked.replace(MARK, "") + "\n"
    faults = faults_of(text, offers, loyalty)
    assert len(faults) == 1
    assert case["says"] in faults[0].message
    assert faults[0].line == 11
    if not case.get("anywhere"):
        assert faults[0].column == 7 + marked.index(MARK)


@pytest.mark.parametrize(
    ("written", "line", "column"),
    [
        ("    when: is_member AND teir = 'gold'\n", 10, 25),
        ("    when: 'is_member AND teir = ''gold'''\n", 10, 26),
        ("    when: \"is_member AND teir = 'gold'\"\n", 10, 26),
        ("    when: >-\n      is_member\n      AND teir = 'gold'\n", 12, 11),
        ("    when: is_member AND\n      has_perks AND\n        teir = 'gold'\n", 12, 9),
        ("    when: tier = 'a' OR\n      teir = 'gold'\n", 11, 7),
        ("    when: 'tier = ''it''''s'' OR teir = ''a'''\n", 10, 34),
        ("    when: is_member\n    until: last_order_on + INTERVAL '3' DAI\n", 11, 37),
        ("    when: is_member\n    until: as_of\n", 11, 12),
        ("    when: is_member\n    until: last_order_on + INTERVAL '3' DAY > as_of\n", 11, 12),
    ],
)
def test_the_place_is_right_in_every_way_of_writing_yaml(
    written: str, line: int, column: int, offers: OffersFile, loyalty: LoyaltyFile
) -> None:
    faults = faults_of(FILE + written, offers, loyalty)
    assert [(fault.line, fault.column) for fault in faults] == [(line, column)]


@pytest.mark.parametrize(
    ("written", "says", "line"),
    [
        ("    member: clubb\n", "speak of the programme", 10),
        ("    tier_at_least: golden\n", 'did you mean "gold"?', 10),
        ("    tier_below: platinum\n", "is not a tier", 10),
        ("    has_status: [pending, activ]\n", 'did you mean "active"?', 10),
        ("    within_days:\n      fact: last_order_at\n      days: 3\n", 'did you mean "last_order_on"?', 11),
        (
            "    exclusive_with: {family: cart, started: cart_at, started_on: cart_on, ended: cart_at, days: 1}\n",
            "is not an offer family",
            10,
        ),
    ],
)
def test_a_template_given_the_wrong_thing_is_a_fault(
    written: str, says: str, line: int, offers: OffersFile, loyalty: LoyaltyFile
) -> None:
    faults = faults_of(FILE + written, offers, loyalty)
    assert [(fault.line, says in fault.message) for fault in faults] == [(line, True)]


def test_every_fault_of_every_rule_is_named_at_once(offers: OffersFile, loyalty: LoyaltyFile) -> None:
    rule = (
        "  - {id: same, layer: safety, because: '{teir}', contradiction: x, deny: {families: [joinn], channels: fax}, "
        "when: 'tier = NULL'}\n"
    )
    faults = faults_of(
        "contact_point: {contradiction: x}\nclaims: {teir: {contradiction: y}}\nrules:\n" + rule + rule, offers, loyalty
    )
    assert len([fault for fault in faults if fault.line == 4]) == 5
    assert [fault.kind for fault in faults if "another rule" in fault.message] == ["twice"]
    assert [fault.line for fault in faults if fault.path == "claims.teir"] == [2]


def test_compiling_raises_with_every_fault(offers: OffersFile, loyalty: LoyaltyFile) -> None:
    document, _ = read_yaml("s", (FILE + "    when: teir = 'a'\n").encode())
    assert document is not None
    with pytest.raises(ConfigError) as raised:
        compile_policy(offers.model_copy(update={"gates": ()}), SuppressionFile.model_validate(document.value), loyalty)
    assert len(raised.value.faults) == 1


WORDS = (
    "is_member tier points last_order_on as_of AND OR NOT IN IS NULL ( ) , = < > + - * 1 'a' INTERVAL DAY CASE WHEN "
    "THEN ELSE END BETWEEN LIKE CAST AS DATE COALESCE LOWER TRUE 2.5 ; / . [ ] :: -- /* \" '"
)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(WORDS.split()), max_size=14).map(" ".join) | st.text(max_size=40))
def test_any_text_is_compiled_or_refused_and_nothing_else(text: str) -> None:
    try:
        term = parse(text, VOCABULARY)
    except Refused as refused:
        place = refused.offset
    else:
        compile_term(term)
        place = 0
    assert 0 <= place <= len(text)


@pytest.mark.parametrize(
    "text",
    ["(" * 5000 + "is_member" + ")" * 5000, "NOT " * 5000 + "is_member", " OR ".join(["is_member"] * 5000)],
    ids=["brackets", "nots", "ors"],
)
def test_a_huge_expression_is_refused_and_breaks_nothing(text: str) -> None:
    with pytest.raises(Refused):
        parse(text, VOCABULARY)
