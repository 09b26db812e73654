"""What stewards are asked, and what they decided: questions are opened and closed, decisions are only added."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, select

from onevoice.store.engine import rows_in
from onevoice.store.schema import contradiction, profile, review, source_link, steward_constraint

DECIDED = "decided"
"""Step of the work of records that are clustered anew because somebody decided on them, not because they changed."""

_IN_FORCE = steward_constraint.c.withdrawn_at.is_(None)
_OPEN = review.c.closed_at.is_(None)


@dataclass(frozen=True, slots=True)
class StewardDecision:
    """What somebody decided on two records; left sorts before right."""

    id: int
    left: str
    right: str
    same: bool
    """Whether they are one person."""
    actor: str
    reason: str
    at: datetime
    withdrawn_at: datetime | None
    """None while it is in force."""
    withdrawn_by: str | None
    withdrawn_reason: str | None

    @property
    def in_force(self) -> bool:
        """It was not withdrawn."""
        return self.withdrawn_at is None


@dataclass(frozen=True, slots=True)
class Question:
    """Two records that a steward is asked about, and why, in a sentence without personal data."""

    kind: str
    left: str
    right: str
    weight: float
    """Bits that speak for one person."""
    reason: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes it the same question in the next run."""
        return self.kind, self.left, self.right


@dataclass(frozen=True, slots=True)
class KeptQuestion:
    """A question as it is kept."""

    id: int
    left: str
    right: str
    kind: str
    weight: float
    reason: str
    opened_at: datetime
    closed_at: datetime | None
    answer: int | None
    """The decision that closed it; None: it is open, or the evidence is another now."""


def add_decision(
    connection: Connection, pair: tuple[str, str], *, same: bool, actor: str, reason: str, at: datetime
) -> StewardDecision:
    """Add a decision on two records."""
    left, right = sorted(pair)
    values = {"left": left, "right": right, "same": same, "actor": actor, "reason": reason, "at": at}
    added = connection.execute(steward_constraint.insert().values(**values)).inserted_primary_key
    assert added is not None  # noqa: S101 - one row was inserted
    return StewardDecision(int(added[0]), left, right, same, actor, reason, at, None, None, None)


def withdraw(connection: Connection, decision: int, actor: str, reason: str, at: datetime) -> None:
    """Note who took a decision back, why and when; one that was withdrawn before keeps what was noted."""
    statement = steward_constraint.update().where(steward_constraint.c.id == decision, _IN_FORCE)
    connection.execute(statement.values(withdrawn_at=at, withdrawn_by=actor, withdrawn_reason=reason))


def load_decision(connection: Connection, decision: int) -> StewardDecision | None:
    """One decision, in force or withdrawn."""
    row = connection.execute(select(steward_constraint).where(steward_constraint.c.id == decision)).first()
    return StewardDecision(*row) if row else None


def all_decisions(connection: Connection) -> list[StewardDecision]:
    """Every decision, withdrawn ones too, oldest first."""
    rows = connection.execute(select(steward_constraint).order_by(steward_constraint.c.id))
    return [StewardDecision(*row) for row in rows]


def decisions_on(connection: Connection, refs: Iterable[str]) -> list[StewardDecision]:
    """Every decision on one of the records, withdrawn ones too, oldest first."""
    return sorted(_touching(connection, select(steward_constraint), set(refs)), key=lambda one: one.id)


def in_force_on(connection: Connection, refs: Iterable[str]) -> list[StewardDecision]:
    """Decisions in force on one of the records, oldest first."""
    return sorted(_touching(connection, select(steward_constraint).where(_IN_FORCE), set(refs)), key=lambda one: one.id)


def _touching(connection: Connection, statement: Select[Any], refs: set[str]) -> set[StewardDecision]:
    columns = (steward_constraint.c.left, steward_constraint.c.right)
    return {StewardDecision(*row) for column in columns for row in rows_in(connection, statement, column, refs)}


def joined_with(connection: Connection, ref: str) -> dict[str, tuple[StewardDecision, ...]]:
    """Records that decisions in force join with this one, each with the decisions on the way; itself with none."""
    ways: dict[str, tuple[StewardDecision, ...]] = {ref: ()}
    front = {ref}
    while front:
        beside = [one for one in in_force_on(connection, front) if one.same]
        front = set()
        for one in beside:
            for here, there in ((one.left, one.right), (one.right, one.left)):
                if here in ways and there not in ways:
                    ways[there] = (*ways[here], one)
                    front.add(there)
    return ways


