"""What a sandbox vendor knows: records with their stamps and their lag, calls, faults. All in memory, one thread.

Values are JSON values as the vendor itself would hold them (HubSpot: text; Salesforce: text, numbers, booleans, null).
The one exception is a HubSpot list's `members`, a set of record ids. Records are never changed in place: an update
replaces the dict, so a dict that was handed out stays what it was.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from onevoice.sandbox.calls import CallLog
from onevoice.sandbox.trap import Trap

Fields = dict[str, Any]

FAULT_NAMES = (
    "none",
    "salesforce_down",
    "hubspot_down",
    "shopify_down",
    "square_down",
    "klaviyo_down",
    "throttle",
    "expire_tokens",
    "reject_some",
)


class Clock:
    """The sandbox's own time: begins at `start`, runs with real elapsed time, can be pushed forward."""

    def __init__(self, start: datetime) -> None:
        self._start = start
        self._began = time.monotonic()

    def now(self) -> datetime:
        """Aware, UTC."""
        return self._start + timedelta(seconds=time.monotonic() - self._began)

    def advance(self, seconds: float) -> None:
        """Push time forward; negative values are an error, for stamps must never run backwards."""
        if seconds < 0:
            raise ValueError(f"clock: cannot go back by {-seconds} seconds (advance takes 0 or more)")
        self._start += timedelta(seconds=seconds)


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """What a vendor server has to know besides its state."""

    url: str
    """Its own base URL, as the token answer and paging links give it."""
    client_id: str
    client_secret: str
    refresh_token: str = ""
    """HubSpot only."""
    read_only_token: str = ""
    """A second access token that may read and not write. Shopify only; empty = there is none."""


@dataclass(slots=True)
class Faults:
    """Switches that the admin endpoint turns while the servers run."""

    limits_on: bool = True
    """The vendor's documented limits hold: request rate, token lifetime, and now and then a row that fails once."""
    down: bool = False
    """Every request is refused as by a vendor with an outage."""
    throttle: bool = False
    """Refuse far more requests than the documented limit would."""
    expire_tokens: bool = False
    """Tokens die after a few calls."""
    reject_some: bool = False
    """Some records are refused for as long as the switch is on."""

    def use(self, name: str, system: str) -> None:
        """Take the named fault, one of FAULT_NAMES, in place of whatever was on; `system` is whose these are."""
        if name not in FAULT_NAMES:
            raise ValueError(f"faults: no fault is named {name!r} (allowed: {', '.join(FAULT_NAMES)})")
        self.down = name == f"{system}_down"
        self.throttle = name == "throttle"
        self.expire_tokens = name == "expire_tokens"
        self.reject_some = name == "reject_some"


@dataclass(slots=True)
class ApiWrites:
    """What arrived through the vendor's API, by (table, record id)."""

    values: dict[tuple[str, str], Fields] = field(default_factory=dict)
    """The last value sent of every field."""
    writes: Counter[tuple[str, str]] = field(default_factory=Counter)
    identical: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Writes that repeated an earlier one: every field had already been sent with this value, and still held it."""

    def record(self, table: str, key: str, sent: Mapping[str, Any], before: Mapping[str, Any]) -> None:
        """Note one write of `sent` to a record that held `before`."""
        place = (table, key)
        known = self.values.setdefault(place, {})
        missing = object()
        if all(known.get(name, missing) == value and before.get(name) == value for name, value in sent.items()):
            self.identical[place] += 1
        self.writes[place] += 1
        known.update(sent)


@dataclass(frozen=True, slots=True)
class TableSpec:
    """How one object type behaves."""

    name: str
    stamp_fields: tuple[str, ...] = ()
    """Fields set to the moment of every change."""
    created_field: str = ""
    stamp_text: Callable[[datetime], str] = datetime.isoformat
    new_id: Callable[[int], str] = str
    """Serial number -> record id."""
    logged_fields: frozenset[str] = frozenset()
    """Fields whose every change is kept, old and new, in the vendor's events."""
    version_field: str = ""
    """A number that begins at 0 and goes up with every stamped change."""
    unstamped_fields: frozenset[str] = frozenset()
    """Fields that the vendor keeps beside the record: a change of nothing else moves neither stamps nor version."""


