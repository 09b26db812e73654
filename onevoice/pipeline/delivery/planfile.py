"""A plan as a file: what was shown to a person, to be carried out exactly so or not at all."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from onevoice.errors import ConfigError, GuardStopped
from onevoice.model import Ref
from onevoice.pipeline.hub import Hub
from onevoice.store import outboxes

VERSION = 1
Writes = Mapping[str, Mapping[str, Any]]
"""Destination record -> vendor values by field; the stamp of the last change is left out, for it moves."""


def open_plan(hub: Hub) -> dict[str, Any]:
    """What is planned now, with its hash."""
    writes = _writes(hub)
    return {
        "version": VERSION,
        "hash": _hash(writes),
        "as_of": hub.as_of.isoformat(),
        "policy": hub.policy.version,
        "writes": writes,
    }


def write_plan(hub: Hub, path: Path) -> str:
    """Write the plan to a file that only its owner can read (it names customers); return its hash."""
    plan = open_plan(hub)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(descriptor, 0o600)  # a file that was there keeps its own mode otherwise
        json.dump(plan, file, indent=1, sort_keys=True)
    return str(plan["hash"])


def read_plan(path: Path) -> Mapping[str, Any]:
    """A plan from a file. ConfigError when it is none, GuardStopped when it was changed after it was written."""
    try:
        plan = json.loads(path.read_text(encoding="utf-8"))
        known, whole = plan["version"] == VERSION, plan["hash"] == _hash(plan["writes"])
    except OSError as exc:
        raise ConfigError(f"{path}: {exc.strerror} (make it: onevoice plan --out)") from exc
    except (ValueError, KeyError, TypeError, AttributeError):
        known, whole = False, False
    if not known:
        raise ConfigError(f"{path}: not a plan of this version (make it anew: onevoice plan --out)")
    if not whole:
        raise GuardStopped(
            f"{path}: edited since it was written; no system was written to (make it anew: onevoice plan --out)"
        )
    return dict(plan)


def insist(hub: Hub, plan: Mapping[str, Any]) -> None:
    """Raise GuardStopped unless exactly this is planned now."""
    now = _writes(hub)
    shown: Writes = plan["writes"]
    if now == shown:
        return
    new, gone = now.keys() - shown.keys(), shown.keys() - now.keys()
    other = {ref for ref in now.keys() & shown.keys() if now[ref] != shown[ref]}
    raise GuardStopped(
        f"plan {plan['hash']}: the world has moved since it was made: {len(new)} records more, {len(gone)} fewer, "
        f"{len(other)} with other values; nothing was written (look at `onevoice plan --out` again)"
    )


def _writes(hub: Hub) -> dict[str, dict[str, Any]]:
    stamps = {(t.system, t.stream): {f.name for f in t.fields if f.is_stamp} for t in hub.targets}
    with hub.store.read() as connection:
        rows = outboxes.open_writes(connection)
    found = {}
    for row in rows:
        ref = Ref.parse(row.ref)
        moving = stamps.get((ref.system, ref.stream), set())
        found[row.ref] = {name: value for name, value in sorted(row.fields.items()) if name not in moving}
    return found


def _hash(writes: Writes) -> str:
    text = json.dumps(writes, sort_keys=True, ensure_ascii=False)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
