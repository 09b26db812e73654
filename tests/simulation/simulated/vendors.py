"""Three vendors with different manners, behind the connector contract. Nothing of them is real but the contract.

A record keeps its versions, since an index or a copy may show an older one for a while. Everything that a person, a
tool, a customer or the hub does ends in `Vendor.change`, which keeps the vendor's rules and the world's own account of
what people did.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any

from connectors._watermark import finished, spans
from onevoice.errors import Ambiguous, AuthFailed, ContractBroken, Throttled, Unavailable
from onevoice.protocols import Check, DeferReason, Json, Outcome, Page, Record, Stream, Write, WriteResult
from simulated.clock import Clock
from simulated.moments import Moments

HUB, PEOPLE, CUSTOMER = "hub", "people", "customer"
"""Who changed something."""
PAGE = 3
SETTLE = timedelta(seconds=90)
"""Readers leave out what is younger: the index may not show it yet."""
LONGEST_LAG = 60.0
OLD_COPIES = 0.2
"""How often reading one record meets an old copy, at a vendor that has copies."""


@dataclass(slots=True)
class Version:
    """What a record held from a moment on."""

    at: datetime
    """The vendor's own stamp."""
    fields: Mapping[str, Any]
    shown_from: datetime
    """When index and copies have it."""
    deleted: bool = False
    merged_into: str = ""
    taken: bool = False
    """The hub has read it and asked for more, so it has stored it."""


@dataclass(slots=True)
class Kept:
    """A record at a vendor."""

    person: str
    versions: list[Version]

    @property
    def now(self) -> Version:
        return self.versions[-1]

    def shown(self, at: datetime) -> Version | None:
        """The version that the index shows."""
        return next((version for version in reversed(self.versions) if version.shown_from <= at), None)


@dataclass(slots=True)
class Written:
    """One write of the hub that took effect."""

    stream: str
    key: str
    fields: Mapping[str, Any]
    at: datetime


@dataclass(slots=True)
class Troubles:
    """How often what goes wrong, each between 0 and 1; nothing by default."""

    reading: float = 0.0
    """A call that reads fails."""
    writing: float = 0.0
    """A call that writes fails before its effect."""
    lost: float = 0.0
    """A call that writes takes effect, in whole or in part, at once or later, and its answer is lost."""
    single: float = 0.0
    """One write of a batch is refused, put off or lost."""
    forgotten: float = 0.0
    """A write is acknowledged and not kept."""


