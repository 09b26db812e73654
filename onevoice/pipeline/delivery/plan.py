"""Plan: what every destination record should hold, compared with what was last acknowledged there, into the outbox.

A plan writes nothing at a vendor. A newer plan replaces an open write of the same record, but never one that a worker
has in flight: its customer stays marked, and is planned when the outcome is known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from onevoice.model import Item, Ref
from onevoice.pipeline.delivery.amended import AmendedWrites
from onevoice.pipeline.delivery.coherence import findings_of, raw_of_customers
from onevoice.pipeline.delivery.desired import (
    OPT_OUTS,
    STAMP,
    SUPPRESSIONS,
    HubView,
    Unwritable,
    adopted_now,
    changed_fields,
    differing,
    write_of,
)
from onevoice.pipeline.delivery.loops import Loops
from onevoice.pipeline.delivery.once import carried_elsewhere
from onevoice.pipeline.delivery.outcomes import REFUSED
from onevoice.pipeline.delivery.targets import PushTarget, customer_of
from onevoice.pipeline.hub import Hub
from onevoice.pipeline.report import Report
from onevoice.store import (
    Connection,
    carriers,
    contradictions,
    identities,
    outboxes,
    pages,
    profiles,
    quarantines,
    runs,
)
from onevoice.store.outboxes import OutboxRow
from onevoice.store.pages import DestinationState
from onevoice.store.quarantines import DELIVERY, PLANNING, Held
from onevoice.store.schema import IN_FLIGHT, PENDING

CHUNK = 1000
NONE: frozenset[str] = frozenset()
COMPARED = "compared "
"""Counts that begin so are of fields that are only compared."""


def plan(hub: Hub, *, arrived: bool = False) -> Report:
    """Plan every profile that changed, every record that drifted, and every rejected write whose time has come.

    `arrived`: during a push; what suppresses anything then leaves before all that is queued.
    """
    counts: Counter[str] = Counter(profiles=0, writes=0, irreversible=0, contradictions=0, held=0)
    with hub.store.begin() as connection:
        outboxes.reclaim(connection, hub.clock())
        _gather(hub, connection)
    last = ""
    while True:
        with hub.store.begin() as connection:
            ids = pages.load_work(connection, "plan", CHUNK, behind=last)
            if not ids:
                return _report(counts, contradictions.count(connection))
            last = ids[-1]
            planner = _Planner(hub, connection, ids, arrived=arrived)
            planner.plan()
            counts.update(planner.counts)
            pages.finish_work(connection, "plan", set(ids) - planner.waiting)


def _report(counts: Counter[str], by_class: Mapping[str, int]) -> Report:
    compared = sorted(name for name in counts if name.startswith(COMPARED))
    stopped = counts["stopped"]
    notes = [f"{stopped} records hold a field that goes back and forth; it is left alone (see quarantine)"] * (
        stopped > 0
    )
    notes += [
        f"{name.removeprefix(COMPARED)}: {counts[name]} records hold another value (compared only)" for name in compared
    ]
    told = {name: count for name, count in counts.items() if name not in compared and name != "stopped"}
    return Report(told, tuple(notes), contradictions=by_class)


def _gather(hub: Hub, connection: Connection) -> None:
    """Turn drifted and held records into profiles to plan, and drop what concerns nobody any more.

    Where something else is pushed than before, everybody is planned.
    """
    outboxes.forget_others(connection, {(target.system, target.stream) for target in hub.targets})
    drifted = pages.load_work(connection, "drift")
    held = quarantines.due(connection, hub.as_of)
    behind = hub.customers_behind(connection, held)
    links = identities.load_links(connection, {*drifted, *(ref for refs in behind.values() for ref in refs)})
    outboxes.forget(connection, [ref for ref in held if not behind.get(ref, set()) & links.keys()])
    due = set(links.values())
    if runs.configured_anew(connection, "plan", hub.versions["plan"]):
        due.update(pid for _, pid in identities.all_links(connection))
    pages.mark_work(connection, {("plan", profile_id) for profile_id in due})
    pages.finish_work(connection, "drift", drifted)


class _Planner:
    """Plans a chunk of profiles in one transaction."""

    def __init__(self, hub: Hub, connection: Connection, ids: Sequence[str], *, arrived: bool) -> None:
        self.hub = hub
        self.arrived = arrived
        self.connection = connection
        self.members = identities.load_members(connection, ids)
        self.profiles = profiles.load_profiles(connection, ids)
        self.decisions = profiles.load_decisions(connection, ids)
        refs = [ref for ids_refs in self.members.values() for ref in ids_refs]
        self.items: Mapping[str, Sequence[Item]] = pages.load_items(connection, refs)
        self.raw = raw_of_customers(hub, connection, (ref for ref in refs if self._sends(ref)))
        self.views = self._views()
        self.entries = list(self._entries())
        wanted = {str(destination) for _, _, destination, _ in self.entries}
        self.open = outboxes.lock_open(connection, wanted)
        self.states = pages.load_destinations(connection, wanted, to_change=True)
        self.held = quarantines.load(connection, DELIVERY, wanted)
        self.faults = quarantines.load(connection, PLANNING, wanted)
        self.amended = AmendedWrites(connection, wanted)
        self.adopting: dict[str, DestinationState] = {}
        self.unwritable: dict[str, Held] = {}
        self.void: set[str] = set()
        """Writes of unknown outcome of which nothing may be said again."""
        self.waiting: set[str] = set()
        """Profiles of which a write is in flight."""
        self.counts: Counter[str] = Counter()

    def plan(self) -> None:
        """Replace the open writes of these profiles and note their contradictions as the vendors show them now."""
        entries = list(self._free())
        planned = {str(destination) for _, _, destination in entries}
        changed = {str(d): (target, self._changes(view, target, str(d))) for view, target, d in entries}
        changed = {ref: (target, changes) for ref, (target, changes) in changed.items() if changes}
        loops = Loops(self.connection, changed, self.hub.as_of)
        rows: list[OutboxRow] = []
        needed: set[str] = set()
        for ref, (target, changes) in changed.items():
            left = loops.stop(target, ref, changes, self.states.get(ref, DestinationState()))
            if not left:
                continue
            needed.add(ref)
            row, held = self._row(ref, target, left), self.held.get(ref)
            if held and self._waits(held, target, row):
                self.counts["held"] += 1
            else:
                rows.append(row)
        self._store(planned, needed, rows)
        self.counts["stopped"] += loops.store(planned)
        self._note_contradictions()

    def _free(self) -> Iterable[tuple[HubView, PushTarget, Ref]]:
        """Entries that may be planned: nobody has a write of them in flight."""
        for view, target, destination, _ in self.entries:
            found = self.open.get(str(destination))
            if found is not None and found.state == IN_FLIGHT:
                self.waiting.add(view.profile.profile_id)
            else:
                yield view, target, destination

    def _changes(self, view: HubView, target: PushTarget, ref: str) -> dict[str, Any]:
        """What is to be written to a record; what cannot be is kept apart, and stops nothing else."""
        state = self.states.get(ref, DestinationState())
        fields = target.known(state.observed)
        unwritable: dict[str, Unwritable] = {}
        changes = changed_fields(view, fields, state, unwritable)
        sound = [field for field in fields if field.name not in unwritable]
        for name in differing(view, sound, state):
            self.counts[f"{COMPARED}{target.system}.{target.stream}.{name}"] += 1
        if adopted := adopted_now(view, sound, state):
            self.adopting[ref] = replace(state, adopted={**state.adopted, **adopted})
        if unwritable:
            self.unwritable[ref] = self._fault(ref, unwritable)
        return self.amended.apply(target, ref, self._put_right(view, target, ref, changes), state.sent)

    def _fault(self, ref: str, unwritable: Mapping[str, Unwritable]) -> Held:
        """What is shown of values that cannot be written; they are tried again now and then."""
        known = self.faults.get(ref)
        attempts = known.attempts + 1 if known else 1
        reason = "; ".join(f"{name}: {fault.reason}" for name, fault in sorted(unwritable.items()))
        payload = {name: as_json(fault.value) for name, fault in unwritable.items()}
        return Held("UNWRITABLE_VALUE", reason, payload, attempts, self.hub.as_of + REFUSED.wait(attempts))

    def _store(self, planned: set[str], needed: set[str], rows: Sequence[OutboxRow]) -> None:
        self.amended.forget_void()
        pages.save_destinations(self.connection, self.adopting)
        quarantines.note(self.connection, PLANNING, self.unwritable, self.hub.as_of)
        quarantines.drop(self.connection, PLANNING, (planned & self.faults.keys()) - self.unwritable.keys())
        quarantines.drop(self.connection, DELIVERY, (planned & self.held.keys()) - needed)
        outboxes.replace_outbox(self.connection, planned, rows, self.hub.as_of, void=self.void)
        self.counts["writes"] += len(rows)
        self.counts["irreversible"] += sum(row.irreversible for row in rows)
        self.counts["profiles"] += len(self.profiles)

    def _sends(self, ref: str) -> bool:
        """Whether the record's system sends anything: then what it would send is looked at, written to or not."""
        source = Ref.parse(ref)
        return self.hub.policy.reader(source.system, source.stream) is not None

    def _views(self) -> dict[str, HubView]:
        """What the hub says about every customer record of these profiles that has been decided.

        Where nothing is decided yet, the next cycle does it: a plan never runs ahead of its decision.
        """
        views: dict[str, HubView] = {}
        elsewhere: dict[str, frozenset[str]] = {}
        for profile_id in sorted(self.profiles.keys() & self.decisions.keys()):
            profile, decision = self.profiles[profile_id], self.decisions[profile_id]
            records = {
                ref: (self.hub.view(profile, decision, customer), customer)
                for ref in self.members.get(profile_id, ())
                if (customer := customer_of(self.items.get(ref, ()))) is not None
            }
            carried = carried_elsewhere(self.hub.policy, records, self.raw)
            elsewhere.update(carried)
            views.update({ref: replace(view, elsewhere=carried.get(ref, NONE)) for ref, (view, _) in records.items()})
        carriers.replace(self.connection, views, elsewhere)
        return views

    def _entries(self) -> Iterable[tuple[HubView, PushTarget, Ref, str]]:
        """(view, target, destination ref, customer ref) of every destination record of these profiles."""
        for ref, view in self.views.items():
            source, customer = Ref.parse(ref), customer_of(self.items.get(ref, ()))
            for target in self.hub.targets_per(source.system, source.stream):
                destination = target.ref(source.key, customer)
                if destination is not None:
                    yield view, target, destination, ref

    def _put_right(self, view: HubView, target: PushTarget, ref: str, changes: dict[str, Any]) -> dict[str, Any]:
        """A write that may have left may also have arrived: what replaces it says every field of it again."""
        before = self.open.get(ref)
        if before is None or before.state == PENDING:
            return changes
        said: dict[str, Any] = {}
        sent = self.states.get(ref, DestinationState()).sent
        theirs = {f.name for f in target.fields if f.owner == "vendor" and sent.get(f.name) is not None}
        for field in target.fields:
            if field.name not in before.fields or field.is_stamp or field.mode == "compare" or field.name in theirs:
                continue  # a blank that somebody has filled since is the vendor's now
            wanted = view.value(field.source)
            stays = field.irreversible or field.owner == "vendor" or (wanted is None and field.blank == "keep")
            said[field.name] = before.fields[field.name] if stays else field.encode(wanted)
        if not said and theirs & before.fields.keys():
            self.void.add(ref)
        return {**said, **changes}

    def _row(self, ref: str, target: PushTarget, changes: dict[str, Any]) -> OutboxRow:
        """The open write of a record. One that says what the open one says waits as that one does."""
        stamps = {f.name: f.encode(self.hub.as_of) for f in target.fields if f.source == STAMP}
        before, held = self.open.get(ref), self.held.get(ref)
        state = before.state if before else PENDING
        row = write_of(ref, target, {**changes, **stamps}, state)
        if self.arrived and row.urgency <= SUPPRESSIONS:
            row = replace(row, urgency=OPT_OUTS)
        if before is not None and _without(before.fields, stamps) == changes:
            return replace(row, attempts=before.attempts, next_at=before.next_at)
        return replace(row, attempts=held.attempts) if held else row

    def _waits(self, held: Held, target: PushTarget, row: OutboxRow) -> bool:
        """A rejected write waits out its back-off, unless what is wanted has changed meanwhile."""
        stamps = {f.name for f in target.fields if f.is_stamp}
        same = _without(held.payload, stamps) == _without(self.hub.sendable(target, row.fields), stamps)
        return same and (held.next_at is None or held.next_at > self.hub.as_of)

    def _note_contradictions(self) -> None:
        """Evaluate what the systems would send with the values that were read from them."""
        raw = {ref: self.raw[ref] for ref in self.views if ref in self.raw}
        for _, target, destination, ref in self.entries:
            state = self.states.get(str(destination))
            if state and ref in raw and target.stream != target.per:
                raw[ref] = {**raw[ref], **target.beside(state.observed)}
        rows = [row for ref in raw for row in findings_of(self.hub, ref, self.views[ref], raw[ref])]
        opened, _ = contradictions.replace(self.connection, self.views, rows, self.hub.as_of)
        self.counts["contradictions"] += opened


def _without(fields: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in names}


def as_json(value: Any) -> Any:
    """A value of the hub as JSON."""
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
