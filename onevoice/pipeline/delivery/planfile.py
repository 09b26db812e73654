"""A plan as a file: what was shown to a person, to be carried out exactly so or not at all."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from onevoice.errors import ConfigError, GuardStopped
from onevoice.model import Ref
from onevoice.pipeline.hub import Hub
from onevoice.store import planned, runs

VERSION = 2
AGAIN = "make it anew: onevoice plan --out"
Writes = Mapping[str, Mapping[str, Any]]
"""Destination record -> vendor values by field; the stamp of the last change is left out, for it moves."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a plan is known by."""

    configuration: str
    """Hash of the configuration under which it was made."""
    writes: Mapping[str, str]
    """Destination record -> hash of what is to be written there."""

    @property
    def plan(self) -> str:
        """The hash of the plan: of its configuration and of all its writes."""
        return _hash([self.configuration, *sorted(self.writes.values())])


def fingerprint(hub: Hub) -> Fingerprint:
    """What is planned now, as hashes."""
    return Fingerprint(configuration(hub), {ref: _hash([ref, fields]) for ref, fields in _writes(hub)})


def configuration(hub: Hub) -> str:
    """Hash of everything that an admin writes and that decides what a plan means, which systems it speaks of, and
    what of it may be sent."""
    systems = hub.config.hub.systems
    written = {t.system for t in hub.targets}
    return _hash([hub.versions, {name: systems[name].irreversible_writes for name in written}])


def write_plan(hub: Hub, path: Path) -> str:
    """Write the plan to a file that only its owner can read (it names customers); return its hash."""
    last = runs.last_runs(hub.store, 1)
    writes = dict(_writes(hub))
    made = Fingerprint(configuration(hub), hashed(writes))
    plan = {
        "version": VERSION,
        "hash": made.plan,
        "as_of": hub.as_of.isoformat(),
        "configuration": made.configuration,
        "run": last[0]["run"] if last else "",
        "writes": writes,
    }
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(descriptor, 0o600)  # a file that was there keeps its own mode otherwise
        json.dump(plan, file, indent=1, sort_keys=True)
    return made.plan


def read_plan(path: Path) -> Mapping[str, Any]:
    """A plan from a file. ConfigError when it is none, GuardStopped when it was changed after it was written."""
    try:
        plan = json.loads(path.read_text(encoding="utf-8"))
        known, said = plan["version"] == VERSION, (plan["hash"], str(plan["run"]))
        whole = said[0] == Fingerprint(str(plan["configuration"]), hashed(plan["writes"])).plan
    except OSError as exc:
        raise ConfigError(f"{path}: {exc.strerror} ({AGAIN})") from exc
    except (ValueError, KeyError, TypeError, AttributeError):
        known, whole = False, False
    if not known:
        raise ConfigError(f"{path}: not a plan of this version ({AGAIN})")
    if not whole:
        raise GuardStopped(f"{path}: edited since it was written; no system was written to ({AGAIN})")
    return dict(plan)


def insist(hub: Hub, plan: Mapping[str, Any]) -> None:
    """Raise GuardStopped unless exactly this is planned now, in this store and under this configuration."""
    now, shown = fingerprint(hub), hashed(plan["writes"])
    with hub.store.read() as connection:
        ours = runs.is_known(connection, plan["run"])
    if not ours:
        raise GuardStopped(f"plan {plan['hash']}: made on another store; nothing was written ({AGAIN})")
    if now.configuration != plan["configuration"]:
        raise GuardStopped(
            f"plan {plan['hash']}: mappings, rules or what may be written are others than when it was made; "
            f"nothing was written ({AGAIN})"
        )
    if now.writes == shown:
        return
    new, gone = now.writes.keys() - shown.keys(), shown.keys() - now.writes.keys()
    other = {ref for ref in now.writes.keys() & shown.keys() if now.writes[ref] != shown[ref]}
    raise GuardStopped(
        f"plan {plan['hash']}: the world has moved since it was made: {len(new)} records more, {len(gone)} fewer, "
        f"{len(other)} with other values; nothing was written (look at `onevoice plan --out` again)"
    )


def _writes(hub: Hub) -> Iterable[tuple[str, dict[str, Any]]]:
    stamps = {(t.system, t.stream): {f.name for f in t.fields if f.is_stamp} for t in hub.targets}
    with hub.store.read() as connection:
        for write in planned.each(connection):
            ref = Ref.parse(write.ref)
            moving = stamps.get((ref.system, ref.stream), set())
            yield write.ref, {name: value for name, value in write.fields.items() if name not in moving}


def hashed(writes: Writes) -> dict[str, str]:
    """The hash of each write, by record."""
    return {ref: _hash([ref, fields]) for ref, fields in writes.items()}


def _hash(value: object) -> str:
    return hashlib.blake2b(orjson.dumps(value, option=orjson.OPT_SORT_KEYS), digest_size=8).hexdigest()
