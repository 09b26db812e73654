"""A real hub on a real store, with scripted vendors in memory in place of the network."""

from __future__ import annotations

import copy
import re
import shutil
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from identity import Cluster, Clustering, Constraint, Degree, Edge, NormalisedRecord
from onevoice.model import Ref
from onevoice.pipeline import CycleReport, Hub, PushLimits, open_hub, run_cycle
from onevoice.pipeline.resolution.review import queue
from onevoice.protocols import Check, Json, Outcome, Page, Record, Stream, Write, WriteResult
from onevoice.store import identities, profiles

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
OPTED_OUT = "hs_email_optout_10001"
LAG = timedelta(seconds=10)
"""How late a vendor shows changes."""
OTHERS = ("shopify", "square", "klaviyo", "till")
"""Shipped systems that are not on the bench."""


class ScriptedVendor:
    """Records by stream, readable by a running number, writable, and failing as told."""

    def __init__(self, system: str, streams: Sequence[Stream]) -> None:
        self.system = system
        self.streams = {stream.name: stream for stream in streams}
        self.records: dict[str, dict[str, tuple[int, dict[str, Any], bool]]] = {name: {} for name in self.streams}
        self.number = 0
        self.writes: list[tuple[str, str, dict[str, Any]]] = []
        self.asked: list[tuple[str, Sequence[str]]] = []
        self.before_write: Callable[[str, Sequence[Write]], object] = lambda _stream, _writes: None
        self.after_write: Callable[[str, Sequence[Write]], object] = lambda _stream, _writes: None
        self.refuse: Callable[[str, Write], bool] = lambda _stream, _write: False
        self.answer: Callable[[str, Write], WriteResult | None] = lambda _stream, _write: None
        self.before_read: Callable[[str], object] = lambda _stream: None

    def put(self, stream: str, key: str, /, **fields: Any) -> None:
        """Change fields of a record at the vendor, as a person there would; None clears."""
        self.number += 1
        known = self.records[stream].get(key, (0, {}, False))[1]
        data = {name: value for name, value in {**known, **fields}.items() if value is not None}
        self.records[stream][key] = (self.number, {**data, "_changed": self.number}, False)

    def delete(self, stream: str, key: str, merged_into: str = "") -> None:
        self.number += 1
        self.records[stream][key] = (self.number, {"_merged_into": merged_into}, True)

    def held(self, stream: str, key: str) -> dict[str, Any]:
        """What a record holds."""
        return self.records[stream][key][1]

    def check(self) -> Check:
        return Check(self.system)

    def read(self, stream: str, cursor: Json | None, fields: Sequence[str], as_of: datetime) -> Iterator[Page]:
        self.asked.append((stream, fields))
        self.before_read(stream)
        since = cursor["n"] if cursor and not self.streams[stream].snapshot else 0
        found = [
            Record(
                key,
                _part(data, fields, stamped=not self.streams[stream].snapshot),
                at(number),
                deleted,
                data.get("_merged_into", ""),
            )
            for key, (number, data, deleted) in sorted(self.records[stream].items())
            if number > since and not (deleted and self.streams[stream].snapshot)
        ]
        yield Page(found, {"n": self.number})

    def glance(
        self,
        stream: str,
        since: datetime,
        refusals: Mapping[str, Sequence[str]],
        fields: Sequence[str],
        as_of: datetime,
    ) -> Iterator[Record]:
        del as_of
        for key, (number, data, deleted) in sorted(self.records[stream].items()):
            said = {name: str(data.get(name)).lower() for name in refusals}
            if at(number) < since - LAG or not any(said[name] in words for name, words in refusals.items()):
                continue
            yield Record(key, _part(data, fields), at(number), deleted)

    def fetch(self, stream: str, keys: Sequence[str], fields: Sequence[str]) -> Iterator[Record]:
        for key in keys:
            number, data, deleted = self.records[stream].get(key, (None, {}, True))
            yield Record(key, _part(data, fields), at(number) if number else None, deleted)

    def write(self, stream: str, writes: Sequence[Write]) -> Sequence[WriteResult]:
        self.before_write(stream, writes)
        results = [self._write_one(stream, write) for write in writes]
        self.after_write(stream, writes)
        return results

    def _write_one(self, stream: str, write: Write) -> WriteResult:
        if self.refuse(stream, write):
            return WriteResult(write.key, Outcome.REJECTED, "NO", "refused")
        answer = self.answer(stream, write)
        if answer is not None:
            return answer
        self.writes.append((stream, write.key, dict(write.fields)))
        if stream == "subscriptions":
            for key, (_, data, gone) in list(self.records["contacts"].items()):
                if data.get("email") == write.key and not gone:
                    self.put("contacts", key, **{OPTED_OUT: "true"})
            return WriteResult(write.key, Outcome.ACCEPTED)
        if stream == "lists":
            if any(write.fields.values()):
                self.put(stream, write.key, **write.fields)
            else:
                self.records[stream].pop(write.key, None)
            return WriteResult(write.key, Outcome.ACCEPTED)
        if write.key not in self.records[stream] or self.records[stream][write.key][2]:
            return WriteResult(write.key, Outcome.REJECTED, "NOT_FOUND", "there is no such record")
        self.put(stream, write.key, **write.fields)
        return WriteResult(write.key, Outcome.ACCEPTED)


