"""Models: shipped ones load, scores are symmetric and explained, bad files are told."""

from __future__ import annotations

import random
from pathlib import Path
from typing import get_args

import pytest

from identity import Model, NormalisedRecord, Resolver, explain_pair, load_model, normalise, save_model
from identity.comparisons import KINDS, kind_of
from identity.conditions import DUCKDB
from identity.model import ComparisonFigures, LevelFigures
from identity.records import NORMALISER_VERSION
from identity.score import engine, score_given_pair
from identity.tables import records_table
from identity.train import train
from onevoice.configfile.identity_file import ONE_FIELD_KINDS, Comparison, ComparisonKind, IdentityFile
from onevoice.errors import IdentityError

_VALUES = {
    "given_name": ["Anna", "Anne", "A", "Smith", "Mary Ann", "Bill", "William", "Wlliam", "Xylora"],
    "family_name": ["Smith", "Smyth", "Anna", "Jones-Smith", "Xylora"],
    "birth_date": ["1980-02-03", "1980-03-02", "1981-02-03", "1980-01-01", "1955-12-31"],
    "email": ["anna.smith1980@gmail.com", "annasmith1980@gmial.com", "anna.smyth1980@gmail.com", "z@web.de"],
    "phone": ["07700900111", "+447700900111", "07700900112"],
    "street": ["1 High Street", "1 High St", "2 High Street", "9 Low Road"],
    "city": ["Leeds", "Leads", "York"],
    "postcode": ["LS1 1AA", "LS1 1AB", "YO1 2BB"],
    "card_number": ["LC1001", "LC1002"],
    "national_id": ["4974506", "4974560", "1111119"],
    "occupation": ["politician", "politican", "painter"],
}


def _every_kind() -> Model:
    """A model that holds every kind of comparison, with a figure of its own for every level."""
    comparisons = [Comparison(kind=kind) for kind in get_args(ComparisonKind) if kind not in ONE_FIELD_KINDS]
    comparisons += [Comparison(kind="exact", field="gender"), Comparison(kind="code", field="national_id")]
    comparisons.append(Comparison(kind="text", field="occupation"))
    figures = []
    for at, comparison in enumerate(comparisons):
        kind = kind_of(comparison)
        levels = {
            level.name: LevelFigures(m=0.9 / (position + 1), u=0.01 * (at + 1) * (position + 1))
            for position, level in enumerate((*kind.levels, kind.otherwise))
        }
        figures.append(ComparisonFigures(kind=comparison.kind, field=comparison.field, levels=levels))
    return Model(
        name="all", normaliser=NORMALISER_VERSION, trained_on="nothing", prior=0.001, comparisons=tuple(figures)
    )


def _random_records(make, count: int, seed: int) -> list[NormalisedRecord]:
    rng = random.Random(seed)
    return [
        make(str(n), **{name: rng.choice(values) for name, values in _VALUES.items() if rng.random() < 0.85})
        for n in range(count)
    ]


def test_every_level_is_symmetric(make) -> None:
    model = _every_kind()
    table = records_table(_random_records(make, 250, 11), model.columns)
    columns = ", ".join(f"l.{name} as {name}_l, r.{name} as {name}_r" for name in table.column_names)
    with engine() as connection:
        connection.register("given", table)
        for figures in model.comparisons:
            kind = kind_of(figures.comparison)
            levels = " ".join(
                f"when {DUCKDB.render(level.condition)} then {at}" for at, level in enumerate(kind.levels)
            )
            case = f"case when {DUCKDB.render(kind.silent)} then -1 {levels} else 99 end"
            connection.execute(
                f"create or replace table levels as select id_l, id_r, {case} as level "
                f"from (select {columns} from given l, given r)"
            )
            differing = connection.execute(
                "select count(*) from levels a join levels b on a.id_l = b.id_r and a.id_r = b.id_l "
                "where a.level <> b.level"
            ).fetchall()
            assert differing == [(0,)], figures.comparison.name


def test_explanations_tell_what_splink_scored(make, config: IdentityFile) -> None:
    model = _every_kind()
    records = _random_records(make, 12, 3)
    for a, b in zip(records[::2], records[1::2], strict=True):
        edge = score_given_pair(a, b, model)
        told = {reason.field: reason.weight or 0.0 for reason in explain_pair(a, b, model, config)}
        assert {name: told[name] for name in edge.per_field} == pytest.approx(dict(edge.per_field), abs=1e-5)


def test_all_kinds_are_covered() -> None:
    assert set(KINDS) | set(ONE_FIELD_KINDS) == set(get_args(ComparisonKind))


def test_the_shipped_model_rates_a_different_given_name_against(model: Model) -> None:
    weights = {figures.comparison.name: figures.levels for figures in model.comparisons}
    assert weights["given_name"]["different"].weight < -2
    assert weights["family_and_address"]["both"].weight < 15, "weighed once, not twice"


def test_a_model_survives_the_file(tmp_path: Path, model: Model) -> None:
    save_model(model, tmp_path / "own.yaml")
    assert load_model("own.yaml", tmp_path).version == load_model("own.yaml", tmp_path).version
    assert [f.comparison for f in load_model("own.yaml", tmp_path).comparisons] == [
        f.comparison for f in model.comparisons
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name: [", "not a model file"),
        ("name: x\nnormaliser: 1\ntrained_on: x\nprior: 0.1\ncomparisons: []\nextra: 1", "extra"),
        ("name: x\nnormaliser: 0\ntrained_on: x\nprior: 0.1\ncomparisons: []", "normaliser 0"),
        (
            "{name: x, normaliser: 1, trained_on: x, prior: 0.1, "  # noqa: ISC004 one file
            "comparisons: [{kind: card, levels: {equal: {m: 1, u: 1}}}]}",
            "levels must be equal, different",
        ),
    ],
)
def test_unusable_models_are_told(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "bad.yaml").write_text(text, "utf-8")
    with pytest.raises(IdentityError, match=told):
        load_model("bad.yaml", tmp_path)


def test_a_missing_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(IdentityError, match="no such model"):
        load_model("nowhere.yaml", tmp_path)


def test_configuration_and_model_must_agree(config: IdentityFile, model: Model) -> None:
    other = config.model_copy(update={"comparisons": config.comparisons[:2]})
    with pytest.raises(IdentityError, match="was trained for"):
        Resolver(other, model)


def test_training_finds_that_matches_agree(population, config: IdentityFile) -> None:
    records, _, _ = population(3, 300)
    trained = train(
        [normalise(record, config) for record in records], config, name="t", trained_on="sandbox", prior=1e-3
    )
    levels = {figures.comparison.name: figures.levels for figures in trained.comparisons}
    for name in ("given_name", "birth_date", "email", "phone", "card"):
        assert levels[name]["equal"].weight > 3
        assert levels[name]["different"].weight < 0
