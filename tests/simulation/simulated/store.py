"""The real store on a fresh copy of an empty database, with a moment before and after everything it does."""

from __future__ import annotations

import itertools
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.pool import QueuePool

from onevoice.store import Store, open_store
from simulated.moments import Moments

_RAM = Path("/dev/shm")
"""Where files are kept in memory, on systems that have it."""


class CrossedLocks(AssertionError):
    """Rows of one table were locked out of order: two such transactions can wait for one another for ever."""


class SimulatedStore:
    """One engine for all schedules of a process, since its compiled statements are dear; a database for each."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="onevoice-simulation-", dir=_RAM if _RAM.is_dir() else None))
        self._template = self._folder / "template.sqlite"
        open_store(f"sqlite:///{self._template}").close()
        self._numbers = itertools.count()
        self._path = self._template
        self._moments: Moments | None = None
        self._writer: object = None
        self._marked = ""
        self._engine = create_engine("sqlite://", creator=self._connect, poolclass=QueuePool, pool_size=8)
        self._listen()
        self._around_commits()
        self.store = Store(self._engine)

    def fresh(self, moments: Moments | None) -> Store:
        """The store, empty; its moments are those of a new schedule."""
        self.drop()
        self._path = self._folder / f"{os.getpid()}-{next(self._numbers)}.sqlite"
        shutil.copyfile(self._template, self._path)
        self._moments = moments
        return self.store

    def quietly(self, moments: Moments | None) -> None:
        """Go on with the same database and other moments."""
        self._moments = moments

    def drop(self) -> None:
        """Forget the database of the last schedule."""
        self._moments = self._writer = None
        self._engine.dispose()
        if self._path != self._template:
            for end in ("", "-wal", "-shm"):
                Path(f"{self._path}{end}").unlink(missing_ok=True)

    def close(self) -> None:
        """Remove everything from the disk."""
        self.drop()
        shutil.rmtree(self._folder)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, check_same_thread=False, isolation_level=None, timeout=0)
        connection.execute("PRAGMA synchronous=OFF")
        return connection

    def _listen(self) -> None:
        @event.listens_for(self._engine, "begin")
        def _begin(connection: Connection) -> None:
            if connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT":
                return
            if self._moments is not None:
                self._moments.begin()
            driver: Any = connection.connection.driver_connection
            driver.execute("BEGIN IMMEDIATE")
            self._writer = driver
            self._marked = ""

        @event.listens_for(self._engine, "before_cursor_execute")
        def _execute(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
            if self._moments is not None:
                self._moments.reach(statement if self._moments.trace is None else f"{statement} {parameters}")

        @event.listens_for(self._engine, "before_execute")
        def _rows(_c: Any, clause: Any, rows: Sequence[Mapping[str, Any]], _params: Any, _options: Any) -> None:
            if len(rows) > 1 and hasattr(clause, "table"):
                self._in_order(clause.table, rows)

    def _in_order(self, table: Any, rows: Sequence[Mapping[str, Any]]) -> None:
        """PostgreSQL locks the rows of a statement one after another: in one order in every transaction."""
        names = [column.name for column in table.primary_key if column.name in rows[0]]
        if len(names) < len(table.primary_key):
            return  # new rows under new numbers: nobody else locks them
        keys = [tuple(row[name] for name in names) for row in rows]
        if keys != sorted(keys):
            raise CrossedLocks(f"{table.name}: rows are written out of order: {keys[:5]}")

    def _around_commits(self) -> None:
        dialect: Any = self._engine.dialect
        commit, rollback = dialect.do_commit, dialect.do_rollback

        def do_commit(connection: Any) -> None:
            if self._moments is None or connection.driver_connection is not self._writer:
                commit(connection)
                return
            self._moments.reach("COMMIT")
            commit(connection)
            self._writer = None
            self._moments.end()
            self._moments.reach("committed")

        def do_rollback(connection: Any) -> None:
            rollback(connection)
            if self._moments is not None and connection.driver_connection is self._writer:
                self._writer = None
                self._moments.end()

        dialect.do_commit, dialect.do_rollback = do_commit, do_rollback
