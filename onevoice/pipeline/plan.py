"""Plan: what every destination record should hold, compared with what was last acknowledged there, into the outbox.

A plan writes nothing at a vendor. A newer plan replaces an open write of the same record.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from onevoice.model import Item, Ref
from onevoice.pipeline.coherence import findings_of, raw_of_customers
from onevoice.pipeline.desired import STAMP, HubView, changed_fields, urgency_of
from onevoice.pipeline.hub import Hub
from onevoice.pipeline.report import Report
from onevoice.pipeline.targets import PushTarget, customer_of
from onevoice.store import Connection, contradictions, identities, outboxes, pages, profiles
from onevoice.store.outboxes import Held, OutboxRow
from onevoice.store.pages import DestinationState

CHUNK = 1000


def plan(hub: Hub) -> Report:
    """Plan every profile that changed, every record that drifted, and every rejected write whose time has come."""
    counts: Counter[str] = Counter(profiles=0, writes=0, irreversible=0, contradictions=0, held=0)
    with hub.store.begin() as connection:
        _gather(hub, connection)
    last = ""
    while True:
        with hub.store.begin() as connection:
            ids = [pid for pid in pages.load_work(connection, "plan") if pid > last][:CHUNK]
            if not ids:
                return Report(dict(counts), contradictions=contradictions.count(connection))
            last = ids[-1]
            planner = _Planner(hub, connection, ids)
            planner.plan()
            counts.update(planner.counts)
            pages.finish_work(connection, "plan", [pid for pid in ids if pid not in planner.unfinished])


def _gather(hub: Hub, connection: Connection) -> None:
    """Turn drifted and held records into profiles to plan.

    A pilot of some fields plans every open write anew: an earlier plan without that limit put more into the outbox than
    this run may send.
    """
    drifted = pages.load_work(connection, "drift")
    held = outboxes.held_due(connection, hub.as_of)
    if hub.limits.fields is not None:
        held = [*held, *(row.ref for row in outboxes.open_writes(connection))]
    refs = {*drifted, *hub.customers_behind(connection, held)}
    links = identities.load_links(connection, refs)
    pages.mark_work(connection, {("plan", profile_id) for profile_id in links.values()})
    pages.finish_work(connection, "drift", drifted)


class _Planner:
    """Plans a chunk of profiles in one transaction."""

    def __init__(self, hub: Hub, connection: Connection, ids: Sequence[str]) -> None:
        self.hub = hub
        self.connection = connection
        self.members = identities.load_members(connection, ids)
        self.profiles = profiles.load_profiles(connection, ids)
        self.decisions = profiles.load_decisions(connection, ids)
        refs = [ref for ids_refs in self.members.values() for ref in ids_refs]
        self.items: Mapping[str, Sequence[Item]] = pages.load_items(connection, refs)
        self.entries = list(self._entries())
        wanted = {str(destination) for _, _, destination, _ in self.entries}
        self.states = pages.load_destinations(connection, wanted)
        self.held = outboxes.load_held(connection, wanted)
        self.counts: Counter[str] = Counter()
        self.unfinished: set[str] = set()

    def plan(self) -> None:
        """Replace the open writes of these profiles and note their contradictions as the vendors show them now."""
        rows = []
        unneeded = set()
        limited = self.hub.limits.fields is not None or self.hub.limits.records is not None
        for view, target, destination, _ in self.entries:
            ref = str(destination)
            changes = changed_fields(view, list(target.fields), self.states.get(ref, DestinationState()))
            changes, left_out = self._allowed(target, changes)
            if left_out or (changes and limited):
                self.unfinished.add(view.profile.profile_id)
            if not changes:
                unneeded.add(ref)
                continue
            row = self._row(ref, target, changes)
            held = self.held.get(ref)
            if held and self._waits(held, row):
                self.counts["held"] += 1
                continue
            rows.append(row)
        outboxes.drop_held(self.connection, unneeded & self.held.keys())
        outboxes.replace_outbox(self.connection, {str(d) for _, _, d, _ in self.entries}, rows, self.hub.as_of)
        self.counts["writes"] += len(rows)
        self.counts["irreversible"] += sum(row.irreversible for row in rows)
        self.counts["profiles"] += len(self.profiles)
        self._note_contradictions()

    def _entries(self) -> Iterable[tuple[HubView, PushTarget, Ref, str]]:
        """(view, target, destination ref, customer ref) of every destination record of these profiles."""
        for profile_id in sorted(self.profiles):
            decision = self.decisions.get(profile_id)
            if decision is None:
                continue  # decided in the next cycle: a plan never runs ahead of its decision
            for ref in self.members.get(profile_id, ()):
                source = Ref.parse(ref)
                customer = customer_of(self.items.get(ref, ()))
                if customer is None:
                    continue
                view = self.hub.view(self.profiles[profile_id], decision, customer)
                for target in self.hub.targets_per(source.system, source.stream):
                    destination = target.ref(source.key, customer)
                    if destination is not None:
                        yield view, target, destination, ref

    def _allowed(self, target: PushTarget, changes: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
        """Drop what this run must not write: irreversible fields that are switched off, fields outside a pilot."""
        irreversible = {f.name for f in target.fields if f.irreversible}
        allowed = self.hub.config.hub.systems[target.system].irreversible_writes
        may = {n: v for n, v in changes.items() if n not in irreversible or allowed}
        only = self.hub.limits.fields
        kept = {n: v for n, v in may.items() if only is None or n in only}
        return kept, len(kept) < len(may)

    def _row(self, ref: str, target: PushTarget, changes: dict[str, Any]) -> OutboxRow:
        stamps = {f.name: f.encode(self.hub.as_of) for f in target.fields if f.source == STAMP}
        irreversible = any(f.irreversible for f in target.fields if f.name in changes)
        fields = {**changes, **stamps} if self.hub.limits.fields is None else changes
        return OutboxRow(ref, fields, urgency_of(list(target.fields), changes), irreversible)

    def _waits(self, held: Held, row: OutboxRow) -> bool:
        """A rejected write waits out its back-off, unless what is wanted has changed meanwhile."""
        stamps = {f.name for t in self.hub.targets for f in t.fields if f.source == STAMP}
        same = {k: v for k, v in held.payload.items() if k not in stamps} == {
            k: v for k, v in row.fields.items() if k not in stamps
        }
        return same and held.next_at is not None and held.next_at > self.hub.as_of

    def _note_contradictions(self) -> None:
        """Evaluate what the systems would send with the values that were read from them."""
        by_customer: dict[str, HubView] = {ref: view for view, _, _, ref in self.entries}
        raw = raw_of_customers(self.hub, self.connection, by_customer)
        for _, target, destination, ref in self.entries:
            state = self.states.get(str(destination))
            if state and ref in raw and target.stream != target.per:
                raw[ref].update(target.beside(state.observed))
        rows = [row for ref in raw for row in findings_of(self.hub, ref, by_customer[ref], raw[ref])]
        opened, _ = contradictions.replace(self.connection, by_customer, rows, self.hub.as_of)
        self.counts["contradictions"] += opened
