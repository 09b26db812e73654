"""The trail of what people changed by hand: who, when, why. Entries are never removed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from onevoice.store.schema import act


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that somebody did."""

    act: str
    """edit, retry, drop, lift, approve or backfill."""
    subject: str
    """A ref, the hash of a plan, or `system.stream`."""
    actor: str
    at: datetime
    reason: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


def note(connection: Connection, done: Act) -> None:
    """Append an entry."""
    values = {"act": done.act, "subject": done.subject, "actor": done.actor, "at": done.at, "reason": done.reason}
    connection.execute(act.insert().values(**values, detail=dict(done.detail)))


def of(connection: Connection, subject: str) -> list[Act]:
    """What was done about one subject, oldest first."""
    rows = connection.execute(select(act).where(act.c.subject == subject).order_by(act.c.id))
    return [Act(r.act, r.subject, r.actor, r.at, r.reason, r.detail) for r in rows]
