"""Accounts: does each credential work, and does each system have the fields that pushing needs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from onevoice.errors import ConnectorError
from onevoice.pipeline.hub import Hub
from onevoice.protocols import Check, Field

OURS = "onevoice"
"""Fields with this in their name are the hub's to create; any other in a push is the vendor's own."""


def check_systems(hub: Hub) -> Iterator[tuple[str, Check | ConnectorError]]:
    """Ask every configured system, in order of name; what it answers, or why it does not."""
    for system in sorted(hub.config.hub.systems):
        try:
            yield system, hub.source(system).check()
        except ConnectorError as exc:
            yield system, exc


def systems_written(hub: Hub) -> Sequence[str]:
    """Systems that some mapping pushes into, in order of name."""
    return sorted({target.system for target in hub.targets})


def fields_needed(hub: Hub, system: str) -> Sequence[Field]:
    """Fields of our own that pushing into a system needs; asks nobody."""
    return [
        Field(target.stream, field.name, field.type, _label(field.name))
        for target in hub.targets
        for field in target.fields
        if target.system == system and OURS in field.name
    ]


def provision(hub: Hub, system: str, *, dry_run: bool) -> Sequence[str]:
    """Create what pushing into a system needs and it lacks; one sentence per thing created, or that would be."""
    fields = fields_needed(hub, system)
    provisioner = hub.provisioner(system)
    return provisioner.provision(fields, dry_run=dry_run) if provisioner and fields else ()


def _label(name: str) -> str:
    """What people see above the field: `onevoice_no_win_back_until__c` becomes "Onevoice no win back until"."""
    own = name[name.index(OURS) :].removesuffix("__c")
    return re.sub(r"[^a-z0-9]+", " ", own, flags=re.IGNORECASE).strip().capitalize()
