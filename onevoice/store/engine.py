"""Opening the store, transactions, and the three bulk statements every other store file is written with."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    Connection,
    Engine,
    Row,
    Select,
    Table,
    Text,
    any_,
    bindparam,
    create_engine,
    event,
    func,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from onevoice.errors import ConfigError, StoreError
from onevoice.store.versions import bring_up_to_date

IN_CHUNK = 4000
"""Values that one statement asks for: a page of answers that stays small in memory."""

PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=NORMAL",
    "busy_timeout=60000",
    # Pages, 256 MB: what the steps of a run write is carried over into the file once, at their end, and not at every
    # commit, which would wait for the disk.
    "wal_autocheckpoint=65536",
    "journal_size_limit=67108864",
    # KiB: what a change of a thousand records writes to a store of a million stays in memory until its commit.
    "cache_size=-65536",
)
CONNECTIONS = 12
"""Connections kept open: those of a server's readers, its writers and its audit."""


class Store:
    """The open database. Steps take one write transaction each; readers never wait for writers."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """One write transaction: all of it is stored or none of it."""
        with self.engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for reading that holds no lock between statements."""
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A connection for reading that sees one moment of the store throughout, and keeps no writer waiting.

        Raises StoreError, without a word of what was asked for, when the database fails.
        """
        level = "AUTOCOMMIT" if self.engine.dialect.name == "sqlite" else "REPEATABLE READ"
        try:
            with self.engine.connect().execution_options(isolation_level=level) as connection:
                if level == "AUTOCOMMIT":  # the driver's own BEGIN would ask for the write lock
                    connection.exec_driver_sql("BEGIN")
                try:
                    yield connection
                finally:
                    if level == "AUTOCOMMIT":
                        connection.exec_driver_sql("ROLLBACK")
        except SQLAlchemyError as exc:
            raise StoreError(f"store: cannot be read: {type(exc).__name__} (check the database)") from exc

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """As `begin`, for those who serve others: a database that fails or stays busy is a StoreError."""
        try:
            with self.engine.begin() as connection:
                yield connection
        except SQLAlchemyError as exc:
            raise StoreError(f"store: cannot be written: {type(exc).__name__} (check the database)") from exc

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def open_store(url: str) -> Store:
    """Open, create if empty, and check the version of the store at a SQLAlchemy URL.

    Raises ConfigError when the URL is none of ours, StoreError when the database cannot be reached, StoreVersionError
    when another version wrote it.
    """
    parsed = _parsed(url)
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() == "sqlite" and parsed.database and parsed.database != ":memory:":
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        parsed, hide_parameters=True, pool_size=CONNECTIONS, pool_pre_ping=parsed.get_backend_name() != "sqlite"
    )
    if engine.dialect.name == "sqlite":
        _tune_sqlite(engine)
    try:
        bring_up_to_date(engine)
    except SQLAlchemyError as exc:
        engine.dispose()
        where, problem = parsed.render_as_string(hide_password=True), type(exc).__name__
        raise StoreError(f"store {where}: cannot be opened: {problem} (check the URL and the server)") from exc
    except StoreError:
        engine.dispose()
        raise
    return Store(engine)


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = None
    if parsed is None or parsed.get_backend_name() not in {"sqlite", "postgresql"}:
        raise ConfigError("database: not an address of ours (allowed: sqlite:///FILE, postgresql://USER@HOST/NAME)")
    return parsed


def _tune_sqlite(engine: Engine) -> None:
    """WAL so that readers go on during writes; BEGIN IMMEDIATE so that two writers queue instead of failing late."""

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver must not begin transactions by itself
        cursor = connection.cursor()
        for pragma in PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
            connection.exec_driver_sql("BEGIN IMMEDIATE")


def upsert(connection: Connection, table: Table, rows: Sequence[dict[str, Any]], keep: Collection[str] = ()) -> None:
    """Insert rows, or replace the rows that have the same primary key, leaving the `keep` columns as they were.

    One prepared statement for all rows, so every row names the same columns.
    """
    if not rows:
        return
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = make(table)
    keys = list(table.primary_key.columns)
    named = [c.name for c in table.columns if c.name in rows[0] and not c.primary_key and c.name not in keep]
    values = {name: statement.excluded[name] for name in named}
    if values:
        connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=values), rows)
    else:
        connection.execute(statement.on_conflict_do_nothing(index_elements=keys), rows)


def insert_missing(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows whose primary key is not there yet; leave the others as they are."""
    if not rows:
        return
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    connection.execute(make(table).on_conflict_do_nothing(index_elements=list(table.primary_key.columns)), rows)


