"""Klaviyo's official Python SDK works against our sandbox: python tests/sdks/klaviyo/check.py

The SDK lives in an environment of its own, made once and kept under .onevoice/sdks/klaviyo. Status 0 when all is well.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn

from onevoice.sandbox.klaviyo import create_app
from onevoice.sandbox.klaviyo.tables import klaviyo_state
from onevoice.sandbox.state import Clock, ServerConfig

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))
from openapi_judge import Judged, OpenApiJudge  # noqa: E402 - it lies beside the tests, not in a package

DESCRIPTION = HERE.parents[1] / "specs" / "klaviyo" / "klaviyo.json"
HOME = HERE.parents[2] / ".onevoice" / "sdks" / "klaviyo"
REQUIREMENTS = HERE / "requirements.txt"
KEY = "pk_sandbox"
EMAILS = [f"person{number}@shop.example" for number in range(5)]
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


def environment() -> Path:
    """The Python of the SDK's environment, made anew when the requirements have changed."""
    python, stamp = HOME / "bin" / "python", HOME / "installed.txt"
    if not stamp.exists() or stamp.read_text() != REQUIREMENTS.read_text():
        venv.create(HOME, with_pip=True, clear=True)
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([python, *install, "-r", REQUIREMENTS], check=True)
        stamp.write_text(REQUIREMENTS.read_text())
    return python


@contextmanager
def sandbox(judge: OpenApiJudge) -> Iterator[str]:
    """The address of an account with five profiles, limits on, behind a judge."""
    state = klaviyo_state(Clock(NOW))
    for place, email in enumerate(EMAILS):
        state.tables["profiles"].insert({"email": email}, stamp=NOW - timedelta(hours=place + 1), actor="seed")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        # Inherited by its connections; without it every answer waits 40 ms for the acknowledgement of its head.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        app = Judged(create_app(state, ServerConfig(url, "", KEY)), judge)
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", ws="none", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield url
        server.should_exit = True
        thread.join(timeout=5)


def main() -> int:
    """Drive the sandbox; 0 when the SDK could read everything and the API description has nothing against it."""
    python, judge = environment(), OpenApiJudge(DESCRIPTION)
    with sandbox(judge) as url:
        done = subprocess.run([python, HERE / "drive.py", url, KEY, *EMAILS], check=False, timeout=300)
    sys.stdout.writelines(f"{violation}\n" for violation in judge.violations)
    if done.returncode == 0 and not judge.violations:
        sys.stdout.write(f"klaviyo-api: {judge.judged} calls, every answer read by the SDK\n")
    return done.returncode or bool(judge.violations)


if __name__ == "__main__":
    sys.exit(main())
