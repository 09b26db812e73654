"""`onevoice demo`."""

from __future__ import annotations

import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from onevoice.cli.sandbox import Switch
from onevoice.cli.session import session_of


def demo(
    context: typer.Context,
    people: Annotated[int, typer.Option(min=50, help="How many people the sandbox has.")] = 2000,
    seed: Annotated[int, typer.Option(help="Same seed, same people.")] = 7,
    limits: Annotated[Switch, typer.Option(help="Rate limits and quotas of the vendors.")] = Switch.ON,
    json_file: Annotated[Path | None, typer.Option("--json", help="Also write the report to this file.")] = None,
    keep: Annotated[Path | None, typer.Option(help="Keep the hub's store and logs in this folder.")] = None,
) -> None:
    """Show the hub at work on a sandbox: three cycles, judged by a truth that the hub never sees."""
    from onevoice.cli.demo.measure import report_of
    from onevoice.cli.demo.runner import Options, course
    from onevoice.cli.demo.screen import show
    from onevoice.cli.terminal import out, step

    made = nullcontext(str(keep)) if keep else tempfile.TemporaryDirectory(prefix="onevoice-demo-")
    with made as folder:
        options = Options(people, seed, limits is Switch.ON, Path(folder).resolve(), session_of(context).database)
        with course(options) as (run, hub):
            with step("two usual ways of matching, for comparison"):
                report = report_of(options, run, hub)
            show(out, report, run, keep)
    if json_file:
        json_file.parent.mkdir(parents=True, exist_ok=True)
        json_file.write_text(report.model_dump_json(by_alias=True, indent=2) + "\n", "utf-8")
