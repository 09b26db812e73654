"""Runs and the locks that keep two of them from doing the same thing at once."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import psutil
from sqlalchemy import Connection, select

from onevoice.store.engine import Store, insert_missing, upsert
from onevoice.store.rows import plain
from onevoice.store.schema import lock, run, step

LEASE = timedelta(hours=6)
"""How long a lock is believed whose owner ran on another machine; on this one a dead owner is seen at once."""


def begin_run(store: Store, run_id: str, as_of: datetime) -> None:
    """Note that a run began."""
    with store.begin() as connection:
        upsert(connection, run, [{"run": run_id, "as_of": as_of, "started_at": datetime.now(UTC)}])


def end_run(store: Store, run_id: str, exit_code: int, report: Mapping[str, Any]) -> None:
    """Note how a run ended."""
    with store.begin() as connection:
        values = {"ended_at": datetime.now(UTC), "exit_code": exit_code, "report": dict(report)}
        connection.execute(run.update().where(run.c.run == run_id).values(**values))


def seconds_since(connection: Connection, run_id: str) -> float:
    """How long ago a run ended; 0 when it was cut short, so that nobody knows."""
    ended: datetime | None = connection.execute(select(run.c.ended_at).where(run.c.run == run_id)).scalar_one_or_none()
    return (datetime.now(UTC) - ended).total_seconds() if ended else 0.0


def last_runs(store: Store, limit: int) -> list[dict[str, Any]]:
    """The latest runs, newest first."""
    with store.read() as connection:
        return [plain(r) for r in connection.execute(select(run).order_by(run.c.started_at.desc()).limit(limit))]


def is_known(connection: Connection, run_id: str) -> bool:
    """Whether this store has seen a run."""
    return connection.execute(select(run.c.run).where(run.c.run == run_id)).first() is not None


def configured_anew(connection: Connection, name: str, version: str) -> bool:
    """Note the configuration under which a step works; whether it worked under another one before."""
    known = connection.execute(select(step.c.version).where(step.c.step == name)).scalar_one_or_none()
    upsert(connection, step, [{"step": name, "version": version}])
    return known is not None and known != version


def process_name() -> str:
    """This process as other processes can check it: host, process id, and when it started."""
    return f"{socket.gethostname()}:{os.getpid()}:{psutil.Process().create_time():.2f}"


def acquire(store: Store, name: str) -> bool:
    """Take a named lock for this process; a lock whose owner died is taken over. Returns whether it is ours."""
    mine, now = process_name(), datetime.now(UTC)
    with store.begin() as connection:
        insert_missing(connection, lock, [{"name": name, "owner": mine, "until": now + LEASE}])
        held = connection.execute(select(lock).where(lock.c.name == name).with_for_update()).one()
        if held.owner != mine and _still_holds(held.owner, held.until, now):
            return False
        connection.execute(lock.update().where(lock.c.name == name).values(owner=mine, until=now + LEASE))
    return True


def give_back(store: Store, name: str) -> None:
    """Release a lock of this process."""
    with store.begin() as connection:
        connection.execute(lock.delete().where((lock.c.name == name) & (lock.c.owner == process_name())))


def process_lives(name: str) -> bool:
    """Whether a process may still be at work: one on another machine may, one of this machine is looked for."""
    host, pid, started = name.rsplit(":", 2)
    if host != socket.gethostname():
        return True
    try:
        return abs(psutil.Process(int(pid)).create_time() - float(started)) < 1
    except psutil.NoSuchProcess:
        return False


def _still_holds(owner: str, until: datetime, now: datetime) -> bool:
    elsewhere = owner.rsplit(":", 2)[0] != socket.gethostname()
    return until > now if elsewhere else process_lives(owner)
