"""Backfill: what a system was sent is forgotten, for some fields, so that the next plan writes it again.

For a vendor whose backup was restored, or whose fields were emptied behind the back of its own record of changes. What
the hub says is written again, blanks only where the hub itself had put something before. Nothing else is touched.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from onevoice.errors import ConfigError, OnevoiceError
from onevoice.mapping import PushField
from onevoice.pipeline.cycle import CYCLE
from onevoice.pipeline.delivery.targets import PushTarget
from onevoice.pipeline.hub import Hub
from onevoice.store import Connection, acts, outboxes, pages, planned, runs
from onevoice.store.acts import Act
from onevoice.store.engine import chunks
from onevoice.store.pages import DestinationState

FORGOTTEN = "unknown"
"""Stands in place of the value that was last sent. Whatever is wanted differs from it."""
CHUNK = 1000


@dataclass(frozen=True, slots=True)
class Marked:
    """What of one destination stream is written again."""

    system: str
    stream: str
    fields: Sequence[str]
    records: int
    left_out: dict[str, str]
    """Field -> why it is not written again."""


def backfill(
    hub: Hub, system: str, actor: str, *, stream: str | None = None, field: str | None = None, reason: str = ""
) -> list[Marked]:
    """Have a system's fields written again: all, those of one stream, or one. ConfigError where there is no such thing.

    An irreversible field is written again only when it is named: each write of it may leave an event at the vendor.
    """
    targets = _chosen(hub, system, stream, field)
    if not runs.acquire(hub.store, CYCLE):
        raise OnevoiceError("backfill: another process is running a cycle on this store (wait for it to end)")
    try:
        return [_mark(hub, target, field, Act("backfill", "", actor, hub.as_of, reason)) for target in targets]
    finally:
        runs.give_back(hub.store, CYCLE)


def _chosen(hub: Hub, system: str, stream: str | None, field: str | None) -> list[PushTarget]:
    written = {target.system for target in hub.targets}
    if system not in written:
        raise ConfigError(f"--system: {system} is no system that is written to (there are {_listed(written)})")
    targets = [target for target in hub.targets if target.system == system]
    if stream is not None and stream not in {target.stream for target in targets}:
        there = _listed(target.stream for target in targets)
        raise ConfigError(f"--stream: {stream} is no stream of {system} that is written to (there are {there})")
    targets = [target for target in targets if stream in {None, target.stream}]
    if field is None:
        return targets
    chosen = [target for target in targets if any(field == known.name for known in target.fields)]
    if not chosen:
        there = _listed(known.name for target in targets for known in target.fields)
        raise ConfigError(f"--field: {field} is not pushed there (there are {there})")
    if why := _objection(next(known for known in chosen[0].fields if known.name == field), field):
        raise ConfigError(f"--field: {field}: {why}")
    return chosen


def _objection(known: PushField, asked: str | None) -> str | None:
    """Why a field is not written again; None when it is."""
    if known.is_stamp:
        return "it tells when the rest was last changed, and goes with it"
    if known.mode == "compare":
        return "it is only compared (mode: compare)"
    if known.owner == "vendor":
        return "the vendor's own value stands (owner: vendor)"
    if known.irreversible and asked != known.name:
        return f"it is irreversible (name it: --field {known.name})"
    return None


def _mark(hub: Hub, target: PushTarget, asked: str | None, done: Act) -> Marked:
    considered = [known for known in target.fields if asked in {None, known.name}]
    left_out = {known.name: why for known in considered if (why := _objection(known, asked))}
    fields = [known for known in considered if known.name not in left_out]
    with hub.store.read() as connection:
        refs = outboxes.destination_refs(connection, target.system, target.stream)
    records = 0
    for part in chunks(refs, CHUNK):
        with hub.store.begin() as connection:
            records += _forget(hub, connection, part, fields)
    names = tuple(known.name for known in fields)
    with hub.store.begin() as connection:
        subject = f"{target.system}.{target.stream}"
        acts.note(connection, replace(done, subject=subject, detail={"fields": names, "records": records}))
    return Marked(target.system, target.stream, names, records, left_out)


def _forget(hub: Hub, connection: Connection, refs: Sequence[str], fields: Sequence[PushField]) -> int:
    """Forget what some records were sent, and have their customers planned again; how many records it concerns."""
    written = planned.ever_written(connection, refs)
    found: dict[str, DestinationState] = {}
    for ref, state in pages.load_destinations(connection, refs).items():
        unsure = {
            known.name: FORGOTTEN
            for known in fields
            if (state.sent.get(known.name) is not None or known.name in written.get(ref, ()))
            and not (known.mode == "adopt" and state.adopted.get(known.name, "") is not None)
        }
        if unsure:
            found[ref] = replace(state, sent={**state.sent, **unsure})
    pages.save_destinations(connection, found)
    behind = hub.customers_behind(connection, found)
    pages.mark_work(connection, {("drift", customer) for customers in behind.values() for customer in customers})
    return len(found)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(set(names)))
