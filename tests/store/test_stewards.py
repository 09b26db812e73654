"""Decisions and questions as rows, on both databases: only added, withdrawn once, closed and opened again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from onevoice.store import Store, identities, steward
from onevoice.store.steward import Question

AT = datetime(2026, 11, 22, 9, tzinfo=UTC)
LATER = AT + timedelta(hours=1)
A, B, C, D = (f"crm/Contact/{name}" for name in "abcd")


def decide(store: Store, left: str, right: str, *, same: bool) -> int:
    with store.begin() as connection:
        said = steward.add_decision(connection, (left, right), same=same, actor="dana", reason="seen", at=AT)
        assert steward.load_decision(connection, said.id) == said
    return said.id


def test_a_pair_may_be_decided_again_and_every_row_stays(store: Store) -> None:
    first = decide(store, B, A, same=True)
    with store.begin() as connection:
        steward.withdraw(connection, first, "eli", "wrong", LATER)
        steward.withdraw(connection, first, "fay", "again", LATER + timedelta(hours=1))
        assert identities.load_constraints(connection) == []
    second = decide(store, A, B, same=False)
    with store.read() as connection:
        rows = [
            (d.id, d.left, d.right, d.same, d.withdrawn_by, d.withdrawn_at) for d in steward.all_decisions(connection)
        ]
        assert rows == [(first, A, B, True, "eli", LATER), (second, A, B, False, None, None)]
        assert identities.load_constraints(connection, {B}) == [(A, B, False)]
        assert [d.id for d in steward.in_force_on(connection, {A})] == [second]
        assert [d.id for d in steward.decisions_on(connection, {B})] == [first, second]


def test_what_decisions_join_is_told_with_the_way(store: Store) -> None:
    ab, bc = decide(store, A, B, same=True), decide(store, C, B, same=True)
    decide(store, C, D, same=False)
    with store.read() as connection:
        ways = steward.joined_with(connection, A)
    assert {ref: [d.id for d in way] for ref, way in ways.items()} == {A: [], B: [ab], C: [ab, bc]}


def test_questions_are_replaced_only_for_the_records_that_were_looked_at(store: Store) -> None:
    with store.begin() as connection:
        asked = [Question("grey", A, B, 1.0, "doubt"), Question("grey", C, D, 2.0, "doubt")]
        steward.replace_questions(connection, [], asked, AT)
        ab, cd = steward.open_items(connection)
        looked_at = steward.open_items_on(connection, {A, B})
        steward.replace_questions(connection, looked_at, [Question("grey", A, B, 3.0, "more doubt")], LATER)
        assert [(i.id, i.weight, i.reason, i.opened_at) for i in steward.open_items(connection)] == [
            (ab.id, 3.0, "more doubt", AT),
            (cd.id, 2.0, "doubt", AT),
        ]
        steward.replace_questions(connection, steward.open_items_on(connection, {A}), [], LATER)
        assert steward.open_items(connection) == [cd]
        closed = steward.load_item(connection, ab.id)
    assert closed is not None
    assert (closed.closed_at, closed.answer) == (LATER, None)


def test_what_a_decision_answered_is_opened_again(store: Store) -> None:
    said = decide(store, A, B, same=False)
    with store.begin() as connection:
        steward.replace_questions(connection, [], [Question("veto", A, B, 1.0, "names")], AT)
        [item] = steward.open_items_on(connection, {B})
        steward.close_items(connection, [item.id], said, LATER)
        assert steward.open_items(connection) == []
        steward.close_items(connection, [item.id], None, LATER + timedelta(hours=1))
        closed = steward.load_item(connection, item.id)
        assert closed is not None
        assert (closed.closed_at, closed.answer) == (LATER, said)
        steward.reopen_answered(connection, said)
        assert steward.open_items(connection) == [item]