@dataclass(eq=False)
class Vendor:
    """One vendor and the connector to it."""

    system: str
    clock: Clock
    moments: Moments
    rng: random.Random
    streams: Mapping[str, Stream] = field(default_factory=dict)
    troubles: Troubles = field(default_factory=Troubles)

    main = ""
    """The stream of customer records."""
    whole_seconds = False
    lags = False
    theirs = frozenset[str]()
    """Fields that are the vendor's own once they are filled."""

    def __post_init__(self) -> None:
        self.records: dict[str, Kept] = {}
        self.refuses: set[str] = set()
        """Keys of records that are refused for ever, one by one."""
        self.poisonous: set[str] = set()
        """Keys of records for whose sake a whole batch is refused."""
        self.locked_until: datetime | None = None
        """Until when the credential is refused."""
        self.late: list[tuple[datetime, str, Write]] = []
        """Writes whose effect is still to come."""
        self.written: list[Written] = []
        self.forgotten: list[Written] = []
        """Writes that were acknowledged and not kept."""
        self.repeated: list[str] = []
        """Second events that the hub caused."""
        self.write_calls = 0
        self.read_back: dict[str, list[datetime]] = {}
        """When the hub read records one by one and was shown what they held, by key."""
        self.struck: set[tuple[str, str]] = set()
        """(key, field) that a late write changed behind everybody's back."""
        self.overwrote: list[tuple[str, str]] = []
        """(key, field) that belonged to people, who had written it, as the hub knew; and the hub wrote over it."""
        self.raced: set[tuple[str, str]] = set()
        """The same where the hub could not know: its write was on its way."""

    # What the world does

    def change(self, key: str, by: str, fields: Mapping[str, Any]) -> None:
        """Change fields of a customer record; None clears."""
        kept = self.records[key]
        values = dict(kept.now.fields)
        values.update((name, self.normal(name, value)) for name, value in fields.items())
        self._append(kept, {name: value for name, value in values.items() if value is not None} | {"changed_by": by})

    def create(self, key: str, person: str, by: str, fields: Mapping[str, Any]) -> None:
        """A new customer record."""
        self.records[key] = Kept(person, [])
        values = {name: self.normal(name, value) for name, value in fields.items()}
        self._append(self.records[key], {**values, "changed_by": by})

    def remove(self, key: str, merged_into: str = "") -> None:
        """Delete a customer record, or merge it into another."""
        self._append(self.records[key], {}, deleted=True, merged_into=merged_into)

    def held(self, key: str) -> Mapping[str, Any]:
        """What a customer record holds."""
        return self.records[key].now.fields

    def living(self) -> list[str]:
        """Keys of the customer records that there are."""
        return [key for key, kept in self.records.items() if not kept.now.deleted]

    def normal(self, _name: str, value: Any) -> Any:
        """The form in which the vendor keeps a value."""
        return value

    def happen(self) -> None:
        """Let writes take effect whose time has come."""
        due = [entry for entry in self.late if entry[0] <= self.clock.now]
        self.late = [entry for entry in self.late if entry[0] > self.clock.now]
        for _, stream, write in due:
            if self._exists(stream, write.key):
                self.moments.tell(f"{self.system}: late effect: {stream} {write.key} {dict(write.fields)}")
                self.struck.update((write.key, name) for name in write.fields)
                self._apply(stream, write, late=True)

    def _append(self, kept: Kept, fields: Mapping[str, Any], *, deleted: bool = False, merged_into: str = "") -> None:
        now = self.clock.now
        stamp = now.replace(microsecond=0) if self.whole_seconds else now
        lag = timedelta(seconds=self.rng.uniform(0, LONGEST_LAG)) if self.lags else timedelta(0)
        shown = now + lag
        if kept.versions:
            shown = max(shown, kept.now.shown_from)
        kept.versions.append(Version(stamp, fields, shown, deleted, merged_into))

    # What the connector does

    def check(self) -> Check:
        return Check(self.system)

    def read(self, stream: str, cursor: Json | None, fields: Sequence[str], as_of: datetime) -> Iterator[Page]:
        for span in spans(cursor, as_of - SETTLE, timedelta(0)):
            place = (span.stamp, span.id) if span.stamp else None
            while True:
                self._call(f"read {stream}", self.troubles.reading)
                rows = sorted(
                    (version.at, key, version)
                    for key, kept in self.records.items()
                    if (version := kept.shown(self.clock.now)) is not None
                    and version.at <= span.through
                    and (place is None or (version.at, key) > place)
                )[:PAGE]
                if not rows:
                    break
                place = rows[-1][:2]
                yield Page([_record(key, version, fields) for _, key, version in rows], span.at(*place).cursor())
                for _, _, version in rows:
                    version.taken = True
        yield Page([], finished(max(as_of - SETTLE, span.through)))

    def fetch(self, stream: str, keys: Sequence[str], fields: Sequence[str]) -> Iterator[Record]:
        self._call(f"fetch {stream} {list(keys)}", self.troubles.reading)
        for key in keys:
            kept = self.records.get(key)
            old = self.lags and self.rng.random() < OLD_COPIES and self.troubles.reading > 0
            version = kept and (kept.shown(self.clock.now) if old else kept.now)
            if kept and version is kept.now:
                self.read_back.setdefault(key, []).append(self.clock.now)
            yield _record(key, version, fields) if version else Record(key, {}, deleted=True)

    def write(self, stream: str, writes: Sequence[Write]) -> Sequence[WriteResult]:
        self.write_calls += 1
        told = [(write.key, dict(write.fields)) for write in writes]
        assert len(writes) <= self.streams[stream].max_batch, "more than a batch holds"
        self._call(f"write {stream} {told}", self.troubles.writing)
        if any(write.key in self.poisonous for write in writes):
            raise ContractBroken(f"{self.system}: 400", system=self.system, stream=stream)
        lost = self.rng.random() < self.troubles.lost
        if not lost:
            results = [self._write_one(stream, write) for write in writes]
            self.rng.shuffle(results)
            self.moments.reach(f"{self.system} answers {[(r.key, r.outcome.value, r.reason) for r in results]}")
            return results
        manner = self.rng.random()
        for write in writes:
            if manner < 0.6 or self.rng.random() < 0.5:
                self._lose(stream, write)
        self.moments.reach(f"{self.system} loses its answer")
        if manner < 0.1:
            raise ContractBroken(f"{self.system}: nonsense", system=self.system, stream=stream)
        raise Ambiguous(f"{self.system}: no answer", system=self.system, stream=stream)

    def _lose(self, stream: str, write: Write) -> None:
        """Carry a write out of which nobody is told, now or later."""
        if not self._exists(stream, write.key) or write.key in self.refuses:
            return
        if self.rng.random() < 0.4:
            self.late.append((self.clock.now + timedelta(seconds=self.rng.choice((0.1, 3, 60, 2000))), stream, write))
        else:
            self._apply(stream, write)

    def _write_one(self, stream: str, write: Write) -> WriteResult:
        if not self._exists(stream, write.key):
            return WriteResult(write.key, Outcome.REJECTED, "NOT_FOUND", "there is no such record")
        if write.key in self.refuses:
            return WriteResult(write.key, Outcome.REJECTED, "REFUSED", "a rule of the vendor says no")
        if self.rng.random() < self.troubles.single:
            reason = self.rng.choice((None, *DeferReason))
            if reason is None:
                return WriteResult(write.key, Outcome.REJECTED, "BUSY", "not now")
            if reason is DeferReason.AMBIGUOUS and self.rng.random() < 0.7:
                self._lose(stream, write)
            return WriteResult(write.key, Outcome.DEFERRED, reason.value, "", reason)
        if self.rng.random() < self.troubles.forgotten:
            self.forgotten.append(Written(stream, write.key, dict(write.fields), self.clock.now))
            return WriteResult(write.key, Outcome.ACCEPTED)
        changed = self._apply(stream, write)
        return WriteResult(write.key, Outcome.ACCEPTED if changed else Outcome.UNCHANGED)

    def _exists(self, _stream: str, key: str) -> bool:
        return key in self.records and not self.records[key].now.deleted

    def _apply(self, stream: str, write: Write, *, late: bool = False) -> bool:
        """Keep a write of the hub; whether anything is another than before."""
        if stream == self.main:
            held = self.held(write.key)
            write = Write(write.key, {name: _added(held.get(name), value) for name, value in write.fields.items()})
            self._note_overwritten(write, late=late)
        self.written.append(Written(stream, write.key, dict(write.fields), self.clock.now))
        known = len(self.repeated)
        changed = self._keep(stream, write)
        if late:  # the hub could not see it when it said the same again
            del self.repeated[known:]
        return changed

    def _note_overwritten(self, write: Write, *, late: bool) -> None:
        for name in self.theirs & write.fields.keys():
            value = self.held(write.key).get(name)
            if value is None or value == write.fields[name]:
                continue
            if self._knows(write.key, name, value) and not late:
                self.overwrote.append((write.key, name))
            else:
                self.raced.add((write.key, name))

    def _knows(self, key: str, name: str, value: Any) -> bool:
        """Whether the hub has read that a field holds its present value."""
        versions = reversed(self.records[key].versions)
        return any(version.taken for version in takewhile(lambda one: one.fields.get(name) == value, versions))

    def _keep(self, _stream: str, write: Write) -> bool:
        held = self.held(write.key)
        if all(self.normal(name, value) == held.get(name) for name, value in write.fields.items()):
            return False
        self.change(write.key, HUB, write.fields)
        return True

    def _call(self, what: str, trouble: float) -> None:
        """One call over the network, up to its effect."""
        self.moments.reach(f"{self.system}: {what}")
        self.clock.sleep(self.rng.choice((0.05, 0.3, 2.0)) if trouble else 0.1)
        if self.locked_until is not None and self.clock.now < self.locked_until:
            raise AuthFailed(f"{self.system}: 401", system=self.system)
        if self.rng.random() < trouble:
            kind = self.rng.choice((Throttled, Unavailable, Unavailable, AuthFailed))
            self.moments.tell(f"{self.system}: {kind.__name__}")
            raise kind(f"{self.system}: not now", system=self.system)


