"""Quarantine, for people: what is held and why, and how it is put right, tried again, or given up.

Everything here is signed, and written into the trail of acts. What comes of it is seen by the next run.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from onevoice.errors import ConfigError, OnevoiceError
from onevoice.model import Ref
from onevoice.pipeline.delivery.amended import amended_raw
from onevoice.pipeline.delivery.checked import checked_value
from onevoice.pipeline.delivery.targets import PushTarget
from onevoice.pipeline.hub import Hub
from onevoice.pipeline.raw import FAULT, too_long
from onevoice.policy import raw_value
from onevoice.store import Connection, acts, amendments, pages, quarantines
from onevoice.store.acts import Act
from onevoice.store.amendments import Amendment
from onevoice.store.quarantines import DELIVERY, LOOP, MAPPING, PLANNING

EDITABLE = (MAPPING, DELIVERY)
HELP = "`onevoice quarantine list` says of which something is"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that is held."""

    ref: str
    stage: str
    code: str
    reason: str
    attempts: int
    first_at: datetime
    last_at: datetime
    next_at: datetime | None
    """When it is tried again by itself; None: when the value, the mapping or a person changes something."""


@dataclass(frozen=True, slots=True)
class Shown:
    """All that is known of one record."""

    ref: str
    held: Sequence[tuple[Entry, Mapping[str, Any]]]
    """Each entry with its payload. mapping: the vendor's record; planning: values of the hub; delivery: what was to be
    written; loop: field -> {"hub", "system"}."""
    amended: Mapping[str, Mapping[str, Amendment]]
    """By stage, what people put in place of values, or dropped, and what still holds."""
    acts: Sequence[Act]


def entries(
    hub: Hub, *, system: str | None = None, stage: str | None = None, code: str | None = None
) -> Sequence[Entry]:
    """What is held, by ref. ConfigError where the system or the stage is none."""
    _insist_on("--system", system, hub.config.hub.systems)
    _insist_on("--stage", stage, (MAPPING, PLANNING, DELIVERY, LOOP))
    with hub.store.read() as connection:
        found = [Entry(**row) for row in quarantines.everything(connection)]
    return [
        entry
        for entry in found
        if system in {None, Ref.parse(entry.ref).system} and stage in {None, entry.stage} and code in {None, entry.code}
    ]


def show(hub: Hub, ref: str) -> Shown:
    """All that is held of one record, and what people did about it. OnevoiceError when nothing is known."""
    found = [entry for entry in entries(hub) if entry.ref == ref]
    with hub.store.read() as connection:
        held = [(entry, quarantines.load(connection, entry.stage, [ref])[ref].payload) for entry in found]
        loaded = {stage: amendments.load(connection, stage, [ref]).get(ref, {}) for stage in EDITABLE}
        done = acts.of(connection, ref)
    if not found and not done:
        raise OnevoiceError(f"quarantine: nothing is held of this record ({HELP})")
    return Shown(ref, held, {stage: amended for stage, amended in loaded.items() if amended}, done)


def edit(hub: Hub, ref: str, values: Mapping[str, Any], actor: str, *, stage: str | None, reason: str = "") -> Entry:
    """Put other values in place of refused ones, for the next run; ConfigError, which says what is allowed, where the
    mapping does not take them. They hold until another value is wanted, or the vendor's own value is another one."""
    found = [entry for entry in _of(hub, ref, stage) if entry.stage in EDITABLE]
    if len(found) != 1:
        held = ", ".join(entry.stage for entry in _of(hub, ref, stage))
        raise OnevoiceError(
            f"quarantine edit: held at {held}: say which one (--stage), mapping and delivery can be edited "
            "(what cannot be planned or goes back and forth is mended in the mapping or at the vendor)"
        )
    [entry] = found
    with hub.store.begin() as connection:
        payload = quarantines.load(connection, entry.stage, [ref])[ref].payload
        known = amendments.load(connection, entry.stage, [ref]).get(ref, {})
        amend = _amended_record if entry.stage == MAPPING else _amended_write
        amended = amend(hub, ref, payload, known, values)
        amendments.save(connection, entry.stage, ref, amended)
        quarantines.try_again(connection, entry.stage, [ref])
        detail = {name: {"instead_of": one.instead_of, "value": one.value} for name, one in amended.items()}
        acts.note(connection, Act("edit", ref, actor, hub.as_of, reason, {"stage": entry.stage, "fields": detail}))
    return entry


def retry(hub: Hub, chosen: Iterable[Entry], actor: str) -> int:
    """Have the next run try entries again, whatever their back-off; how many they are."""
    chosen = list(chosen)
    with hub.store.begin() as connection:
        for stage in {entry.stage for entry in chosen}:
            quarantines.try_again(connection, stage, {entry.ref for entry in chosen if entry.stage == stage})
        for entry in chosen:
            acts.note(connection, Act("retry", entry.ref, actor, hub.as_of, "", {"stage": entry.stage}))
    return len(chosen)


def drop(hub: Hub, ref: str, reason: str, actor: str, *, stage: str | None) -> Sequence[Entry]:
    """Give up what is held of a record. What was to be written is not planned again until another value is wanted; a
    record that could not be mapped is looked at again when it, or its mapping, changes."""
    dropped = _of(hub, ref, stage)
    with hub.store.begin() as connection:
        for entry in dropped:
            payload = quarantines.load(connection, entry.stage, [ref])[ref].payload
            if entry.stage in {DELIVERY, LOOP}:
                _not_again(hub, connection, ref, entry.stage, payload)
            quarantines.drop(connection, entry.stage, [ref])
            detail = {"stage": entry.stage, "code": entry.code, "payload": dict(payload)}
            acts.note(connection, Act("drop", ref, actor, hub.as_of, reason, detail))
    return dropped


