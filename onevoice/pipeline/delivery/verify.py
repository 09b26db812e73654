"""Verify: read back what was written, and count the contradictions that the systems themselves still show."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from onevoice.errors import ConnectorError, RetryableError
from onevoice.model import Ref
from onevoice.pipeline.delivery.coherence import findings_of, raw_of_customers
from onevoice.pipeline.delivery.targets import PushTarget, customer_of
from onevoice.pipeline.hub import Hub
from onevoice.pipeline.raw import storable
from onevoice.pipeline.report import Report
from onevoice.protocols import Fetches, Record
from onevoice.store import Connection, carriers, contradictions, identities, pages, profiles
from onevoice.store.engine import chunks
from onevoice.store.pages import DestinationState

CHUNK = 1000
STEP = "verify"


def verify_system(hub: Hub, system: str) -> Report:
    """Read back every record written since the last verification."""
    counts: Counter[str] = Counter(records=0, kept=0, not_kept=0, closed=0, contradictions=0)
    fetcher = hub.fetcher(system)
    with hub.store.read() as connection:
        refs = [ref for ref in pages.load_work(connection, STEP) if Ref.parse(ref).system == system]
        groups = _around_customers(hub, connection, refs)
    try:
        for group in groups:
            counts.update(_verify_group(hub, fetcher, group))
    except ConnectorError as exc:
        return Report(dict(counts), failed=str(exc), again=isinstance(exc, RetryableError))
    missing = counts["not_kept"]
    notes = (f"{system}: {missing} values were acknowledged but are not there; planned again",) if missing else ()
    return Report(dict(counts), notes=notes)


@dataclass(frozen=True, slots=True)
class _Group:
    """Written destination records and the customer records that they describe."""

    refs: frozenset[str]
    customers: frozenset[str]


def _around_customers(hub: Hub, connection: Connection, refs: Sequence[str]) -> list[_Group]:
    """Groups in which everything written of one customer record stands together, so that it is judged once."""
    written: dict[str, set[str]] = defaultdict(set)
    nobody: set[str] = set()
    behind = hub.customers_behind(connection, refs)
    for ref in refs:
        for customer in behind.get(ref, ()):
            written[customer].add(ref)
        if not behind.get(ref):
            nobody.add(ref)
    groups = [
        _Group(frozenset(ref for customer in part for ref in written[customer]), frozenset(part))
        for part in chunks(written, CHUNK)
    ]
    return [*groups, _Group(frozenset(nobody), frozenset())] if nobody else groups


def _verify_group(hub: Hub, fetcher: Fetches | None, group: _Group) -> Mapping[str, int]:
    """Read some destination records and the customer records behind them."""
    read: dict[str, Record] = {}
    if fetcher is not None:
        for (system, stream), keys in _by_stream({*group.customers, *_own_reads(hub, group.refs)}).items():
            for record in fetcher.fetch(stream, keys, hub.fields_to_read(system, stream)):
                read[str(Ref(system, stream, record.key))] = record
    with hub.store.begin() as connection:
        return _Readback(hub, connection, group, read).store()


def _says(sent: Any, seen: Any) -> bool:
    """Whether a vendor's comparable value says what was sent, in its own spelling: small or capital letters, no blanks
    around it, fewer decimals.

    An edit by a person that changes no more than that, between a write and its read-back, looks the same. It stands
    until the field changes again: to write once more would go round for ever with a vendor that rewrites.
    """
    if sent is None or seen is None or sent == seen:
        return bool(sent == seen)
    if str(sent).strip().casefold() == str(seen).strip().casefold():
        return True
    try:
        ours, theirs = Decimal(str(sent)), Decimal(str(seen))
        return abs(ours - theirs) < Decimal(1).scaleb(int(theirs.normalize().as_tuple().exponent)).min(Decimal(1))
    except (ArithmeticError, ValueError):
        return False


def _stands(state: DestinationState, name: str, seen: Any) -> bool:
    """Whether a field still holds what was sent. One that held just that before was not written now: another spelling
    there is somebody else's."""
    sent, observed = state.sent.get(name), state.observed.get(name)
    return bool(seen == sent) if sent == observed else _says(sent, seen)


def _own_reads(hub: Hub, refs: Iterable[str]) -> set[str]:
    """Destination records that no customer record shows."""
    shown = {(t.system, t.stream) for t in hub.targets if t.stream == t.per or all(f.seen_in for f in t.fields)}
    return {ref for ref in refs if (Ref.parse(ref).system, Ref.parse(ref).stream) not in shown}


def _by_stream(refs: Iterable[str]) -> dict[tuple[str, str], list[str]]:
    grouped: dict[tuple[str, str], list[str]] = defaultdict(list)
    for text in sorted(refs):
        ref = Ref.parse(text)
        grouped[ref.system, ref.stream].append(ref.key)
    return grouped


