"""The demo's report for the eye."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from onevoice.cli.demo.report import Report
from onevoice.cli.demo.runner import Course
from onevoice.cli.demo.stories import WRONG, Story
from onevoice.cli.terminal import table


def show(screen: Console, report: Report, run: Course, folder: Path | None) -> None:
    """Print everything, the point first: what would have gone out, and what goes out now."""
    for part in (_headline, _messages, _identity, _cycles, _writes):
        part(screen, report, run)
    for number, story in enumerate(run.stories, 1):
        _story(screen, number, story)
    _where_next(screen, run.stories, folder)


def _headline(screen: Console, report: Report, _run: Course) -> None:
    records = ", ".join(f"{count:,} in {system}" for system, count in report.records.items())
    screen.print("\n[bold]Onevoice demo[/bold]\n")
    screen.print(
        f"{report.people:,} people (seed {report.seed}) have {sum(report.records.values()):,} records: {records}."
    )
    screen.print(f"The hub found {report.profiles:,} profiles in them.\n")
    before, after = report.messages.before, report.messages.after
    screen.print(
        f"Messages that would go out today: {before.sent:,}, of them [red]{before.contradictory:,} contradictory[/red]."
    )
    screen.print(
        f"After one cycle of the hub: {after.sent:,}, of them [green]{after.contradictory:,} contradictory[/green]."
    )
    held = report.over_suppressed
    screen.print(
        f"Held back although nothing speaks against it: {held.pairs:,} of {held.allowed:,} ({held.rate:.2%}).\n"
    )


def _messages(screen: Console, report: Report, _run: Course) -> None:
    rows = table("Contradictory messages (judged by the planted truth)", "to somebody who …", "#before", "#after")
    before, after = report.messages.before.by_class, report.messages.after.by_class
    for name in sorted({*before, *after}, key=lambda name: -before.get(name, 0)):
        rows.add_row(WRONG.get(name, name), f"{before.get(name, 0):,}", f"{after.get(name, 0):,}")
    screen.print(rows, "")
    senders = table("Who would send them", "system", "#before", "#after")
    before, after = report.messages.before.by_system, report.messages.after.by_system
    for system in sorted({*before, *after}):
        senders.add_row(system, f"{before.get(system, 0):,}", f"{after.get(system, 0):,}")
    screen.print(senders, "")
    for left in report.messages.left:
        screen.print(f"left: {left.count:,} to somebody who {WRONG.get(left.class_, left.class_)}, cause: {left.cause}")


def _identity(screen: Console, report: Report, _run: Course) -> None:
    found = report.identity
    rows = table("Who is who (pairs of records, against the planted truth)", "way", "#precision", "#recall", "#F1")
    rows.add_row("the hub", f"{found.precision:.3f}", f"{found.recall:.3f}", f"{found.f1:.3f}")
    rows.add_row("equal e-mail, phone, card, name and birth date", "", "", f"{found.exact_key_f1:.3f}")
    rows.add_row("Splink with its usual settings", "", "", f"{found.splink_default_f1:.3f}")
    screen.print(rows, "")


def _cycles(screen: Console, report: Report, run: Course) -> None:
    second, third = report.second_run, report.third_run
    screen.print(f"Second cycle, nothing changed: {second.writes:,} records written.")
    written, expected = run.cycles[2].written, {tuple(key) for key in run.edits["expected_records"]}
    screen.print(
        f"Third cycle, after {third.edits:,} edits by hand in the systems: {third.records_written:,} records written, "
        f"{third.records_expected:,} expected."
    )
    screen.print(
        f"  {third.contradicting:,} of the edits would have let wrong messages out; {third.reported:,} of these were "
        "reported before they were mended."
    )
    unreported = run.contradicting_edits() - run.cycles[2].reported
    for name, keys in (
        ("missing", expected - written),
        ("not expected", written - expected),
        ("not reported", unreported),
    ):
        if keys:
            screen.print(f"  {name}: " + ", ".join("/".join(key) for key in sorted(keys)), style="red")
    if run.wrong_native_opt_outs:
        screen.print(f"{run.wrong_native_opt_outs} native opt-outs were set on the wrong address.", style="red")
    screen.print()


def _writes(screen: Console, report: Report, _run: Course) -> None:
    rows = table("What the first cycle wrote", "system", "#records", "#calls", "#fewest possible", "#refused")
    for system, said in report.writes.items():
        numbers = (said.records, said.calls, said.minimum_calls, said.rejected)
        rows.add_row(system, *(f"{number:,}" for number in numbers))
    steps = ", ".join(f"{name} {spent:.1f}" for name, spent in report.seconds.items() if name != "total")
    screen.print(rows, "")
    screen.print(
        f"First cycle: {report.seconds['total']:.1f} seconds ({steps}); peak memory {report.peak_memory_mb:,.0f} MB.\n"
    )


def _story(screen: Console, number: int, story: Story) -> None:
    screen.print(
        f"[bold]{number}. {story.name}[/bold], known by {len(story.records)} records: {', '.join(story.records)}"
    )
    for title, lines in (("before", story.before), ("after", story.after or ["nothing is sent"]), ("why", story.why)):
        for line in lines:
            screen.print(f"   [dim]{title:<6}[/dim] {line}")
    screen.print()


def _where_next(screen: Console, stories: Sequence[Story], folder: Path | None) -> None:
    if folder is None:
        screen.print("Run it with --keep FOLDER to look at the hub's store afterwards.")
        return
    screen.print(f"Everything is kept in {folder}. Look at it:")
    who = stories[0].profile_id if stories else "PROFILE"
    for command in (f"explain {who}", "status", "contradictions"):
        screen.print(f"  onevoice --project {folder / 'project'} {command}", style="dim")
