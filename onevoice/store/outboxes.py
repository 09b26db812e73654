"""What has to be written at the vendors, what became of it, and what was there before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection, and_, func, or_, select

from onevoice.store.engine import delete_in, rows_in, upsert
from onevoice.store.pages import DestinationState, save_destinations
from onevoice.store.rows import plain
from onevoice.store.schema import AMBIGUOUS, IN_FLIGHT, PENDING, destination, outbox, quarantine, record, write_log

DELIVERY = "delivery"


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One open write: absolute vendor values by field."""

    ref: str
    fields: Mapping[str, Any]
    urgency: int
    irreversible: bool
    attempts: int = 0
    state: str = PENDING


@dataclass(frozen=True, slots=True)
class Held:
    """A rejected write that waits out its back-off."""

    payload: Mapping[str, Any]
    attempts: int
    next_at: datetime | None


def count_records(connection: Connection, system: str, stream: str) -> int:
    """Number of records of a stream that are known and not deleted."""
    condition = and_(record.c.system == system, record.c.stream == stream, record.c.deleted.is_(False))
    return int(connection.execute(select(func.count()).select_from(record).where(condition)).scalar_one())


def destination_refs(connection: Connection, system: str, stream: str) -> list[str]:
    """Refs of every destination record of a stream."""
    condition = and_(destination.c.system == system, destination.c.stream == stream)
    return list(connection.execute(select(destination.c.ref).where(condition).order_by(destination.c.ref)).scalars())


def replace_outbox(connection: Connection, planned: Iterable[str], rows: Sequence[OutboxRow], at: datetime) -> None:
    """Make `rows` the open writes of the planned refs. One that may have left stays, unless a row replaces it."""
    delete_in(connection, outbox, outbox.c.ref, set(planned), outbox.c.state == PENDING)
    upsert(connection, outbox, [_outbox_values(row, at) for row in rows])


def load_sent(connection: Connection, refs: Iterable[str]) -> dict[str, OutboxRow]:
    """Writes by ref that may have left: nobody knows whether the vendor holds their values."""
    statement = select(outbox).where(outbox.c.state != PENDING)
    return {r.ref: _row(r) for r in rows_in(connection, statement, outbox.c.ref, refs)}


def forget(connection: Connection, refs: Iterable[str]) -> None:
    """Drop what was to be written, or was refused, of destination records that are gone."""
    refs = set(refs)
    delete_in(connection, outbox, outbox.c.ref, refs)
    drop_held(connection, refs)


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


def take(
    connection: Connection,
    system: str,
    stream: str,
    owner: str,
    limit: int,
    skip: Iterable[str] = (),
    fits: Callable[[OutboxRow], bool] | None = None,
) -> list[OutboxRow]:
    """Put the next writes in flight, most urgent first, and return them as they were before.

    Those to `skip` and those that do not fit stay.
    """
    statement = (
        select(outbox)
        .where(outbox.c.system == system, outbox.c.stream == stream, outbox.c.state.in_((PENDING, AMBIGUOUS)))
        .order_by(outbox.c.urgency, outbox.c.ref)
    )
    skipped = set(skip)
    rows = connection.execute(statement.limit(limit + len(skipped)) if fits is None else statement)
    fitting = (row for row in map(_row, rows) if row.ref not in skipped and (fits is None or fits(row)))
    found = list(islice(fitting, limit))
    rows.close()
    _set_state(connection, [row.ref for row in found], IN_FLIGHT, owner)
    return found


def release(connection: Connection, refs: Iterable[str], *, ambiguous: bool) -> None:
    """Put writes back: as pending when they surely did not happen, as ambiguous when they may have."""
    _set_state(connection, refs, AMBIGUOUS if ambiguous else PENDING, None)


def reclaim(connection: Connection, system: str) -> int:
    """Put back what a dead process left in flight for a system; its outcome is not known. Needs the system's lock."""
    statement = outbox.update().where(outbox.c.system == system, outbox.c.state == IN_FLIGHT)
    return connection.execute(statement.values(state=AMBIGUOUS, owner=None)).rowcount


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
    delete_in(connection, quarantine, quarantine.c.ref, accepted, quarantine.c.stage == DELIVERY)


def settle_rejected(
    connection: Connection, rejected: Mapping[str, tuple[str, str, Mapping[str, Any], int, datetime]], at: datetime
) -> None:
    """Move rejected writes to quarantine: ref -> (code, reason, fields, attempts so far, next attempt)."""
    known = {
        r.ref: r.first_at
        for r in rows_in(
            connection,
            select(quarantine.c.ref, quarantine.c.first_at).where(quarantine.c.stage == DELIVERY),
            quarantine.c.ref,
            rejected,
        )
    }
    upsert(
        connection,
        quarantine,
        [
            {
                "ref": ref,
                "stage": DELIVERY,
                "code": code[:120],
                "reason": reason,
                "payload": dict(fields),
                "attempts": attempts,
                "first_at": known.get(ref, at),
                "last_at": at,
                "next_at": next_at,
            }
            for ref, (code, reason, fields, attempts, next_at) in sorted(rejected.items())
        ],
    )
    delete_in(connection, outbox, outbox.c.ref, rejected)


def load_held(connection: Connection, refs: Iterable[str]) -> dict[str, Held]:
    """Rejected writes by ref."""
    statement = select(quarantine).where(quarantine.c.stage == DELIVERY)
    return {
        r.ref: Held(r.payload, r.attempts, r.next_at) for r in rows_in(connection, statement, quarantine.c.ref, refs)
    }


def held_due(connection: Connection, at: datetime) -> list[str]:
    """Destination refs whose rejected write may be tried again."""
    condition = and_(quarantine.c.stage == DELIVERY, or_(quarantine.c.next_at <= at, quarantine.c.next_at.is_(None)))
    return list(connection.execute(select(quarantine.c.ref).where(condition).order_by(quarantine.c.ref)).scalars())


def drop_held(connection: Connection, refs: Iterable[str]) -> None:
    """Resolve rejected writes that are no longer wanted."""
    delete_in(connection, quarantine, quarantine.c.ref, refs, quarantine.c.stage == DELIVERY)


def quarantined(connection: Connection) -> list[dict[str, Any]]:
    """Every open quarantine entry, without its payload (it may hold personal data)."""
    columns = [c for c in quarantine.columns if c.name != "payload"]
    return [plain(r) for r in connection.execute(select(*columns).order_by(quarantine.c.ref))]


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


def unheard_of(connection: Connection, run: str) -> list[OutboxRow]:
    """Writes that a run had put in flight when it was cut short, until a later run takes them up."""
    condition = and_(outbox.c.state == IN_FLIGHT, outbox.c.owner.startswith(f"{run}:", autoescape=True))
    return [_row(r) for r in connection.execute(select(outbox).where(condition).order_by(outbox.c.ref))]


def writes_of(connection: Connection, run: str) -> list[tuple[str, str]]:
    """(ref, outcome) of every write a run settled."""
    statement = select(write_log.c.ref, write_log.c.outcome).where(write_log.c.run == run).order_by(write_log.c.id)
    return [(r.ref, r.outcome) for r in connection.execute(statement)]


def _set_state(connection: Connection, refs: Iterable[str], state: str, owner: str | None) -> None:
    refs = sorted(refs)
    if refs:
        connection.execute(outbox.update().where(outbox.c.ref.in_(refs)).values(state=state, owner=owner))


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
        "state": row.state,
        "owner": None,
        "planned_at": at,
    }


def _row(r: Any) -> OutboxRow:
    return OutboxRow(r.ref, r.fields, r.urgency, r.irreversible, r.attempts, r.state)
