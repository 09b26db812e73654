"""A store as it stands after years of syncs: profiles decided, every destination record in step with them.

Written through the store's own functions; what identity and consent hold is left out, because nothing here asks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from onevoice.model import Item, Ref
from onevoice.pipeline.delivery.desired import changed_fields
from onevoice.pipeline.hub import Hub
from onevoice.store import identities, outboxes, pages, profiles, runs
from onevoice.store.pages import DestinationState, PageChange
from onevoice.store.profiles import DecisionRow, ProfileRow

CHUNK = 5000
STATUS = {"club": {"tier": "silver", "points": "120", "member_since": "2024-05-01"}}
CONSENT: Mapping[str, Any] = {"points": {}, "allowed": {}}

Person = tuple[str, Sequence[Ref]]
"""Profile id and its customer records."""


def fill(hub: Hub, people: Sequence[Person]) -> None:
    """Write the profiles, and that every record holds what the hub would say of them."""
    template = _states(hub, people[0])
    for start in range(0, len(people), CHUNK):
        _fill_part(hub, people[start : start + CHUNK], template)
    with hub.store.begin() as connection:
        for step, version in hub.versions.items():
            runs.configured_anew(connection, step, version)


def change(hub: Hub, people: Sequence[Person], tier: str) -> None:
    """Give everybody another tier, and mark them for the plan."""
    for start in range(0, len(people), CHUNK):
        part = people[start : start + CHUNK]
        with hub.store.begin() as connection:
            rows = [replace(_profile(hub, pid), status={"club": {**STATUS["club"], "tier": tier}}) for pid, _ in part]
            profiles.save_profiles(connection, rows, (), hub.as_of)
            pages.mark_work(connection, {("plan", pid) for pid, _ in part})


def _fill_part(hub: Hub, people: Sequence[Person], template: Mapping[str, DestinationState]) -> None:
    refs = [(pid, ref) for pid, refs in people for ref in refs]
    page = PageChange(
        records=[
            {
                "ref": str(ref),
                "system": ref.system,
                "stream": ref.stream,
                "raw": {},
                "raw_hash": "",
                "updated_at": hub.as_of - timedelta(days=30),
                "deleted": False,
                "mapping": hub.reading(ref.system, ref.stream),
                "pulled_at": hub.as_of,
            }
            for _, ref in refs
        ],
        items=[Item(ref, "customer", _customer(ref.key)) for _, ref in refs],
    )
    states = {}
    for pid, ref in refs:
        for name, state in template.items():
            system, _, _ = name.partition("/")
            if system == ref.system:
                stream = name.split("/")[1]
                values = {n: pid if v == _PROFILE else v for n, v in state.sent.items()}
                states[str(Ref(system, stream, ref.key))] = DestinationState(values, values)
    with hub.store.begin() as connection:
        identities.save_links(connection, {str(ref): pid for pid, ref in refs}, (), (), hub.as_of)
        pages.save_page(connection, page, hub.as_of)
        profiles.save_profiles(connection, [_profile(hub, pid) for pid, _ in people], (), hub.as_of)
        profiles.save_decisions(connection, [_decision(hub, pid) for pid, _ in people], {}, hub.as_of)
        pages.save_destinations(connection, states)


_PROFILE = "the profile's id"


def _states(hub: Hub, person: Person) -> dict[str, DestinationState]:
    """What the records of anybody hold, by system/stream; all are told the same."""
    found = {}
    for ref in person[1]:
        view = hub.view(_profile(hub, _PROFILE), _decision(hub, _PROFILE), _customer(ref.key))
        for target in hub.targets_per(ref.system, ref.stream):
            if target.by_record:
                held = target.comparable(changed_fields(view, target.fields, DestinationState(), {}))
                found[f"{target.system}/{target.stream}"] = DestinationState(
                    {f.name: None for f in target.fields} | held
                )
    return found


def _customer(key: str) -> dict[str, Any]:
    return {"email": f"{key.lower()}@example.com", "given_name": "Ann", "family_name": "Ash"}


def _profile(hub: Hub, pid: str) -> ProfileRow:
    return ProfileRow(pid, {"family_name": "Ash"}, STATUS, CONSENT, {}, "", hub.today + timedelta(days=300))


def _decision(hub: Hub, pid: str) -> DecisionRow:
    return DecisionRow(pid, (), hub.today + timedelta(days=300), hub.policy.version)


def open_writes(hub: Hub) -> Iterator[tuple[str, int]]:
    """How many writes wait, by system and stream."""
    with hub.store.read() as connection:
        for target in hub.targets:
            yield f"{target.system}.{target.stream}", outboxes.count_open(connection, target.system, target.stream)
