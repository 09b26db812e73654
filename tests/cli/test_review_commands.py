"""The commands for stewards: what they print, whom they refuse, what they leave in the store."""

from __future__ import annotations

import getpass
import json
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from onevoice.cli import app as command_line
from onevoice.pipeline.resolution import review

Say = Callable[..., tuple[int, str, str]]
TOM, TIM, THOMAS = (f"shop/customers/C-100{number}" for number in (3, 4, 5))
ROWS = (
    "C-1004,Tim,Okafor,1971-11-05,tim.okafor@example.org,07700 900456,M2 3WQ,false,2026-10-01T12:00:00+00:00\n"
    "C-1005,Thomas,Okafor,1971-11-05,t.okafor@example.com,07700 900456,M2 3WQ,false,2026-11-02T12:00:00+00:00\n"
)


@pytest.fixture(scope="module")
def synced(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example of files, with Tom's twin Tim and with Thomas, who is taken for Tom; synced once."""
    folder = tmp_path_factory.mktemp("steward") / "shop"
    shutil.copytree(checkout / "docs/examples/own-csv", folder, ignore=shutil.ignore_patterns(".onevoice"))
    with (folder / "data/customers.csv").open("a", encoding="utf-8") as rows:
        rows.write(ROWS)
    with pytest.MonkeyPatch.context() as patch:
        assert _run(patch, folder, "sync", "--as-of", "2026-11-22T09:00Z") == 0
    return folder


def _run(patch: pytest.MonkeyPatch, folder: Path, *arguments: str) -> int:
    patch.setenv("ONEVOICE_SHOP_FOLDER", str(folder / "data"))
    patch.setattr(sys, "argv", ["onevoice", "--project", str(folder), *arguments])
    with pytest.raises(SystemExit) as ended:
        command_line.main()
    return int(ended.value.code or 0)


@pytest.fixture
def say(synced: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """Type a command into a copy of the synced project: (exit code, standard output, standard error)."""
    folder = tmp_path / "shop"
    shutil.copytree(synced, folder)

    def _say(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = _run(monkeypatch, folder, *arguments)
        said = capsys.readouterr()
        return code, said.out, said.err

    return _say


def of(say: Say, *arguments: str) -> object:
    """The document that a command prints."""
    code, out, err = say(*arguments, "--json")
    assert code == 0, err
    return json.loads(out)


def test_the_queue_is_listed_and_shown_with_personal_data_masked(say: Say) -> None:
    code, out, _ = say("review", "list")
    assert code == 0
    assert "1 open, by impact" in out
    assert TOM in out
    assert TIM in out
    assert "one customer, against a veto?" in out
    [item] = of(say, "review", "list")["items"]
    assert item["impact"]["score"] == 1.2
    code, out, _ = say("review", "show", str(item["id"]))
    assert code == 0
    assert "the given names are clearly different" in out
    assert re.search(r"given_name\s+T\.\s+T\.", out)
    assert not re.search("Okafor|Tim|Tom|example|900456", out)
    code, out, _ = say("review", "show", str(item["id"]), "--with-personal-data")
    assert re.search(r"given_name\s+Tom\s+Tim", out)
    document = json.dumps(of(say, "review", "show", str(item["id"])))
    assert not re.search("Okafor|example", document)


def test_a_decision_is_signed_applied_at_once_and_withdrawn(say: Say) -> None:
    [item] = of(say, "review", "list")["items"]
    code, out, err = say("review", "not-a-match", str(item["id"]), "--reason", "twins, says the till", "--now")
    assert (code, out) == (0, f"Decision 1: {TOM} and {TIM} are two customers (applied now)\n")
    assert "resolve: " in err
    assert "pull" not in err
    assert of(say, "review", "list") == {"open": 0, "items": []}
    said = of(say, "review", "split", TOM, THOMAS, "--reason", "father and son", "--actor", "dana")
    assert (said["id"], said["same"], said["actor"], said["reason"]) == (2, False, "dana", "father and son")
    assert say("sync", "--as-of", "2026-11-22T09:15Z")[0] == 0
    ids = {of(say, "explain", ref)["profile_id"] for ref in (TOM, TIM, THOMAS)}
    assert len(ids) == 3
    code, out, _ = say("review", "undo", "2", "--reason", "same man", "--actor", "eli", "--now")
    assert code == 0
    assert out.startswith("Decision 2: withdrawn")
    first, second = of(say, "review", "decisions")
    assert (first["actor"], first["withdrawn_at"]) == (getpass.getuser(), None)
    assert (second["actor"], second["withdrawn_by"], second["withdrawn_reason"]) == ("dana", "eli", "same man")
    assert of(say, "explain", TOM)["profile_id"] == of(say, "explain", THOMAS)["profile_id"]


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("merge", TOM, "shop/customers/C-9", "--reason", "x"), 1, "shop/customers/C-9: no customer record"),
        (("merge", TOM, THOMAS, "--reason", "x"), 1, "already (there is nothing to merge)"),
        (("split", TOM, TOM, "--reason", "x"), 1, "one person with itself"),
        (("split", TOM, TIM, "--reason", " "), 1, "needs an actor and a reason"),
        (("split", TOM, TIM), 2, "--reason"),
        (("not-a-match", "99", "--reason", "x"), 1, "review item 99: there is none"),
        (("show", "99"), 1, "review item 99: there is none"),
        (("undo", "99", "--reason", "x"), 1, "decision 99: there is none"),
    ],
)
def test_what_cannot_be_decided_is_refused_in_one_sentence(
    say: Say, arguments: tuple[str, ...], code: int, sentence: str
) -> None:
    ended, out, err = say("review", *arguments)
    assert (ended, out) == (code, "")
    assert sentence in err
    assert of(say, "review", "decisions") == []


