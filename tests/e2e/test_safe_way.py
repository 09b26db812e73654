"""The way the README leads real accounts: check, provision, plan, one field to ten records, everything."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow


def test_the_safe_way(world: Callable[..., Any], checkout: Path) -> None:
    here = world(400)  # more records than the guard always lets through

    def onevoice(*arguments: str, code: int = 0) -> str:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ONEVOICE_")}
        said = subprocess.run(
            [Path(sys.executable).with_name("onevoice"), "--database", here.database, *arguments],
            cwd=here.project,
            env={**kept, **here.sandbox.environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert said.returncode == code, said.stdout + said.stderr
        return said.stdout

    def written() -> dict[str, int]:
        counts = {name: said["records_written"] for name, said in here.get("/calls").items()}
        here.post("/calls/reset")
        return counts

    as_of = ("--as-of", here.get("/clock")["as_of"])
    assert {row["failed"] for row in json.loads(onevoice("check", "--json"))} == {""}
    would = json.loads(onevoice("provision", "--dry-run", "--json"))
    assert len(would) >= 28
    assert all("would create" in sentence for sentence in would)
    assert len(json.loads(onevoice("provision", "--json"))) == len(would)
    assert json.loads(onevoice("provision", "--json")) == []
    here.post("/calls/reset")

    planned = json.loads(onevoice("plan", *as_of, "--json"))["planned"]
    irreversible = {(row["system"], row["field"]) for row in planned if row["irreversible"]}
    assert irreversible == {("salesforce", "HasOptedOutOfEmail"), ("hubspot", "10001")}
    assert written() == {"salesforce": 0, "hubspot": 0}

    [pilot] = re.findall(r"`onevoice (sync --system [^`]+)`", (checkout / "README.md").read_text("utf-8"))
    onevoice(*pilot.split(), *as_of)
    assert written() == {"salesforce": 0, "hubspot": 10}
    held = [
        {name for name, value in row.items() if name.startswith("onevoice_") and value}
        for row in here.get("/state")["hubspot"]["contacts"].values()
    ]
    assert sorted(map(len, held))[-11:] == [0] + [1] * 10
    assert set().union(*held) == {"onevoice_profile_id"}

    onevoice("sync", *as_of, code=4)
    assert written() == {"salesforce": 0, "hubspot": 0}
    onevoice("sync", "--first", *as_of)
    everybody = {row["system"]: row["records"] for row in planned if row["field"].startswith("onevoice_profile_id")}
    counts = written()
    assert counts["salesforce"] == everybody["salesforce"]
    assert counts["hubspot"] >= everybody["hubspot"]
    assert json.loads(onevoice("contradictions", "--json"))["rows"] == []
