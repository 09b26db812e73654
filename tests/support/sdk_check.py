"""What the checks of vendors' own SDKs have in common: an environment of the SDK's, and a judged sandbox to drive."""

from __future__ import annotations

import subprocess
import sys
import venv
from collections.abc import Callable, Sequence
from pathlib import Path

from starlette.types import ASGIApp

from loopback import staged
from onevoice.sandbox.state import ServerConfig, VendorState
from openapi_judge import Judged, OpenApiJudge

HOMES = Path(__file__).parents[2] / ".onevoice" / "sdks"
TIMEOUT_SECONDS = 240


def drive(
    folder: Path,
    create_app: Callable[[VendorState, ServerConfig], ASGIApp],
    state: VendorState,
    judge: OpenApiJudge,
    token: str,
    arguments: Sequence[str],
) -> int:
    """Run the folder's drive.py in the SDK's environment: drive.py URL TOKEN ARGUMENTS.

    Returns 0 when it ended well and the vendor's API description has nothing against any call.
    """
    python = _environment(folder)
    with staged() as stage:
        stage.app = judged = Judged(create_app(state, ServerConfig(stage.url, "", token)), judge)
        told = [str(folder / "drive.py"), stage.url, token, *arguments]
        done = subprocess.run([str(python), *told], check=False, timeout=TIMEOUT_SECONDS)
    sys.stderr.writelines(f"{violation}\n" for violation in judge.violations)
    if done.returncode == 0 and not judge.violations:
        sys.stdout.write(f"{folder.name}: {len(judged.calls)} calls, every answer read by the SDK\n")
    return done.returncode or bool(judge.violations)


def _environment(folder: Path) -> Path:
    """The Python of the SDK's environment, made anew when the requirements have changed."""
    home, requirements = HOMES / folder.name, folder / "requirements.txt"
    python, stamp = home / "bin" / "python", home / "installed.txt"
    if not stamp.exists() or stamp.read_text() != requirements.read_text():
        venv.create(home, with_pip=True, clear=True)
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([python, *install, "-r", requirements], check=True)
        stamp.write_text(requirements.read_text())
    return python
