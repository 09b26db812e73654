"""Verify: read back what was written, and count the contradictions that the systems themselves still show."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from onevoice.errors import ConnectorError, RetryableError
from onevoice.model import Ref
from onevoice.pipeline.coherence import findings_of, raw_of_customers
from onevoice.pipeline.hub import Hub
from onevoice.pipeline.report import Report
from onevoice.pipeline.targets import PushTarget, customer_of
from onevoice.protocols import Fetches, Record
from onevoice.store import Connection, contradictions, identities, pages, profiles
from onevoice.store.pages import DestinationState

CHUNK = 500
STEP = "verify"


def verify_system(hub: Hub, system: str) -> Report:
    """Read back every record written since the last verification."""
    counts: Counter[str] = Counter(records=0, kept=0, not_kept=0, closed=0, contradictions=0)
    fetcher = hub.fetcher(system)
    with hub.store.read() as connection:
        refs = [ref for ref in pages.load_work(connection, STEP) if Ref.parse(ref).system == system]
    try:
        for start in range(0, len(refs), CHUNK):
            counts.update(_verify_chunk(hub, fetcher, refs[start : start + CHUNK]))
    except ConnectorError as exc:
        return Report(dict(counts), failed=str(exc), again=isinstance(exc, RetryableError))
    missing = counts["not_kept"]
    notes = (f"{system}: {missing} values were acknowledged but are not there; planned again",) if missing else ()
    return Report(dict(counts), notes=notes)


def _verify_chunk(hub: Hub, fetcher: Fetches | None, refs: Sequence[str]) -> Mapping[str, int]:
    """Read some destination records and the customer records behind them."""
    with hub.store.read() as connection:
        customers = hub.customers_behind(connection, refs)
    read: dict[str, Record] = {}
    if fetcher is not None:
        for (system, stream), keys in _by_stream({*customers, *_own_reads(hub, refs)}).items():
            for record in fetcher.fetch(stream, keys, hub.fields_to_read(system, stream)):
                read[str(Ref(system, stream, record.key))] = record
    with hub.store.begin() as connection:
        return _Readback(hub, connection, refs, customers, read).store()


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

    def __init__(
        self, hub: Hub, connection: Connection, refs: Sequence[str], customers: set[str], read: Mapping[str, Record]
    ) -> None:
        self.hub = hub
        self.connection = connection
        self.refs = refs
        self.customers = customers
        self.read = read
        self.items = pages.load_items(connection, customers)
        self.counts: Counter[str] = Counter(records=len(refs))

    def store(self) -> Mapping[str, int]:
        """Store what was observed, what is still contradictory, and that these records are verified."""
        seen = self._seen()
        states = pages.load_destinations(self.connection, seen)
        updated: dict[str, DestinationState] = {}
        drifted: set[tuple[str, str]] = set()
        for ref, state in states.items():
            observed = {**state.observed, **seen[ref]}
            lost = {
                name: value
                for name, value in seen[ref].items()
                if state.sent.get(name) != value and state.observed.get(name) == value
            }
            self.counts["kept"] += len(seen[ref]) - len(lost)
            self.counts["not_kept"] += len(lost)
            # A value that never arrived is sent again; one that the vendor rewrote in its own manner is left alone.
            updated[ref] = DestinationState({**state.sent, **lost}, observed, state.ours)
            if lost:
                drifted.update(("drift", customer) for customer in self.hub.customers_behind(self.connection, [ref]))
        pages.save_destinations(self.connection, updated)
        pages.mark_work(self.connection, drifted)
        self._note_contradictions(updated)
        pages.finish_work(self.connection, STEP, self.refs)
        return self.counts

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
        rows = []
        looked_at = set()
        for ref in sorted(self.customers & links.keys()):
            customer = customer_of(self.items.get(ref, ()))
            profile, decision = known.get(links[ref]), decisions.get(links[ref])
            if customer is None or profile is None or decision is None or ref not in raw:
                continue
            looked_at.add(ref)
            fresh = self.read[ref].data if ref in self.read else {}
            beside = self._beside(Ref.parse(ref), customer, states)
            view = self.hub.view(profile, decision, customer)
            rows += findings_of(self.hub, ref, view, {**raw[ref], **fresh, **beside})
        _, closed = contradictions.replace(self.connection, looked_at, rows, self.hub.as_of)
        self.counts["closed"] += closed
        self.counts["contradictions"] += len(rows)

    def _beside(self, ref: Ref, customer: Mapping[str, Any], states: Mapping[str, DestinationState]) -> dict[str, Any]:
        """What other streams say of a customer record."""
        wanted: dict[str, PushTarget] = {}
        for target in self.hub.targets_per(ref.system, ref.stream):
            destination = target.ref(ref.key, customer)
            if destination is not None and target.stream != target.per:
                wanted[str(destination)] = target
        known = {**pages.load_destinations(self.connection, wanted), **{r: states[r] for r in wanted if r in states}}
        found: dict[str, Any] = {}
        for text, state in known.items():
            found.update(wanted[text].beside(state.observed))
        return found