def open_items(connection: Connection) -> list[KeptQuestion]:
    """Every open question, oldest first."""
    return [KeptQuestion(*row) for row in connection.execute(select(review).where(_OPEN).order_by(review.c.id))]


def open_items_on(connection: Connection, refs: Iterable[str]) -> list[KeptQuestion]:
    """Open questions of which one record is among the refs, oldest first."""
    statement, refs = select(review).where(_OPEN), set(refs)
    found = {
        KeptQuestion(*row)
        for column in (review.c.left, review.c.right)
        for row in rows_in(connection, statement, column, refs)
    }
    return sorted(found, key=lambda item: item.id)


def load_item(connection: Connection, item: int) -> KeptQuestion | None:
    """One question, open or closed."""
    row = connection.execute(select(review).where(review.c.id == item)).first()
    return KeptQuestion(*row) if row else None


def replace_questions(
    connection: Connection, items: Iterable[KeptQuestion], rows: Sequence[Question], at: datetime
) -> None:
    """Make `rows` the open questions in place of `items`: what is asked already keeps its number and its time."""
    standing = {(one.kind, one.left, one.right): one for one in items}
    asked = {row.key: row for row in rows}
    close_items(connection, [standing[key].id for key in standing.keys() - asked.keys()], None, at)
    told = [
        {"b_id": standing[key].id, "b_weight": asked[key].weight, "b_reason": asked[key].reason}
        for key in sorted(standing.keys() & asked.keys())
        if (standing[key].weight, standing[key].reason) != (asked[key].weight, asked[key].reason)
    ]
    if told:
        statement = review.update().where(review.c.id == bindparam("b_id"))
        connection.execute(statement.values(weight=bindparam("b_weight"), reason=bindparam("b_reason")), told)
    new = [{**asdict(asked[key]), "opened_at": at} for key in sorted(asked.keys() - standing.keys())]
    if new:
        connection.execute(review.insert(), new)


def close_items(connection: Connection, items: Iterable[int], answer: int | None, at: datetime) -> None:
    """Close open questions: answered by a decision, or (None) because the evidence is another now."""
    rows = [{"b_id": number} for number in sorted(items)]
    if rows:
        statement = review.update().where(review.c.id == bindparam("b_id"), _OPEN)
        connection.execute(statement.values(closed_at=at, answer=answer), rows)


def reopen_answered(connection: Connection, decision: int) -> None:
    """Open again what a decision had closed: it is asked since it was asked first."""
    connection.execute(review.update().where(review.c.answer == decision).values(closed_at=None, answer=None))


@dataclass(frozen=True, slots=True)
class Worth:
    """What of a profile tells how much a wrong answer would cost."""

    status: Mapping[str, Any]
    """Programme -> merged loyalty status."""
    annual_spend: float


def load_worths(connection: Connection, profile_ids: Iterable[str]) -> dict[str, Worth]:
    """What live profiles are worth, by id."""
    statement = select(profile.c.profile_id, profile.c.status, profile.c.annual_spend)
    found = rows_in(connection, statement.where(profile.c.redirect.is_(None)), profile.c.profile_id, set(profile_ids))
    return {row.profile_id: Worth(row.status, row.annual_spend or 0.0) for row in found}


def open_contradictions(connection: Connection) -> dict[str, int]:
    """How many contradictions are open, by profile; profiles without one are absent."""
    joined = select(source_link.c.profile_id, func.count()).join(
        contradiction, contradiction.c.ref == source_link.c.ref
    )
    statement = joined.where(contradiction.c.closed_at.is_(None)).group_by(source_link.c.profile_id)
    return {row[0]: int(row[1]) for row in connection.execute(statement)}


def load_homes(connection: Connection, refs: Iterable[str]) -> dict[str, tuple[str, datetime]]:
    """(profile id, since when) of records that have one, by ref."""
    statement = select(source_link.c.ref, source_link.c.profile_id, source_link.c.since)
    return {row.ref: (row.profile_id, row.since) for row in rows_in(connection, statement, source_link.c.ref, refs)}