class NestedVendor(ScriptedVendor):
    """A vendor whose records are nested, as Klaviyo's and Square's are: names with dots reach into them."""

    def put(self, stream: str, key: str, /, **fields: Any) -> None:
        """Change fields, dotted ones too; None clears."""
        self.number += 1
        data = copy.deepcopy(self.records[stream].get(key, (0, {}, False))[1])
        for name, value in fields.items():
            _set(data, name.split("."), value)
        self.records[stream][key] = (self.number, {**data, "_changed": self.number}, False)

    def _write_one(self, stream: str, write: Write) -> WriteResult:
        if stream != "suppressions":
            return super()._write_one(stream, write)
        self.writes.append((stream, write.key, dict(write.fields)))
        for key, (_, data, gone) in list(self.records["profiles"].items()):
            if data.get("email") == write.key and not gone:
                self.suppress(key, "USER_SUPPRESSED", at(self.number))
        return WriteResult(write.key, Outcome.ACCEPTED)

    def suppress(self, key: str, reason: str, when: datetime) -> None:
        """Suppress the address of a profile, for one more reason."""
        email = self.held("profiles", key).get("subscriptions", {}).get("email", {}).get("marketing", {})
        listed = [*email.get("suppression", ()), {"reason": reason, "timestamp": when.isoformat()}]
        self.put("profiles", key, **{"email_suppressed": True, "subscriptions.email.marketing.suppression": listed})


def _set(data: dict[str, Any], steps: Sequence[str], value: Any) -> None:
    for step in steps[:-1]:
        data = data.setdefault(step, {})
    if value is None:
        data.pop(steps[-1], None)
    else:
        data[steps[-1]] = value


def at(number: int) -> datetime:
    return START + timedelta(seconds=number)


def _part(data: Mapping[str, Any], fields: Sequence[str], *, stamped: bool = True) -> dict[str, Any]:
    heads = {name.partition(".")[0] for name in fields}
    return {name: value for name, value in data.items() if name in heads or (stamped and name == "_changed")}


@dataclass
class Told:
    """Identities as the test tells them: records with the same name are one person, all others are alone."""

    person: dict[str, str] = field(default_factory=dict)

    def edges(
        self,
        pairs: Iterable[tuple[NormalisedRecord, NormalisedRecord]],
        degrees: Callable[[Collection[str]], Mapping[str, Degree]],
    ) -> list[Edge]:
        told = [(a.ref, b.ref) for a, b in pairs if self._person(a.ref) == self._person(b.ref)]
        return [Edge(min(pair), max(pair), 50.0, 1.0, "told") for pair in told]

    def cluster(
        self, records: Mapping[Ref, NormalisedRecord], edges: Sequence[Edge], constraints: Sequence[Constraint]
    ) -> Clustering:
        together: dict[str, set[Ref]] = {}
        for ref in records:
            together.setdefault(self._person(ref), set()).add(ref)
        return Clustering(tuple(Cluster(frozenset(refs)) for refs in together.values()), ())

    def _person(self, ref: Ref) -> str:
        return self.person.get(str(ref), str(ref))


@dataclass
class Bench:
    """A project with its store, and the vendors it talks to."""

    project: Path
    database: str
    people: Told | None
    """None: the shipped resolver decides."""
    crm: ScriptedVendor
    shop: ScriptedVendor
    now: datetime = START
    hubs: list[Hub] = field(default_factory=list)
    edited: bool = True
    """Whether the project has to be read again."""
    clock: Callable[[], datetime] | None = None
    """The time that passes during a cycle; None: the machine's."""
    others: dict[str, ScriptedVendor] = field(default_factory=dict)
    """Further vendors by system, where a test has some."""

    def edit(self, file: str, old: str, new: str) -> None:
        """Edit a file of the project."""
        path = self.project / file
        text = path.read_text("utf-8")
        assert old in text, f"{file} does not say {old!r}"
        path.write_text(text.replace(old, new), "utf-8")
        self.edited = True

    def hub(self, **limits: Any) -> Hub:
        allowed = PushLimits(**{"first": True, **limits})
        if self.edited:
            opened = open_hub(
                self.project,
                environment={},
                database=self.database,
                as_of=self.now,
                limits=allowed,
                people=self.people,
            )
        else:
            opened = replace(self.hubs[-1], as_of=self.now, limits=allowed, run_id=uuid.uuid4().hex)
        self.edited = False
        opened._connectors = {"salesforce": self.crm, "hubspot": self.shop, **self.others}
        opened.sleep = lambda _seconds: None
        if self.clock is not None:
            opened.clock = self.clock
        self.hubs.append(opened)
        return opened

    def cycle(
        self, minutes: float = 15, only: Sequence[str] = (), skip: Sequence[str] = (), **limits: Any
    ) -> CycleReport:
        """Run a cycle some minutes after the last."""
        self.now += timedelta(minutes=minutes)
        return run_cycle(self.hub(**limits), only=only, skip=skip)

    def written(self) -> list[tuple[str, str, dict[str, Any]]]:
        """(stream, key, fields) of every write since the last look."""
        vendors = [self.crm, self.shop, *self.others.values()]
        found = [write for vendor in vendors for write in vendor.writes]
        for vendor in vendors:
            vendor.writes = []
        return found

    def quiet(self) -> bool:
        """Whether one more cycle writes nothing."""
        self.written()
        self.cycle()
        return self.written() == []


