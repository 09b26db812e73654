"""What admins type about records that were set aside, and about plans that the guard stops."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Say = Callable[..., tuple[int, str, str]]
AS_OF = ("--as-of", "2026-11-22T09:00:00+00:00")
MAIL = "zoe.blank@example.org"


@pytest.fixture
def say(checkout: Path, tmp_path: Path) -> Say:
    """Type into a small project of files, of whose customers one has no usable consent and one line no key."""
    project = tmp_path / "shop"
    shutil.copytree(checkout / "docs/examples/own-csv", project, ignore=shutil.ignore_patterns(".onevoice"))
    orders = project / "data/orders.csv"
    orders.write_text(orders.read_text("utf-8") + f"{MAIL},C-1003,some day,garden,15.00\n,C-1003,x,garden,1\n", "utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ONEVOICE_")}
    environment = {**kept, "ONEVOICE_SHOP_FOLDER": str(project / "data")}
    program = Path(sys.executable).with_name("onevoice")

    def _say(*words: str) -> tuple[int, str, str]:
        done = subprocess.run(
            [program, *words], capture_output=True, text=True, cwd=project, env=environment, check=False
        )
        return done.returncode, done.stdout, done.stderr

    return _say


def document(said: tuple[int, str, str]) -> Any:
    code, out, err = said
    assert code == 0, err
    return json.loads(out)


def test_status_leads_to_the_list_and_the_list_to_the_record(say: Say) -> None:
    assert say("sync", *AS_OF)[0] == 3
    assert "`onevoice quarantine list` says which and why" in say("status")[1]
    found = document(say("quarantine", "list", "--json"))
    assert {entry["stage"] for entry in found} == {"mapping"}
    assert [entry["ref"] for entry in found] == ["shop/orders/line:5", "shop/orders/z***@e***.org"]
    code, out, err = say("quarantine", "list", "--system", "shop", "--limit", "1")
    assert (code, err) == (0, "")
    assert "and 1 more" in out
    code, out, _ = say("quarantine", "show", f"shop/orders/{MAIL}")
    assert code == 0
    assert "ordered_at is blank or unusable" in out
    assert "some day" in out
    assert MAIL not in out
    [held] = document(say("quarantine", "show", f"shop/orders/{MAIL}", "--pii", "--json"))["held"]
    assert held["payload"]["order_no"] == MAIL


def test_an_edited_record_goes_through_with_the_next_sync(say: Say, tmp_path: Path) -> None:
    say("sync", *AS_OF)
    file = tmp_path / "values.json"
    file.write_text(json.dumps({"ordered_at": "2026-11-20"}))
    code, out, err = say("quarantine", "edit", f"shop/orders/{MAIL}", "--file", str(file), "--actor", "ann")
    assert (code, err) == (0, "")
    assert "ordered_at: noted at mapping" in out
    assert say("sync", *AS_OF)[0] == 0
    assert [entry["ref"] for entry in document(say("quarantine", "list", "--json"))] == ["shop/orders/line:5"]
    assert "edited" in say("quarantine", "list", "--amended")[1]
    [act] = document(say("quarantine", "show", f"shop/orders/{MAIL}", "--json"))["acts"]
    assert (act["act"], act["actor"]) == ("edit", "ann")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("edit", f"shop/orders/{MAIL}", "ordered_at"), 2, "FIELD=VALUE"),
        (("edit", f"shop/orders/{MAIL}"), 2, "nothing to put in place"),
        (("edit", f"shop/orders/{MAIL}", "orderd_at=2026-11-20"), 2, "did you mean ordered_at"),
        (("edit", "shop/orders/line:5", "order_no=1"), 2, "mend it at the vendor or in the file"),
        (("show", "shop/orders/O-7"), 1, "nothing is held of this record"),
        (("retry",), 2, "say which"),
        (("retry", "--all", "shop/orders/line:5"), 2, "say which"),
        (("list", "--stage", "maping"), 2, "did you mean mapping"),
        (("lift", "shop/orders/line:5", "--reason", "x"), 1, "nothing of this record is edited"),
    ],
)
def test_what_is_mistyped_is_answered_in_one_sentence(say: Say, words: tuple[str, ...], code: int, said: str) -> None:
    say("sync", *AS_OF)
    found, out, err = say("quarantine", *words)
    assert (found, out) == (code, "")
    assert said in err
    assert len(err.splitlines()) == 1
    assert MAIL not in err


def test_retry_and_drop(say: Say) -> None:
    say("sync", *AS_OF)
    assert say("quarantine", "retry", "--code", "MAPPING")[1].startswith("2 entries are tried again")
    assert say("sync", *AS_OF)[0] == 3
    assert "Dropped at mapping" in say("quarantine", "drop", f"shop/orders/{MAIL}", "--reason", "a test")[1]
    assert len(document(say("quarantine", "list", "--json"))) == 1


def test_a_hash_that_is_not_planned_is_refused(say: Say) -> None:
    for words in (("approve", "0123456789abcdef"), ("sync", "--approve", "0123456789abcdef", *AS_OF)):
        code, out, err = say(*words)
        assert (code, out) == (4, "")
        assert "this is not what is planned now" in err
        assert "pull" not in err


def test_nothing_is_written_again_where_nothing_is_written(say: Say) -> None:
    code, _, err = say("backfill", "--system", "shop")
    assert code == 2
    assert "shop is no system that is written to" in err


def test_lines_of_a_file_resolve_with_its_next_content_and_those_that_stay_bad_stay(say: Say, tmp_path: Path) -> None:
    orders = tmp_path / "shop/data/orders.csv"
    orders.write_text(orders.read_text("utf-8") + ",C-1003,y,garden,2\n", "utf-8")
    say("sync", *AS_OF)
    lines = {entry["ref"] for entry in document(say("quarantine", "list", "--json"))}
    assert {"shop/orders/line:5", "shop/orders/line:6"} < lines
    assert say("sync", *AS_OF)[0] == 0  # the file is as it was: nothing is read, and nothing resolves
    assert {entry["ref"] for entry in document(say("quarantine", "list", "--json"))} == lines
    orders.write_text(orders.read_text("utf-8").replace(",C-1003,x", "O-8,C-1003,2026-11-01"), "utf-8")
    assert say("sync", *AS_OF)[0] == 3
    found = {entry["ref"] for entry in document(say("quarantine", "list", "--json"))}
    assert found == lines - {"shop/orders/line:5"}
