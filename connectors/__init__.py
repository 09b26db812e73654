"""One folder per kind of system. A new vendor is one folder; nothing here knows a vendor by name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import import_module
from typing import cast

from connectors._budget import AdaptiveBudget
from connectors._manifest import Manifest, kinds, load_manifest
from onevoice.errors import ConfigError
from onevoice.protocols import Budget, Destination, Source

__all__ = ["Manifest", "catalogue", "open_budget", "open_connector"]


def catalogue() -> Mapping[str, Manifest]:
    """The manifest of every connector, by kind; ConfigError when one is wrong."""
    return {kind: load_manifest(kind) for kind in kinds()}


def open_budget(kind: str, system: str, *, paced: bool = True) -> Budget:
    """A rate budget for one account of this kind, shared by all threads that are handed the same object.

    `paced=False` leaves out the ceilings of the manifest and keeps the daily quota: for a vendor that is known to set
    no pace, such as a sandbox with its limits off. What it refuses is still waited for, by the retry policy.
    """
    limits = load_manifest(kind).limits
    return AdaptiveBudget(system, [limit for limit in limits if paced or limit.calls is None])


def open_connector(kind: str, system: str, settings: Mapping[str, str], budget: Budget) -> Source | Destination:
    """Make the connector of this kind for the account `system`. No call is made; ConfigError on wrong settings."""
    manifest = load_manifest(kind)
    if not re.fullmatch(r"[a-z][a-z0-9_]*", system):
        raise ConfigError(f"{system!r}: a system is named with lower-case letters, digits and underscores")
    checked = manifest.checked_settings(system, settings)
    module = import_module(f"{__name__}.{kind}")
    return cast("Source | Destination", module.open_system(system, checked, budget, manifest))
