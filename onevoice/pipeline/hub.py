"""The open hub: configuration, store, connectors and rules of one run, with one fixed reading of time."""

from __future__ import annotations

import copy
import hashlib
import json
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from connectors import open_budget, open_connector
from identity import Model, Resolver, load_model
from onevoice.configfile import ProjectConfig, load_project
from onevoice.consent import contact_point
from onevoice.errors import ConfigError
from onevoice.mapping import CompiledMapping, Defaults, compile_mapping
from onevoice.model import Ref
from onevoice.pipeline.delivery.desired import HubView
from onevoice.pipeline.delivery.holding import HeldBudget
from onevoice.pipeline.delivery.pilot import Pilot
from onevoice.pipeline.delivery.targets import PushTarget, customer_of
from onevoice.pipeline.resolution.people import ResolvesPeople
from onevoice.policy import Policy, check_policy, compile_policy
from onevoice.protocols import Budget, Destination, Fetches, Glances, Provisions, Source
from onevoice.settings import system_settings
from onevoice.store import Connection, Store, open_store, pages
from onevoice.store.profiles import DecisionRow, ProfileRow

EMBEDDED = "sqlite:///{root}/.onevoice/hub.sqlite"


CONTACT_POINTS = {"email": "email", "sms": "phone"}
"""Channel -> the customer field with the address or number that it writes to. A till receipt needs none."""
SURVIVAL = {"survivorship", "junk", "default_region", "earliest_birth"}
"""What of config/identity.yaml decides about golden values."""
PACED = "paced"
"""Setting `<env_prefix>_PACED=off`: an account without limits (a sandbox) is not paced by the manifest's ceilings."""


@dataclass(frozen=True, slots=True)
class PushLimits:
    """What of the plan is pushed in this run; the rest stays planned."""

    first: bool = False
    """Let a first sync through, which touches every record."""
    fields: frozenset[str] | None = None
    """Only these vendor fields."""
    records: int | None = None
    """At most this many records per destination stream."""
    pilot: Pilot | None = None
    """Only these customers."""
    systems: frozenset[str] | None = None
    """Only into these systems."""
    plan: Mapping[str, Any] | None = None
    """Exactly this plan, as `planfile.read_plan` gives it, or nothing."""


def now() -> datetime:
    """The time, aware, UTC."""
    return datetime.now(UTC)


class Turns:
    """Who talks to which system, and who looks for arrivals: one job of this process at a time.

    Never waited for: a job that does not get a turn goes on with something else, or sleeps by the hub's clock.
    """

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._lock = threading.Lock()

    def take(self, name: str) -> bool:
        """Take a turn; False when another job has it."""
        with self._lock:
            free = name not in self._taken
            self._taken.add(name)
            return free

    def give_back(self, name: str) -> None:
        """Let the next one have it."""
        with self._lock:
            self._taken.discard(name)


