"""What the pages tell a newcomer to type works, and says what the page says.

Every fenced block marked `console` is run, all blocks of a page in their order, in one shell that starts in an empty
folder with a copy of `docs/examples`. A line that begins with `$ ` is typed; each line below it must stand in what was
answered, in that order. Spaces are not compared, a line may be cut short, and a line `...` says that something is left
out. A command may fail only where the page says so (`|| echo exit code $?`).

Ids are others in every run. One in an answer of the page stands for whatever id is answered at its place, and where the
page repeats it, that one is meant, also in commands.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ID = re.compile(r"\b(?:ovk_[\w-]+|[0-9a-f]{12,})\b")
MARK = "=== end of step"
PAGES = sorted(
    str(page.relative_to(ROOT))
    for page in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md"))
    if FENCE.search(page.read_text("utf-8"))
)


def steps(page: str) -> Iterator[tuple[str, list[str]]]:
    """(command, lines that must be answered) of every console block of a page."""
    for block in FENCE.findall(page):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *answers = part.splitlines()
            yield command, [line.strip() for line in answers if line.strip() not in ("", "...")]


class Shell:
    """A shell that is typed into, as a newcomer would. What it started goes with it."""

    def __init__(self, folder: Path) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ONEVOICE_")}
        path = f"{Path(sys.executable).parent}:{kept['PATH']}"
        self._process = subprocess.Popen(
            ["bash"],
            cwd=folder,
            env={**kept, "PATH": path, "HOME": str(folder), "COLUMNS": "200"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def type(self, command: str) -> tuple[int, list[str]]:
        """Run a command; returns its exit code and what was answered, without idle spaces."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{command}\nprintf '\\n{MARK} %s\\n' $?\n")
        self._process.stdin.flush()
        lines: list[str] = []
        for line in self._process.stdout:
            if line.startswith(MARK):
                return int(line.removeprefix(MARK)), lines
            lines.append(" ".join(line.split()))
        raise AssertionError(f"$ {command}\nended the shell, which had said: {lines}")

    def close(self) -> None:
        """End the shell and everything that it left running."""
        os.killpg(self._process.pid, signal.SIGTERM)
        self._process.communicate(timeout=30)


@pytest.fixture
def shell(checkout: Path, tmp_path: Path) -> Iterator[Shell]:
    shutil.copytree(checkout / "docs/examples", tmp_path / "docs/examples", ignore=shutil.ignore_patterns(".onevoice"))
    opened = Shell(tmp_path)
    yield opened
    opened.close()


def with_ids(text: str, ids: dict[str, str]) -> str:
    """A command of the page with the ids of this run."""
    return ID.sub(lambda found: ids.get(found[0], found[0]), text)


def as_pattern(line: str, ids: dict[str, str]) -> re.Pattern[str]:
    """What a line of the page stands for: an id that is not known yet is a group."""
    parts, shown = ID.split(" ".join(line.split())), ID.findall(line)
    held = [re.escape(ids[one]) if one in ids else f"({ID.pattern})" for one in shown]
    return re.compile("".join(re.escape(part) + found for part, found in zip(parts, [*held, ""], strict=True)))


def missing(wanted: list[str], answer: list[str], ids: dict[str, str]) -> str | None:
    """The first line of the page that was not answered, None when all were. Learns the ids of this run."""
    at = 0
    for line in wanted:
        pattern = as_pattern(line, ids)
        places = ((number, found) for number, text in enumerate(answer[at:], at) if (found := pattern.search(text)))
        place = next(places, None)
        if place is None:
            return line
        at = place[0] + 1
        new = [one for one in ID.findall(line) if one not in ids]
        ids.update(zip(new, place[1].groups(), strict=True))
    return None


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_commands_of_a_page_work(checkout: Path, shell: Shell, page: str) -> None:
    ids: dict[str, str] = {}
    faults = []
    typed = list(steps((checkout / page).read_text("utf-8")))
    if shutil.which("curl") is None and any("curl" in command for command, _ in typed):
        pytest.skip("the page asks over HTTP with curl, which is not on this machine")
    for command, wanted in typed:
        code, answer = shell.type(with_ids(command, ids))
        line = missing(wanted, answer, ids)
        if code or line:
            faults.append(f"$ {command}\nshould say: {line}\nsaid, with exit code {code}:\n" + "\n".join(answer))
    assert not faults, "\n\n".join(faults)


@pytest.mark.parametrize(
    ("wanted", "left_out"),
    [
        (["run 0123456789ab ended", "undo 0123456789ab"], None),
        (["run 0123456789ab", "undo ba9876543210"], None),
        (["undo 0123456789ab"], None),
        (["run 0123456789ab", "run 0123456789ab"], "run 0123456789ab"),
        (["ends nowhere"], "ends nowhere"),
        (["undo 0123456789ab", "run 0123456789ab"], "run 0123456789ab"),
    ],
)
def test_an_id_stands_for_another(wanted: list[str], left_out: str | None) -> None:
    answer = ["run ffffffffffff ended", "undo ffffffffffff"]
    assert missing(wanted, answer, {}) == left_out


def test_an_id_that_was_learnt_is_meant_from_then_on() -> None:
    ids: dict[str, str] = {}
    assert missing(["run 0123456789ab"], ["run ffffffffffff"], ids) is None
    assert with_ids("onevoice undo 0123456789ab", ids) == "onevoice undo ffffffffffff"
    assert missing(["undo 0123456789ab"], ["undo eeeeeeeeeeee"], ids) == "undo 0123456789ab"