class Crm(Vendor):
    """Whole-second stamps, an opt-out box on the record, values trimmed."""

    main = "Contact"
    whole_seconds = True

    def normal(self, name: str, value: Any) -> Any:
        return value.strip() or None if isinstance(value, str) else value

    def change(self, key: str, by: str, fields: Mapping[str, Any]) -> None:
        if "OptOut" in fields and bool(fields["OptOut"]) != bool(self.held(key).get("OptOut")):
            ticked = bool(fields["OptOut"])
            stamp = self.clock.now.replace(microsecond=0).isoformat() if ticked else None
            fields = {**fields, "OptOutAt": stamp, "OptOutBy": by if ticked else None}
        super().change(key, by, fields)


class Shop(Vendor):
    """An index that lags, old copies, opt-outs that hang on the address, a list that is a set."""

    main = "contacts"
    lags = True
    theirs = frozenset({"first_tier"})

    def __post_init__(self) -> None:
        super().__post_init__()
        self.unsubscribed: dict[str, tuple[str, str]] = {}
        """Address -> when and by whom."""
        self.listed: set[str] = set()

    def unsubscribe(self, address: str, by: str) -> None:
        """Nobody but the customer can take it back, and no customer does."""
        if address in self.unsubscribed:
            if by == HUB and self.unsubscribed[address][1] == HUB:
                self.repeated.append(address)
            return
        self.unsubscribed[address] = (self.clock.now.isoformat(), by)
        for key in self.living():
            if self.held(key).get("email") == address:
                self.change(key, by, {})

    def change(self, key: str, by: str, fields: Mapping[str, Any]) -> None:
        address = fields.get("email", self.held(key).get("email"))
        super().change(key, by, {**fields, **self._status(address)})

    def create(self, key: str, person: str, by: str, fields: Mapping[str, Any]) -> None:
        status = {name: value for name, value in self._status(fields["email"]).items() if value is not None}
        super().create(key, person, by, {**fields, **status})

    def remove(self, key: str, merged_into: str = "") -> None:
        super().remove(key, merged_into)
        self.listed.discard(key)

    def _status(self, address: str) -> dict[str, Any]:
        since = self.unsubscribed.get(address)
        return {"unsubscribed": "true" if since else None, "unsubscribed_at": since[0] if since else None}

    def read(self, stream: str, cursor: Json | None, fields: Sequence[str], as_of: datetime) -> Iterator[Page]:
        if stream != "lists":
            yield from super().read(stream, cursor, fields, as_of)
            return
        self._call("read lists", self.troubles.reading)
        yield Page([Record(key, {"ov_no_news": True}) for key in sorted(self.listed)], {"read_at": as_of.isoformat()})

    def fetch(self, stream: str, keys: Sequence[str], fields: Sequence[str]) -> Iterator[Record]:
        if stream == "contacts":
            yield from super().fetch(stream, keys, fields)
            return
        self._call(f"fetch {stream} {list(keys)}", self.troubles.reading)
        for key in keys:
            if stream == "lists":
                known = self._exists("contacts", key)
                yield Record(key, {"ov_no_news": key in self.listed} if known else {}, deleted=not known)
            elif key in self.unsubscribed:
                yield Record(key, {"marketing": "UNSUBSCRIBED"})
            else:
                yield Record(key, {}, deleted=not self._exists(stream, key))

    def _exists(self, stream: str, key: str) -> bool:
        if stream == "subscriptions":
            return any(self.held(contact).get("email") == key for contact in self.living())
        return super()._exists(stream, key)

    def _keep(self, stream: str, write: Write) -> bool:
        if stream == "contacts":
            return super()._keep(stream, write)
        if stream == "subscriptions":
            before = write.key in self.unsubscribed
            self.unsubscribe(write.key, HUB)
            return not before
        before = write.key in self.listed
        (self.listed.add if write.fields["ov_no_news"] else self.listed.discard)(write.key)
        return before != (write.key in self.listed)


class Mail(Vendor):
    """Rewrites what it is given; tells of no deletion; customers come back here."""

    main = "profiles"

    def normal(self, name: str, value: Any) -> Any:
        if name == "ov_points" and value is not None:
            return round(float(value))
        if isinstance(value, str) and name in {"ov_tier", "note"}:
            return value.strip().lower() or None
        return value


def _record(key: str, version: Version, fields: Sequence[str]) -> Record:
    if version.deleted:
        return Record(key, {}, version.at, deleted=True, merged_into=version.merged_into)
    wanted = {*fields, "changed_by"}
    return Record(key, {name: value for name, value in version.fields.items() if name in wanted}, version.at)


def _added(held: Any, value: Any) -> Any:
    """Some interfaces take increments. The hub never sends one."""
    if isinstance(value, Mapping):
        total = float(held or 0) + value["increment"]
        return int(total) if total == int(total) else total
    return value
