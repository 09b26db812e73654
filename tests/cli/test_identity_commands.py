"""`onevoice identity` over a small shop: a model's whole life, and what is said where there is nothing to work on."""

from __future__ import annotations

import csv
import json
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from identity import load_model, save_model
from onevoice.cli import app as command_line
from onevoice.pipeline import open_hub
from onevoice.store import steward
from small_base import is_son, small_base

Say = Callable[..., tuple[int, str, str]]
AS_OF = "2026-11-22T09:00Z"


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """The shop, synced once, and who its records are."""
    folder = tmp_path_factory.mktemp("identity") / "shop"
    persons = small_base(folder)
    with pytest.MonkeyPatch.context() as patch:
        assert run(patch, folder, "sync", "--as-of", AS_OF) == 0
    return folder, persons


@pytest.fixture
def persons(synced: tuple[Path, dict[str, str]]) -> dict[str, str]:
    return synced[1]


@pytest.fixture
def shop(synced: tuple[Path, dict[str, str]], tmp_path: Path) -> Path:
    """A copy of the shop, for one test."""
    return shutil.copytree(synced[0], tmp_path / "shop")


@pytest.fixture
def say(shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """Type a command into the shop: (exit code, standard output, standard error)."""

    def _say(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run(monkeypatch, shop, *arguments)
        said = capsys.readouterr()
        return code, said.out, said.err

    return _say


def run(patch: pytest.MonkeyPatch, folder: Path, *arguments: str) -> int:
    patch.setenv("ONEVOICE_SHOP_FOLDER", str(folder / "data"))
    patch.setattr(sys, "argv", ["onevoice", "--project", str(folder), *arguments])
    with pytest.raises(SystemExit) as ended:
        command_line.main()
    return int(ended.value.code or 0)


def of(say: Say, *arguments: str) -> Any:
    """The document that a command prints."""
    code, out, err = say("identity", *arguments, "--json")
    assert code == 0, err
    return json.loads(out)


def labelled(folder: Path, persons: dict[str, str]) -> str:
    path = folder / "labels.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("ref", "person"), *persons.items()])
    return str(path)


def decide(folder: Path, persons: dict[str, str]) -> None:
    """Decide on two records each of 40 people, and on the first records of fathers and sons, as they truly are."""
    records: dict[int, list[str]] = {}
    for ref, person in persons.items():
        records.setdefault(int(person), []).append(ref)
    together = [(refs[0], refs[1]) for refs in records.values() if len(refs) > 1][:40]
    apart = [(records[person - 1][0], records[person][0]) for person in records if is_son(person)]
    hub = open_hub(folder, environment={})
    with hub.store.begin() as connection:
        for pairs, same in ((together, True), (apart, False)):
            for pair in pairs:
                steward.add_decision(connection, pair, same=same, actor="t", reason="known", at=hub.as_of)
    hub.store.close()


@pytest.mark.slow
def test_a_model_is_trained_compared_used_and_rolled_back(say: Say, shop: Path) -> None:
    before = (shop / "config/identity.yaml").read_text("utf-8")
    code, out, err = say("identity", "train")
    assert code == 0, err
    assert "Written: config/models/person-1.yaml, version " in out
    assert "Weights that changed from person.yaml, in bits" in out
    assert "onevoice identity use models/person-1.yaml" in out
    assert "Look: card: the records show too few pairs that are equal, different." in " ".join(err.split())
    assert (shop / "config/identity.yaml").read_text("utf-8") == before, "training switches nothing"
    model = load_model("models/person-1.yaml", shop / "config")
    assert model.records == 622
    assert model.trained_on == "customers of shop, unlabelled"

    again = of(say, "train")
    assert (again["new"], again["version"]["name"]) == (False, "models/person-1.yaml"), (
        "the same records, the same model"
    )

    compared = of(say, "compare", "person", "person-1")
    changed = sum(row["pairs"] for row in compared["verdicts"])
    assert changed > 0
    assert compared["records"] == 622
    assert compared["profiles_changed"] > 0
    assert len(compared["examples"]) == min(changed, 10)
    nothing = of(say, "compare", "person-1", model.version)
    assert (nothing["verdicts"], nothing["profiles_changed"]) == ([], 0)

    code, out, _ = say("identity", "use", "person-1")
    assert (code, "config/identity.yaml: model: models/person-1.yaml (was person.yaml)." in out) == (0, True)
    edited = (shop / "config/identity.yaml").read_text("utf-8")
    assert edited == before.replace("model: person.yaml", "model: models/person-1.yaml"), "comments and layout stay"
    assert [one["name"] for one in of(say, "models") if one["in_use"]] == ["models/person-1.yaml"]
    code, out, err = say("sync", "--as-of", "2026-11-22T10:00Z")
    assert code == 0, err
    assert "resolve: records 622, changed 622" in out + err, "another model looks at everybody again"
    assert profiles(say) == compared["profiles_after"]

    assert of(say, "use", "person.yaml") == {"before": "models/person-1.yaml", "after": "person.yaml"}
    assert (shop / "config/identity.yaml").read_text("utf-8") == before
    assert say("sync", "--as-of", "2026-11-22T11:00Z")[0] == 0
    assert profiles(say) == compared["profiles_before"]


def profiles(say: Say) -> int:
    """Customers that the store holds, as the report counts them."""
    folder = "report-of-profiles"
    assert say("identity", "report", "--out", folder)[0] == 0
    page = Path(folder, "report.html").read_text("utf-8")
    shutil.rmtree(folder)
    found = re.search(r"records came to ([\d,]+) customers", page)
    assert found
    return int(found[1].replace(",", ""))


def test_decisions_calibrate_and_judge(say: Say, shop: Path, persons: dict[str, str]) -> None:
    code, _, err = say("identity", "calibrate")
    assert (code, "calibrate: 0 pairs were judged" in err) == (1, True)
    code, _, err = say("identity", "evaluate")
    assert (code, "stewards have decided nothing yet" in err) == (1, True)
    decide(shop, persons)
    judged = of(say, "evaluate")
    assert (judged["labels"], judged["same"]) == (83, 40)
    assert 0.4 < judged["precision"] < 0.8, "fathers and sons are merged"
    low, high = judged["precision_between"]
    assert low < judged["precision"] < high

    fitted = of(say, "calibrate")
    assert fitted["labels"] + fitted["left_out"] == 83
    assert fitted["labels"] > 40
    assert fitted["loss_after"] < fitted["loss_before"]
    name = fitted["made"]["version"]["name"]
    made = load_model(name, shop / "config")
    assert (made.calibration.slope, made.calibration.offset) == (fitted["slope"], fitted["offset"])
    assert {moved["comparison"] for moved in fitted["made"]["moved"]} > {"prior", "given_name", "phone"}
    assert made.comparisons == load_model("person.yaml").comparisons, "the figures stay, the map over them is new"
    code, out, _ = say("identity", "calibrate")
    assert (code, "Surprise per decision" in out, "Nothing new" in out) == (0, True, True)


def test_a_labelled_file_judges_what_stands_and_what_would(say: Say, shop: Path, persons: dict[str, str]) -> None:
    path = labelled(shop, {**persons, "shop/customers/nobody": "x"})
    told = of(say, "evaluate", "--labels", path)
    assert told["unknown"] == 1
    assert 0.7 < told["quality"]["precision"] < 0.9
    assert 0.8 < told["quality"]["recall"] < 1.0
    assert told["uncertainty"]["recall"][0] < told["quality"]["recall"] < told["uncertainty"]["recall"][1]
    assert of(say, "evaluate", "--labels", path, "--model", "person")["quality"] == told["quality"], "what stands"
    code, out, _ = say("identity", "evaluate", "--labels", path)
    assert code == 0
    assert "1 labelled records are not in the store" in out


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("record,person\n", ":1: no column ref (the columns are ref and person)"),
        ("ref,person\nP1,a\n", ":2: write the record as system/stream/key, and its person"),
        ("ref,person\nshop/customers/1,a\nshop/customers/1,b\n", ":3: this record has another person further up"),
    ],
)
def test_faults_of_a_labelled_file_are_told_with_their_line(say: Say, shop: Path, text: str, told: str) -> None:
    (shop / "labels.csv").write_text(text, "utf-8")
    code, _, err = say("identity", "evaluate", "--labels", str(shop / "labels.csv"))
    assert code == 2
    assert told in err


