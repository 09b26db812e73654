"""The projects for public data: sound, blind to the truth column, and on the way from file to person.

Rows here are made up in the files' columns. With ONEVOICE_PUBLIC_DATA naming the folder of the files themselves, the
figures of docs/identity-results.md are held as well.
"""

from __future__ import annotations

import importlib.util
import os
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
NAMES = ("febrl3", "historical_persons", "hub_20k")
TELLING = {"true_entity", "entity", "case", "twin", "unique_id"}
"""Columns that tell who is who."""
COLUMNS = {
    "hub_20k": "unique_id source first_name last_name dob email phone street city postcode loyalty_id updated_at "
    "true_entity twin",
    "hard_cases": "n case src first_name last_name dob email phone street city postcode loyalty_id entity unique_id",
    "febrl3": "unique_id given_name surname street_number address_1 address_2 suburb postcode state date_of_birth "
    "soc_sec_id true_entity",
    "historical_persons": "unique_id true_entity full_name first_and_surname first_name surname dob birth_place "
    "postcode_fake gender occupation",
}
Rows = Sequence[Mapping[str, Any]]

_ANA = {"first_name": "Ana", "last_name": "Thornbury", "dob": "1984-02-29", "email": "ana.thornbury@example.org"}
_HOME = {"street": "12 Harbour Road", "city": "Leeds", "postcode": "LS1 4AB"}
HUB: Rows = [
    {"unique_id": "a1", "true_entity": "ana", **_ANA, **_HOME, "loyalty_id": "LC00012345"},
    {"unique_id": "a2", "true_entity": "ana", **_ANA, "email": " ANA.Thornbury@Example.org", "phone": "N/A"},
    {"unique_id": "a3", "true_entity": "ana", **_ANA, **_HOME, "email": None, "phone": "0044 7700 900123"},
    {"unique_id": "b1", "true_entity": "ben", **_ANA, **_HOME, "first_name": "Ben", "dob": "1981-07-30"},
]
HARD: Rows = [
    {"unique_id": "h1", "case": "H", "entity": "h:ana", **_ANA, "loyalty_id": "lc00012345"},
    {"unique_id": "h2", "case": "H", "entity": "h:eve", "first_name": "Eve", "last_name": "Okoro", "dob": "1990-05-06"},
]
_MIA = {"given_name": "mia", "surname": "cavanagh", "suburb": "glenroy", "postcode": "3046", "state": "vic"}
FEBRL: Rows = [
    {
        "unique_id": "m1", "true_entity": "mia", **_MIA, "street_number": "6", "address_1": "hill street",
        "date_of_birth": "19840229", "soc_sec_id": "1234567",
    },
    {
        "unique_id": "m2", "true_entity": "mia", **_MIA, "surname": "cavanahg", "street_number": "6",
        "address_1": "hill street", "date_of_birth": "19840231", "soc_sec_id": "7654321",
    },
    {
        "unique_id": "t1", "true_entity": "tom", **_MIA, "given_name": "tom", "street_number": "6",
        "address_1": "hill street", "date_of_birth": "19810730", "soc_sec_id": "5550001",
    },
]  # fmt: skip
_MARY = {"full_name": "mary anne fairweather", "dob": "1801-05-09", "birth_place": "ely", "postcode_fake": "cb7 4dl"}
HISTORICAL: Rows = [
    {"unique_id": "f1", "true_entity": "mary", **_MARY, "gender": "female", "occupation": "painter"},
    {"unique_id": "f2", "true_entity": "mary", **_MARY, "full_name": "mary a fairwether"},
    {"unique_id": "g1", "true_entity": "john", "full_name": "john abel", "dob": "1711-01-01", "birth_place": "ely"},
    {"unique_id": "x1", "true_entity": "nobody", "first_and_surname": "not mapped"},
]
FILES: Mapping[str, Mapping[str, Rows]] = {
    "hub_20k": {"hub_20k": HUB, "hard_cases": HARD},
    "febrl3": {"febrl3": FEBRL},
    "historical_persons": {"historical_persons": HISTORICAL},
}
PEOPLE: Mapping[str, set[frozenset[str]]] = {
    "hub_20k": {frozenset({"a1", "a2", "a3", "h1"}), frozenset({"b1"}), frozenset({"h2"})},
    "febrl3": {frozenset({"m1", "m2"}), frozenset({"t1"})},
    "historical_persons": {frozenset({"f1", "f2"}), frozenset({"g1"})},
}


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The benchmark as a module."""
    spec = importlib.util.spec_from_file_location("identity_real_data", ROOT / "benchmarks/identity_real_data.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
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
def test_no_mapping_reads_who_is_who(name: str, bench: ModuleType, tmp_path: Path) -> None:
    with bench.opened(name, write(tmp_path, FILES[name])) as hub:
        assert {stream for _, stream in hub.mappings} == FILES[name].keys()
        for mapping in hub.mappings.values():
            assert TELLING.isdisjoint(mapping.pull_fields)


def test_hub_20k_is_judged_with_the_shipped_configuration() -> None:
    assert (PROJECTS / "hub_20k/config/identity.yaml").read_text("utf-8").splitlines()[1:] == (
        (ROOT / "config/identity.yaml").read_text("utf-8").splitlines()[1:]
    )
    assert not list((PROJECTS / "hub_20k").rglob("person.yaml"))


@pytest.mark.parametrize("name", NAMES)
def test_rows_become_people(name: str, bench: ModuleType, tmp_path: Path) -> None:
    found, seconds = bench.resolve(name, write(tmp_path, FILES[name]))
    people = {frozenset(ref.key for ref in found if found[ref] == profile) for profile in found.values()}
    assert people == PEOPLE[name]
    assert seconds.keys() == {"pull", "resolve"}


def test_values_on_the_way(bench: ModuleType, tmp_path: Path) -> None:
    with bench.opened("febrl3", write(tmp_path, FILES["febrl3"])) as hub:
        bench.run(hub, "pull")
        known = {record.ref.key: record.data for record in identity_records(hub)}
    assert (known["m1"]["street"], known["m1"]["birth_date"]) == ("6 hill street", "1984-02-29")
    assert "birth_date" not in known["m2"]  # 31 February


def test_the_judge_counts_rows_that_became_nobody(bench: ModuleType, tmp_path: Path) -> None:
    result = bench.measure("historical_persons", write(tmp_path, FILES["historical_persons"]))
    assert (result.records, result.quality.f1, result.cases) == (4, 1.0, {})
    rows = [{**row, "true_entity": "mary"} for row in HISTORICAL]
    result = bench.measure("historical_persons", write(tmp_path, {"historical_persons": rows}))
    assert result.quality.precision == 1.0
    assert result.quality.recall == pytest.approx(1 / 6)


def test_hard_cases_are_mixed_in_and_judged_apart(bench: ModuleType, tmp_path: Path) -> None:
    rows = [{**row, "entity": "h:one"} for row in HARD]
    result = bench.measure("hub_20k", write(tmp_path, {"hub_20k": HUB, "hard_cases": rows}))
    assert (result.records, result.quality.f1, result.cases) == (6, 1.0, {"H": False})
    assert bench.measure("hub_20k", write(tmp_path, FILES["hub_20k"])).cases == {"H": True}


@pytest.mark.slow
@pytest.mark.skipif("ONEVOICE_PUBLIC_DATA" not in os.environ, reason="ONEVOICE_PUBLIC_DATA names no folder")
@pytest.mark.parametrize(("name", "f1"), [("hub_20k", 0.97), ("febrl3", 0.99), ("historical_persons", 0.80)])
def test_public_data(bench: ModuleType, name: str, f1: float) -> None:
    result = bench.measure(name, Path(os.environ["ONEVOICE_PUBLIC_DATA"]))
    assert result.quality.f1 >= f1
    assert result.quality.b_cubed_f1 >= f1
    assert all(result.cases.values())
    if name == "hub_20k":
        assert result.quality.precision >= 0.99
        assert len(result.cases) == 19
