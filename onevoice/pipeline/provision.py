"""Provision: the fields that pushing needs, created at the vendors where they are missing."""

from __future__ import annotations

from collections.abc import Sequence

from onevoice.pipeline.hub import Hub
from onevoice.protocols import Field


def provision(hub: Hub, *, dry_run: bool) -> Sequence[str]:
    """Create what is missing at every written system; returns one sentence per thing created (or that would be)."""
    done: list[str] = []
    for system in sorted({target.system for target in hub.targets}):
        connector = hub.provisioner(system)
        if connector is not None:
            done.extend(connector.provision(fields_needed(hub, system), dry_run=dry_run))
    return done


def fields_needed(hub: Hub, system: str) -> Sequence[Field]:
    """Fields of ours that a system must have: those we named, never a vendor's own."""
    return tuple(
        Field(target.stream, field.name, field.type.value, _label(field.name))
        for target in hub.targets
        if target.system == system
        for field in target.fields
        if field.name.startswith("onevoice_")
    )


def _label(name: str) -> str:
    words = name.removesuffix("__c").removeprefix("onevoice_").replace("_", " ")
    return f"Onevoice: {words}"
