"""The command line: exit codes, one sentence instead of a trace, results on standard output."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from onevoice.cli import app as command_line
from onevoice.errors import ConfigError, ConnectorError, GuardStopped, OnevoiceError, StoreError

SECRET = "anna.kowalska@example.org"  # what an unforeseen error could quote


def onevoice(*arguments: str | Path, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the installed command with a clean environment."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ONEVOICE_")}
    program = Path(sys.executable).with_name("onevoice")
    return subprocess.run(
        [program, *arguments], capture_output=True, text=True, cwd=cwd, env={**kept, **environment}, check=False
    )


@pytest.fixture
def project(checkout: Path, tmp_path: Path) -> Path:
    """A small project of files, with its data beside it."""
    shutil.copytree(checkout / "docs/examples/own-csv", tmp_path / "shop", ignore=shutil.ignore_patterns(".onevoice"))
    return tmp_path / "shop"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("config: wrong"), 2),
        (GuardStopped("push: too much"), 4),
        (StoreError("store: locked"), 1),
        (ConnectorError("hubspot: refused"), 1),
        (OnevoiceError("something"), 1),
    ],
)
def test_an_error_is_one_sentence_and_a_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: OnevoiceError, code: int
) -> None:
    def raises(**_: object) -> None:
        raise error

    monkeypatch.setattr(command_line, "app", raises)
    with pytest.raises(SystemExit) as stopped:
        command_line.main()
    assert stopped.value.code == code
    assert capsys.readouterr().err == f"onevoice: {error}\n"


def test_an_unforeseen_error_quotes_nobody(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def raises(**_: object) -> None:
        raise KeyError(SECRET)

    monkeypatch.setattr(command_line, "app", raises)
    with pytest.raises(SystemExit) as stopped:
        command_line.main()
    said = capsys.readouterr()
    assert stopped.value.code == 1
    assert SECRET not in said.out + said.err
    assert "test_command_line.py:" in said.err
    assert "KeyError" in said.err


def test_debug_shows_the_trace(project: Path) -> None:
    (project / "config/hub.yaml").unlink()
    assert "Traceback" not in onevoice("--project", project, "sync").stderr
    assert "Traceback" in onevoice("--debug", "--project", project, "sync").stderr


def test_lint_tells_the_faults_of_every_file_with_their_places(project: Path) -> None:
    for name, right, wrong in (
        ("customers", "transform: date}", "transform: dat}"),
        ("orders", "category:", "categry:"),
    ):
        path = project / f"mappings/shop/{name}.yaml"
        path.write_text(path.read_text("utf-8").replace(right, wrong), "utf-8")
    said = onevoice("--project", project, "lint")
    assert said.returncode == 2
    lines = said.stdout.splitlines()
    assert [line.split(": ")[0] for line in lines] == [
        "mappings/shop/customers.yaml:8:43",
        "mappings/shop/orders.yaml:11:7",
    ]
    assert 'did you mean "date"' in lines[0]
    assert 'did you mean "category"' in lines[1]


def test_lint_speaks_json_and_annotations(project: Path) -> None:
    (project / "config/hub.yaml").write_text("timezone: Nowhere/Here\n")
    as_json = json.loads(onevoice("--project", project, "lint", "--format", "json").stdout)
    assert as_json[0].keys() == {"file", "line", "column", "kind", "path", "message"}
    annotations = onevoice("--project", project, "lint", "--format", "github").stdout.splitlines()
    assert len(annotations) == len(as_json)
    assert all(line.startswith("::error file=config/hub.yaml,line=") for line in annotations)


def test_a_command_that_needs_the_project_prints_all_faults_and_exits_with_2(project: Path) -> None:
    (project / "config/hub.yaml").write_text("timezone: Nowhere/Here\n")
    said = onevoice("--project", project, "sync")
    assert said.returncode == 2
    assert said.stderr.count("config/hub.yaml:") >= 2


def test_a_failing_mapping_test_is_told(project: Path) -> None:
    assert onevoice("--project", project, "test").returncode == 0
    test = project / "mappings/shop/customers_test.yaml"
    test.write_text(test.read_text("utf-8").replace("postcode: LS1 4AB", "postcode: LS1 4AC"))
    said = onevoice("--project", project, "test")
    assert said.returncode == 1
    assert "mappings/shop/customers_test.yaml:2" in said.stdout
    assert "postcode" in said.stdout


def test_init_copies_a_project_that_has_no_fault_and_overwrites_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    assert onevoice("init", folder).returncode == 0
    assert onevoice("lint", cwd=folder).stdout == "No faults.\n"
    again = onevoice("init", folder)
    assert again.returncode == 2
    assert "already there" in again.stderr


def test_a_sync_of_files_is_seen_in_status_and_explain(project: Path) -> None:
    shop = {"ONEVOICE_SHOP_FOLDER": str(project / "data")}
    as_of = ("--as-of", "2026-11-22T09:00:00+00:00")
    first = onevoice("sync", "--json", *as_of, cwd=project, **shop)
    assert first.returncode == 0, first.stderr
    report = json.loads(first.stdout)
    assert report["stages"]["pull"]["pull shop"]["counts"]["records"] == 5
    shown = onevoice("status", "--json", cwd=project, **shop)
    assert shown.returncode == 0, shown.stderr
    status = json.loads(shown.stdout)
    assert [run["run"] for run in status["runs"]] == [report["run"]]
    assert {row["stream"] for row in status["streams"]} == {"customers", "orders"}
    told = json.loads(onevoice("explain", "shop/customers/C-1001", "--json", cwd=project, **shop).stdout)
    assert told["records"] == ["shop/customers/C-1001", "shop/customers/C-1002"]
    assert {denial["family"] for denial in told["denials"]} == {"first_order", "win_back", "newsletter"}
    assert onevoice("explain", "shop/customers/nobody", cwd=project, **shop).returncode == 1


def test_an_as_of_without_a_zone_is_refused(project: Path) -> None:
    said = onevoice("sync", "--as-of", "2026-11-22T09:00:00", cwd=project, ONEVOICE_SHOP_FOLDER="data")
    assert said.returncode == 2
    assert "zone" in said.stderr


def test_a_missing_credential_is_a_wrong_configuration(checkout: Path, tmp_path: Path) -> None:
    said = onevoice("--database", f"sqlite:///{tmp_path}/hub.sqlite", "check", cwd=checkout)
    assert said.returncode == 2
    assert "ONEVOICE_HUBSPOT" in said.stderr or "hubspot" in said.stderr