def test_labels_of_nobody_are_refused(say: Say, shop: Path) -> None:
    code, _, err = say("identity", "evaluate", "--labels", labelled(shop, {"crm/contacts/1": "a"}))
    assert (code, "the store knows none of the labelled records" in err) == (1, True)


def test_the_report_names_nobody(say: Say, shop: Path, persons: dict[str, str], tmp_path: Path) -> None:
    written = of(say, "report", "--out", str(tmp_path / "out"), "--labels", labelled(shop, persons))["written"]
    assert {Path(path).name for path in written} == {path.name for path in (tmp_path / "out").iterdir()}
    page = (tmp_path / "out/report.html").read_text("utf-8")
    told = re.sub(r"data:image/png;base64,[^\"]+", "", page)
    for row in csv.DictReader((shop / "data/customers.csv").read_text("utf-8").splitlines()):
        for column in ("customer_no", "first_name", "last_name", "mail", "mobile"):
            assert len(row[column]) < 3 or row[column] not in told, column
    assert "622 records came to" in told
    assert "Measured on" in told


def test_a_model_that_does_not_fit_is_refused(say: Say, shop: Path) -> None:
    identity = shop / "config/identity.yaml"
    identity.write_text(identity.read_text("utf-8").replace("  - kind: card\n", ""), "utf-8")
    for command in (("use", "person"), ("compare", "person", "person")):
        code, _, err = say("identity", *command)
        assert (code, "the configuration compares" in err) == (1, True)
    assert say("identity", "train")[0] == 0, "a model that fits can always be trained"
    assert load_model("models/person-1.yaml", shop / "config").comparisons[-1].kind == "phone"