def insert_plain(connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """As `insert_missing`, for rows of numbers and texts in the order of the table's columns, as the driver takes them:
    for tables of which a small change writes ten rows a record."""
    if not rows:
        return
    marks = ", ".join(("%s" if connection.dialect.name == "postgresql" else "?",) * len(table.columns))
    connection.exec_driver_sql(f"INSERT INTO {table.name} VALUES ({marks}) ON CONFLICT DO NOTHING", rows)  # noqa: S608


def fill(connection: Connection, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Empty a table and write rows, as the driver takes them: for whole tables, which must be quick to write."""
    connection.execute(table.delete())
    named = ", ".join(f'"{name}"' for name in columns)
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "postgresql":
        with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({named}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    else:
        marks = ", ".join("?" * len(columns))
        driver.executemany(f"INSERT INTO {table.name} ({named}) VALUES ({marks})", rows)  # noqa: S608 - names of ours


def among(connection: Connection, column: Column[Any], values: Collection[Any]) -> ColumnElement[bool]:
    """The condition that a column holds one of the values, which travel as one parameter however many they are.

    A parameter for each value would make the statement's text, and the work of making it, grow with their number.
    """
    ordered = sorted(values)
    if connection.dialect.name == "postgresql":
        return column == any_(bindparam(None, ordered, ARRAY(column.type)))
    listed = func.json_each(bindparam(None, orjson.dumps(ordered).decode(), Text)).table_valued("value")
    return column.in_(select(listed.c.value))


@cache
def _one_of(column: Column[Any], dialect: str) -> ColumnElement[bool]:
    """That a column holds one of `values`, a parameter. Built once: building it costs more than running a statement."""
    if dialect == "postgresql":
        return column == any_(bindparam("values", type_=ARRAY(column.type)))
    listed = func.json_each(bindparam("values", type_=Text)).table_valued("value")
    return column.in_(select(listed.c.value))


def _travelling(connection: Connection, values: Sequence[Any]) -> dict[str, Any]:
    """The parameter of `_one_of`."""
    return {"values": values if connection.dialect.name == "postgresql" else orjson.dumps(values).decode()}


class Asking:
    """A select for every value of a column in a set. Built once where it is asked often: building it costs more than
    running it for a few values."""

    def __init__(self, statement: Select[Any], column: Column[Any]) -> None:
        self._statement = statement
        self._column = column
        self._built: dict[str, Select[Any]] = {}

    def rows(self, connection: Connection, values: Iterable[Any]) -> Iterator[Row[Any]]:
        """Run it, in as many statements as needed."""
        dialect = connection.dialect.name
        for part in chunks(values):
            if dialect not in self._built:
                self._built[dialect] = self._statement.where(_one_of(self._column, dialect))
            yield from connection.execute(self._built[dialect], _travelling(connection, part)).all()


def rows_in(
    connection: Connection, statement: Select[Any], column: Column[Any], values: Iterable[Any]
) -> Iterator[Row[Any]]:
    """Run a select for every value of a column in a set, in as many statements as needed."""
    return Asking(statement, column).rows(connection, values)


def delete_in(connection: Connection, table: Table, column: Column[Any], values: Iterable[Any], *extra: Any) -> None:
    """Delete the rows whose column holds one of the values (and where every extra condition holds)."""
    for part in chunks(values):
        condition = _one_of(column, connection.dialect.name)
        connection.execute(table.delete().where(condition, *extra), _travelling(connection, part))


def chunks(values: Iterable[Any], size: int = IN_CHUNK) -> Iterator[list[Any]]:
    """Cut values into sorted lists: a fixed order, so that two transactions never lock rows crosswise."""
    ordered = sorted(values)
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]


def count(connection: Connection, table: Table, *conditions: Any) -> int:
    """Count the rows for which every condition holds."""
    return int(connection.execute(select(text("count(*)")).select_from(table).where(*conditions)).scalar_one())
