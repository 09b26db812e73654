"""What has to be written at the vendors, what became of it, and what was there before.

A row is pending, in flight, or ambiguous. Whoever takes rows in flight has a lease on them: until it ends nobody else
sends, plans over or settles them. Rows are locked in the order of their refs, so that two workers never lock crosswise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select, tuple_

from onevoice.store import quarantines
from onevoice.store.engine import among, chunks, delete_in, rows_in, upsert
from onevoice.store.pages import DestinationState, save_destinations
from onevoice.store.quarantines import DELIVERY, Held
from onevoice.store.runs import process_lives
from onevoice.store.schema import AMBIGUOUS, IN_FLIGHT, PENDING, destination, outbox, record, write_log

PAGE = 500
"""Rows that are looked at together where not every one may be sent."""


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One open write: absolute vendor values by field."""

    ref: str
    fields: Mapping[str, Any]
    urgency: int
    irreversible: bool
    attempts: int = 0
    state: str = PENDING
    next_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """Which open writes of a system may be taken now."""

    at: datetime
    """Those put off until later wait."""
    most_urgent: int | None = None
    """Only those at least so urgent; None: all."""
    planned_from: datetime | None = None
    """Only those planned since; None: all."""

    def condition(self, system: str, stream: str) -> ColumnElement[bool]:
        """The rows of a stream that are due."""
        found = and_(
            outbox.c.system == system,
            outbox.c.stream == stream,
            outbox.c.state.in_((PENDING, AMBIGUOUS)),
            or_(outbox.c.next_at.is_(None), outbox.c.next_at <= self.at),
        )
        if self.most_urgent is not None:
            found = and_(found, outbox.c.urgency <= self.most_urgent)
        return found if self.planned_from is None else and_(found, outbox.c.planned_at >= self.planned_from)


def count_records(connection: Connection, system: str, stream: str) -> int:
    """Number of records of a stream that are known and not deleted."""
    condition = and_(record.c.system == system, record.c.stream == stream, record.c.deleted.is_(False))
    return int(connection.execute(select(func.count()).select_from(record).where(condition)).scalar_one())


def destination_refs(connection: Connection, system: str, stream: str) -> list[str]:
    """Refs of every destination record of a stream."""
    condition = and_(destination.c.system == system, destination.c.stream == stream)
    return list(connection.execute(select(destination.c.ref).where(condition).order_by(destination.c.ref)).scalars())


def replace_outbox(
    connection: Connection, planned: Iterable[str], rows: Sequence[OutboxRow], at: datetime, void: Iterable[str] = ()
) -> None:
    """Make `rows` the open writes of the planned refs. One that may have left stays, unless a row replaces it or it is
    `void`.

    None of them may be in flight: `lock_open` tells, and keeps them so until the transaction ends.
    """
    replaced = {row.ref for row in rows}
    delete_in(connection, outbox, outbox.c.ref, set(planned) - replaced, outbox.c.state == PENDING)
    delete_in(connection, outbox, outbox.c.ref, set(void) - replaced)
    upsert(connection, outbox, [_outbox_values(row, at) for row in sorted(rows, key=lambda row: row.ref)])


def lock_open(connection: Connection, refs: Iterable[str]) -> dict[str, OutboxRow]:
    """Open writes by ref, which nobody else can take before this transaction ends."""
    statement = select(outbox).order_by(outbox.c.ref).with_for_update()
    return {r.ref: _row(r) for r in rows_in(connection, statement, outbox.c.ref, refs)}


def forget(connection: Connection, refs: Iterable[str]) -> None:
    """Drop what was to be written, or was refused, of destination records that are gone."""
    refs = set(refs)
    delete_in(connection, outbox, outbox.c.ref, refs)
    for stage in (quarantines.PLANNING, quarantines.DELIVERY, quarantines.LOOP):
        quarantines.drop(connection, stage, refs)


def forget_others(connection: Connection, streams: Iterable[tuple[str, str]]) -> None:
    """Drop what was to be written to streams other than these: they are written to no longer."""
    kept = set(streams)
    found = connection.execute(select(outbox.c.system, outbox.c.stream).distinct())
    for system, stream in {(row.system, row.stream) for row in found} - kept:
        connection.execute(outbox.delete().where(outbox.c.system == system, outbox.c.stream == stream))


def load_outbox(connection: Connection, refs: Iterable[str]) -> dict[str, OutboxRow]:
    """Open writes by ref."""
    return {r.ref: _row(r) for r in rows_in(connection, select(outbox), outbox.c.ref, refs)}