def amended(hub: Hub) -> Sequence[tuple[str, str, str, bool]]:
    """(ref, stage, field, whether it is dropped) of all that people put in place of values and that still holds."""
    with hub.store.read() as connection:
        return amendments.standing(connection)


def lift(hub: Hub, ref: str, reason: str, actor: str) -> int:
    """Take back the edits and drops of a record, so that its own values count again; how many fields that concerns."""
    with hub.store.begin() as connection:
        loaded = {stage: amendments.load(connection, stage, [ref]).get(ref, {}) for stage in EDITABLE}
        lifted = sum(map(len, loaded.values()))
        if not lifted:
            raise OnevoiceError(
                "quarantine lift: nothing of this record is edited or dropped (--amended lists what is)"
            )
        for stage, fields in loaded.items():
            amendments.forget(connection, stage, [(ref, name) for name in fields])
        quarantines.remap(connection, [ref])
        _plan_again(hub, connection, ref)
        acts.note(connection, Act("lift", ref, actor, hub.as_of, reason, {s: sorted(f) for s, f in loaded.items()}))
    return lifted


def named(hub: Hub, refs: Iterable[str]) -> Sequence[Entry]:
    """What is held of these records. OnevoiceError when nothing is of one of them."""
    refs = set(refs)
    found = [entry for entry in entries(hub) if entry.ref in refs]
    if missing := len(refs - {entry.ref for entry in found}):
        raise OnevoiceError(f"quarantine: nothing is held of {missing} of these records ({HELP})")
    return found


def _of(hub: Hub, ref: str, stage: str | None) -> Sequence[Entry]:
    found = [entry for entry in entries(hub, stage=stage) if entry.ref == ref]
    if not found:
        raise OnevoiceError(f"quarantine: nothing is held of this record{f' at {stage}' * bool(stage)} ({HELP})")
    return found


def _amended_record(
    hub: Hub, ref: str, payload: Mapping[str, Any], known: Mapping[str, Amendment], values: Mapping[str, Any]
) -> dict[str, Amendment]:
    """Other raw values for a record that could not be mapped; with them it must be possible."""
    source = Ref.parse(ref)
    mapping = hub.mappings.get((source.system, source.stream))
    if FAULT in payload or mapping is None:
        raise ConfigError("quarantine edit: the record itself cannot be read (mend it at the vendor or in the file)")
    for name in values:
        _insist_on(name, name, mapping.pull_fields, "is no field that the mapping reads")
    amended = {name: Amendment(raw_value(payload, name), value) for name, value in values.items()}
    result = mapping.pull(source, amended_raw(payload, {**known, **amended}), None)
    if said := "; ".join(result.faults) or too_long(result.items):
        raise ConfigError(f"mappings/{source.system}/{source.stream}.yaml: still not mapped: {said}")
    return amended


def _amended_write(
    hub: Hub, ref: str, payload: Mapping[str, Any], known: Mapping[str, Amendment], values: Mapping[str, Any]
) -> dict[str, Amendment]:
    """Other vendor values for a write that was refused."""
    targets = _targets(hub, ref)
    if not targets:
        raise ConfigError("quarantine edit: its stream is written to no longer (drop the entry)")
    [target] = targets
    fields = {field.name: field for field in target.fields if not field.is_stamp}
    amended = {}
    for name, value in values.items():
        _insist_on(name, name, payload.keys() & fields.keys(), "is not in the refused write")
        instead_of = known[name].instead_of if name in known else fields[name].decode_observed(payload[name])
        amended[name] = Amendment(instead_of, checked_value(hub, target, fields[name], value))
    return amended


def _not_again(hub: Hub, connection: Connection, ref: str, stage: str, payload: Mapping[str, Any]) -> None:
    """Have nothing of a refused write planned until something else is wanted."""
    known = amendments.load(connection, DELIVERY, [ref]).get(ref, {})
    fields = {field.name: field for target in _targets(hub, ref) for field in target.fields if not field.is_stamp}
    wanted = {
        name: value["hub"] if stage == LOOP else fields[name].decode_observed(value)
        for name, value in payload.items()
        if name in fields
    }
    dropped = {
        name: Amendment(known[name].instead_of if name in known else value, dropped=True)
        for name, value in wanted.items()
    }
    amendments.save(connection, DELIVERY, ref, dropped)
    _plan_again(hub, connection, ref)


def _plan_again(hub: Hub, connection: Connection, ref: str) -> None:
    """Have the next run plan the customers behind a destination record."""
    behind = hub.customers_behind(connection, [ref])
    pages.mark_work(connection, {("drift", customer) for found in behind.values() for customer in found})


def _targets(hub: Hub, ref: str) -> Sequence[PushTarget]:
    """The destination stream of a record; none when it is written to no longer."""
    place = Ref.parse(ref)
    return [target for target in hub.targets if (target.system, target.stream) == (place.system, place.stream)]


def _insist_on(where: str, name: str | None, allowed: Collection[str], fault: str = "is not known") -> None:
    if name is None or name in allowed:
        return
    close = get_close_matches(name, allowed, n=1)
    hint = f"did you mean {close[0]}?" if close else f"allowed: {', '.join(sorted(allowed))}"
    raise ConfigError(f"{where}: {name} {fault} ({hint})" if where != name else f"{name}: {fault} ({hint})")
