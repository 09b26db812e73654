"""Every broken project in faults/ gives exactly the report that stands beside it. A new case is a new file."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from onevoice.configfile import lint_project, load_project
from onevoice.errors import ConfigError

HERE = Path(__file__).parent
CASES = sorted((HERE / "faults").glob("*.yaml"))
SHIPPED = ("identity", "loyalty", "consent", "offers", "suppression")


def load_case(path: Path) -> dict[str, Any]:
    return YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))


def content(written: Any) -> bytes:
    """A file of a case: its text, its bytes as hex, or a text repeated many times."""
    if isinstance(written, str):
        return written.encode()
    return bytes.fromhex(written["hex"]) if "hex" in written else (written["repeat"] * written["times"]).encode()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A sound project: the shipped rules, and a small hub of its own."""
    shutil.copytree(HERE / "sound", tmp_path, dirs_exist_ok=True)
    for name in SHIPPED:
        shutil.copy(HERE.parents[1] / "config" / f"{name}.yaml", tmp_path / "config")
    return tmp_path


def test_the_sound_project_has_no_fault(project: Path) -> None:
    assert lint_project(project) == []


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_report(path: Path, project: Path) -> None:
    case = load_case(path)
    for file, written in case["files"].items():
        target = project / file
        if written is None:
            target.unlink()
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content(written))
    faults = lint_project(project)
    assert [str(fault) for fault in faults] == case["report"]
    assert faults == sorted(faults)


def test_the_corpus_is_large_enough() -> None:
    assert len(CASES) >= 60


def test_loading_raises_every_fault_at_once(project: Path) -> None:
    (project / "config/hub.yaml").write_text("systems: {}\n")
    (project / "mappings/crm/people.yaml").write_text("stream: 1\n")
    with pytest.raises(ConfigError) as caught:
        load_project(project)
    assert list(caught.value.faults) == lint_project(project)
    assert {fault.file for fault in caught.value.faults} == {"config/hub.yaml", "mappings/crm/people.yaml"}
