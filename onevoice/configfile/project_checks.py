"""Checks that look at several files together: places, canonical fields, push sources. One function per rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from onevoice.configfile.canonical import ESSENTIAL, OWNED_ELSEWHERE, WORDS
from onevoice.configfile.document import Path
from onevoice.configfile.identity_checks import IDENTITY_CHECKS
from onevoice.configfile.mapping_file import EACH, OWNER, RECORD, ItemSpec, MappingFile
from onevoice.configfile.project_config import PROFILE, Check, ProjectConfig, mapping_path
from onevoice.configfile.push_sources import push_sources
from onevoice.configfile.transform_specs import Constant, PullTable
from onevoice.configfile.words import described, one_of
from onevoice.errors import Fault
from onevoice.model import KINDS, FieldType

_TYPES_OF_CONSTANTS: Mapping[FieldType, tuple[type, ...]] = {
    FieldType.TEXT: (str,),
    FieldType.INTEGER: (int,),
    FieldType.DECIMAL: (int, float),
    FieldType.BOOLEAN: (bool,),
    FieldType.DATE: (),
    FieldType.DATETIME: (),
}
"""What a constant may be; a day or a moment is never the same for every record."""


def _specs(project: ProjectConfig) -> Iterator[tuple[str, str, str, ItemSpec, Path]]:
    """Every item of every mapping: system, file, kind, item and its path."""
    for (system, stream), mapping in project.mappings.items():
        file = mapping_path(system, stream)
        document = project.documents[file]
        for kind, specs in (mapping.pull or {}).items():
            for index, spec in enumerate(specs):
                path: Path = ("pull", kind, index) if document.has(("pull", kind, index)) else ("pull", kind)
                yield system, file, kind, spec, path


def known_place(project: ProjectConfig) -> Iterator[Fault]:
    """A mapping's folder is a system of hub.yaml, its name a stream of it, and `stream:` says the same."""
    systems = project.hub.systems
    for (system, stream), mapping in project.mappings.items():
        file = mapping_path(system, stream)
        if mapping.stream != stream:
            message = f'"{mapping.stream}" stands here, but the file is named {stream}.yaml (let both say the same)'
            yield project.fault(file, ("stream",), "wrong name", message)
        if system not in systems:
            message = f'the folder "{system}" is not a system of config/hub.yaml{one_of(system, systems)}'
            yield project.fault(file, (), "unknown system", message)
        elif stream not in systems[system].streams:
            message = (
                f'"{stream}" is not a stream of {system} in config/hub.yaml{one_of(stream, systems[system].streams)}'
            )
            yield project.fault(file, ("stream",), "unknown stream", message)


def tests_beside_mappings(project: ProjectConfig) -> Iterator[Fault]:
    """A mapping test has a mapping beside it."""
    for system, stream in project.mapping_tests:
        if not (project.root / mapping_path(system, stream)).exists():
            here = {name for folder, name in project.mappings if folder == system}
            message = f"there is no mapping {mapping_path(system, stream)} for this test{one_of(stream, here)}"
            yield project.fault(mapping_path(system, f"{stream}_test"), (), "unknown stream", message)


def new_attributes(project: ProjectConfig) -> Iterator[Fault]:
    """An attribute has a name of its own."""
    for name in sorted(project.profile.attributes.keys() & KINDS["customer"].keys()):
        message = "every customer has this already (choose another name, or map to this one)"
        yield project.fault(PROFILE, ("attributes", name), "used twice", message, at_key=True)


def canonical_fields(project: ProjectConfig) -> Iterator[Fault]:
    """Pulled fields are fields of their kind."""
    custom = project.profile.custom_fields()
    for _, file, kind, spec, path in _specs(project):
        known = _fields_of(kind, custom)
        for name in spec.fields.keys() - known.keys():
            message = f'"{name}" is not a field of {kind}{one_of(name, known)}'
            yield project.fault(file, (*path, "fields", name), "unknown field", message, at_key=True)


def pulled_types(project: ProjectConfig) -> Iterator[Fault]:
    """What a transform makes is what the canonical field holds."""
    custom = project.profile.custom_fields()
    for _, file, kind, spec, path in _specs(project):
        known = _fields_of(kind, custom)
        for name, field in spec.fields.items():
            wanted = known.get(name)
            here = (*path, "fields", name)
            if wanted is None:
                continue
            if isinstance(field, Constant):
                yield from _constant(project, file, (*here, "value"), field.value, wanted)
            elif isinstance(field, PullTable):
                for key, value in field.table.items():
                    if value != "":
                        yield from _constant(project, file, (*here, "table", key), value, wanted)
            elif field.makes is not wanted:
                message = (
                    f"the transform {field.transform} makes {_a(field.makes)}, but {kind}.{name} is {_a(wanted)} "
                    f"(use the transform {_transform_for(wanted)})"
                )
                yield project.fault(file, (*here, "transform"), "wrong type", message)


