"""Running the `<stream>_test.yaml` files beside mappings: what each case expected and what came out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from onevoice.configfile import ProjectConfig
from onevoice.configfile.mapping_file import OWNER, MappingTestFile, PullCase, PushCase
from onevoice.configfile.project_config import mapping_path
from onevoice.mapping.compile import CompiledMapping, compile_mapping
from onevoice.mapping.transforms import Defaults
from onevoice.model import Item, Ref


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One case of one test file; it passed when there is no difference."""

    file: str
    line: int
    name: str
    differences: tuple[str, ...]
    """Sentences: what was expected, what came out."""


def run_mapping_tests(project: ProjectConfig) -> Iterator[CaseResult]:
    """Every case of every mapping test of a project, in the order of the files."""
    custom = project.profile.custom_fields()
    defaults = Defaults(project.hub.default_phone_region, project.hub.timezone)
    for (system, stream), tests in sorted(project.mapping_tests.items()):
        mapping = compile_mapping(project.mappings[system, stream], custom, defaults)
        yield from _run_file(project, system, stream, tests, mapping)


def untested_fields(project: ProjectConfig) -> Mapping[str, Sequence[str]]:
    """Mapped fields that no test touches, by mapping file: `pull.<kind>.<field>` and `push.<vendor field>`."""
    left: dict[str, Sequence[str]] = {}
    for (system, stream), mapping in sorted(project.mappings.items()):
        tests = project.mapping_tests.get((system, stream), MappingTestFile.model_construct())
        expected = {
            f"pull.{kind}.{field}"
            for case in tests.pull
            for kind, items in case.expect.items()
            for item in _listed(items)
            for field in item
        }
        expected |= {f"push.{field}" for push_case in tests.push for field in push_case.expect}
        mapped = {
            f"pull.{kind}.{field}"
            for kind, specs in (mapping.pull or {}).items()
            for spec in specs
            for field in spec.fields
        }
        mapped |= {f"push.{field}" for field in (mapping.push.fields if mapping.push else ())}
        if mapped - expected:
            left[mapping_path(system, stream)] = sorted(mapped - expected)
    return left


def _run_file(
    project: ProjectConfig, system: str, stream: str, tests: MappingTestFile, mapping: CompiledMapping
) -> Iterator[CaseResult]:
    file = mapping_path(system, f"{stream}_test")
    document = project.documents[file]
    for index, case in enumerate(tests.pull):
        line, _ = document.position(("pull", index))
        yield CaseResult(file, line, case.name, tuple(_pull_differences(Ref(system, stream, "record"), case, mapping)))
    for index, push_case in enumerate(tests.push):
        line, _ = document.position(("push", index))
        yield CaseResult(file, line, push_case.name, tuple(_push_differences(push_case, mapping)))


def _pull_differences(ref: Ref, case: PullCase, mapping: CompiledMapping) -> Iterator[str]:
    result = mapping.pull(ref, case.given, None)
    wanted_items: dict[str, Any] = {str(kind): items for kind, items in case.expect.items()}
    for kind in sorted({*wanted_items, *(item.kind for item in result.items)}):
        made = [_shown(item) for item in result.items if item.kind == kind]
        expected = _listed(wanted_items.get(kind, ()))
        if len(made) != len(expected):
            yield f"{kind}: expected {len(expected)} items, made {len(made)}"
        for place, (wanted, found) in enumerate(zip(expected, made, strict=False)):
            where = f"{kind}[{place}]" if len(expected) > 1 else kind
            yield from _unequal(where, wanted, found)
    yield from _unsaid("fault", case.faults, result.faults)
    yield from _unsaid("note", case.notes, result.notes)


def _push_differences(case: PushCase, mapping: CompiledMapping) -> Iterator[str]:
    if mapping.push is None:
        yield "push: this mapping pushes nothing"
        return
    known = {field.source for field in mapping.push.fields}
    for source in sorted(case.given.keys() - known):
        yield f"given.{source}: no field of this mapping is filled from it"
    encoded = {field.name: field.encode(case.given.get(field.source)) for field in mapping.push.fields}
    found = {name: value for name, value in encoded.items() if value is not None or name in case.expect}
    yield from _unequal("push", case.expect, found)


def _listed(items: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    return [items] if isinstance(items, Mapping) else items


def _shown(item: Item) -> Mapping[str, Any]:
    """The item's fields, and the owner as `<stream>/<key>` where it is another record."""
    owner = {OWNER: f"{item.owner.stream}/{item.owner.key}"} if item.owner and item.owner != item.source else {}
    return {**item.data, **owner}


def _unequal(where: str, wanted: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted({*wanted, *found}):
        expected, made = wanted.get(name), found.get(name)
        if expected != made or type(expected) is not type(made):
            yield f"{where}.{name}: expected {_value(expected)}, made {_value(made)}"


def _unsaid(what: str, wanted: Sequence[str], said: Sequence[str]) -> Iterator[str]:
    for part, sentence in zip(wanted, said, strict=False):
        if part not in sentence:
            yield f'{what}: expected one with "{part}", made "{sentence}"'
    for part in wanted[len(said) :]:
        yield f'{what}: expected one with "{part}", made none'
    for sentence in said[len(wanted) :]:
        yield f'{what}: expected none, made "{sentence}"'


def _value(value: Any) -> str:
    return "nothing" if value is None else f'"{value}"' if isinstance(value, str) else str(value).lower()
