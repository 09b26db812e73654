"""Models: shipped ones load, bad files are told."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from identity import Model, Resolver, load_model, save_model
from identity.comparisons import KINDS
from onevoice.configfile.identity_file import ONE_FIELD_KINDS, ComparisonKind, IdentityFile
from onevoice.errors import IdentityError


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