def closed_lists(project: ProjectConfig) -> Iterator[Fault]:
    """Constants and value tables give words that the canonical field allows."""
    for _, file, kind, spec, path in _specs(project):
        for name, field in spec.fields.items():
            allowed = _words(project, kind, name)
            if allowed is None:
                continue
            for inner, value in _given_words(field):
                if isinstance(value, str) and value not in allowed:
                    message = f'"{value}" is not known as {kind}.{name}{one_of(value, allowed)}'
                    yield project.fault(file, (*path, "fields", name, *inner), "not allowed", message)


def named_conditions(project: ProjectConfig) -> Iterator[Fault]:
    """`only_with` and `required` name fields that the item has."""
    for _, file, _, spec, path in _specs(project):
        known = {*spec.fields, *([OWNER] if spec.owner else [])}
        for key, names in (("only_with", spec.only_with), ("required", spec.required)):
            for index, name in enumerate(names):
                if name not in known:
                    message = f'"{name}" is not among the fields of this item{one_of(name, known)}'
                    yield project.fault(file, (*path, key, index), "unknown field", message)


def elements_of_a_list(project: ProjectConfig) -> Iterator[Fault]:
    """`each.NAME` needs a list to read from."""
    for _, file, _, spec, path in _specs(project):
        if spec.each is not None:
            continue
        for name, field in spec.fields.items():
            sources = () if isinstance(field, Constant) else field.source
            if any(source.partition(".")[0] == EACH for source in sources):
                message = "`each.` reads from an element, but no list is named (write `each: LIST` beside `fields`)"
                yield project.fault(file, (*path, "fields", name, "from"), "missing", message)


def essential_fields(project: ProjectConfig) -> Iterator[Fault]:
    """An item has the fields without which it says nothing, and an owner where its kind needs one."""
    for _, file, kind, spec, path in _specs(project):
        missing = [name for name in ESSENTIAL.get(kind, ()) if name not in spec.fields]
        if missing:
            message = f"a {kind} needs {', '.join(missing)} (add {'it' if len(missing) == 1 else 'them'})"
            yield project.fault(file, (*path, "fields"), "missing", message, at_key=True)
        if kind in OWNED_ELSEWHERE and spec.owner is None:
            message = f"a {kind} belongs to a membership (write `owner: {{stream: ..., from: ...}}`)"
            yield project.fault(file, path, "missing", message, at_key=True)


def owner_streams(project: ProjectConfig) -> Iterator[Fault]:
    """The record an item belongs to is of a stream that is mapped."""
    for system, file, _, spec, path in _specs(project):
        if spec.owner and not (project.root / mapping_path(system, spec.owner.stream)).exists():
            mapped = {stream for folder, stream in project.mappings if folder == system}
            message = f'"{spec.owner.stream}" has no mapping in mappings/{system}/{one_of(spec.owner.stream, mapped)}'
            yield project.fault(file, (*path, "owner", "stream"), "unknown stream", message)


def known_push_sources(project: ProjectConfig) -> Iterator[Fault]:
    """What is pushed exists in the hub, and its transform takes it."""
    known = push_sources(
        project.loyalty.programmes,
        {family: project.offers.channels_of(family) for family in project.offers.families},
        project.consent.channels,
        project.profile.custom_fields(),
    )
    for file, mapping in _pushes(project):
        for name, field in (mapping.push.fields if mapping.push else {}).items():
            here: Path = ("push", "fields", name)
            wanted = known.get(field.source)
            if wanted is None:
                message = f'the hub knows no "{field.source}"{_near_sources(field.source, known)}'
                yield project.fault(file, (*here, "from"), "unknown source", message)
            elif wanted not in field.takes:
                takes = " or ".join(sorted(_a(each) for each in field.takes))
                message = (
                    f"the transform {field.transform} takes {takes}, but {field.source} is {_a(wanted)} "
                    f"(use the transform {_transform_for(wanted)})"
                )
                yield project.fault(file, (*here, "transform"), "wrong type", message)


def described_records(project: ProjectConfig) -> Iterator[Fault]:
    """`per` is a mapped stream that makes customers, and `key` the record or a field of those customers."""
    customers = {
        (system, stream): mapping.pull["customer"]
        for (system, stream), mapping in project.mappings.items()
        if mapping.pull and "customer" in mapping.pull
    }
    for (system, stream), mapping in project.mappings.items():
        if mapping.push is None:
            continue
        file, per = mapping_path(system, stream), mapping.push.per or stream
        specs = customers.get((system, per))
        if specs is None:
            if (system, per) in project.mappings or not (project.root / mapping_path(system, per)).exists():
                near = {name for folder, name in customers if folder == system}
                message = f'"{per}" makes no customers, so there is nobody to describe here{one_of(per, near)}'
                yield project.fault(file, ("push", "per"), "unknown stream", message)
            continue
        keys = {RECORD, *(name for spec in specs for name in spec.fields)}
        if mapping.push.key not in keys:
            message = f'"{mapping.push.key}" is not a customer field that {per} fills{one_of(mapping.push.key, keys)}'
            yield project.fault(file, ("push", "key"), "unknown field", message)


