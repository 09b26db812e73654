"""Systems that nothing may be written to for now, because somebody said so."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from onevoice.store.engine import delete_in, insert_missing
from onevoice.store.schema import hold

EVERYTHING = "*"
"""In place of a system's name: all of them."""


@dataclass(frozen=True, slots=True)
class Hold:
    """One hold."""

    system: str
    reason: str
    since: datetime


def place(connection: Connection, systems: Iterable[str], reason: str, at: datetime) -> None:
    """Hold systems; a hold that stands already keeps its reason and its time."""
    insert_missing(connection, hold, [{"system": name, "reason": reason, "since": at} for name in sorted(set(systems))])


def lift(connection: Connection, systems: Iterable[str]) -> None:
    """Release systems; those that are not held stay so."""
    delete_in(connection, hold, hold.c.system, set(systems))


def standing(connection: Connection) -> dict[str, Hold]:
    """Every hold by system, in order of name."""
    rows = connection.execute(select(hold).order_by(hold.c.system))
    return {row.system: Hold(row.system, row.reason, row.since) for row in rows}
