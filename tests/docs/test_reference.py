"""The reference names everything there is: a command, an option or a setting without documentation fails here."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from ruamel.yaml import YAML

from connectors import catalogue
from onevoice.cli import app as command_line
from onevoice.cli.demo.report import schema
from onevoice.configfile import load_project
from onevoice.configfile.mapping_file import MappingFile
from onevoice.settings import HubSettings


def commands() -> Iterator[tuple[str, Any]]:
    """(name as it is typed, command) of every command. Typer carries a click of its own, so types are not named."""
    waiting = list(typer.main.get_command(command_line.app).commands.items())  # type: ignore[attr-defined]
    while waiting:
        name, command = waiting.pop()
        if hasattr(command, "commands"):
            waiting += [(f"{name} {inner}", found) for inner, found in command.commands.items()]
        else:
            yield name, command


def sections(checkout: Path) -> dict[str, str]:
    text = (checkout / "docs/reference/commands.md").read_text("utf-8")
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_command_has_a_section_and_no_other_has(checkout: Path) -> None:
    assert sections(checkout).keys() == {name for name, _ in commands()}


@pytest.mark.parametrize("name", sorted(name for name, _ in commands()))
def test_every_option_is_described(checkout: Path, name: str) -> None:
    command = dict(commands())[name]
    section = sections(checkout)[name]
    options = {
        option
        for parameter in command.params
        for option in parameter.opts
        if option.startswith("--") and option != "--help"
    }
    assert {option for option in options if option not in section} == set()
    assert command.help


def test_every_setting_is_described(checkout: Path) -> None:
    text = (checkout / "docs/reference/settings.md").read_text("utf-8")
    described = set(re.findall(r"`(ONEVOICE_[A-Z_]+)`", text))
    manifests = catalogue()
    wanted = {f"ONEVOICE_{name.upper()}" for name in HubSettings.model_fields}
    for system in load_project(checkout).hub.systems.values():
        wanted |= {f"{system.env_prefix}_{name.upper()}" for name in manifests[system.connector].settings}
    assert described == wanted


def test_every_exit_code_is_described(checkout: Path) -> None:
    text = (checkout / "docs/reference/exit-codes.md").read_text("utf-8")
    assert re.findall(r"^\| (\d) \|", text, flags=re.MULTILINE) == list("01234")


def test_schema_of_the_demo_report_is_fresh(checkout: Path) -> None:
    """Written anew by: python -c "from onevoice.cli.demo.report import schema; …" (see the failure's right side)."""
    published = json.loads((checkout / "docs/demo-report.schema.json").read_text("utf-8"))
    assert published == schema()


def test_decisions_are_listed(checkout: Path) -> None:
    folder = checkout / "docs/decisions"
    listed = re.findall(r"\]\((\d{4}-[^)]+\.md)\)", (folder / "README.md").read_text("utf-8"))
    assert sorted(listed) == sorted(path.name for path in folder.glob("0*.md"))


@pytest.mark.parametrize("page", ["docs/how-to/push-safely.md"])
def test_mappings_on_a_page_are_allowed(checkout: Path, page: str) -> None:
    shown = re.findall(r"^```yaml\n(.*?)^```$", (checkout / page).read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    assert shown
    for text in shown:
        assert MappingFile.model_validate({"stream": "contacts", **YAML(typ="safe").load(text)}).push


def test_every_page_is_in_the_index(checkout: Path) -> None:
    index = (checkout / "docs/README.md").read_text("utf-8")
    pages = [*(checkout / "docs").glob("*.md"), *(checkout / "docs").glob("*/*.md")]
    named = {str(page.relative_to(checkout / "docs")) for page in pages if page.parent.name != "decisions"}
    assert {page for page in named - {"README.md"} if f"({page})" not in index} == set()


LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")


def test_links_between_pages_lead_somewhere(checkout: Path) -> None:
    pages = [*checkout.glob("*.md"), *(checkout / "docs").rglob("*.md"), *(checkout / "connectors").rglob("*.md")]
    broken = [
        f"{page.relative_to(checkout)}: {target}"
        for page in pages
        for target in LINK.findall(page.read_text("utf-8"))
        if not (page.parent / target).exists()
    ]
    assert broken == []
