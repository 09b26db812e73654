"""Processes of the command line: children ended politely, then firmly, and no noise at our own end."""

from __future__ import annotations

import atexit
import os
import subprocess
from pathlib import Path

POLITE = 15.0
"""Seconds a child gets to end by itself after SIGTERM."""


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a child and wait for it."""
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(POLITE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a child's log, for a message that says why it did not start."""
    return "\n".join(log.read_text("utf-8", "replace").splitlines()[-lines:])


def end_quietly() -> None:
    """Drop what C code prints to standard error once Python itself is gone.

    Prefect's threads outlive the interpreter's clean-up and keep modules alive, for which DuckDB's binding prints a
    page of "leaked" objects (Prefect 3.8.8 with DuckDB 2.0.0). Nothing of ours prints that late.
    """
    atexit.register(lambda: os.dup2(os.open(os.devnull, os.O_WRONLY), 2))
