"""The sandbox as a child process: started, its one line of addresses read, stopped."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onevoice.cli.processes import stop, tail
from onevoice.errors import OnevoiceError


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running sandbox: where its judge is and what the hub must export to reach its systems."""

    pid: int
    admin: str
    as_of: str
    environment: Mapping[str, str]


@contextmanager
def running_sandbox(
    *, seed: int, people: int, log: Path, limits: bool = True, faults: str = "none", state: Path | None = None
) -> Iterator[Sandbox]:
    """Run a sandbox until the block ends; `state` is a folder in which it keeps its vendors' data between runs."""
    command = [sys.executable, "-m", "onevoice.cli.app", "sandbox", "up"]
    command += ["--seed", str(seed), "--people", str(people), "--limits", "on" if limits else "off", "--faults", faults]
    command += ["--state", str(state)] if state else []
    with log.open("wb") as errors:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors
        )
    try:
        said = _first_line(process, log)
        yield Sandbox(process.pid, said["admin"], said["as_of"], said["environment"])
    finally:
        stop(process)


def _first_line(process: subprocess.Popen[bytes], log: Path) -> Mapping[str, Any]:
    line = process.stdout.readline() if process.stdout else b""
    if not line:
        raise OnevoiceError(f"sandbox: it ended with code {process.wait()} while starting\n{tail(log)}")
    said: Mapping[str, Any] = json.loads(line)
    return said
