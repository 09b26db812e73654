"""Profile ids that last: carried over from the previous partition, every change told as an event.

An id is made from its anchor, the record that founded the profile, so the same history always makes the same ids.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from identity.records import Cluster
from onevoice.model import Ref

Standing = Literal["free", "living", "retired"]


@dataclass(frozen=True, slots=True)
class LineageEvent:
    """One thing that happened to a profile id."""

    kind: Literal["created", "merged", "split", "moved", "retired", "restored"]
    profile_id: str
    other_id: str
    """merged: the survivor, to which this id now redirects; split: where its records were before; moved: the record's
    earlier profile; otherwise empty."""
    cause: str
    """The record that explains it, as text."""


@dataclass(frozen=True, slots=True)
class IdChanges:
    """Which record is in which profile now, and what changed."""

    assigned: Mapping[Ref, str]
    events: tuple[LineageEvent, ...]


def profile_id(anchor: Ref) -> str:
    """An opaque id, the same for the same founding record everywhere."""
    return hashlib.sha256("\0".join((anchor.system, anchor.stream, anchor.key)).encode()).hexdigest()[:20]


def _free(_: str) -> Standing:
    """Nobody ever had another id."""
    return "free"


def assign_ids(
    previous: Mapping[Ref, str],
    clusters: Sequence[Cluster],
    new_id: Callable[[Ref], str] = profile_id,
    *,
    age: Callable[[str], object] | None = None,
    standing: Callable[[str], Standing] = _free,
) -> IdChanges:
    """Ids for all members of `clusters`.

    `previous`: the id of every record that had one, among these clusters and among deleted records of theirs.
    `age`: sorts ids, oldest first (default: all are of one age). `standing`: of ids outside `previous` (default: there
    are none). The oldest id survives a merge; of two of one age that of the lower anchor, as if their records had come
    together. After a split an id stays with its anchor, else with most of its records.
    """
    ordered = sorted(clusters, key=lambda one: min(one.members))
    claims: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for at, one in enumerate(ordered):
        for ref in one.members:
            if ref in previous:
                claims[previous[ref]][at] += 1
    anchors = _anchors(previous, new_id)
    oldest_first = sorted(claims, key=lambda pid: ((age(pid) if age else 0), anchors[pid]))
    held: dict[int, str] = {}
    events: list[LineageEvent] = []
    for pid in oldest_first:
        wish = _wishes(pid, claims[pid], ordered, new_id)
        home = next((at for at in wish if at not in held), None)
        if home is not None:
            held[home] = pid
        else:
            events.append(LineageEvent("merged", pid, held[wish[0]], _cause(pid, ordered[wish[0]], previous)))
    living = set(held.values())
    for at, one in enumerate(ordered):
        if at not in held:
            held[at], event = _found(one, previous, living, new_id, standing)
            living.add(held[at])
            events.append(event)
    assigned = {ref: held[at] for at, one in enumerate(ordered) for ref in one.members}
    lost = {event.profile_id for event in events if event.kind == "merged"}
    told = {(event.profile_id, event.other_id) for event in events if event.kind in ("split", "restored")}
    for ref, now in assigned.items():
        was = previous.get(ref)
        if was in living and was != now and (now, was) not in told:
            events.append(LineageEvent("moved", now, was, str(ref)))
    empty = set(previous.values()) - living - lost
    events.extend(LineageEvent("retired", pid, "", "no record is left") for pid in empty)
    return IdChanges(assigned, tuple(sorted(events, key=lambda e: (e.profile_id, e.kind, e.other_id, e.cause))))


def _anchors(previous: Mapping[Ref, str], new_id: Callable[[Ref], str]) -> dict[str, tuple[bool, Ref]]:
    """By id, whether its anchor is gone, and the anchor; in its place the first record that has the id."""
    found: dict[str, tuple[bool, Ref]] = {}
    for ref in sorted(previous):
        pid = previous[ref]
        if pid not in found or (found[pid][0] and new_id(ref) == pid):
            found[pid] = new_id(ref) != pid, ref
    return found


def _wishes(pid: str, counts: Counter[int], clusters: Sequence[Cluster], new_id: Callable[[Ref], str]) -> list[int]:
    """Clusters that hold records of this id, the one with its anchor first, then those with most of its records."""
    if len(counts) == 1:
        return list(counts)

    def rank(at: int) -> tuple[bool, int, Ref]:
        members = clusters[at].members
        return not any(new_id(ref) == pid for ref in members), -counts[at], min(members)

    return sorted(counts, key=rank)


def _found(
    one: Cluster,
    previous: Mapping[Ref, str],
    living: set[str],
    new_id: Callable[[Ref], str],
    standing: Callable[[str], Standing],
) -> tuple[str, LineageEvent]:
    """An id for a cluster that inherits none: a retired id founded by one of its records, else a new one."""
    members = sorted(one.members)
    origin = next((previous[ref] for ref in members if ref in previous), "")
    unused: tuple[str, Ref] | None = None
    for ref in members:
        pid = new_id(ref)
        state = "living" if pid in living else standing(pid)
        if state == "retired":
            return pid, LineageEvent("restored", pid, origin, str(ref))
        if state == "free" and unused is None:
            unused = pid, ref
            if standing is _free:  # and no other id can be retired
                break
    if unused is not None:
        return unused[0], LineageEvent("split" if origin else "created", unused[0], origin, str(unused[1]))
    first, generation = members[0], 1
    while True:
        pid = new_id(Ref(first.system, first.stream, f"{first.key}\0{generation}"))
        if pid not in living and standing(pid) == "free":
            return pid, LineageEvent("split" if origin else "created", pid, origin, str(first))
        generation += 1


def _cause(pid: str, one: Cluster, previous: Mapping[Ref, str]) -> str:
    """The strongest match by which records of this id joined those of others; where none did, the first record."""
    for edge in one.edges:
        if (previous.get(edge.left) == pid) != (previous.get(edge.right) == pid):
            return f"{edge.left} = {edge.right}"
    return str(min(one.members))
