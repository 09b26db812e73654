"""The arrows: who may import whom, and what the command line must not load before it is needed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGES = ("connectors", "flows", "identity", "onevoice")
HEAVY = ("prefect", "splink", "duckdb", "sqlalchemy", "alembic", "simple_salesforce", "hubspot", "pyarrow", "fastapi")


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the import linter on the packages in `folder`."""
    program = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [program, "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(folder)},
        check=False,
    )


@pytest.fixture
def copy(checkout: Path, tmp_path: Path) -> Path:
    """A copy of the source tree that a test may break."""
    for package in PACKAGES:
        shutil.copytree(checkout / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(checkout / "pyproject.toml", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("onevoice/errors.py", "import onevoice.model", "The house has floors"),
        ("onevoice/sandbox/__init__.py", "import onevoice.errors", "The judge shares no code"),
        ("connectors/__init__.py", "import simple_salesforce", "Vendor SDKs only"),
        ("connectors/files/__init__.py", "import connectors.hubspot", "Connectors know nothing of one another"),
        ("identity/__init__.py", "import sqlalchemy", "SQLAlchemy only in the store"),
        ("connectors/__init__.py", "import prefect", "Prefect only in flows"),
        ("onevoice/policy/__init__.py", "import onevoice.sandbox", "Only the CLI starts the sandbox"),
    ],
)
def test_planted_violation_is_reported(copy: Path, module: str, line: str, contract: str) -> None:
    path = copy / module
    path.write_text(f"{path.read_text('utf-8')}\n{line}\n", "utf-8")
    said = lint_imports(copy)
    assert said.returncode == 1, said.stdout + said.stderr
    [broken] = [row for row in said.stdout.splitlines() if "BROKEN" in row]
    assert broken.startswith(contract)


def test_arrows_hold(checkout: Path) -> None:
    said = lint_imports(checkout)
    assert said.returncode == 0, said.stdout + said.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["sync", "--help"], ["demo", "--help"], ["version"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    """Prefect alone costs two seconds of every `onevoice --help` (measured)."""
    probe = (
        "import sys\n"
        "from onevoice.cli.app import main\n"
        f"sys.argv[1:] = {arguments!r}\n"
        "code = 0\n"
        "try:\n"
        "    main()\n"
        "except SystemExit as exc:\n"
        "    code = exc.code or 0\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], code, file=sys.stderr)\n"
    )
    said = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert said.stderr.strip() == "[] 0"
