"""Commands that talk to systems: check, provision, plan, sync."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onevoice.cli.session import operator, session_of
from onevoice.cli.terminal import err, in_words, out, print_json, step, table
from onevoice.errors import ConfigError, ConnectorError

if TYPE_CHECKING:
    from onevoice.pipeline import CycleReport, Hub, Job, Report, Stage
    from onevoice.pipeline.delivery.pilot import Pilot

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]
AsOf = Annotated[str | None, typer.Option(help="Work as of this ISO time with its zone; now when left out.")]
WRITING = ("push", "verify")
DONE_WITH_FAULTS = 3


def check(context: typer.Context, as_json: AsJson = False) -> None:
    """Prove that every credential works and say what is missing. Only reads."""
    from onevoice.pipeline.accounts import check_systems

    hub = session_of(context).hub()
    answers = []
    for system, answer in check_systems(hub):
        failed = str(answer).removeprefix(f"{system}: ") if isinstance(answer, ConnectorError) else ""
        account, notes = ("", ()) if isinstance(answer, ConnectorError) else (answer.account, answer.notes)
        answers.append({"system": system, "account": account, "notes": list(notes), "failed": failed})
        if not as_json:
            out.print(f"{system}: {failed or f'works, account {account}'}", style="red" if failed else None)
            for note in notes:
                out.print(f"  {note}")
    if as_json:
        print_json(answers)
    raise typer.Exit(1 if any(answer["failed"] for answer in answers) else 0)


def provision(
    context: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be created and create nothing.")] = False,
    only_list: Annotated[
        bool, typer.Option("--list", help="List every field that must exist, for an admin to create; ask no system.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Create the fields, properties and lists that pushing needs; what exists stays as it is."""
    from onevoice.pipeline.accounts import provision as create_missing
    from onevoice.pipeline.accounts import systems_written

    hub = session_of(context).hub()
    if only_list:
        _list_fields(hub, as_json=as_json)
        return
    sentences: list[str] = []
    for system in systems_written(hub):
        with step(f"fields of {system}"):
            sentences += create_missing(hub, system, dry_run=dry_run)
    if as_json:
        print_json(sentences)
        return
    for sentence in sentences or ("Nothing is missing.",):
        out.print(sentence)


def _list_fields(hub: Hub, *, as_json: bool) -> None:
    from onevoice.pipeline.accounts import fields_needed, systems_written

    needed = [(system, field) for system in systems_written(hub) for field in fields_needed(hub, system)]
    if as_json:
        print_json([{"system": system, **asdict(field)} for system, field in needed])
        return
    rows = table("Fields that must exist", "system", "stream", "field", "type", "label")
    for system, field in needed:
        rows.add_row(system, field.stream, field.name, field.type, field.label)
    out.print(rows)


def sync(  # noqa: PLR0913, PLR0917  (every option of the command is one)
    context: typer.Context,
    system: Annotated[list[str] | None, typer.Option(help="Push only into this system; may be repeated.")] = None,
    first: Annotated[bool, typer.Option("--first", help="Let a push through that touches most records.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Push at most this many records per stream.")] = None,
    only_field: Annotated[list[str] | None, typer.Option(help="Push only this vendor field; may be repeated.")] = None,
    pilot: Annotated[
        str | None, typer.Option(help="Push only a share of the customers (5%), or those a file names, one a line.")
    ] = None,
    shown: Annotated[
        Path | None, typer.Option("--plan", help="Do exactly what this file of `onevoice plan --out` says, or nothing.")
    ] = None,
    approved: Annotated[
        str | None,
        typer.Option("--approve", help="Approve the plan with this hash, as `onevoice plan` printed it, and push it."),
    ] = None,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """Run one cycle: pull, resolve, unify, decide, plan, push, verify."""
    from onevoice.pipeline import PushLimits
    from onevoice.pipeline.delivery.guard import approve as approve_plan
    from onevoice.pipeline.delivery.planfile import read_plan

    if shown is not None and (first or limit or only_field or pilot or system or approved):
        raise ConfigError("--plan: the plan says all that is written (leave out the other options of sync)")
    fields = frozenset(only_field) if only_field else None
    limits = PushLimits(
        first=first,
        fields=fields,
        records=limit,
        pilot=_pilot(pilot) if pilot else None,
        systems=frozenset(system) if system else None,
        plan=read_plan(shown) if shown else None,
    )
    hub = session_of(context).hub(as_of, limits)
    if strangers := set(system or ()) - set(hub.config.hub.systems):
        known = ", ".join(sorted(hub.config.hub.systems))
        raise ConfigError(f"--system: {', '.join(sorted(strangers))} is no configured system (there are {known})")
    pushed = _fields_pushed(hub, system)
    if strangers := set(only_field or ()) - pushed:
        raise ConfigError(
            f"--only-field: {', '.join(sorted(strangers))} is pushed into no system of this run "
            f"(there are {', '.join(sorted(pushed)) or 'none'})"
        )
    if approved is not None:
        approve_plan(hub, approved, operator())
    cycle = run_showing(hub)
    if any(report.counts.get("accepted") for report in cycle.stages["push"].values()):
        err.print(f"`onevoice undo {cycle.run}` takes back what this run wrote")
    if as_json:
        print_json(cycle.as_dict())
    if cycle.exit_code == DONE_WITH_FAULTS:
        err.print("Not everything could be read or written: `onevoice status` says what was refused.")
    raise typer.Exit(cycle.exit_code)


def _fields_pushed(hub: Hub, systems: Sequence[str] | None) -> set[str]:
    """Vendor fields that a run into these systems (all when none is named) may write."""
    return {field.name for target in hub.targets if not systems or target.system in systems for field in target.fields}


def _pilot(text: str) -> Pilot:
    from onevoice.pipeline.delivery.pilot import pilot_of_names, pilot_of_share

    file = Path(text)
    return pilot_of_names(file.read_text("utf-8").splitlines()) if file.is_file() else pilot_of_share(text)


def run_showing(hub: Hub, *, skip: Sequence[str] = ()) -> CycleReport:
    """Run a cycle job by job and print what each did."""
    from onevoice.pipeline import run_cycle

    def run_stage(stage: Stage) -> Mapping[str, Report]:
        return {job.name: _run_job(job) for job in stage.jobs}

    return run_cycle(hub, run_stage, skip=skip)


def _run_job(job: Job) -> Report:
    started = time.monotonic()
    with err.status(job.name) if err.is_terminal else nullcontext():
        report = job.run()
    err.print(f"{job.name}: {in_words(report.counts)} [dim]({time.monotonic() - started:.1f} s)[/dim]")
    for sentence in report.notes:
        err.print(f"  {sentence}")
    if undone := report.failed or report.stopped:
        err.print(f"  {undone}", style="red")
    return report
