"""The whole way of an opt-out that arrives while a long queue leaves, over HTTP, at the vendors' documented limits."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from onevoice.cli.sandbox_process import Sandbox, running_sandbox
from onevoice.mapping import PushField
from onevoice.model import Ref
from onevoice.pipeline import CycleReport, Hub, PushLimits, open_hub, run_cycle
from onevoice.pipeline.accounts import provision, systems_written
from onevoice.pipeline.delivery.desired import write_of
from onevoice.pipeline.delivery.targets import PushTarget
from onevoice.policy import raw_value
from onevoice.project import copy_template
from onevoice.protocols import Outcome, Write
from onevoice.store import identities, outboxes, pages
from onevoice.store.pages import DestinationState

PEOPLE = 17_200
QUEUE = 50_000
ALLOWED_SECONDS = 30.0
MOMENTS = (5.0, 45.0)
"""Seconds into the push at which somebody opts out: while the first system is written, and later."""
CHUNK = 2000
SHOWN_BY = ("suppress.newsletter", "suppress.cart_reminder")
"""What a system that writes e-mails is told of an opt-out: the shop sends no newsletter."""
BEFORE_PUSH = ("pull", "resolve", "unify", "decide", "plan")


@pytest.mark.long
def test_an_opt_out_is_at_all_vendors_within_half_a_minute_while_status_updates_queue(tmp_path: Path) -> None:
    with running_sandbox(seed=7, people=PEOPLE, log=tmp_path / "sandbox.log", limits=False) as sandbox:
        copy_template(tmp_path / "project")
        hub = opened(tmp_path, sandbox, sandbox.environment)
        for system in systems_written(hub):
            provision(hub, system, dry_run=False)
        run_cycle(hub, only=BEFORE_PUSH)
        assert leave_status_only(hub) >= QUEUE
        asked(sandbox, "/limits", {"on": True})
        at_their_pace = {name: value for name, value in sandbox.environment.items() if not name.endswith("_PACED")}
        pushing, looking = (opened(tmp_path, sandbox, at_their_pace) for _ in range(2))
        reports: list[CycleReport] = []
        push = threading.Thread(target=lambda: reports.append(run_cycle(pushing, only=("push",))))
        began = time.monotonic()
        push.start()
        chosen = customers_everywhere(looking)
        for moment in MOMENTS:
            time.sleep(max(0.0, began + moment - time.monotonic()))
            seconds = opt_out(looking, next(chosen))
            sys.stdout.write(f"{moment:.0f} s into the push: {seconds}\n")
            assert max(seconds.values()) <= ALLOWED_SECONDS, seconds
        push.join()
        sys.stdout.write(f"the push took {time.monotonic() - began:.0f} s\n")
        assert reports[0].exit_code == 0, reports[0].as_dict()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record shows that a newsletter must not be sent."""

    target: PushTarget
    key: str
    field: PushField

    @property
    def system(self) -> str:
        return self.target.system

    @property
    def ref(self) -> str:
        return str(Ref(self.target.system, self.target.stream, self.key))


def opened(folder: Path, sandbox: Sandbox, environment: Mapping[str, str]) -> Hub:
    return open_hub(
        folder / "project",
        environment=environment,
        database=f"sqlite:///{folder / 'hub.sqlite'}",
        as_of=datetime.fromisoformat(asked(sandbox, "/clock")["as_of"]),
        limits=PushLimits(first=True),
    )


def asked(sandbox: Sandbox, path: str, body: Mapping[str, Any] | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    with urlopen(Request(sandbox.admin + path, data=data)) as answer:
        return json.load(answer)


def leave_status_only(hub: Hub) -> int:
    """Let every record hold what is planned but for the profile's id, which is left to be written; how many."""
    targets = {(target.system, target.stream): target for target in hub.targets}
    with hub.store.read() as connection:
        rows = outboxes.open_writes(connection)
    left = 0
    for start in range(0, len(rows), CHUNK):
        states: dict[str, DestinationState] = {}
        status = []
        for row in rows[start : start + CHUNK]:
            ref = Ref.parse(row.ref)
            target = targets[ref.system, ref.stream]
            ids = {f.name for f in target.fields if f.source == "profile.id"}
            held = target.comparable({name: value for name, value in row.fields.items() if name not in ids})
            states[row.ref] = DestinationState(held, held)
            if ids & row.fields.keys():
                status.append(write_of(row.ref, target, {name: row.fields[name] for name in ids & row.fields.keys()}))
        with hub.store.begin() as connection:
            pages.save_destinations(connection, states)
            outboxes.replace_outbox(connection, states, status, hub.as_of)
        left += len(status)
    return left


def customers_everywhere(hub: Hub) -> Iterator[Mapping[str, Place]]:
    """Customers whom every e-mail sender may write to, last ones first: by system, where that is seen."""
    senders = {t.system for t in hub.targets if any(f.source in SHOWN_BY for f in t.fields)}
    with hub.store.read() as connection:
        links = identities.all_links(connection)
        everybody = sorted({pid for ref, pid in links if ref.startswith("salesforce/")}, reverse=True)
        for start in range(0, len(everybody), CHUNK):
            members = identities.load_members(connection, everybody[start : start + CHUNK])
            for refs in members.values():
                places = {place.system: place for ref in refs for place in _places(hub, Ref.parse(ref))}
                known = pages.load_destinations(connection, (place.ref for place in places.values()))
                if places.keys() == senders and all(
                    place.ref in known and known[place.ref].sent.get(place.field.name) is None
                    for place in places.values()
                ):
                    yield places


def _places(hub: Hub, ref: Ref) -> Iterator[Place]:
    for target in hub.targets_per(ref.system, ref.stream):
        fields = {field.source: field for field in target.fields if target.by_record}
        yield from [Place(target, ref.key, fields[source]) for source in SHOWN_BY if source in fields][:1]


def opt_out(hub: Hub, places: Mapping[str, Place]) -> dict[str, float]:
    """Opt the customer out in Salesforce, as another client there would; by system, after how many seconds the record
    shows it."""
    place = places["salesforce"]
    said = [Write(place.key, {"HasOptedOutOfEmail": True})]
    (result,) = hub.destination("salesforce").write(place.target.stream, said)
    assert result.outcome is Outcome.ACCEPTED
    began = time.monotonic()
    seconds: dict[str, float] = {}
    while len(seconds) < len(places) and time.monotonic() - began < 4 * ALLOWED_SECONDS:
        for system in sorted(places.keys() - seconds.keys()):
            if shows(hub, places[system]):
                seconds[system] = round(time.monotonic() - began, 1)
        time.sleep(0.5)
    return {system: seconds.get(system, float("inf")) for system in places}


def shows(hub: Hub, place: Place) -> bool:
    fetcher = hub.fetcher(place.system)
    assert fetcher is not None
    (record,) = fetcher.fetch(place.target.stream, [place.key], [place.field.name])
    return place.field.decode_observed(raw_value(record.data, place.field.name)) is not None
