"""What the command line prints: results on standard output, progress on standard error, plain lines off a terminal."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

from onevoice.model import FOREVER

WIDE = 1000
"""Columns of a table off a terminal: a pipe or a log has no edge at which a name could be cut."""

out = Console(highlight=False, soft_wrap=True)
if not out.is_terminal and "COLUMNS" not in os.environ:
    out.width = WIDE
err = Console(stderr=True, highlight=False, soft_wrap=True)


def print_json(value: Any) -> None:
    """One JSON document on standard output, for programs."""
    # Rows of the store have keys of a text type of their own, which counts as "not text" here.
    style = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS
    out.out(orjson.dumps(value, option=style, default=str).decode())


@contextmanager
def step(title: str) -> Iterator[None]:
    """Show that work of unknown length goes on, and how long it took: a spinner on a terminal, one line off it."""
    started = time.monotonic()
    if err.is_terminal:
        with err.status(title):
            yield
    else:
        yield
    err.print(f"{title} [dim]({time.monotonic() - started:.1f} s)[/dim]", highlight=False)


def in_words(counts: Mapping[str, int]) -> str:
    """Counts as one line: `read 2,310, changed 12`; "nothing to do" when all are zero."""
    return (
        ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in counts.items() if count) or "nothing to do"
    )


def table(title: str, *columns: str) -> Table:
    """An empty table in the house style; columns named with a leading `#` hold numbers and stand right."""
    made = Table(title=title, title_justify="left", title_style="bold", header_style="dim", box=None, pad_edge=False)
    for column in columns:
        made.add_column(
            column.removeprefix("#"), justify="right" if column.startswith("#") else "left", overflow="fold"
        )
    return made


def until_words(day: str) -> str:
    """The last day of a suppression as people say it; the model's "for ever" is no date to anybody."""
    return "further notice" if day == FOREVER.isoformat() else day