@dataclass
class Hub:
    """Everything a job needs. Jobs may run in threads: connectors are opened once per system, under a lock."""

    root: Path
    config: ProjectConfig
    store: Store
    as_of: datetime
    environment: Mapping[str, str]
    people: ResolvesPeople
    policy: Policy
    limits: PushLimits = PushLimits()
    run_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    sleep: Callable[[float], None] = time.sleep
    """How a job waits between two tries, in seconds; tests have a clock of their own."""
    clock: Callable[[], datetime] = now
    """The time that passes while the run's own reading of it stands: aware, UTC. Leases go by it."""

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self.turns = Turns()
        self._began = self.looked_at = self.clock()
        self.glanced: dict[tuple[str, str], datetime] = {}
        """How far each (system, stream) was looked at during a push, by the run's own time."""
        self._connectors: dict[str, Source | Destination] = {}
        self.budgets: dict[str, Budget] = {}
        self.obeys_holds = True
        """Whether a hold stops what this hub writes; an undo does not let itself be stopped."""

    def later(self) -> Hub:
        """This hub with the time that has passed since it was opened, for what happens during its run.

        Its day stays: what changes at midnight is for the next run.
        """
        found = copy.copy(self)
        found.__dict__["today"] = self.today
        found.as_of = self.as_of + (self.clock() - self._began)
        return found

    @cached_property
    def today(self) -> date:
        """The run's day in the company's time zone: rules see days, so decisions change at midnight only."""
        return self.as_of.astimezone(ZoneInfo(self.config.hub.timezone)).date()

    @cached_property
    def mappings(self) -> Mapping[tuple[str, str], CompiledMapping]:
        """Compiled mappings by (system, stream)."""
        custom = self.config.profile.custom_fields()
        defaults = Defaults(region=self.config.hub.default_phone_region, zone=self.config.hub.timezone)
        return {key: compile_mapping(model, custom, defaults) for key, model in self.config.mappings.items()}

    @cached_property
    def targets(self) -> Sequence[PushTarget]:
        """Every destination stream, in a fixed order."""
        return tuple(
            PushTarget(system, mapping.push)
            for (system, _), mapping in sorted(self.mappings.items())
            if mapping.push and self.config.hub.systems[system].write
        )

    @property
    def targets_written(self) -> Sequence[PushTarget]:
        """Destination streams that this run may write."""
        only = self.limits.systems
        return tuple(t for t in self.targets if only is None or t.system in only)

    def targets_of(self, system: str, stream: str) -> Sequence[PushTarget]:
        """Destination streams about which a record of this stream says something."""
        return tuple(t for t in self.targets if t.system == system and stream in {t.stream, t.per})

    def targets_per(self, system: str, stream: str) -> Sequence[PushTarget]:
        """Destination streams that describe the customer records of this stream."""
        return tuple(t for t in self.targets if (t.system, t.per) == (system, stream))

    @cached_property
    def model(self) -> Model:
        """The matching model in use."""
        return load_model(self.config.identity.model, self.root / "config")

    @cached_property
    def programme(self) -> str:
        """The programme of which the membership facts speak."""
        return self.config.loyalty.main

    @cached_property
    def marketing(self) -> frozenset[str]:
        """Families that may only be sent with consent."""
        return frozenset(name for name, family in self.config.offers.families.items() if family.marketing)

    def restricts(self, target: PushTarget) -> bool:
        """Whether this run may send only some fields of what is planned there."""
        off = not self.config.hub.systems[target.system].irreversible_writes
        return self.limits.fields is not None or (off and any(f.irreversible for f in target.fields))

    def sendable(self, target: PushTarget, fields: Mapping[str, Any]) -> dict[str, Any]:
        """What this run may send of a planned write: nothing irreversible where that is off, nothing outside a pilot.

        Empty when no field is left but the stamp, which never leaves alone.
        """
        off = not self.config.hub.systems[target.system].irreversible_writes
        only = self.limits.fields
        may = {f.name: f for f in target.fields if not (off and f.irreversible) and (only is None or f.name in only)}
        kept = {name: value for name, value in fields.items() if name in may}
        return kept if any(not may[name].is_stamp for name in kept) else {}

    @cached_property
    def versions(self) -> Mapping[str, str]:
        """By step, a hash of the configuration under which it works: another one makes everything old."""
        config = self.config
        return {
            # What survives is chosen by `unify`; a model counts by its figures, not by the name of its file; engines
            # find the same.
            "resolve": _digest(
                [
                    config.identity.model_dump(mode="json", exclude={"model", "engine", "survivorship"}),
                    self.model.version,
                ]
            ),
            "unify": _digest(
                [part.model_dump(mode="json") for part in (config.loyalty, config.consent, config.profile)]
                + [config.identity.model_dump(mode="json", include=SURVIVAL)]
                + [[*key, *sorted(names)] for key, names in sorted(self.counted_blanks.items())]
                + [config.hub.timezone, config.hub.currency]
            ),
            "plan": _digest(
                [part.model_dump(mode="json") for part in (config.offers, config.suppression)]
                + [[t.system, t.stream, self.mappings[t.system, t.stream].version] for t in self.targets]
            ),
        }

    @cached_property
    def counted_blanks(self) -> Mapping[tuple[str, str], frozenset[str]]:
        """Customer fields whose empty values count in the golden record, by the stream that fills them."""
        rules = self.config.identity.survivorship
        named = [name for name, how in rules.blanks.items() if how == "count"]
        counting = {
            field for name in named for field in (rules.groups[name].fields if name in rules.groups else [name])
        }
        return {
            key: frozenset(counting.intersection(name for spec in mapping.pull["customer"] for name in spec.fields))
            for key, mapping in self.config.mappings.items()
            if counting and mapping.pull and "customer" in mapping.pull
        }

    def view(
        self,
        profile: ProfileRow,
        decision: DecisionRow,
        customer: Mapping[str, Any],
        elsewhere: frozenset[str] = frozenset(),
    ) -> HubView:
        """What the hub says about one customer record."""
        held = {channel: customer.get(name) for channel, name in CONTACT_POINTS.items()}
        points = {channel: contact_point(value) for channel, value in held.items() if value}
        return HubView(profile, decision, points, self.marketing, self.today, elsewhere)

    def reading(self, system: str, stream: str) -> str:
        """Under which configuration records of a stream are read: another one, and they are looked at again."""
        parts = [(system, stream), *((t.system, t.stream) for t in self.targets_of(system, stream))]
        return _digest([self.mappings[part].version for part in parts if part in self.mappings])

    def destinations_of(self, refs: Iterable[str]) -> set[str]:
        """Destination records that have the keys of these customer records."""
        found = (
            target.ref(ref.key, None)
            for ref in map(Ref.parse, refs)
            for target in self.targets_per(ref.system, ref.stream)
        )
        return {str(ref) for ref in found if ref is not None}

    def customers_behind(self, connection: Connection, refs: Iterable[str]) -> dict[str, set[str]]:
        """The customer records that each destination record describes; of those at one mailbox, the ones that spell it
        as the destination does."""
        described = [
            (text, ref, target)
            for text, ref in ((text, Ref.parse(text)) for text in refs)
            for target in self.targets
            if (target.system, target.stream) == (ref.system, ref.stream)
        ]
        points = {ref.key for _, ref, target in described if not target.by_record}
        holders = pages.holders_of(connection, points)
        items = pages.load_items(connection, {holder for found in holders.values() for holder in found})
        behind: dict[str, set[str]] = {text: set() for text, _, _ in described}
        for text, ref, target in described:
            for customer in target.customers_behind(ref, holders):
                named = target.ref(Ref.parse(customer).key, customer_of(items.get(customer, ())))
                if named == ref:
                    behind[text].add(customer)
        return behind

    def streams_read(self, system: str) -> Sequence[str]:
        """Streams of a system that are pulled, in a fixed order: those that hold customers first."""
        readable = self.source(system).streams
        wanted = {stream for (name, stream) in self.mappings if name == system}
        return sorted(
            (stream for stream in wanted if stream in readable and readable[stream].reads),
            key=lambda stream: (not self.targets_per(system, stream), stream),
        )

    def fields_to_read(self, system: str, stream: str) -> Sequence[str]:
        """Vendor fields that mappings, pushes and gates look at, sorted."""
        names: set[str] = set()
        if (system, stream) in self.mappings:
            names.update(self.mappings[system, stream].pull_fields)
        for target in self.targets_of(system, stream):
            own = target.stream == stream
            names.update(f.name if own else f.seen_in for f in target.fields if own or f.seen_in)
        names.update(self.policy.gate_fields(system, stream))
        return sorted(names)

    def moment(self, text: str | None) -> datetime:
        """A canonical time, or the run's own when there is none."""
        return datetime.fromisoformat(text).astimezone(UTC) if text else self.as_of

    def source(self, system: str) -> Source:
        """The connector of a system, for reading."""
        connector = self._open(system)
        if not isinstance(connector, Source):
            raise ConfigError(f"config/hub.yaml: systems.{system}: this connector cannot be read")
        return connector

    def destination(self, system: str) -> Destination:
        """The connector of a system, for writing."""
        connector = self._open(system)
        if not isinstance(connector, Destination):
            raise ConfigError(f"config/hub.yaml: systems.{system}: this connector cannot be written")
        return connector

    def fetcher(self, system: str) -> Fetches | None:
        """The connector of a system, for reading single records back; None when it cannot."""
        connector = self._open(system)
        return connector if isinstance(connector, Fetches) else None

    def glancer(self, system: str) -> Glances | None:
        """The connector of a system, for asking what changed just now; None when it cannot."""
        connector = self._open(system)
        return connector if isinstance(connector, Glances) else None

    def provisioner(self, system: str) -> Provisions | None:
        """The connector of a system, for creating fields; None when it cannot."""
        connector = self._open(system)
        return connector if isinstance(connector, Provisions) else None

    def _open(self, system: str) -> object:
        with self._lock:
            if system not in self._connectors:
                configured = self.config.hub.systems[system]
                settings = dict(system_settings(configured.env_prefix, self.environment))
                paced = settings.pop(PACED, "on") != "off"
                budget = self.budgets[system] = HeldBudget(
                    open_budget(configured.connector, system, paced=paced),
                    self.store,
                    system,
                    lambda: self.obeys_holds,
                )
                try:
                    self._connectors[system] = open_connector(
                        configured.connector, system, {**settings, **configured.connector_options()}, budget
                    )
                except ConfigError as exc:
                    where = f"settings of {system} are environment variables {configured.env_prefix}_..."
                    raise ConfigError(f"{exc} ({where})") from exc
            return self._connectors[system]


def _digest(value: object) -> str:
    return hashlib.blake2b(json.dumps(value, sort_keys=True).encode(), digest_size=8).hexdigest()


def open_hub(
    root: Path,
    *,
    environment: Mapping[str, str] | None = None,
    database: str | None = None,
    as_of: datetime | None = None,
    limits: PushLimits = PushLimits(),
    people: ResolvesPeople | None = None,
) -> Hub:
    """Open a project: read every YAML file, compile it, open the store. Raises ConfigError with all faults."""
    environment = os.environ if environment is None else environment
    config = load_project(root, (check_policy,))
    url = database or environment.get("ONEVOICE_DATABASE_URL") or config.hub.database or EMBEDDED.format(root=root)
    return Hub(
        root=root,
        config=config,
        store=open_store(url),
        as_of=(as_of or datetime.now(UTC)).astimezone(UTC),
        environment=environment,
        people=people or Resolver(config.identity, load_model(config.identity.model, root / "config")),
        policy=compile_policy(config.offers, config.suppression, config.loyalty),
        limits=limits,
    )
