"""What is shipped: one wheel with four packages and the template, under names that nobody else claims."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

PACKAGES = ("connectors", "flows", "identity", "onevoice")
TEMPLATE = "onevoice/_template/"


@pytest.fixture(scope="module")
def wheel(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Names of the files in a wheel built from this checkout, without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    hatchling = Path(sys.executable).with_name("hatchling")
    subprocess.run([hatchling, "build", "-t", "wheel", "-d", folder], cwd=checkout, check=True, capture_output=True)
    [path] = folder.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        return set(archive.namelist())


def tracked(checkout: Path) -> list[str]:
    said = subprocess.run(["git", "ls-files", "-z"], cwd=checkout, check=True, capture_output=True, text=True)
    return [name for name in said.stdout.split("\0") if name and (checkout / name).is_file()]


@pytest.mark.parametrize("package", PACKAGES)
def test_wheel_carries_every_module(wheel: set[str], checkout: Path, package: str) -> None:
    here = {str(path.relative_to(checkout)) for path in (checkout / package).rglob("*.py")}
    assert here
    assert here - wheel == set()


@pytest.mark.parametrize("folder", ["mappings", "config"])
def test_wheel_carries_the_template(wheel: set[str], checkout: Path, folder: str) -> None:
    here = {TEMPLATE + str(path.relative_to(checkout)) for path in (checkout / folder).rglob("*.yaml")}
    assert here
    assert here - wheel == set()


def test_wheel_carries_nothing_else(wheel: set[str]) -> None:
    tops = {name.partition("/")[0] for name in wheel if ".dist-info" not in name}
    assert tops == set(PACKAGES)


def test_admin_folders_hold_no_python(checkout: Path) -> None:
    assert [path for folder in ("config", "mappings") for path in (checkout / folder).rglob("*.py")] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_nobody_else_claims_our_names(package: str) -> None:
    """Another distribution of the same top-level name would be merged into our folder without a word."""
    assert set(packages_distributions().get(package, [])) <= {"onevoice"}


def test_lock_has_hashes_and_no_address(checkout: Path) -> None:
    lock = (checkout / "requirements.lock").read_text("utf-8")
    requirements = re.split(r"\n(?=[a-z0-9])", lock, flags=re.IGNORECASE)
    assert len(requirements) > 50
    assert [text.splitlines()[0] for text in requirements if "--hash=sha256:" not in text] == []
    assert re.findall(r"https?://\S+|--(?:extra-)?index-url\S*|--find-links\S*", lock) == []


def test_lock_answers_every_requirement(checkout: Path) -> None:
    project = tomllib.loads((checkout / "pyproject.toml").read_text("utf-8"))["project"]
    asked = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    names = {re.sub(r"[-_.]+", "-", re.split(r"[\[<>=!~ ;]", requirement)[0]).lower() for requirement in asked}
    locked = set(
        re.findall(r"^([a-z0-9._-]+)==", (checkout / "requirements.lock").read_text("utf-8"), flags=re.MULTILINE)
    )
    assert names - locked == set()


INDEX_HOST = re.compile(r"https?://[^\s\"')]*(?:pythonhosted|registry\.npmjs|deb\.debian)")
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:(?:work|root|farm)/|home/[a-z])")


def test_no_index_host_or_machine_path_is_committed(checkout: Path) -> None:
    found = []
    for name in tracked(checkout):
        if name == "tests/test_packaging.py":
            continue
        text = (checkout / name).read_text("utf-8", errors="ignore")
        found += [f"{name}: {match.group()}" for rule in (INDEX_HOST, MACHINE_PATH) for match in rule.finditer(text)]
    assert found == []


def test_no_tests_package(checkout: Path) -> None:
    """An __init__.py under tests shadows the package of the same name (measured)."""
    assert list((checkout / "tests").rglob("__init__.py")) == []
