"""Somebody edits any field that the hub pushes, in any system: the next cycle repairs or reports it. The fields are
read from the mappings of the project, so one that is added is covered."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from onevoice.mapping import PushField
from onevoice.model import Ref
from onevoice.pipeline import Hub, run_cycle
from onevoice.pipeline.delivery.targets import PushTarget
from onevoice.store import contradictions, outboxes, pages
from onevoice.store.pages import DestinationState

pytestmark = [pytest.mark.slow, pytest.mark.long]

PEOPLE = 150
EACH = 2
"""Records on which one kind of edit is made, for each field."""
OTHER = {"date": "2031-02-03", "datetime": "2031-02-03T04:05:06.000Z", "text": "somebody"}
TAKEN_BACK = {"UNSUBSCRIBED": "SUBSCRIBED", "NOT_SUBSCRIBED": "SUBSCRIBED", True: False}
QUIET = {"shopify": ("metafields.",), "klaviyo": ("properties.", "email_suppressed"), "square": ("in_group.",)}
"""Fields that a vendor keeps beside its record: it promises nowhere that the record's stamp moves with them."""


TIER = "{from: status.club.tier}"


@dataclass(frozen=True)
class Edit:
    """One edit by hand."""

    ref: Ref
    field: PushField
    kind: str
    before: Any
    now: Any

    @property
    def place(self) -> str:
        """Where it was made, for a message."""
        return f"{self.ref.system}.{self.ref.stream}.{self.field.name} ({self.kind})"


def at_vendor(here: Any, ref: Ref, field: PushField, **said: Any) -> Any:
    """What the vendor holds, or held before it was given another value."""
    place = {"system": ref.system, "stream": ref.stream, "key": ref.key, "field": field.name}
    return here.post("/field", {**place, **said})["before"]


def held(hub: Hub, target: PushTarget) -> dict[Ref, DestinationState]:
    """What the hub knows of a target's records."""
    with hub.store.read() as connection:
        refs = outboxes.destination_refs(connection, target.system, target.stream)
        return {Ref.parse(ref): state for ref, state in pages.load_destinations(connection, refs).items()}


def other(field: PushField, before: Any) -> Any:
    """Another value that the vendor's field can take; a choice that cannot be taken back is taken back by hand."""
    if field.irreversible:
        return TAKEN_BACK[before]
    if field.type == "boolean":
        return not before
    return int(float(before or 6)) + 1 if field.type == "integer" else OTHER[field.type]


def nearly(field: PushField, ref: Ref, before: Any) -> dict[str, Any]:
    """Values that only differ in their capitals, or in blanks around them, where the vendor's field can hold such."""
    untyped = field.type == "text" or ref.system == "klaviyo"
    if not isinstance(before, str) or not untyped or field.irreversible:
        return {}
    swapped = {"capitals": before.swapcase()} if field.type == "text" and before.swapcase() != before else {}
    return {**swapped, "blanks": f" {before} "}


def edits_of(here: Any, target: PushTarget, chance: random.Random, *, quiet: bool = False) -> Iterator[Edit]:
    """Edit each field of a target: another value, none, and one that looks the same; records with and without one."""
    states = held(here.hubs[-1], target)
    for field in target.fields:
        if quiet and not field.name.startswith(QUIET.get(target.system, ())):
            continue
        full = [
            r for r, s in states.items() if (field.name in s.ours if field.irreversible else s.sent.get(field.name))
        ]
        bare = [] if field.irreversible else [r for r, s in states.items() if not s.sent.get(field.name)]
        for places in (full, bare):
            chance.shuffle(places)
        wanted: list[tuple[Ref, str]] = [(ref, "another") for ref in (*full[:EACH], *bare[:EACH])]
        if not field.irreversible:
            wanted += [(ref, "cleared") for ref in full[EACH : 2 * EACH]]
            wanted += [(ref, "capitals") for ref in full[2 * EACH : 3 * EACH]]
            wanted += [(ref, "blanks") for ref in full[3 * EACH : 4 * EACH]]
        for ref, kind in wanted:
            before = at_vendor(here, ref, field)
            values = {"another": other(field, before), "cleared": None, **nearly(field, ref, before)}
            if kind in values:
                at_vendor(here, ref, field, value=values[kind], quiet=quiet)
                yield Edit(ref, field, kind, before, values[kind])


def not_as_before(here: Any, edits: Sequence[Edit]) -> list[str]:
    """Places that the hub did not put right."""
    return [
        f"{edit.place}: {edit.before!r} became {edit.now!r}, and is {there!r}"
        for edit in edits
        if (there := at_vendor(here, edit.ref, edit.field)) != edit.before and (there or edit.before)
    ]


def not_reported(hub: Hub, edits: Sequence[Edit]) -> list[str]:
    """Edits of something that the hub had written, of which the run does not tell."""
    with hub.store.read() as connection:
        told = {(row["ref"], row["field"]) for row in contradictions.drift_at(connection, hub.as_of)}
    return [edit.place for edit in edits if edit.before and (str(edit.ref), edit.field.name) not in told]


