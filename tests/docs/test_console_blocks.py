"""What the pages tell a newcomer to type works, and says what the page says.

Every fenced block marked `console` is run, all blocks of a page in their order, in one shell that starts in a copy of
the checkout's tracked files. A line that begins with `$ ` is typed; each line below it must stand in what was answered,
in that order. A command may fail only where the page says so (`|| echo exit code $?`).
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PAGES = ("README.md",)
FENCE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = "=== end of step ==="


def steps(page: str) -> Iterator[tuple[str, list[str]]]:
    """(command, lines that must be answered) of every console block of a page."""
    for block in FENCE.findall(page):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *answers = part.splitlines()
            yield command, [line.strip() for line in answers if line.strip()]


@pytest.mark.parametrize("page", PAGES)
def test_commands_of_a_page_work(checkout: Path, tmp_path: Path, page: str) -> None:
    wanted = list(steps((checkout / page).read_text("utf-8")))
    assert wanted
    shutil.copytree(checkout / "docs/examples", tmp_path / "docs/examples", ignore=shutil.ignore_patterns(".onevoice"))
    script = "set -e\n" + "".join(f"{command}\necho '{MARK}'\n" for command, _ in wanted)
    environment = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(tmp_path), "COLUMNS": "200"}
    said = subprocess.run(
        ["bash"],
        input=script,
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stdout
    answers = said.stdout.split(MARK)
    for (command, lines), answer in zip(wanted, answers, strict=False):
        at = 0
        for line in lines:
            found = answer.find(line, at)
            assert found >= 0, f"$ {command}\nshould say: {line}\nsaid: {answer}"
            at = found + len(line)