def test_a_contradicting_decision_names_the_one_it_contradicts(say: Say) -> None:
    assert say("review", "merge", TOM, TIM, "--reason", "one man")[0] == 0
    code, _, err = say("review", "split", TIM, TOM, "--reason", "two men")
    assert code == 1
    assert "decision 1 says that they belong together (`onevoice review undo` withdraws one)" in err


def test_two_records_are_explained_side_by_side(say: Say) -> None:
    told = of(say, "explain", TOM, THOMAS)
    assert [record["ref"] for record in told["records"]] == [TOM, THOMAS]
    assert [link["left"] for link in told["chain"]] == [TOM]
    assert {"given_name", "phone", "verdict"} <= {reason["field"] for reason in told["reasons"]}
    code, out, _ = say("explain", TOM, THOMAS)
    assert code == 0
    assert f"One profile by way of {TOM} and {THOMAS}: " in out


def test_the_history_of_a_retired_id_leads_to_the_living_one(say: Say) -> None:
    before = {of(say, "explain", ref)["profile_id"] for ref in (TOM, TIM)}
    assert say("review", "merge", TOM, TIM, "--reason", "one man", "--now")[0] == 0
    living = of(say, "explain", TIM)["profile_id"]
    [retired] = before - {living}
    told = of(say, "profile", "history", retired)
    assert (told["profile_id"], told["current"]) == (retired, living)
    assert [event["kind"] for event in told["events"]] == ["created", "merged"]
    assert {record["name"] for record in told["records"]} == {"T. O."}
    code, out, _ = say("profile", "history", retired)
    assert code == 0
    assert f"retired, leads to {living}" in out
    assert f"{TOM} = {TIM} by a steward's decision" in out
    assert "are one customer: one man" in out
    assert "Okafor" not in out
    assert "Tom Okafor" in say("profile", "history", retired, "--with-personal-data")[1]
    code, _, err = say("profile", "history", "0123456789abcdef0123")
    assert (code, "no such profile or record" in err) == (1, True)


def test_the_help_and_the_page_tell_the_formula(checkout: Path, say: Say) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "400")
        shown = " ".join(say("review", "list", "--help")[1].split())
    page = (checkout / "docs/how-to/review-matches.md").read_text("utf-8")
    for weight, what in (
        (review.PER_CONTRADICTION, "each open contradiction"),
        (review.PER_MEMBER, "each loyalty member"),
        (review.PER_TIER, "each rank of their tiers"),
        (review.PER_CHANNEL, "each system that the hub writes to"),
    ):
        assert f"{weight:g} for {what}" in shown
        assert f"| {what} | {weight:g} |" in page
    assert f"1 for {review.POINTS:,.0f} points, 1 for {review.SPEND:g} of spend in twelve months" in shown
    assert f"| {review.POINTS:,.0f} points | 1 |" in page
    assert f"| {review.SPEND:g} of spend in twelve months | 1 |" in page
