"""The benchmark of identity: its projects are sound and blind to the truth, rows become people, peers read and write
what they should, and the judge judges.

Rows here are made up in the columns of the real files.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from onevoice.configfile import lint_project, load_project
from onevoice.mapping.testing import run_mapping_tests, untested_fields
from onevoice.pipeline.views import identity_records
from onevoice.policy import check_policy

ROOT = Path(__file__).parents[2]
PROJECTS = ROOT / "benchmarks/identity"
NAMES = ("census", "census_w2", "febrl3", "febrl4", "historical_persons", "hub_20k")
TELLING = {"unique_id", "household_id", "employer_id", "simulant_id", "true_entity", "entity", "case", "twin"}
"""Columns that tell, or help to tell, who is who."""
_FEBRL = "unique_id given_name surname street_number address_1 address_2 suburb postcode state date_of_birth soc_sec_id"
_CENSUS = (
    "unique_id first_name middle_initial last_name age date_of_birth street_number street_name unit_number city state "
    "zipcode housing_type relationship_to_reference_person sex race_ethnicity year"
)
COLUMNS = {
    "hub_20k": "unique_id source first_name last_name dob email phone street city postcode loyalty_id updated_at",
    "hard_cases": "n src first_name last_name dob email phone street city postcode loyalty_id unique_id",
    "febrl3": _FEBRL,
    "febrl4_a": _FEBRL,
    "febrl4_b": _FEBRL,
    "census_2020": _CENSUS,
    "census_2030": _CENSUS,
    "w2_2020": "unique_id ssn wages employer_name first_name middle_initial last_name mailing_address_street_number "
    "mailing_address_street_name mailing_address_city mailing_address_state mailing_address_zipcode tax_form tax_year",
    "historical_persons": "unique_id full_name first_and_surname first_name surname dob birth_place "
    "postcode_fake gender occupation",
}
Rows = Sequence[Mapping[str, Any]]

_ANA = {"first_name": "Ana", "last_name": "Thornbury", "dob": "1984-02-29", "email": "ana.thornbury@example.org"}
_HOME = {"street": "12 Harbour Road", "city": "Leeds", "postcode": "LS1 4AB"}
HUB: Rows = [
    {"unique_id": "a1", **_ANA, **_HOME, "loyalty_id": "LC00012345"},
    {"unique_id": "a2", **_ANA, "email": " ANA.Thornbury@Example.org", "phone": "N/A"},
    {"unique_id": "a3", **_ANA, **_HOME, "email": None, "phone": "0044 7700 900123"},
    {"unique_id": "b1", **_ANA, **_HOME, "first_name": "Ben", "dob": "1981-07-30"},
]
HARD: Rows = [
    {"unique_id": "h1", **_ANA, "loyalty_id": "lc00012345"},
    {"unique_id": "h2", "first_name": "Eve", "last_name": "Okoro", "dob": "1990-05-06"},
]
_MIA = {"given_name": "mia", "surname": "cavanagh", "suburb": "glenroy", "postcode": "3046", "state": "vic"}
FEBRL_ROWS: Rows = [
    {
        "unique_id": "m1", **_MIA, "street_number": "6", "address_1": "hill street",
        "date_of_birth": "19840229", "soc_sec_id": "1234567",
    },
    {
        "unique_id": "m2", **_MIA, "surname": "cavanahg", "street_number": "6",
        "address_1": "hill street", "date_of_birth": "19840231", "soc_sec_id": "7654321",
    },
    {
        "unique_id": "t1", **_MIA, "given_name": "tom", "street_number": "6",
        "address_1": "hill street", "date_of_birth": "19810730", "soc_sec_id": "5550001",
    },
]  # fmt: skip
_MARY = {"full_name": "mary anne fairweather", "dob": "1801-05-09", "birth_place": "ely", "postcode_fake": "cb7 4dl"}
HISTORICAL: Rows = [
    {"unique_id": "f1", **_MARY, "gender": "female", "occupation": "painter"},
    {"unique_id": "f2", **_MARY, "full_name": "mary a fairwether"},
    {"unique_id": "g1", "full_name": "john abel", "dob": "1711-01-01", "birth_place": "ely"},
    {"unique_id": "x1", "first_and_surname": "not mapped"},
]
_ROSA = {"first_name": "Rosa", "middle_initial": "M", "last_name": "Delgado"}
_ROAD = {"street_number": "145", "street_name": "mill road", "city": "Anytown", "zipcode": "00000"}
_MAIL = {
    "mailing_address_street_number": "145",
    "mailing_address_street_name": "mill rd",
    "mailing_address_city": "Anytown",
}
CENSUS: Rows = [
    {"unique_id": "c1", **_ROSA, **_ROAD, "date_of_birth": "02/29/1984", "sex": "Female"},
    {"unique_id": "c2", **_ROSA, **_ROAD, "first_name": "Hugo", "date_of_birth": "07/30/1981", "sex": "Male"},
    {"unique_id": "c3", **_ROSA, "first_name": "Lady", "date_of_birth": "02/29/1984", "sex": "Female"},
]
W2: Rows = [
    {"unique_id": "w1", **_ROSA, **_MAIL, "ssn": "584-16-0130"},
    {"unique_id": "w2", **_ROSA, "last_name": "Delgao", "ssn": "584-16-0130"},
]
FILES: Mapping[str, Mapping[str, Rows]] = {
    "hub_20k": {"hub_20k": HUB, "hard_cases": HARD},
    "febrl3": {"febrl3": FEBRL_ROWS},
    "febrl4": {"febrl4_a": FEBRL_ROWS[:1], "febrl4_b": FEBRL_ROWS[1:]},
    "census": {"census_2020": CENSUS[:2], "census_2030": CENSUS[2:]},
    "census_w2": {"census_2020": CENSUS[:2], "w2_2020": W2},
    "historical_persons": {"historical_persons": HISTORICAL},
}
PEOPLE: Mapping[str, set[frozenset[str]]] = {
    "hub_20k": {frozenset({"a1", "a2", "a3", "h1"}), frozenset({"b1"}), frozenset({"h2"})},
    "febrl3": {frozenset({"m1", "m2"}), frozenset({"t1"})},
    "febrl4": {frozenset({"m1", "m2"}), frozenset({"t1"})},
    "census": {frozenset({"c1", "c3"}), frozenset({"c2"})},
    "census_w2": {frozenset({"c1", "w1", "w2"}), frozenset({"c2"})},
    "historical_persons": {frozenset({"f1", "f2"}), frozenset({"g1"})},
}


@pytest.fixture(scope="module")
def bench() -> dict[str, ModuleType]:
    """The benchmark's files as modules."""
    return {name: _module(name) for name in ("ours", "run", "table", "processes", "datasets")}


