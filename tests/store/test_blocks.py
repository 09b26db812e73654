"""The blocking index, on both databases."""

from __future__ import annotations

from sqlalchemy import select

from onevoice.store import Store, blocks
from onevoice.store.blocks import BlockRow, Limits
from onevoice.store.engine import Asking, fill
from onevoice.store.schema import block, edge

PHONE, MAIL, LARGE = 11, 22, 2**63 - 1
ROWS = [BlockRow(PHONE, f"s/c/{n}", surname) for n, surname in enumerate(("ber", "ber", "oka", "", "ram"))]


def test_keys_are_counted_no_further_than_asked(store: Store) -> None:
    with store.begin() as connection:
        blocks.change_blocks(connection, (), [*ROWS, BlockRow(LARGE, "s/c/0", "ber")])
        counted = blocks.count_degrees(connection, {PHONE, MAIL, LARGE}, Limits(100, 100))
        assert counted == {PHONE: (5, 3), MAIL: (0, 0), LARGE: (1, 1)}
        assert blocks.count_degrees(connection, {PHONE}, Limits(2, 1)) == {PHONE: (2, 1)}


def test_rows_leave_and_come(store: Store) -> None:
    with store.begin() as connection:
        blocks.change_blocks(connection, (), ROWS)
        blocks.change_blocks(connection, [(PHONE, "s/c/2"), (PHONE, "s/c/3")], [BlockRow(MAIL, "s/c/2", "lis")])
        found = {value: sorted(refs) for value, refs in blocks.refs_under(connection, {PHONE, MAIL}).items()}
        assert found == {PHONE: ["s/c/0", "s/c/1", "s/c/4"], MAIL: ["s/c/2"]}
        blocks.change_blocks(connection, [(MAIL, "s/c/2")], [BlockRow(MAIL, "s/c/2", "whi")])
        assert blocks.bearing(connection, {PHONE, MAIL}, "whi") == {MAIL}
        blocks.clear_blocks(connection)
        assert blocks.refs_under(connection, {PHONE, MAIL}) == {}


def test_a_table_is_filled_anew(store: Store) -> None:
    names = ("left", "right", "kind", "weight", "probability")
    rows = [(f"s/c/{n}", f"s/c/é\t{n}\\", "score", n / 3, 0.5) for n in range(3)]
    with store.begin() as connection:
        fill(connection, edge, names, rows[:1])
        fill(connection, edge, names, iter(rows))
        assert sorted(tuple(row) for row in connection.execute(select(edge))) == sorted(rows)
        fill(connection, edge, names, ())
        assert connection.execute(select(edge)).all() == []


def test_more_values_than_one_statement_takes_are_all_asked_for(store: Store) -> None:
    with store.begin() as connection:
        blocks.change_blocks(connection, (), [BlockRow(n, "s/c/1", "") for n in range(9000)])
        assert {row.value for row in Asking(select(block), block.c.value).rows(connection, range(9500))} == set(
            range(9000)
        )
        assert list(Asking(select(block), block.c.value).rows(connection, ())) == []