def no_field_twice(project: ProjectConfig) -> Iterator[Fault]:
    """Vendors do not tell capitals apart in field names, so a pushed field stands only once."""
    for file, mapping in _pushes(project):
        first: dict[str, str] = {}
        for name in mapping.push.fields if mapping.push else ():
            other = first.setdefault(name.casefold(), name)
            if other != name:
                message = f'"{other}" is the same field (remove one of the two)'
                yield project.fault(file, ("push", "fields", name), "used twice", message, at_key=True)


def no_loops(project: ProjectConfig) -> Iterator[Fault]:
    """What the hub writes and owns is not pulled as if it were news; native opt-outs are statements of their own."""
    pushed = {
        file: {name for name, field in mapping.push.fields.items() if not field.irreversible}
        for file, mapping in _pushes(project)
        if mapping.push
    }
    for _, file, _, spec, path in _specs(project):
        for name, field in spec.fields.items():
            own = () if isinstance(field, Constant) else pushed.get(file, set()).intersection(field.source)
            if own:
                message = f"{', '.join(sorted(own))} is written by the hub itself (pull another field)"
                yield project.fault(file, (*path, "fields", name, "from"), "loop", message)


CHECKS: Sequence[Check] = (
    known_place,
    tests_beside_mappings,
    new_attributes,
    canonical_fields,
    pulled_types,
    closed_lists,
    named_conditions,
    elements_of_a_list,
    essential_fields,
    owner_streams,
    known_push_sources,
    described_records,
    no_field_twice,
    no_loops,
    *IDENTITY_CHECKS,
)


def _fields_of(kind: str, custom: Mapping[str, FieldType]) -> Mapping[str, FieldType]:
    return {**KINDS[kind], **custom} if kind == "customer" else KINDS[kind]


def _pushes(project: ProjectConfig) -> Iterator[tuple[str, MappingFile]]:
    for (system, stream), mapping in project.mappings.items():
        if mapping.push is not None:
            yield mapping_path(system, stream), mapping


def _words(project: ProjectConfig, kind: str, name: str) -> frozenset[str] | None:
    """The closed list of a canonical field, where it has one."""
    if (kind, name) == ("membership", "programme"):
        return frozenset(project.loyalty.programmes)
    if (kind, name) == ("membership", "status"):
        return frozenset(project.loyalty.statuses)
    if (kind, name) in {("consent", "channel"), ("consent", "purpose")}:
        return frozenset(project.consent.channels if name == "channel" else project.consent.purposes)
    return WORDS.get((kind, name))


def _given_words(field: object) -> Iterator[tuple[Path, Any]]:
    """Every word that the YAML itself puts into a field, with its path."""
    if isinstance(field, Constant):
        yield ("value",), field.value
    elif isinstance(field, PullTable):
        for key, value in field.table.items():
            if value != "":
                yield ("table", key), value


def _constant(project: ProjectConfig, file: str, path: Path, value: object, wanted: FieldType) -> Iterator[Fault]:
    allowed = _TYPES_OF_CONSTANTS[wanted]
    if not allowed:
        message = f"{_a(wanted)} differs from record to record, so it cannot be written here (use `from:`)"
        yield project.fault(file, path, "wrong type", message)
    elif not isinstance(value, allowed) or (isinstance(value, bool) and wanted is not FieldType.BOOLEAN):
        yield project.fault(file, path, "wrong type", f"{described(value)} stands where {_a(wanted)} is expected")


def _near_sources(source: str, known: Mapping[str, FieldType]) -> str:
    """What may be meant: sources that begin alike, or that end in the very word, or the beginnings there are."""
    head = source.split(".", maxsplit=1)[0] + "."
    alike = [each for each in known if each.startswith(head) or each.endswith(f".{source}")]
    return one_of(source, alike or {each.split(".")[0] + ("." if "." in each else "") for each in known})


def _a(type_: FieldType) -> str:
    return {
        FieldType.TEXT: "a text",
        FieldType.INTEGER: "a whole number",
        FieldType.DECIMAL: "a number",
        FieldType.BOOLEAN: "true or false",
        FieldType.DATE: "a day",
        FieldType.DATETIME: "a moment",
    }[type_]


def _transform_for(type_: FieldType) -> str:
    return str(type_)