def _module(name: str) -> ModuleType:
    """A file of the benchmark under the name by which the others import it."""
    spec = importlib.util.spec_from_file_location(name, PROJECTS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write(folder: Path, files: Mapping[str, Rows]) -> Path:
    """Parquet files with all columns that the real ones have."""
    for name, rows in files.items():
        names = COLUMNS[name].split()
        assert {column for row in rows for column in row} <= set(names)
        pq.write_table(
            pa.table({column: [row.get(column) for row in rows] for column in names}), folder / f"{name}.parquet"
        )
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_the_project_is_sound(name: str) -> None:
    assert lint_project(PROJECTS / name, (check_policy,)) == []
    project = load_project(PROJECTS / name)
    cases = list(run_mapping_tests(project))
    assert cases
    assert [case for case in cases if case.differences] == []
    assert untested_fields(project) == {}


@pytest.mark.parametrize("name", NAMES)
def test_no_mapping_reads_who_is_who(name: str, bench: Mapping[str, ModuleType], tmp_path: Path) -> None:
    with bench["ours"].opened(name, write(tmp_path, FILES[name])) as hub:
        assert {stream for _, stream in hub.mappings} == FILES[name].keys()
        for mapping in hub.mappings.values():
            assert TELLING.isdisjoint(mapping.pull_fields)


def test_every_data_set_has_a_project(bench: Mapping[str, ModuleType]) -> None:
    assert set(bench["datasets"].SETS) == set(NAMES)


def test_hub_20k_is_judged_with_the_shipped_configuration() -> None:
    assert (PROJECTS / "hub_20k/config/identity.yaml").read_text("utf-8").splitlines()[1:] == (
        (ROOT / "config/identity.yaml").read_text("utf-8").splitlines()[1:]
    )
    assert not list((PROJECTS / "hub_20k").rglob("person.yaml"))


@pytest.mark.parametrize("name", NAMES)
def test_rows_become_people(name: str, bench: Mapping[str, ModuleType], tmp_path: Path) -> None:
    bench["ours"].resolve(name, write(tmp_path, FILES[name]), tmp_path)
    found = pq.read_table(tmp_path / "people.parquet").to_pylist()
    people: dict[str, set[str]] = {}
    for row in found:
        people.setdefault(row["cluster"], set()).add(row["unique_id"])
    assert {frozenset(keys) for keys in people.values()} == PEOPLE[name]
    assert json.loads((tmp_path / "seconds.json").read_text()).keys() == {"pull", "resolve", "match"}
    columns = pq.read_table(tmp_path / "columns.parquet")
    assert columns.column_names == ["id", *bench["datasets"].SETS[name].columns]
    assert columns.num_rows == len(found)


def test_values_on_the_way(bench: Mapping[str, ModuleType], tmp_path: Path) -> None:
    with bench["ours"].opened("febrl3", write(tmp_path, FILES["febrl3"])) as hub:
        bench["ours"].run(hub, "pull")
        known = {record.ref.key: record.data for record in identity_records(hub)}
    assert (known["m1"]["street"], known["m1"]["birth_date"]) == ("6 hill street", "1984-02-29")
    assert "birth_date" not in known["m2"]  # 31 February


def test_the_judge_counts_rows_that_became_nobody(bench: Mapping[str, ModuleType]) -> None:
    persons = {("s", key): "mary" for key in "abcd"}
    quality = bench["run"].judge({("s", "a"): 1, ("s", "b"): 1}, persons)
    assert (quality["precision"], quality["recall"]) == (1.0, 0.1667)


def test_hard_cases_are_told_apart(bench: Mapping[str, ModuleType]) -> None:
    persons = {("h", "1"): "ana", ("h", "2"): "eve"}
    refs = list(persons)
    assert bench["run"].right({("h", "1"): 1, ("h", "2"): 2}, persons, refs)
    assert not bench["run"].right({("h", "1"): 1, ("h", "2"): 1}, persons, refs)


PEOPLE_TWICE: Rows = [
    {"id": f"s/{number}{copy}", "given": f"given{number % 40}", "family": f"family{number % 55}", "birth_date": day}
    for number in range(300)
    for day in [f"19{number % 60 + 20}-0{number % 9 + 1}-{number % 18 + 10}"]
    for copy in "ab"
]


@pytest.mark.parametrize("peer", ["exact_keys.py", "splink_default.py"])
def test_peers_without_an_environment_of_their_own(peer: str, bench: Mapping[str, ModuleType], tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_pylist(PEOPLE_TWICE), tmp_path / "columns.parquet")
    keys = [["given", "family", "birth_date"]]
    kinds = {"given": "name", "family": "name", "birth_date": "date"}
    task = {"columns": kinds, "keys": keys, "blocks": [["given", "family"], ["birth_date"]]}
    (tmp_path / "task.json").write_text(json.dumps(task))
    ended = bench["processes"].measure([sys.executable, PROJECTS / "peers" / peer, tmp_path], tmp_path / "log")
    assert ended.failure == "", (tmp_path / "log").read_text()
    assert ended.peak_mb > 10
    found = bench["run"].clusters(tmp_path)
    assert bench["run"].judge(found, {key: key[1][:-1] for key in found})["f1"] == 1.0


def test_a_process_that_fails_says_why(bench: Mapping[str, ModuleType], tmp_path: Path) -> None:
    ended = bench["processes"].measure([sys.executable, "-c", "raise SystemExit('no such thing')"], tmp_path / "log")
    assert ended.failure == "no such thing"
    greedy = "data = bytearray(64 << 30); print(len(data))"
    assert bench["processes"].measure([sys.executable, "-c", greedy], tmp_path / "log").failure == (
        "more than 12 GB of memory"
    )


def test_the_table_says_what_did_not_run(bench: Mapping[str, ModuleType]) -> None:
    shares = dict.fromkeys(("precision", "recall", "f1", "b_cubed_f1"), 0.98765)
    ours = {**shares, "failure": "", "seconds": 9.0, "peak_mb": 200}
    ours["stages"] = {"pull": 1.0, "resolve": 2.0, "match": 0.5}
    ways = {"Onevoice": ours, "dedupe": {"failure": "not done within 600 s", "seconds": 600.0, "peak_mb": 9}}
    told = bench["table"].markdown({"hub_20k": ways}, bench["datasets"].SETS).splitlines()
    assert told[4].startswith("| **Onevoice** | **.9877** |")
    assert told[5] == "| dedupe | not done within 600 s |  |  |  | 600.0 | 9 |"


def test_figures_below_their_bars_are_told(bench: Mapping[str, ModuleType]) -> None:
    run = bench["run"]
    ours = {"f1": 0.97, "precision": 0.999, "stages": {"match": 9.1}}
    peers = {
        run.SPLINK: {"seconds": 4.0, "f1": 0.971, "failure": ""},
        run.LABELLED[0]: {"seconds": 1.0, "f1": 0.99, "failure": ""},
        run.LABELLED[1]: {"seconds": 1.0, "failure": "not done within 600 s"},
    }
    assert run.short({"hub_20k": {run.OURS: ours, **peers}}) == [
        "hub_20k: f1 is 0.97, and must be 0.98",
        "hub_20k: f1 is 0.97, and Splink, default model reached 0.971",
        "hub_20k: matching took 9.1 s, more than 2.0 times Splink's",
    ]
    near = {"f1": 0.995, "stages": {"match": 1.0}}
    assert run.short({"febrl3": {run.OURS: near, **peers}}) == []
    best = {run.LABELLED[0]: {"seconds": 1.0, "f1": 0.999, "failure": ""}}
    assert run.short({"febrl3": {run.OURS: near, **peers, **best}}) == [
        "febrl3: f1 is 0.995, more than 0.003 behind recordlinkage, 2,000 labels with 0.999"
    ]