def test_a_missing_model_can_be_replaced(say: Say, shop: Path) -> None:
    identity = shop / "config/identity.yaml"
    identity.write_text(identity.read_text("utf-8").replace("model: person.yaml", 'model: "gone.yaml" # ours'), "utf-8")
    assert say("sync", "--as-of", AS_OF)[0] == 1
    assert [one["in_use"] for one in of(say, "models")] == [False]
    assert of(say, "use", "person") == {"before": "gone.yaml", "after": "person.yaml"}
    assert "model: person.yaml # ours\n" in identity.read_text("utf-8")
    assert say("sync", "--as-of", AS_OF)[0] == 0


def test_what_does_not_change_a_score_looks_at_nobody_again(say: Say, shop: Path) -> None:
    """A rule of survivorship is no matter of matching, and a model under another name is the same model."""
    (shop / "config/models").mkdir()
    save_model(load_model("person.yaml"), shop / "config/models/ours.yaml")
    identity = shop / "config/identity.yaml"
    text = identity.read_text("utf-8").replace("model: person.yaml", "model: models/ours.yaml")
    assert "default: [most_recent, source_order]" in text
    identity.write_text(text.replace("default: [most_recent, source_order]", "default: [most_frequent]"), "utf-8")
    code, out, err = say("sync", "--as-of", AS_OF)
    assert code == 0
    assert "resolve: nothing to do" in out + err
    assert "unify: profiles 270" in out + err


def test_two_records_are_explained_in_bits_and_limits(say: Say, persons: dict[str, str]) -> None:
    left, right, *_ = persons
    code, out, _ = say("explain", left, right)
    assert code == 0
    assert "Each bit doubles the odds that they are one person; 0 is even." in out
    assert "merged from +0.0 bits; a steward is asked from -4.2." in out


def test_a_version_that_is_not_there_is_told(say: Say) -> None:
    code, _, err = say("identity", "use", "person-7")
    assert code == 1
    assert err == "onevoice: person-7: no such model version (there are person.yaml)\n"


@pytest.mark.parametrize("command", [("train",), ("compare", "person", "person"), ("report", "--out", "x")])
def test_a_store_without_records_is_told(say: Say, shop: Path, command: tuple[str, ...]) -> None:
    shutil.rmtree(shop / ".onevoice")
    code, out, err = say("identity", *command)
    assert (code, out) == (1, "")
    assert re.search(r"the store holds no (resolved )?customer records yet \((pull some|run)", err)