def in_step(world: Callable[..., Any], **sandbox: Any) -> Any:
    """A world in which two cycles have left nothing to write."""
    here = world(PEOPLE, limits=False, **sandbox)
    here.cycle()
    here.post("/calls/reset")
    here.cycle()
    assert here.records_written() == 0
    return here


def test_an_edit_of_any_field_is_repaired_and_reported_in_the_next_cycle(world: Callable[..., Any]) -> None:
    here = in_step(world, seed=51)
    chance = random.Random(51)
    targets = here.hubs[-1].targets
    edits = [edit for target in targets for edit in edits_of(here, target, chance)]
    done = {(edit.ref.system, edit.ref.stream, edit.field.name) for edit in edits}
    assert {(t.system, t.stream, f.name) for t in targets for f in t.fields} - done == set()

    assert here.cycle().exit_code == 0
    stamps = [edit for edit in edits if edit.field.is_stamp]
    assert not_as_before(here, [edit for edit in edits if edit not in stamps]) == []
    assert not_reported(here.hubs[-1], edits) == []
    here.post("/calls/reset")
    here.cycle()
    assert here.records_written() == 0


def test_an_edit_that_moves_no_stamp_is_found_as_well(world: Callable[..., Any]) -> None:
    """No vendor promises that the stamp moves with all that hangs on a record: some are read again each cycle."""
    here = in_step(world, seed=53)
    chance = random.Random(53)
    edits = [edit for target in here.hubs[-1].targets for edit in edits_of(here, target, chance, quiet=True)]
    assert {edit.ref.system for edit in edits} == set(QUIET)
    assert here.cycle().exit_code == 0
    assert not_as_before(here, [edit for edit in edits if not edit.field.is_stamp]) == []
    assert not_reported(here.hubs[-1], edits) == []


def test_the_owner_of_a_field_decides_what_becomes_of_an_edit(world: Callable[..., Any]) -> None:
    """The vendor's own is accepted, and only a blank is filled; what is compared is told, and never written."""
    here = world(PEOPLE, limits=False, seed=54)
    for stream, more in (("salesforce/Contact", "owner: vendor"), ("hubspot/contacts", "mode: compare")):
        path = here.project / f"mappings/{stream}.yaml"
        path.write_text(path.read_text("utf-8").replace(TIER, TIER.replace("}", f", {more}}}")), "utf-8")
    here.cycle()
    here.cycle()
    of = {target.system: target for target in here.hubs[-1].targets if target.stream == target.per}
    field = {system: next(f for f in of[system].fields if f.source == "status.club.tier") for system in of}
    with_tier = [
        ref for ref, state in held(here.hubs[-1], of["salesforce"]).items() if state.sent.get("onevoice_tier__c")
    ]
    theirs, cleared = sorted(with_tier)[:3], sorted(with_tier)[3:6]
    before = [at_vendor(here, ref, field["salesforce"], value=None) for ref in cleared]
    for ref in theirs:
        at_vendor(here, ref, field["salesforce"], value="bronze")
    compared = sorted(held(here.hubs[-1], of["hubspot"]))[:3]
    assert [at_vendor(here, ref, field["hubspot"], value="bronze") or None for ref in compared] == [None] * 3

    report = here.cycle()
    assert [at_vendor(here, ref, field["salesforce"]) for ref in theirs] == ["bronze"] * 3
    assert [at_vendor(here, ref, field["salesforce"]) for ref in cleared] == before
    assert [at_vendor(here, ref, field["hubspot"]) for ref in compared] == ["bronze"] * 3
    with here.hubs[-1].store.read() as connection:
        assert contradictions.drift_at(connection, here.hubs[-1].as_of) == []
    [note] = [note for note in report.stages["plan"]["plan"].notes if "hubspot.contacts.onevoice_tier" in note]
    assert "(compared only)" in note


def test_an_edit_between_writing_and_reading_back_is_found(world: Callable[..., Any]) -> None:
    """What is read back comes from the vendor: a value that the hub holds for sent does not answer for it."""
    here = in_step(world, seed=52)
    chance = random.Random(52)
    edits = []
    for target in (t for t in here.hubs[-1].targets if t.stream == t.per):
        written, left = sorted(
            (f for f in target.fields if f.source in {"profile.id", "status.club.tier"}), key=_source
        )
        full = [ref for ref, state in held(here.hubs[-1], target).items() if state.sent.get(left.name)]
        for ref in chance.sample(sorted(full), 3):
            at_vendor(here, ref, written, value="somebody")
            edits.append(Edit(ref, left, "meanwhile", at_vendor(here, ref, left), "bronze"))
    here.post("/clock", {"advance_seconds": 900})
    assert run_cycle(here.hub(), skip=("verify",)).exit_code == 0
    for edit in edits:
        at_vendor(here, edit.ref, edit.field, value=edit.now)
    here.post("/clock", {"advance_seconds": 60})  # until every index shows it

    reader = here.hub()
    assert run_cycle(reader, only=("verify",)).exit_code == 0
    assert not_reported(reader, edits) == []
    here.cycle()
    assert not_as_before(here, edits) == []


def _source(field: PushField) -> str:
    return field.source
