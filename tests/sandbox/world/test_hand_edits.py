"""Edits by hand: every kind occurs, and what must be written afterwards is what the oracle would write."""

from __future__ import annotations

import pytest

from onevoice.sandbox.edits import KINDS, Hand, NothingPushedError, answer
from onevoice.sandbox.judge import Judge
from onevoice.sandbox.world import World, build_world


def test_expected_records_are_those_that_differ(fresh: World, oracle_for) -> None:
    judge, oracle = Judge(fresh), oracle_for(fresh)
    oracle.push()
    told = answer(Hand(judge, 3).make(25))
    assert len(told["edits"]) == 25
    assert {edit["kind"] for edit in told["edits"]} == set(KINDS)
    assert [list(ref) for ref in sorted(oracle.differing())] == told["expected_records"]


def test_repaired_edits_leave_nothing_wrong(fresh: World, oracle_for) -> None:
    judge, oracle = Judge(fresh), oracle_for(fresh)
    oracle.push()
    edits = Hand(judge, 4).make(25)
    assert judge.messages()["summary"]["contradictory"] > 0
    oracle.push()
    assert judge.messages()["summary"]["contradictory"] == 0
    assert oracle.differing() == {}
    assert judge.native_opt_outs()["wrong"] == 0
    assert all(edit.contradicts for edit in edits if edit.kind in {"untick_optout", "wrong_tier"})


def test_a_cleared_suppression_contradicts_when_a_wrong_message_goes_out(fresh: World, oracle_for) -> None:
    judge, oracle = Judge(fresh), oracle_for(fresh)
    oracle.push()
    edits = [edit for edit in Hand(judge, 5).make(60) if edit.kind == "clear_field"]
    wrong = {entry.message.ref for entry in judge.today() if entry.wrong}
    assert edits
    for edit in edits:
        assert edit.contradicts == (edit.ref in wrong)


def test_no_two_edits_touch_one_profile(fresh: World, oracle_for) -> None:
    oracle_for(fresh).push()
    expected = [ref for edit in Hand(Judge(fresh), 6).make(25) for ref in edit.expected]
    assert len(expected) == len(set(expected))


def test_the_same_seed_makes_the_same_edits(oracle_for) -> None:
    made = []
    for _ in range(2):
        world = build_world(12, 600)
        oracle_for(world).push()
        made.append(answer(Hand(Judge(world), 7).make(12)))
    assert made[0] == made[1]


def test_nothing_pushed_nothing_to_edit(fresh: World) -> None:
    with pytest.raises(NothingPushedError, match="no record carries a profile id"):
        Hand(Judge(fresh), 1)
