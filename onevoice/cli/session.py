"""What the options before the command say: which project, which database, how much to tell of an error."""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onevoice.errors import ConfigError

if TYPE_CHECKING:
    from onevoice.pipeline import Hub, PushLimits
    from onevoice.pipeline.resolution.people import ResolvesPeople


Whole = Annotated[bool, typer.Option("--with-personal-data", "--pii", help="Show names, addresses and numbers whole.")]
Actor = Annotated[str | None, typer.Option(help="Who says so; the operating system's user when left out.")]


@dataclass(slots=True)
class Session:
    """Filled by the application's callback, carried as the context's object."""

    project: Path | None = None
    database: str | None = None
    debug: bool = False

    def root(self) -> Path:
        """The project's folder: the option or variable, else here, else the checkout, else the shipped template."""
        from onevoice.project import find_project

        return find_project(self.project)

    def hub(
        self, as_of: str | None = None, limits: PushLimits | None = None, people: ResolvesPeople | None = None
    ) -> Hub:
        """The hub of this project; `as_of` is an ISO time with its zone, `limits` says what of the plan is pushed,
        `people` stands in for the resolver."""
        from onevoice.pipeline import PushLimits, open_hub

        return open_hub(
            self.root(), database=self.database, as_of=moment(as_of), limits=limits or PushLimits(), people=people
        )


def operator(named: str | None = None) -> str:
    """Who gives an order: as they name themselves, else the operating system's user."""
    return named if named is not None else getpass.getuser()


def session_of(context: typer.Context) -> Session:
    """The session of a command's context."""
    found = context.find_object(Session)
    return found or Session()


def moment(text: str | None) -> datetime | None:
    """An ISO time with its zone; ConfigError when it cannot be read or has no zone."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"as-of: {text!r} is not an ISO time (write 2026-11-22T09:00:00+00:00)") from None
    if found.tzinfo is None:
        raise ConfigError(f"as-of: {text!r} has no zone (write 2026-11-22T09:00:00+00:00)")
    return found
