"""Where a project is (the folder with config/ and mappings/), and how a new one begins."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from onevoice.errors import ConfigError

MARKER = Path("config", "hub.yaml")
VARIABLE = "ONEVOICE_PROJECT_DIR"
_PACKAGE = Path(__file__).resolve().parent


def find_project(given: Path | None = None, environment: Mapping[str, str] | None = None) -> Path:
    """The project's folder: the given one, ONEVOICE_PROJECT_DIR, here or above, the checkout, the shipped template.

    A folder that was named must be a project; ConfigError says where was looked.
    """
    named = given or _from_environment(os.environ if environment is None else environment)
    if named is not None:
        if not (named / MARKER).is_file():
            raise ConfigError(
                f"{named}: this folder is no project, it has no {MARKER} (`onevoice init {named}` makes one)"
            )
        return named.resolve()
    here = Path.cwd().resolve()
    for folder in (here, *here.parents, _PACKAGE.parent):
        if (folder / MARKER).is_file() and (folder / "mappings").is_dir():
            return folder
    return template()


def template() -> Path:
    """The shipped project: the copy inside the installed package, else the checkout that the package stands in."""
    for folder in (_PACKAGE / "_template", _PACKAGE.parent):
        if (folder / MARKER).is_file():
            return folder
    raise ConfigError("onevoice: the shipped template is missing (install the package again)")


def copy_template(destination: Path) -> tuple[Path, ...]:
    """Copy the shipped config/ and mappings/ to `destination` and return the files written, relative to it.

    Nothing is overwritten: ConfigError when the destination has a project already.
    """
    present = [name for name in ("config", "mappings") if (destination / name).exists()]
    if present:
        raise ConfigError(f"{destination}: {' and '.join(present)} already there (choose an empty folder)")
    source = template()
    for name in ("config", "mappings"):
        shutil.copytree(source / name, destination / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    return tuple(
        sorted(
            path.relative_to(destination)
            for name in ("config", "mappings")
            for path in (destination / name).rglob("*")
            if path.is_file()
        )
    )


def begin_project(destination: Path) -> tuple[Path, ...]:
    """A project for real accounts: the template with every irreversible write off; as `copy_template` otherwise."""
    written = copy_template(destination)
    hub = destination / MARKER
    text = hub.read_text("utf-8")
    hub.write_text(text.replace("irreversible_writes: true", "irreversible_writes: false"), "utf-8")
    return written


def _from_environment(environment: Mapping[str, str]) -> Path | None:
    value = environment.get(VARIABLE, "").strip()
    return Path(value).expanduser() if value else None