def open_writes(connection: Connection) -> list[OutboxRow]:
    """Every open write, most urgent first."""
    statement = select(outbox).order_by(outbox.c.system, outbox.c.stream, outbox.c.urgency, outbox.c.ref)
    return [_row(r) for r in connection.execute(statement)]


def count_open(
    connection: Connection, system: str, stream: str, fits: Callable[[OutboxRow], bool] | None = None
) -> int:
    """Number of open writes of a stream, or of those that fit."""
    condition = and_(outbox.c.system == system, outbox.c.stream == stream)
    if fits is not None:
        return sum(fits(_row(r)) for r in connection.execute(select(outbox).where(condition)))
    return int(connection.execute(select(func.count()).select_from(outbox).where(condition)).scalar_one())


def count_due(connection: Connection, system: str, stream: str, due: Due) -> int:
    """Number of open writes of a stream that may be taken now."""
    statement = select(func.count()).select_from(outbox).where(due.condition(system, stream))
    return int(connection.execute(statement).scalar_one())


def most_urgent(connection: Connection, system: str, streams: Iterable[str], due: Due) -> dict[str, int]:
    """The urgency of the most urgent write that is due, by stream; a stream without one is left out."""
    found = {}
    for stream in streams:
        statement = select(outbox.c.urgency).where(due.condition(system, stream)).order_by(outbox.c.urgency).limit(1)
        urgency = connection.execute(statement).scalar_one_or_none()
        if urgency is not None:
            found[stream] = int(urgency)
    return found


def take(
    connection: Connection,
    place: tuple[str, str],
    due: Due,
    lease: tuple[str, datetime],
    limit: int,
    skip: Iterable[str] = (),
    fits: Callable[[OutboxRow], bool] | None = None,
) -> list[OutboxRow]:
    """Put the next writes of a (system, stream) in flight under a lease (owner, until), most urgent first, and return
    them as they were before.

    Those to `skip`, those that do not fit, and those that another worker is just taking stay.
    """
    skipped = set(skip)
    size = limit + len(skipped) if fits is None else PAGE
    rows = (row for row in _waiting(connection, due.condition(*place), size) if row.ref not in skipped)
    found = list(islice((row for row in rows if fits is None or fits(row)), limit))
    owner, until = lease
    _change(connection, [row.ref for row in found], state=IN_FLIGHT, owner=owner, lease_until=until)
    return found


def _waiting(connection: Connection, condition: ColumnElement[bool], size: int) -> Iterator[OutboxRow]:
    """Rows in the order in which they leave, page by page; each is locked, unless another worker has it."""
    order = (outbox.c.urgency, outbox.c.ref)
    statement = select(outbox).where(condition).order_by(*order).limit(size).with_for_update(skip_locked=True)
    page = connection.execute(statement).all()
    while page:
        yield from map(_row, page)
        if len(page) < size:
            return
        behind = tuple_(*order) > tuple_(page[-1].urgency, page[-1].ref)
        page = connection.execute(statement.where(behind)).all()


def release(connection: Connection, refs: Iterable[str], owner: str, *, ambiguous: bool) -> None:
    """Put writes of an owner back: as pending when they surely did not happen, as ambiguous when they may have."""
    state = AMBIGUOUS if ambiguous else PENDING
    mine = and_(outbox.c.state == IN_FLIGHT, outbox.c.owner == owner)
    _change(connection, refs, mine, state=state, owner=None, lease_until=None)


def put_off(connection: Connection, until: Mapping[str, datetime], attempts: Mapping[str, int]) -> None:
    """Let writes that were released wait until their time."""
    for ref in sorted(until):
        values = {"next_at": until[ref], "attempts": attempts[ref]}
        connection.execute(outbox.update().where(outbox.c.ref == ref, outbox.c.state != IN_FLIGHT).values(**values))


def withdraw(connection: Connection, refs: Iterable[str]) -> None:
    """Take writes back that are kept in quarantine from now on."""
    delete_in(connection, outbox, outbox.c.ref, refs, outbox.c.state == PENDING)


def reclaim(connection: Connection, now: datetime, system: str | None = None) -> int:
    """Put back what dead workers left in flight, for a system or for all: its outcome is not known.

    A worker is dead when its lease has ended, or when its process on this machine is gone.
    """
    flying = outbox.c.state == IN_FLIGHT
    if system is not None:
        flying = and_(flying, outbox.c.system == system)
    owners = connection.execute(select(outbox.c.owner).where(flying).distinct()).scalars()
    dead = [owner for owner in sorted(owners) if not process_lives(owner.partition(":")[2])]
    over = and_(flying, or_(outbox.c.lease_until <= now, outbox.c.owner.in_(dead)))
    refs = list(connection.execute(select(outbox.c.ref).where(over)).scalars())
    _change(connection, refs, over, state=AMBIGUOUS, lease_until=None)
    return len(refs)


