"""A plan in figures and samples, for people who decide whether it may happen. Writes nothing."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import nsmallest
from typing import Any, Literal

from connectors import catalogue
from onevoice.mapping import PushField
from onevoice.model import Ref
from onevoice.pipeline.delivery.costs import Meter, SystemCost, is_set
from onevoice.pipeline.delivery.guard import Excess, excesses
from onevoice.pipeline.delivery.planfile import fingerprint
from onevoice.pipeline.delivery.targets import PushTarget, customer_of
from onevoice.pipeline.hub import Hub
from onevoice.store import contradictions, outboxes, pages, planned
from onevoice.store.planned import PlannedWrite

Operation = Literal["set", "clear", "join", "leave", "opt out"]


@dataclass(frozen=True, slots=True)
class Planned:
    """One thing that would be done to one field of a system."""

    system: str
    stream: str
    field: str
    operation: Operation
    """join and leave: a list, a group or a tag."""
    irreversible: bool
    mode: str
    """push or adopt."""
    sent: bool
    """False: shown only, for the system's irreversible writes are switched off."""


@dataclass(frozen=True, slots=True)
class Change:
    """One value before and after, in comparable form."""

    field: str
    source: str
    """The hub's name of the value, as in `status.club.tier`."""
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Sample:
    """One planned write in full."""

    ref: str
    changes: Sequence[Change]


@dataclass(slots=True)
class PlanSummary:
    """All that is told of a plan."""

    hash: str
    writes: int = 0
    counts: Counter[Planned] = field(default_factory=Counter)
    """Records by what would be done."""
    costs: list[SystemCost] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    over: list[Excess] = field(default_factory=list)
    """Streams that the guard would stop."""
    contradictions: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By sentence, how many are open, and how many of them stand on records that would be written."""


def summarise(hub: Hub, samples: int) -> PlanSummary:
    """What is planned now, with so many samples of each destination stream."""
    targets = {(target.system, target.stream): target for target in hub.targets}
    summary = PlanSummary(fingerprint(hub).plan, over=excesses(hub), contradictions=_contradictions(hub))
    meters: dict[str, Meter] = {}
    kept: dict[tuple[str, str], list[tuple[str, PlannedWrite]]] = {}
    with hub.store.read() as connection:
        for write in planned.each(connection):
            ref = Ref.parse(write.ref)
            target = targets.get((ref.system, ref.stream))
            if target is None:  # a system that is written to no longer: the next plan drops it
                continue
            summary.writes += 1
            sendable = hub.sendable(target, write.fields)
            summary.counts.update(_planned(hub, target, write.fields, sendable))
            if sendable:
                meters.setdefault(ref.system, Meter(hub, ref.system)).count(ref.stream, sendable)
            drawn = kept.setdefault((ref.system, ref.stream), [])
            drawn.append((hashlib.blake2b(write.ref.encode(), digest_size=8).hexdigest(), write))
            if len(drawn) > 10 * samples:
                drawn[:] = nsmallest(samples, drawn, key=_drawn)
    summary.costs = [meters[system].cost() for system in sorted(meters)]
    summary.samples = [
        _sample(targets[at], write) for at in sorted(kept) for _, write in nsmallest(samples, kept[at], key=_drawn)
    ]
    return summary


def _drawn(kept: tuple[str, PlannedWrite]) -> str:
    """Samples are drawn by the hash of the record: any, and the same ones every time."""
    return kept[0]


def _planned(hub: Hub, target: PushTarget, fields: Mapping[str, Any], sendable: Mapping[str, Any]) -> Iterator[Planned]:
    connector = hub.config.hub.systems[target.system].connector
    memberships = catalogue()[connector].streams[target.stream].memberships
    for known in target.fields:
        if known.name in fields:
            operation = _operation(known, memberships, fields[known.name])
            yield Planned(
                target.system,
                target.stream,
                known.name,
                operation,
                known.irreversible,
                known.mode,
                known.name in sendable,
            )


def _operation(known: PushField, memberships: str | None, value: Any) -> Operation:
    there = is_set(memberships, known.name, value)
    if known.irreversible:
        return "opt out"
    if memberships is not None and known.name.startswith(memberships):
        return "join" if there else "leave"
    return "set" if there else "clear"


def _sample(target: PushTarget, write: PlannedWrite) -> Sample:
    changes = [
        Change(known.name, known.source, write.held.get(known.name), known.decode_observed(write.fields[known.name]))
        for known in target.fields
        if known.name in write.fields and not known.is_stamp
    ]
    return Sample(write.ref, changes)


def _contradictions(hub: Hub) -> dict[str, tuple[int, int]]:
    """Open contradictions by sentence, and how many stand on records of which something would be written."""
    with hub.store.read() as connection:
        rows = contradictions.all_open(connection)
        customers = {row["ref"] for row in rows}
        items = pages.load_items(connection, customers)
        places: dict[str, set[str]] = {}
        for text in customers:
            source, customer = Ref.parse(text), customer_of(items.get(text, ()))
            found = (t.ref(source.key, customer) for t in hub.targets_per(source.system, source.stream))
            places[text] = {str(ref) for ref in found if ref is not None}
        written = outboxes.load_outbox(connection, {ref for refs in places.values() for ref in refs}).keys()
    open_now = Counter(row["sentence"] for row in rows)
    touched = Counter(row["sentence"] for row in rows if places[row["ref"]] & written)
    return {sentence: (count, touched[sentence]) for sentence, count in open_now.most_common()}
