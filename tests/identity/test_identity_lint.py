"""`onevoice lint` looks at the model and the engine that the configuration names."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from identity import load_model, save_model
from identity.batch import resolve_all
from identity.lint import check_engine, check_model
from identity.model import LevelFigures
from onevoice.configfile import lint_project, load_project
from onevoice.errors import IdentityError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for folder in ("config", "mappings"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    return tmp_path


def _named(project: Path, model: str) -> None:
    path = project / "config/identity.yaml"
    path.write_text(path.read_text("utf-8").replace("model: person.yaml", f"model: {model}"), "utf-8")


def _told(project: Path) -> list[str]:
    return [str(fault) for fault in lint_project(project, [check_model]) if "model" in fault.kind]


def test_the_shipped_model_is_sound(project: Path) -> None:
    assert _told(project) == []


def test_a_model_that_likes_different_given_names_is_told(project: Path) -> None:
    model = load_model("person.yaml")
    given, *others = model.comparisons
    liked = given.model_copy(update={"levels": {**given.levels, "different": LevelFigures(m=0.5, u=0.25)}})
    save_model(model.model_copy(update={"comparisons": (liked, *others)}), project / "config/own.yaml")
    _named(project, "own.yaml")
    (told,) = _told(project)
    assert told.startswith("config/identity.yaml:")
    assert "doubtful model: model: own.yaml: given_name counts +1.0 bits for one person where the names differ" in told


def test_a_model_that_is_not_there_is_told(project: Path) -> None:
    _named(project, "nowhere.yaml")
    (told,) = _told(project)
    assert "unusable model: model: nowhere.yaml: no such model" in told


def test_a_model_for_other_comparisons_is_told(project: Path) -> None:
    path = project / "config/identity.yaml"
    path.write_text(path.read_text("utf-8").replace("  - kind: card\n", "", 1), "utf-8")
    (told,) = _told(project)
    assert "was trained for" in told


def _with_spark(project: Path) -> None:
    path = project / "config/identity.yaml"
    path.write_text("engine: spark\n" + path.read_text("utf-8"), "utf-8")


def test_an_engine_that_is_not_installed_is_told(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _with_spark(project)
    monkeypatch.setattr("identity.lint.find_spec", lambda name: None if name == "pyspark" else object())
    (told,) = [str(fault) for fault in lint_project(project, [check_engine])]
    assert told.startswith("config/identity.yaml:1:")
    assert "engine: spark needs pyspark, which is not installed (pip install 'onevoice[spark]'" in told
    monkeypatch.setattr("identity.lint.find_spec", lambda name: object())
    assert lint_project(project, [check_engine]) == []


def test_a_run_without_the_engine_is_refused(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _with_spark(project)
    config = load_project(project).identity
    monkeypatch.setitem(sys.modules, "pyspark", None)
    monkeypatch.setitem(sys.modules, "pyspark.errors", None)
    with pytest.raises(IdentityError, match="engine: spark needs pyspark"):
        resolve_all([], config, load_model(config.model))