def own(connection: Connection, refs: Iterable[str], owner: str) -> set[str]:
    """Which of these writes are still the owner's to settle: another worker may have taken over what took too long."""
    mine = and_(outbox.c.state == IN_FLIGHT, outbox.c.owner == owner)
    statement = select(outbox.c.ref).where(mine).order_by(outbox.c.ref).with_for_update()
    return {r.ref for r in rows_in(connection, statement, outbox.c.ref, refs)}


def settle_accepted(
    connection: Connection,
    accepted: Mapping[str, tuple[DestinationState, Mapping[str, Any], Mapping[str, Any], str]],
    left: Sequence[OutboxRow],
    run: str,
    at: datetime,
) -> None:
    """Close accepted writes: ref -> (state to store, values before, values after, outcome).

    `left` holds what of them was not sent, because the run was not allowed to: it stays open.
    """
    save_destinations(connection, {ref: entry[0] for ref, entry in accepted.items()})
    log = [
        {"run": run, "ref": ref, "before": dict(before), "after": dict(after), "outcome": outcome, "at": at}
        for ref, (_, before, after, outcome) in sorted(accepted.items())
    ]
    if log:
        connection.execute(write_log.insert(), log)
    delete_in(connection, outbox, outbox.c.ref, accepted)
    upsert(connection, outbox, [_outbox_values(row, at) for row in left])
    quarantines.drop(connection, DELIVERY, accepted)


def settle_rejected(connection: Connection, rejected: Mapping[str, Held], at: datetime) -> None:
    """Move rejected writes to quarantine."""
    quarantines.note(connection, DELIVERY, rejected, at)
    delete_in(connection, outbox, outbox.c.ref, rejected)


@dataclass(frozen=True, slots=True)
class Logged:
    """One accepted write as it was logged: comparable values before and after, by field."""

    ref: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]


def log_of(connection: Connection, run: str) -> list[Logged]:
    """Every accepted write of a run, in order."""
    condition = and_(write_log.c.run == run, write_log.c.outcome == "accepted")
    rows = connection.execute(select(write_log).where(condition).order_by(write_log.c.id))
    return [Logged(row.ref, row.before, row.after) for row in rows]


def written_since(connection: Connection, refs: Iterable[str], since: datetime) -> dict[str, list[Logged]]:
    """Accepted writes of records since a moment, by ref, oldest first."""
    condition = and_(write_log.c.at > since, write_log.c.outcome == "accepted")
    statement = select(write_log).where(condition).order_by(write_log.c.id)
    found: dict[str, list[Logged]] = {}
    for row in rows_in(connection, statement, write_log.c.ref, refs):
        found.setdefault(row.ref, []).append(Logged(row.ref, row.before, row.after))
    return found


def unheard_of(connection: Connection, run: str) -> list[OutboxRow]:
    """Writes that a run had put in flight when it was cut short, until a later run takes them up."""
    condition = and_(outbox.c.state != PENDING, outbox.c.owner.startswith(f"{run}:", autoescape=True))
    return [_row(r) for r in connection.execute(select(outbox).where(condition).order_by(outbox.c.ref))]


def writes_of(connection: Connection, run: str) -> list[tuple[str, str]]:
    """(ref, outcome) of every write a run settled."""
    statement = select(write_log.c.ref, write_log.c.outcome).where(write_log.c.run == run).order_by(write_log.c.id)
    return [(r.ref, r.outcome) for r in connection.execute(statement)]


def _change(connection: Connection, refs: Iterable[str], *conditions: ColumnElement[bool], **values: Any) -> None:
    for part in chunks(refs):
        statement = outbox.update().where(among(connection, outbox.c.ref, part), *conditions)
        connection.execute(statement.values(**values))


def _outbox_values(row: OutboxRow, at: datetime) -> dict[str, Any]:
    system, stream, _ = row.ref.split("/", 2)
    return {
        "ref": row.ref,
        "system": system,
        "stream": stream,
        "fields": dict(row.fields),
        "urgency": row.urgency,
        "irreversible": row.irreversible,
        "attempts": row.attempts,
        "next_at": row.next_at,
        "state": row.state,
        "owner": None,
        "lease_until": None,
        "planned_at": at,
    }


def _row(r: Any) -> OutboxRow:
    return OutboxRow(r.ref, r.fields, r.urgency, r.irreversible, r.attempts, r.state, r.next_at)
