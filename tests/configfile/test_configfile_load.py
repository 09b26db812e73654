"""The shipped project is sound, extra checks are heard, and broken files never give a traceback."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest

from onevoice.configfile import ProjectConfig, lint_project, load_project
from onevoice.errors import Fault

ROOT = Path(__file__).parents[2]
SHIPPED = sorted([*(ROOT / "config").glob("*.yaml"), *(ROOT / "mappings").rglob("*.yaml")])


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in ("config", "mappings"):
        shutil.copytree(ROOT / name, tmp_path / name)
    return tmp_path


def test_the_shipped_project_loads() -> None:
    project = load_project(ROOT)
    assert set(project.hub.systems) == {"salesforce", "hubspot", "shopify", "square", "klaviyo", "till"}
    assert ("salesforce", "Contact") in project.mappings
    assert set(project.mapping_tests) == set(project.mappings)


def test_an_extra_check_speaks_with_positions(copy: Path) -> None:
    def no_berlin(project: ProjectConfig) -> Iterable[Fault]:
        yield project.fault("config/hub.yaml", ("timezone",), "odd", "not here")

    faults = lint_project(copy, [no_berlin])
    assert [(f.line > 1, f.column, f.kind, f.path) for f in faults] == [(True, 11, "odd", "timezone")]


def test_an_extra_check_waits_while_its_file_is_broken(copy: Path) -> None:
    (copy / "config/offers.yaml").write_text("families: []\n")

    def looks_at_offers(project: ProjectConfig) -> Iterable[Fault]:
        yield project.fault("config/hub.yaml", (), "seen", "before")
        yield project.fault("config/offers.yaml", (), "seen", str(project.offers))

    faults = lint_project(copy, [looks_at_offers])
    assert "before" in {fault.message for fault in faults}
    assert {fault.kind for fault in faults if fault.file == "config/offers.yaml"} >= {"wrong type"}
    assert not any(fault.kind == "seen" and fault.file == "config/offers.yaml" for fault in faults)


def test_an_unreadable_file_is_a_fault(copy: Path) -> None:
    (copy / "config/hub.yaml").unlink()
    (copy / "config/hub.yaml").mkdir()
    assert any(fault.kind == "unreadable" for fault in lint_project(copy))


def test_an_empty_folder_names_every_missing_file(tmp_path: Path) -> None:
    faults = lint_project(tmp_path)
    assert {fault.kind for fault in faults} == {"missing"}
    assert {"config/hub.yaml", "config/offers.yaml", "mappings"} <= {fault.file for fault in faults}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: str(path.relative_to(ROOT)))
def test_random_edits_never_give_a_traceback(path: Path, copy: Path) -> None:
    """Cut, doubled, swapped and misspelt pieces of every shipped file: always a list of faults, positions included."""
    rng = random.Random(path.name)
    target = copy / path.relative_to(ROOT)
    text = path.read_text(encoding="utf-8")
    for _ in range(4):
        target.write_text(_edited(text, rng), encoding="utf-8")
        for fault in lint_project(copy):
            assert fault.line >= 1
            assert fault.column >= 1
            assert fault.message


def _edited(text: str, rng: random.Random) -> str:
    lines = text.splitlines(keepends=True)
    place = rng.randrange(len(lines))
    at = rng.randrange(len(text))
    return rng.choice(
        [
            text[:at],
            text[:at] + rng.choice(":{}[]'\"&*!-\n\t#x1") + text[at:],
            text[:at] + text[at + rng.randrange(1, 30) :],
            "".join([*lines[: place + 1], *lines[place:]]),
            "".join([*lines[:place], "  " + lines[place], *lines[place + 1 :]]),
            "".join(lines[:place] + lines[place + 1 :]),
            "".join([*lines[:place], lines[place].replace(": ", ": [", 1), *lines[place + 1 :]]),
        ]
    )
