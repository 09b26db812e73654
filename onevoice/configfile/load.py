"""Reading a whole project: every fault of every file in one pass, sorted by file and position."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from onevoice.configfile.document import TOP, Document
from onevoice.configfile.mapping_file import MappingFile, MappingTestFile
from onevoice.configfile.phrases import validate
from onevoice.configfile.project_checks import CHECKS
from onevoice.configfile.project_config import CONFIG_FILES, OPTIONAL_FILES, Check, NotReadable, ProjectConfig
from onevoice.configfile.words import did_you_mean
from onevoice.configfile.yamltext import MAX_BYTES, read_yaml
from onevoice.errors import ConfigError, Fault

Model = TypeVar("Model", bound=BaseModel)

TEST_SUFFIX = "_test"


def load_project(root: Path, extra_checks: Sequence[Check] = ()) -> ProjectConfig:
    """The project in `root`; ConfigError with every fault when anything is wrong."""
    project, faults = _read(root, extra_checks)
    if faults:
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        raise ConfigError(f"{root}: {count} in the configuration (mend them, then run again)", faults)
    return project


def lint_project(root: Path, extra_checks: Sequence[Check] = ()) -> list[Fault]:
    """Every fault of every file; empty when all is well."""
    return _read(root, extra_checks)[1]


def _read(root: Path, extra_checks: Sequence[Check]) -> tuple[ProjectConfig, list[Fault]]:
    reading = _Reading(root)
    models = {file: model for file, kind in CONFIG_FILES.items() if (model := reading.model(file, kind)) is not None}
    models |= {
        file: model
        for file, kind in OPTIONAL_FILES.items()
        if (root / file).exists() and (model := reading.model(file, kind)) is not None
    }
    reading.refuse_strangers("config", {*CONFIG_FILES, *OPTIONAL_FILES})
    mappings: dict[tuple[str, str], MappingFile] = {}
    tests: dict[tuple[str, str], MappingTestFile] = {}
    for path in reading.mapping_paths():
        file, system = path.relative_to(root).as_posix(), path.parent.name
        if path.stem.endswith(TEST_SUFFIX):
            test = reading.model(file, MappingTestFile)
            if test is not None:
                tests[system, path.stem.removesuffix(TEST_SUFFIX)] = test
        elif (mapping := reading.model(file, MappingFile)) is not None:
            mappings[system, path.stem] = mapping
    project = ProjectConfig(root, models, mappings, tests, reading.documents)
    faults = [*reading.faults, *_checked(project, (*CHECKS, *extra_checks))]
    return project, sorted(set(faults))


def _checked(project: ProjectConfig, checks: Iterable[Check]) -> Iterator[Fault]:
    for check in checks:
        try:
            yield from check(project)
        except NotReadable:
            continue


class _Reading:
    """Reads files one by one and collects what is wrong with each."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.documents: dict[str, Document] = {}
        self.faults: list[Fault] = []

    def model(self, file: str, kind: type[Model]) -> Model | None:
        """The model of a file, or None when the file has faults, which are noted."""
        data = self._bytes(file)
        if data is None:
            return None
        document, faults = read_yaml(file, data)
        self.faults += faults
        if document is None:
            return None
        self.documents[file] = document
        model, wrong = validate(document, kind)
        self.faults += wrong
        return None if faults else model

    def mapping_paths(self) -> list[Path]:
        """Every mapping and mapping test; anything else in mappings/ is a fault."""
        folder = self.root / "mappings"
        if not folder.is_dir():
            self._note("mappings", "missing", "the folder mappings/ is missing (`onevoice init` makes one)")
            return []
        found = []
        for path in sorted(folder.rglob("*")):
            if path.is_dir() or path.name.startswith("."):
                continue
            file = path.relative_to(self.root).as_posix()
            if path.suffix != ".yaml":
                self._note(file, "unknown file", "mappings are read from files that end in .yaml (rename or move it)")
            elif len(path.relative_to(folder).parts) != 2:
                self._note(file, "unknown file", "a mapping stands in mappings/<system>/<stream>.yaml (move it)")
            else:
                found.append(path)
        return found

    def refuse_strangers(self, folder: str, known: set[str]) -> None:
        """Note YAML files that nobody reads, which are most likely misspelt."""
        for path in sorted((self.root / folder).glob("*.y*ml")):
            file = path.relative_to(self.root).as_posix()
            if file not in known:
                self._note(
                    file, "unknown file", f"no part of the hub reads this file{did_you_mean(file, known)} (rename it)"
                )

    def _bytes(self, file: str) -> bytes | None:
        path = self.root / file
        try:
            with path.open("rb") as stream:
                return stream.read(MAX_BYTES + 1)
        except FileNotFoundError:
            self._note(file, "missing", "the file is missing (`onevoice init` makes a first one)")
        except OSError as error:
            self._note(file, "unreadable", f"the file cannot be read: {error.strerror or 'unknown reason'}")
        return None

    def _note(self, file: str, kind: str, message: str) -> None:
        self.faults.append(Fault(file, *TOP, kind, "(file)", message))
