"""Where a project is found, how a new one begins, and that settings keep their secrets."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from onevoice.configfile import lint_project
from onevoice.errors import ConfigError
from onevoice.project import MARKER, copy_template, find_project
from onevoice.settings import HubSettings, system_settings

CHECKOUT = Path(__file__).parents[2]


def test_the_template_is_a_sound_project(tmp_path: Path) -> None:
    written = copy_template(tmp_path / "mine")
    assert MARKER in written
    assert lint_project(tmp_path / "mine") == []
    assert not list((tmp_path / "mine").rglob("*.py"))


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    with pytest.raises(ConfigError, match="config already there"):
        copy_template(tmp_path)


def test_the_named_folder_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("flag", "variable", "here"):
        copy_template(tmp_path / name)
    (tmp_path / "here" / "deep").mkdir()
    monkeypatch.chdir(tmp_path / "here" / "deep")
    variable = {"ONEVOICE_PROJECT_DIR": str(tmp_path / "variable")}
    assert find_project(tmp_path / "flag", variable) == tmp_path / "flag"
    assert find_project(None, variable) == tmp_path / "variable"
    assert find_project(None, {}) == tmp_path / "here"


def test_elsewhere_it_is_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_project(None, {}) == CHECKOUT


def test_a_named_folder_that_is_no_project_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no project"):
        find_project(tmp_path)


def test_system_settings_take_the_rest_of_the_name() -> None:
    environment = {
        "ONEVOICE_CRM_URL": "https://x",
        "ONEVOICE_CRM_CLIENT_SECRET": "hush",
        "ONEVOICE_CRM_CA": " ",
        "OTHER": "y",
    }
    found = system_settings("ONEVOICE_CRM", environment)
    assert dict(found) == {"url": "https://x", "client_secret": "hush"}
    assert "hush" not in repr(found)
    assert "client_secret" in repr(found)


def test_a_longer_prefix_is_another_system() -> None:
    assert dict(system_settings("ONEVOICE_CRM", {"ONEVOICE_CRMX_URL": "x", "ONEVOICE_CRM_": "y"})) == {}


def test_the_database_address_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONEVOICE_DATABASE_URL", "postgresql://u:hush@h/d")
    settings = HubSettings()
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == "postgresql://u:hush@h/d"
    assert "hush" not in repr(settings) + str(settings.model_dump())
    assert os.environ["ONEVOICE_DATABASE_URL"]