class Table:
    """The records of one object type: as they are (`get`), and as searches see them after the lag (`seen`)."""

    def __init__(self, spec: TableSpec, state: VendorState) -> None:
        self.spec = spec
        self.rows: dict[str, Fields] = {}
        self.stamps: dict[str, datetime] = {}
        self.visible_at: dict[str, datetime] = {}
        self.changes = 0
        """Goes up with every insert, update, delete."""
        self.seen_changes = 0
        """Goes up whenever what `seen` answers has changed: the key for cached sorted indexes."""
        self._state = state
        self._seen: dict[str, Fields] = {}
        self._waiting: deque[tuple[datetime, str, Fields | None]] = deque()
        self._serial = 0

    def __len__(self) -> int:
        return len(self.rows)

    def __contains__(self, key: str) -> bool:
        return key in self.rows

    def get(self, key: str) -> Fields | None:
        """The record as it is now, at once after a change (a read by id)."""
        return self.rows.get(key)

    def seen(self) -> Mapping[str, Fields]:
        """All records as a query or search sees them now: a fresh change stays hidden until its lag is over."""
        now = self._state.clock.now()
        while self._waiting and self._waiting[0][0] <= now:
            _, key, version = self._waiting.popleft()
            if version is None:
                self._seen.pop(key, None)
            else:
                self._seen[key] = version
            self.seen_changes += 1
        return self._seen

    def insert(
        self, fields: Mapping[str, Any], stamp: datetime | None = None, key: str | None = None, actor: str = "api"
    ) -> str:
        """Add a record. With a `stamp` (seeding) it has long been there; without, it is new, and hidden for the lag."""
        self._serial += 1
        key = key if key is not None else self.spec.new_id(self._serial)
        if key in self.rows:
            raise KeyError(f"{self.spec.name}: a record {key} is already there")
        moment = stamp or self._state.clock.now()
        row = dict(fields)
        self._stamp(row, moment)
        if self.spec.version_field:
            row.setdefault(self.spec.version_field, 0)
        if self.spec.created_field:
            row.setdefault(self.spec.created_field, self.spec.stamp_text(moment))
        self.rows[key] = row
        self._changed(key, row, moment, lagging=stamp is None)
        if actor != "seed":
            self._state.note(self.spec.name, key, "(record)", None, "created", actor)
        if actor == "api":
            self._state.api_writes.record(self.spec.name, key, fields, {})
        return key

    def update(self, key: str, changes: Mapping[str, Any], actor: str = "api", *, stamped: bool = True) -> Fields:
        """Put `changes` on a record (KeyError when there is none), stamp it now, and return it as it is then.

        `actor` is "api" (counted among the API writes), "hand" (an edit behind the hub's back) or "vendor"
        (the vendor's own doing, such as a flag that follows another record). One that is not `stamped` leaves the
        record's stamp and version as they were.
        """
        before = self.rows[key]
        row = {**before, **changes}
        now = self._state.clock.now()
        if stamped and (not changes or not self.spec.unstamped_fields.issuperset(changes)):
            self._stamp(row, now)
            if self.spec.version_field:
                row[self.spec.version_field] = before[self.spec.version_field] + 1
        self.rows[key] = row
        self._changed(key, row, now, lagging=True)
        for name in self.spec.logged_fields.intersection(changes):
            if before.get(name) != changes[name]:
                self._state.note(self.spec.name, key, name, before.get(name), changes[name], actor)
        if actor == "api":
            self._state.api_writes.record(self.spec.name, key, changes, before)
        return row

    def delete(self, key: str, actor: str = "api") -> None:
        """Take a record away (KeyError when there is none); queries see it for the lag yet."""
        del self.rows[key]
        self.stamps.pop(key)
        now = self._state.clock.now()
        self._waiting.append((now + self._state.lag, key, None))
        self.changes += 1
        self._state.note(self.spec.name, key, "(record)", None, "deleted", actor)

    def _stamp(self, row: Fields, moment: datetime) -> None:
        text = self.spec.stamp_text(moment)
        for name in self.spec.stamp_fields:
            row[name] = text

    def _changed(self, key: str, row: Fields, moment: datetime, *, lagging: bool) -> None:
        self.changes += 1
        self.stamps[key] = moment
        if lagging:
            self.visible_at[key] = moment + self._state.lag
            self._waiting.append((self.visible_at[key], key, row))
        else:
            self._seen[key] = row
            self.visible_at[key] = moment
            self.seen_changes += 1

    def dump(self) -> dict[str, Any]:
        """Everything, as JSON values (sets become sorted lists)."""
        return {
            "serial": self._serial,
            "rows": {key: _plain(row) for key, row in self.rows.items()},
            "stamps": {key: stamp.isoformat() for key, stamp in self.stamps.items()},
        }

    def load(self, dumped: Mapping[str, Any]) -> None:
        """Take over what `dump` gave; every change in it counts as visible."""
        self._serial = dumped["serial"]
        self.rows = {key: _lively(row) for key, row in dumped["rows"].items()}
        self.stamps = {key: datetime.fromisoformat(text) for key, text in dumped["stamps"].items()}
        self.visible_at = dict(self.stamps)
        self._seen = dict(self.rows)
        self._waiting.clear()
        self.changes += 1
        self.seen_changes += 1

    def stable(self) -> dict[str, Fields]:
        """The records without their stamps, in key order: two runs of one seed compare equal."""
        skip = {*self.spec.stamp_fields, self.spec.created_field, self.spec.version_field}
        return {key: {n: v for n, v in _plain(self.rows[key]).items() if n not in skip} for key in sorted(self.rows)}


