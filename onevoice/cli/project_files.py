"""Commands about a project's files: init, lint, test."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from onevoice.cli.session import session_of
from onevoice.cli.terminal import out, print_json
from onevoice.errors import Fault


class Format(StrEnum):
    """How faults are printed."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


def init(folder: Annotated[Path, typer.Argument(help="An empty folder, or one that is not there yet.")]) -> None:
    """Begin a project: copy the shipped config/ and mappings/ into a folder, with irreversible writes off."""
    from onevoice.project import begin_project

    written = begin_project(folder)
    out.print(f"{folder}: {len(written)} files written. Next: name your systems in {folder / 'config' / 'hub.yaml'},")
    out.print("then `onevoice lint` and `onevoice check` in that folder.")


def lint(
    context: typer.Context,
    format_: Annotated[Format, typer.Option("--format", help="How faults are printed.")] = Format.TEXT,
) -> None:
    """Report every fault of every file of the project."""
    from identity.lint import check_engine, check_model
    from onevoice.configfile import lint_project
    from onevoice.policy import check_policy
    from onevoice.policy.testing import check_policy_tests

    faults = lint_project(session_of(context).root(), [check_policy, check_policy_tests, check_engine, check_model])
    if format_ is Format.JSON:
        print_json([{name: getattr(fault, name) for name in fault.__slots__} for fault in faults])
    for fault in faults if format_ is not Format.JSON else ():
        typer.echo(_as_annotation(fault) if format_ is Format.GITHUB else str(fault))
    if not faults and format_ is Format.TEXT:
        out.print("No faults.")
    raise typer.Exit(2 if faults else 0)


def _as_annotation(fault: Fault) -> str:
    return f"::error file={fault.file},line={fault.line},col={fault.column}::{fault.path}: {fault.message}"


def test(context: typer.Context) -> None:
    """Run the tests that stand beside the mappings and the suppression rules."""
    from onevoice.configfile import load_project
    from onevoice.mapping.testing import run_mapping_tests, untested_fields
    from onevoice.policy import check_policy
    from onevoice.policy.testing import run_tests

    project = load_project(session_of(context).root(), [check_policy])
    mappings = list(run_mapping_tests(project))
    rules = run_tests(project)
    failed = [result for result in mappings if result.differences]
    for result in failed:
        out.print(f"{result.file}:{result.line}: {result.name}", style="red")
        for difference in result.differences:
            out.print(f"  {difference}")
    for fault in rules.faults:
        out.print(str(fault), style="red")
    for file, fields in untested_fields(project).items():
        out.print(f"{file}: no test touches {', '.join(fields)}", style="dim")
    out.print(f"Mappings: {len(mappings) - len(failed)} of {len(mappings)} tests passed.")
    out.print(f"Rules: {rules.tests} tests, {len(rules.faults) or 'no'} faults.")
    raise typer.Exit(1 if failed or rules.faults else 0)
