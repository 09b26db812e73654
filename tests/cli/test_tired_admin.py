"""What a tired administrator mistypes is answered with one sentence that says what to do."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from connectors import catalogue
from connectors.hubspot.client import Client as HubSpotClient
from connectors.salesforce.client import Client as SalesforceClient
from onevoice.cli.terminal import WIDE, out, table
from onevoice.configfile import load_project
from onevoice.errors import ConfigError

SALESFORCE = {"url": "https://example.my.salesforce.com", "client_id": "i", "client_secret": "s"}


def onevoice(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the installed command with no variable of the hub's but these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ONEVOICE_")}
    program = Path(sys.executable).with_name("onevoice")
    return subprocess.run(
        [program, *arguments], capture_output=True, text=True, env={**kept, **environment}, check=False
    )


@pytest.fixture
def project(checkout: Path, tmp_path: Path) -> Path:
    """A small project of files, with its data beside it."""
    shutil.copytree(checkout / "docs/examples/own-csv", tmp_path / "shop", ignore=shutil.ignore_patterns(".onevoice"))
    return tmp_path / "shop"


def test_a_path_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = onevoice("init", tmp_path / "file")
    assert said.returncode == 1
    assert said.stderr.startswith(f"onevoice: {tmp_path / 'file'}")
    assert "check the path" in said.stderr
    assert len(said.stderr.splitlines()) == 1


def test_a_pilot_of_a_field_nobody_pushes_is_refused_before_anything_is_read(project: Path) -> None:
    folder = str(project / "data")
    said = onevoice("--project", project, "sync", "--only-field", "onevoice_tiers", ONEVOICE_SHOP_FOLDER=folder)
    assert said.returncode == 2
    assert "--only-field: onevoice_tiers" in said.stderr
    assert "pull" not in said.stderr


def test_a_begun_project_writes_nothing_irreversible(checkout: Path, tmp_path: Path) -> None:
    assert onevoice("init", tmp_path / "mine").returncode == 0
    shipped, begun = (load_project(root).hub.systems for root in (checkout, tmp_path / "mine"))
    assert any(system.irreversible_writes for system in shipped.values())
    assert not any(system.irreversible_writes for system in begun.values())


def test_the_sandbox_says_its_name_once() -> None:
    said = onevoice("sandbox", "up", "--people", "3")
    assert said.returncode == 2
    assert said.stderr.count("sandbox:") == 1


def test_no_name_in_a_table_is_cut() -> None:
    name = "onevoice_no_cart_reminder_until__c"
    for width in (20, WIDE):
        written = io.StringIO()
        rows = table("Fields", "field", "#records")
        rows.add_row(name, "1")
        Console(file=written, width=width).print(rows)
        assert "…" not in written.getvalue()
    assert name in written.getvalue()
    assert out.is_terminal or "COLUMNS" in os.environ or out.width == WIDE


def test_a_certificate_that_is_not_there_is_a_wrong_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="crm: ca names a file that is not there"):
        SalesforceClient("crm", {**SALESFORCE, "ca": str(tmp_path / "none.pem")}, budget=None)  # type: ignore[arg-type]


@pytest.mark.parametrize("url", ["example.com", "https://", "ftp://example.com"])
def test_an_address_without_a_scheme_or_host_is_a_wrong_setting(url: str) -> None:
    assert "url" in catalogue()["hubspot"].settings
    with pytest.raises(ConfigError, match="portal: url must begin with https://"):
        HubSpotClient("portal", {"url": url, "access_token": "t"}, budget=None)  # type: ignore[arg-type]
