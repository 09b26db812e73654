"""Processes with limits, measured; and environments of the peers' own, which Onevoice does not depend on."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

HOME = Path(__file__).parents[2] / ".onevoice" / "benchmarks" / "identity"
"""Environments, data and figures; `make clean` removes them."""
REQUIREMENTS = Path(__file__).parent / "peers" / "environments"
SECONDS, MEMORY = 150, 12 << 30
"""Limits of one process: beyond them it has not run. The memory is what it asks for, in bytes."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One process that ended."""

    failure: str
    """Why there is no result, in a few words; empty when there is one."""
    seconds: float
    peak_mb: int


def environment(name: str) -> Path:
    """The Python of a peer's environment, made anew when its pinned requirements have changed."""
    home, pinned = HOME / "environments" / name, REQUIREMENTS / f"{name}.txt"
    python, stamp = home / "bin" / "python", home / "installed.txt"
    if not stamp.exists() or stamp.read_text() != pinned.read_text():
        venv.create(home, with_pip=True, clear=True)
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*install, "-r", pinned], check=True)
        stamp.write_text(pinned.read_text())
    return python


def own() -> Path:
    """The Python that runs this."""
    return Path(sys.executable)


def measure(command: Sequence[object], log: Path) -> Measured:
    """Run a command to its end or its limits; what it says goes to `log`."""
    started = perf_counter()
    with log.open("w") as said:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdout=said,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONWARNINGS": "ignore"},
            start_new_session=True,
        )
        resource.prlimit(process.pid, resource.RLIMIT_DATA, (MEMORY, MEMORY))
        over = threading.Event()
        watch = threading.Timer(SECONDS, lambda: (over.set(), os.killpg(process.pid, signal.SIGKILL)))
        watch.start()
        _, status, used = os.wait4(process.pid, 0)
        watch.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    failure = "" if process.returncode == 0 else _told(log, over=over.is_set())
    return Measured(failure, round(perf_counter() - started, 1), used.ru_maxrss // 1024)


def _told(log: Path, *, over: bool) -> str:
    """Why a process has no result."""
    if over:
        return f"not done within {SECONDS} s"
    said = log.read_text(errors="replace")
    if "MemoryError" in said or "Cannot allocate memory" in said or not said.strip():
        return f"more than {MEMORY >> 30} GB of memory"
    return said.strip().splitlines()[-1][:120]
