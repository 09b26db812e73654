"""Plans that a person approved although they change more than the guard lets through."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from onevoice.store.engine import upsert
from onevoice.store.schema import approval


@dataclass(frozen=True, slots=True)
class Approval:
    """One approval, from when it was given until nothing needs it any more."""

    plan: str
    configuration: str
    """The configuration under which the plan was made; under another one it approves nothing."""
    writes: frozenset[str]
    """A hash of each write of the plan."""
    actor: str
    at: datetime


def give(connection: Connection, given: Approval) -> None:
    """Store an approval; one that was given before begins anew."""
    values = {
        "plan": given.plan,
        "configuration": given.configuration,
        "writes": sorted(given.writes),
        "actor": given.actor,
        "at": given.at,
        "used_by": None,
        "closed_at": None,
    }
    upsert(connection, approval, [values])


def standing(connection: Connection) -> list[Approval]:
    """Approvals that are not closed."""
    rows = connection.execute(select(approval).where(approval.c.closed_at.is_(None)).order_by(approval.c.plan))
    return [Approval(r.plan, r.configuration, frozenset(r.writes), r.actor, r.at) for r in rows]


def note_use(connection: Connection, plans: Iterable[str], run: str) -> None:
    """Note the first run that approvals let through."""
    condition = approval.c.plan.in_(sorted(plans)) & approval.c.used_by.is_(None)
    connection.execute(approval.update().where(condition).values(used_by=run))


def close(connection: Connection, at: datetime) -> None:
    """Close every approval."""
    connection.execute(approval.update().where(approval.c.closed_at.is_(None)).values(closed_at=at))
