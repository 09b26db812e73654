"""Checks of config/identity.yaml against the files that say which fields, attributes and systems there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from onevoice.configfile.document import Path
from onevoice.configfile.identity_file import UNION
from onevoice.configfile.project_config import IDENTITY, Check, ProjectConfig, mapping_path
from onevoice.configfile.words import did_you_mean, one_of
from onevoice.errors import Fault
from onevoice.model import KINDS, FieldType

_GOLDEN = "golden."


def surviving_fields(project: ProjectConfig) -> Iterator[Fault]:
    """Survivorship names fields of a customer, and where groups may stand, groups."""
    rules = project.identity.survivorship
    fields = {*KINDS["customer"], *project.profile.attributes}
    named: list[tuple[Path, str, bool]] = [(("fields", name), name, True) for name in rules.fields]
    named += [
        (("groups", group, "fields", place), name, False)
        for group, each in rules.groups.items()
        for place, name in enumerate(each.fields)
    ]
    for path, name, at_key in named:
        if name not in fields:
            yield _fault(project, path, f'"{name}" is not a field of a customer{one_of(name, fields)}', at_key=at_key)
    targets = {*fields, *rules.groups}
    for key in ("blanks", "verified"):
        for name in getattr(rules, key):
            if name not in targets:
                message = f'"{name}" is neither a field of a customer nor a group{one_of(name, targets)}'
                yield _fault(project, (key, name), message, at_key=True)
    for place, line in enumerate(rules.trust):
        if line.field is not None and line.field not in targets:
            message = f'"{line.field}" is neither a field of a customer nor a group{one_of(line.field, targets)}'
            yield _fault(project, ("trust", place, "field"), message)


def verifying_attributes(project: ProjectConfig) -> Iterator[Fault]:
    """What says that a value was verified is a true-or-false attribute."""
    flags = {name for name, type_ in project.profile.custom_fields().items() if type_ is FieldType.BOOLEAN}
    for name, flag in project.identity.survivorship.verified.items():
        if flag not in flags:
            allowed = one_of(flag, flags) or " (declare it there)"
            message = f'"{flag}" is not a true-or-false attribute of config/profile.yaml{allowed}'
            yield _fault(project, ("verified", name), message)


def misspelt_sources(project: ProjectConfig) -> Iterator[Fault]:
    """A system that is close to one of hub.yaml is a slip; any other is one that is not connected (yet)."""
    systems = project.hub.systems
    rules = project.identity.survivorship
    named: list[tuple[Path, str]] = [(("sources", place), name) for place, name in enumerate(rules.sources)]
    named += [(("trust", place, "source"), line.source) for place, line in enumerate(rules.trust)]
    for path, name in named:
        meant = did_you_mean(name, systems)
        if name not in systems and meant:
            yield _fault(project, path, f'"{name}" is not a system of config/hub.yaml{meant}', kind="unknown system")


def pushed_unions(project: ProjectConfig) -> Iterator[Fault]:
    """A vendor field takes one value."""
    lists = {f"{_GOLDEN}{name}" for name, rules in project.identity.survivorship.fields.items() if UNION in rules}
    for (system, stream), mapping in project.mappings.items():
        for name, field in (mapping.push.fields if mapping.push else {}).items():
            if field.source in lists:
                message = f"{field.source} is a list of values (survivorship: union), which no transform takes"
                where: Path = ("push", "fields", name, "from")
                yield project.fault(mapping_path(system, stream), where, "wrong type", message)


IDENTITY_CHECKS: Sequence[Check] = (surviving_fields, verifying_attributes, misspelt_sources, pushed_unions)


def _fault(
    project: ProjectConfig, path: Path, message: str, *, kind: str = "unknown field", at_key: bool = False
) -> Fault:
    return project.fault(IDENTITY, ("survivorship", *path), kind, message, at_key=at_key)