class Desk:
    """A bench with the shipped resolver, and what a steward sees of it."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        bench.people = None

    def contacts(self, **held: dict[str, Any]) -> None:
        for key, fields in held.items():
            self.bench.crm.put("Contact", key, **fields)

    def run(self) -> Hub:
        """A cycle that writes to no system."""
        self.bench.cycle(skip=("push", "verify"))
        return self.hub

    @property
    def hub(self) -> Hub:
        return self.bench.hubs[-1]

    @property
    def homes(self) -> dict[str, str]:
        with self.hub.store.read() as connection:
            return dict(identities.all_links(connection))

    @property
    def people(self) -> set[frozenset[str]]:
        found: dict[str, set[str]] = {}
        for ref, profile_id in self.homes.items():
            found.setdefault(profile_id, set()).add(ref)
        return {frozenset(refs) for refs in found.values()}

    @property
    def asked(self) -> set[tuple[str, str, str]]:
        return {(one.item.kind, one.item.left, one.item.right) for one in queue(self.hub)}

    def current(self, profile_id: str) -> str | None:
        with self.hub.store.read() as connection:
            return profiles.current_id(connection, profile_id)


def _vendors() -> tuple[ScriptedVendor, ScriptedVendor]:
    crm = ScriptedVendor(
        "salesforce",
        [
            Stream("Contact", "Id", writes=True, max_batch=200),
            *(
                Stream(name, "Id")
                for name in ("Case", "LoyaltyProgramMember", "LoyaltyMemberCurrency", "LoyaltyMemberTier")
            ),
        ],
    )
    shop = ScriptedVendor(
        "hubspot",
        [
            Stream("contacts", "id", writes=True, max_batch=100),
            Stream("subscriptions", "email", reads=False, writes=True),
            Stream("lists", "id", writes=True, snapshot=True, max_batch=1000),
        ],
    )
    return crm, shop


def _bench(folder: Path, checkout: Path, left_out: Collection[str]) -> Bench:
    """The shipped configuration without some of its systems, over an empty store."""
    for part in ("config", "mappings"):
        shutil.copytree(
            checkout / part, folder / "project" / part, ignore=shutil.ignore_patterns(*left_out, "*_test.yaml")
        )
    hub_yaml = folder / "project/config/hub.yaml"
    head, *systems = re.split(r"\n(?=  [a-z]+:\n)", hub_yaml.read_text("utf-8"))
    kept = [text for text in systems if text.strip().partition(":")[0] not in left_out]
    hub_yaml.write_text("\n".join([head, *kept]), "utf-8")
    crm, shop = _vendors()
    return Bench(folder / "project", f"sqlite:///{folder / 'hub.sqlite'}", Told(), crm, shop)


@pytest.fixture
def bench(tmp_path: Path, checkout: Path) -> Iterator[Bench]:
    """Two systems of its own, Salesforce and HubSpot."""
    made = _bench(tmp_path, checkout, OTHERS)
    yield made
    for hub in made.hubs:
        hub.store.close()


@pytest.fixture
def desk(bench: Bench) -> Desk:
    """What a steward works on: Salesforce and HubSpot, with the resolver that is shipped."""
    return Desk(bench)


@pytest.fixture
def wide(tmp_path: Path, checkout: Path) -> Iterator[Bench]:
    """Salesforce, HubSpot, the sender Klaviyo and the tills of Square."""
    made = _bench(tmp_path, checkout, ("shopify", "till"))
    profiles = Stream("profiles", "id", writes=True, max_batch=1000)
    suppressions = Stream("suppressions", "email", reads=False, writes=True, max_batch=100)
    made.others["klaviyo"] = NestedVendor("klaviyo", [profiles, suppressions])
    customers = Stream("customers", "id", writes=True, max_batch=25)
    made.others["square"] = NestedVendor(
        "square", [customers, Stream("orders", "id"), Stream("loyalty_accounts", "id")]
    )
    yield made
    for hub in made.hubs:
        hub.store.close()
