"""The migrations make exactly the tables that the code uses, and a store of another version is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import select, text
from sqlalchemy.exc import StatementError

from onevoice.errors import ConfigError, StoreError, StoreVersionError
from onevoice.store import Store, open_store
from onevoice.store.schema import cursor, metadata


def test_migrations_and_tables_agree(store: Store) -> None:
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, metadata) == []


def test_opening_twice_changes_nothing(store: Store, database_url: str) -> None:
    row = {"system": "s", "stream": "t", "value": {"n": 1}, "moved_at": datetime(2026, 3, 1, tzinfo=UTC), "fields": []}
    with store.begin() as connection:
        connection.execute(cursor.insert(), [row])
    again = open_store(database_url)
    with again.read() as connection:
        assert connection.execute(select(cursor.c.value)).scalar_one() == {"n": 1}
    again.close()


@pytest.mark.parametrize(("revision", "says"), [("9999_future", "newer version"), ("", "not Onevoice's")])
def test_another_version_is_refused(store: Store, database_url: str, revision: str, says: str) -> None:
    with store.begin() as connection:
        connection.execute(text("DELETE FROM alembic_version"))
        if revision:
            connection.execute(text("INSERT INTO alembic_version VALUES (:r)"), {"r": revision})
    with pytest.raises(StoreVersionError, match=says):
        open_store(database_url)


def test_an_unreachable_database_is_one_sentence_without_the_password() -> None:
    with pytest.raises(StoreError, match="cannot be opened") as caught:
        open_store("postgresql://hub:sesame@127.0.0.1:1/none")
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize("url", ["nonsense", "mysql://hub@127.0.0.1/hub", ""])
def test_an_address_that_is_none_of_ours_says_what_is_allowed(url: str) -> None:
    with pytest.raises(ConfigError, match="allowed: sqlite"):
        open_store(url)


def test_times_come_back_aware_and_in_utc(store: Store) -> None:
    written = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=timezone(timedelta(hours=5)))
    row = {"system": "s", "stream": "t", "value": {"ü": [1, None, "x"]}, "fields": [], "moved_at": written}
    with store.begin() as connection:
        connection.execute(cursor.insert(), [row])
    with store.read() as connection:
        found = connection.execute(select(cursor)).one()
    assert found.moved_at == written
    assert found.moved_at.tzinfo is UTC
    assert found.value == {"ü": [1, None, "x"]}


def test_a_naive_time_is_refused(store: Store) -> None:
    row = {"system": "s", "stream": "t", "value": {}, "fields": [], "moved_at": datetime(2026, 3, 1)}  # noqa: DTZ001 - the point
    with store.begin() as connection, pytest.raises((StatementError, ValueError), match="naive"):
        connection.execute(cursor.insert(), [row])
