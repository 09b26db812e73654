"""`onevoice`: one command per task. What a command needs is imported when it runs, so that `--help` is quick."""

from __future__ import annotations

import sys
from importlib.metadata import version as installed
from pathlib import Path, PurePath
from typing import Annotated

import typer

from onevoice.cli.audit.command import audit
from onevoice.cli.backfill import backfill
from onevoice.cli.brakes import approve, hold, release, undo
from onevoice.cli.demo.command import demo
from onevoice.cli.identity import identity
from onevoice.cli.inspect import contradictions, explain, status
from onevoice.cli.plan import plan
from onevoice.cli.processes import end_quietly
from onevoice.cli.profile import profile
from onevoice.cli.project_files import init, lint, test
from onevoice.cli.quarantine import quarantine
from onevoice.cli.review import review
from onevoice.cli.sandbox import sandbox
from onevoice.cli.serve import api_key, serve
from onevoice.cli.session import Session
from onevoice.cli.sync import check, provision, sync
from onevoice.errors import ConfigError, GuardStopped, OnevoiceError

FAILED, WRONG_CONFIGURATION, STOPPED = 1, 2, 4
"""Exit codes of an error; 0 and 3 (done, but something was refused or down) are a cycle's own."""

app = typer.Typer(
    name="onevoice",
    help="Keep every channel from sending a contradictory offer.",
    epilog="Exit codes: 0 done, 1 failed, 2 configuration wrong, 3 done but for a system that was down or records "
    "that were refused, 4 stopped by a guard.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
COMMANDS = (
    *(lint, test, check, audit, provision, plan, approve, sync, backfill, undo, hold, release),
    *(status, explain, contradictions, demo, init, serve),
)
for command in COMMANDS:
    app.command()(command)
app.add_typer(quarantine, name="quarantine")
app.add_typer(review, name="review")
app.add_typer(profile, name="profile")
app.add_typer(identity, name="identity")
app.add_typer(sandbox, name="sandbox")
app.add_typer(api_key, name="api-key")


@app.callback()
def options(
    context: typer.Context,
    project: Annotated[
        Path | None, typer.Option(envvar="ONEVOICE_PROJECT_DIR", help="Folder with config/ and mappings/.")
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(envvar="ONEVOICE_DATABASE_URL", help="Database URL; the project's own when left out."),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show the whole trace of an error.")] = False,
) -> None:
    """Keep every channel from sending a contradictory offer."""
    session = context.obj
    session.project, session.database, session.debug = project, database, debug


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(installed("onevoice"))


def main() -> None:
    """Run the command line; an error becomes one sentence and an exit code."""
    end_quietly()
    session = Session()
    try:
        app(obj=session)
    except OnevoiceError as exc:
        if session.debug:
            raise
        typer.echo(f"onevoice: {exc}", err=True)
        sys.exit(_exit_code(exc))
    except OSError as exc:
        if session.debug or not exc.filename:
            raise
        typer.echo(f"onevoice: {exc.filename}: {exc.strerror} (check the path and its permissions)", err=True)
        sys.exit(FAILED)
    except Exception as exc:
        if session.debug:
            raise
        typer.echo(f"onevoice: {_place(exc)}: {type(exc).__name__} (run again with --debug to see more)", err=True)
        sys.exit(FAILED)


def _exit_code(exc: OnevoiceError) -> int:
    if isinstance(exc, ConfigError):
        return WRONG_CONFIGURATION
    return STOPPED if isinstance(exc, GuardStopped) else FAILED


def _place(exc: Exception) -> str:
    """File and line in which it was raised; its text is left out, since it could quote a customer."""
    trace = exc.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{PurePath(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "unknown place"


if __name__ == "__main__":
    main()
