"""Child processes of the command line: ended politely, then firmly; their last words shown when they die early."""

from __future__ import annotations

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


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a child's log, for a message that says why it did not start."""
    return "\n".join(log.read_text("utf-8", "replace").splitlines()[-lines:])