class _Readback:
    """What was read back of some records, compared with what was sent."""

    def __init__(self, hub: Hub, connection: Connection, group: _Group, read: Mapping[str, Record]) -> None:
        self.hub = hub
        self.connection = connection
        self.refs = group.refs
        self.customers = group.customers
        self.read = read
        self.items = pages.load_items(connection, group.customers)
        self.counts: Counter[str] = Counter(records=len(group.refs))

    def store(self) -> Mapping[str, int]:
        """Store what was observed, what is still contradictory, and that these records are verified."""
        seen = self._seen()
        states = pages.load_destinations(self.connection, seen, to_change=True)
        behind_time = {ref for ref, state in states.items() if state.is_older(self._stamp(ref))}
        updated: dict[str, DestinationState] = {}
        drifted: set[str] = set()
        for ref in sorted(states.keys() - behind_time):
            state = states[ref]
            observed = {**state.observed, **seen[ref]}
            # What was sent, in the vendor's own spelling, is left alone. Anything else is what now stands there,
            # whether the value never arrived or somebody changed it since: it is compared with, so the hub's is sent
            # again.
            other = {n: value for n, value in seen[ref].items() if not _stands(state, n, value)}
            lost = {n: value for n, value in other.items() if state.sent.get(n) != state.observed.get(n)}
            edited = {n: value for n, value in other.items() if n not in lost}
            self.counts["kept"] += len(seen[ref]) - len(other)
            self.counts["not_kept"] += len(lost)
            version = state.newest(self._stamp(ref))
            updated[ref] = replace(state, sent={**state.sent, **other}, observed=observed, version=version)
            if other:
                drifted.add(ref)
            self._note_drift(ref, state, edited)
        pages.save_destinations(self.connection, updated)
        fresh = {ref: storable(r.system, r.stream, self.read[ref])[0] for ref in self.read for r in (Ref.parse(ref),)}
        pages.freshen(self.connection, {ref: record for ref, record in fresh.items() if not record.deleted})
        behind = self.hub.customers_behind(self.connection, drifted)
        pages.mark_work(self.connection, {("drift", customer) for found in behind.values() for customer in found})
        self._note_contradictions(updated)
        pages.finish_work(self.connection, STEP, self.refs - behind_time)
        return self.counts

    def _note_drift(self, ref: str, state: DestinationState, edited: Mapping[str, Any]) -> None:
        """Note what of the hub's own values somebody changed."""
        target = next(t for t in self.hub.targets if ref.startswith(f"{t.system}/{t.stream}/"))
        ours = {
            n: v for n, v in edited.items() if state.sent.get(n) is not None and not target.foreign(n, state.adopted)
        }
        contradictions.note_drift(self.connection, {ref: ours}, self.hub.as_of)

    def _stamp(self, ref: str) -> datetime | None:
        """The vendor's stamp of a destination record, where it was read itself."""
        return self.read[ref].updated_at if ref in self.read else None

    def _seen(self) -> dict[str, dict[str, Any]]:
        """Comparable values by destination ref, from whatever was read."""
        seen: dict[str, dict[str, Any]] = {}
        for text, record in self.read.items():
            source = Ref.parse(text)
            customer = customer_of(self.items.get(text, ()))
            for target in self.hub.targets_of(source.system, source.stream):
                ref = target.ref(source.key, customer)
                values = {} if record.deleted else target.seen(source, record.data)
                if ref is not None and values:
                    seen[str(ref)] = values
        return seen

    def _note_contradictions(self, states: Mapping[str, DestinationState]) -> None:
        links = identities.load_links(self.connection, self.customers)
        known = profiles.load_profiles(self.connection, set(links.values()))
        decisions = profiles.load_decisions(self.connection, known)
        raw = raw_of_customers(self.hub, self.connection, self.customers)
        beside = self._beside(states)
        elsewhere = carriers.load(self.connection, self.customers)
        rows = []
        looked_at = set()
        for ref in sorted(self.customers & links.keys()):
            customer = customer_of(self.items.get(ref, ()))
            profile, decision = known.get(links[ref]), decisions.get(links[ref])
            if customer is None or profile is None or decision is None or ref not in raw:
                continue
            looked_at.add(ref)
            fresh = self.read[ref].data if ref in self.read else {}
            view = self.hub.view(profile, decision, customer, elsewhere.get(ref, frozenset()))
            rows += findings_of(self.hub, ref, view, {**raw[ref], **fresh, **beside.get(ref, {})})
        _, closed = contradictions.replace(self.connection, looked_at, rows, self.hub.as_of)
        self.counts["closed"] += closed
        self.counts["contradictions"] += len(rows)

    def _beside(self, states: Mapping[str, DestinationState]) -> dict[str, dict[str, Any]]:
        """What other streams say of each customer record."""
        wanted: dict[str, list[tuple[str, PushTarget]]] = defaultdict(list)
        for text in sorted(self.customers):
            source, customer = Ref.parse(text), customer_of(self.items.get(text, ()))
            for target in self.hub.targets_per(source.system, source.stream):
                destination = target.ref(source.key, customer)
                if destination is not None and target.stream != target.per:
                    wanted[text].append((str(destination), target))
        refs = {ref for places in wanted.values() for ref, _ in places}
        known = {**pages.load_destinations(self.connection, refs - states.keys()), **states}
        found: dict[str, dict[str, Any]] = {}
        for text, places in wanted.items():
            for ref, target in places:
                if ref in known:
                    found.setdefault(text, {}).update(target.beside(known[ref].observed))
        return found
