"""`onevoice audit`: how a stranger begins."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onevoice.cli.session import Whole, session_of
from onevoice.cli.sync import WRITING, AsOf, run_showing
from onevoice.cli.terminal import err, out, step, table

if TYPE_CHECKING:
    from onevoice.cli.audit.report import Report
    from onevoice.pipeline import CycleReport

PRIVATE = 0o600
"""Mode of a file that speaks of customers: its owner's only."""


def audit(
    context: typer.Context,
    page: Annotated[Path | None, typer.Option("--out", help="Write the report as one HTML page to this file.")] = None,
    document: Annotated[
        Path | None, typer.Option("--json", help="Write the whole report as one JSON document to this file.")
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="Findings to show; the JSON document has all.")] = 50,
    personal_data: Whole = False,
    as_of: AsOf = None,
) -> None:
    """Show what the systems would send that contradicts what is known, with the records that prove it. Only reads."""
    from onevoice.cli.audit.telling import told
    from onevoice.pipeline.proofs.audit import evidenced, looked

    hub = session_of(context).hub(as_of)
    cycle = run_showing(hub, skip=WRITING)
    with step("proofs"):
        report = told(hub, looked(hub), evidenced(hub), _failed(cycle), personal_data=personal_data)
    if document is not None:
        write_private(document, report.model_dump_json().encode())
    if page is not None:
        from onevoice.cli.audit.page import page_of

        write_private(page, page_of(report, limit).encode())
    _print(report, limit if page is None and document is None else 0)
    for path in (page, document):
        if path is not None:
            err.print(f"Written: {path}")
    raise typer.Exit(cycle.exit_code)


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, whatever stood there before."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE), "wb") as file:
        os.fchmod(file.fileno(), PRIVATE)
        file.write(content)


def _failed(cycle: CycleReport) -> Mapping[str, str]:
    """Systems that could not be read, or not wholly, and why."""
    pulled = cycle.stages.get("pull", {})
    return {job.removeprefix("pull "): report.failed for job, report in pulled.items() if report.failed}


def _print(report: Report, limit: int) -> None:
    if not report.found:
        out.print("None: no system would send what contradicts another.")
        return
    kinds = table("Contradictions", "what", "#messages", "#only if picked", "#in doubt")
    for count in report.by_contradiction:
        kinds.add_row(count.contradiction, f"{count.findings:,}", f"{count.if_picked:,}", f"{count.doubtful:,}")
    systems = table("By system", "system", "#records read", "#messages", "#only if picked", "#in doubt", "")
    for system in report.by_system:
        counts = (system.records_read, system.findings, system.if_picked, system.doubtful)
        remark = "" if system.campaigns else "its campaigns are not described"
        systems.add_row(system.system, *(f"{count:,}" for count in counts), system.failed or remark)
    out.print(kinds, "", systems)
    for finding in report.found[:limit]:
        picked = " if it picks this record" if finding.sends == "if_picked" else ""
        out.print(
            f"\n{finding.system} would send {finding.stream}/{finding.record}, by {finding.channel}{picked}: "
            f"{finding.offer}. {finding.because}",
            markup=False,
        )
        for doubt in finding.doubts:
            out.print(f"  In doubt: {doubt}", markup=False)