class VendorState:
    """One vendor account: its tables, what was asked of it, and what is wrong with it today."""

    def __init__(self, name: str, clock: Clock, lag_seconds: float) -> None:
        self.name = name
        self.clock = clock
        self.lag = timedelta(seconds=lag_seconds)
        self.tables: dict[str, Table] = {}
        self.schema: dict[str, dict[str, dict[str, Any]]] = {}
        """Object type -> field -> its definition as the vendor server describes it; survives in `--state`."""
        self.calls = CallLog()
        self.faults = Faults()
        self.trap = Trap()
        self.api_writes = ApiWrites()
        self.events: list[dict[str, Any]] = []
        """What happened besides plain field writes: records made or gone, logged fields changed, faults met."""

    def add_table(self, spec: TableSpec) -> Table:
        """Make an empty table."""
        table = self.tables[spec.name] = Table(spec, self)
        return table

    def note(self, table: str, key: str, what: str, old: object, new: object, actor: str) -> None:
        """Add one event."""
        at = self.clock.now().isoformat()
        self.events.append(
            {"at": at, "table": table, "key": key, "field": what, "old": old, "new": new, "actor": actor}
        )

    def dump(self) -> dict[str, Any]:
        """Everything that must survive a restart, as JSON values."""
        return {
            "tables": {name: table.dump() for name, table in self.tables.items()},
            "schema": self.schema,
            "events": self.events,
            "api_writes": [
                [*place, _plain(values), self.api_writes.writes[place], self.api_writes.identical[place]]
                for place, values in self.api_writes.values.items()
            ],
        }

    def load(self, dumped: Mapping[str, Any]) -> None:
        """Take over what `dump` gave. The tables themselves must have been added before."""
        for name, table in dumped["tables"].items():
            self.tables[name].load(table)
        self.schema = dict(dumped["schema"])
        self.events = list(dumped["events"])
        self.api_writes = ApiWrites()
        for table, key, values, writes, identical in dumped["api_writes"]:
            self.api_writes.values[table, key] = _lively(values)
            self.api_writes.writes[table, key] = writes
            self.api_writes.identical[table, key] = identical


def salesforce_stamp(moment: datetime) -> str:
    """As Salesforce writes datetimes: 2026-11-20T08:00:00.000+0000. It keeps whole seconds only."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000+0000"


def hubspot_stamp(moment: datetime) -> str:
    """As HubSpot writes datetimes: 2026-11-20T08:00:00.000Z."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def salesforce_id(prefix: str, serial: int) -> str:
    """An 18-character record id: the object's 3-letter prefix, 12 digits in base 62, 3 that tell capitals."""
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    body = ""
    while serial:
        serial, rest = divmod(serial, 62)
        body = digits[rest] + body
    short = prefix + "Qy" + body.rjust(10, "0")
    check = ""
    for part in (short[0:5], short[5:10], short[10:15]):
        check += "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"[sum(1 << place for place, c in enumerate(part) if "A" <= c <= "Z")]
    return short + check


def _plain(row: Mapping[str, Any]) -> Fields:
    return {name: sorted(value) if isinstance(value, set) else value for name, value in row.items()}


def _lively(row: Mapping[str, Any]) -> Fields:
    return {name: set(value) if name == "members" else value for name, value in row.items()}
