"""The matching model: comparisons, levels and their m and u probabilities, in YAML of our own, compiled to Splink.

m is the share of a level among pairs of one person, u among pairs of two people. Prior and probabilities are frozen
in the file: a pair's score is a function of its two records and this file, whatever else is in the hub.

Weights are bits, log2(m / u), and are summed with the prior (Fellegi and Sunter, A Theory for Record Linkage, 1969).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from importlib import resources
from math import log2
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from identity.comparisons import kind_of
from identity.conditions import DUCKDB
from identity.records import NORMALISER_VERSION
from onevoice.configfile.identity_file import Comparison, IdentityFile
from onevoice.errors import IdentityError

SHIPPED = resources.files("identity") / "models"
"""Models that come with Onevoice."""
_SAME_NAME = ("family", "moved", "common_family", "common_moved")
"""Levels of family_and_address that tell of nothing but the name."""
NAME_KINDS = ("given_name", "family_name", "full_name")

Probability = Annotated[float, Field(gt=0, le=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LevelFigures(_Strict):
    """How often one level occurs among matches (m) and among others (u)."""

    m: Probability
    u: Probability

    @property
    def weight(self) -> float:
        """Bits for (+) or against (-) a match."""
        return log2(self.m / self.u)


class ComparisonFigures(_Strict):
    """One comparison and the figures of all its levels, strongest first."""

    kind: str
    field: str | None = None
    levels: dict[str, LevelFigures]

    @property
    def comparison(self) -> Comparison:
        """The comparison as the configuration names it."""
        return Comparison.model_validate({"kind": self.kind, "field": self.field})


class Calibration(_Strict):
    """What stewards' decisions say about the weights: calibrated bits = slope * bits + offset.

    The slope is above zero, so no pair overtakes another (identity/calibrate.py fits it).
    """

    slope: Annotated[float, Field(gt=0)]
    offset: float
    labels: Annotated[int, Field(ge=1)]
    """Decisions that it stands on."""


class Model(_Strict):
    """A model file."""

    name: str
    normaliser: int
    trained_on: str
    trained_at: datetime | None = None
    records: int | None = None
    """Records that it was trained on."""
    unseen: tuple[str, ...] = ()
    """Levels, as `comparison.level`, that its records did not show: borrowed figures, or the least there are."""
    prior: Probability
    common: Mapping[str, tuple[str, ...]] = {}
    """`given` and `family` -> names that many bear, folded and sorted, as they were when the model was trained.

    They are what stands here for term frequencies: agreement on a common name says less. Rare names are left out,
    for a rare name in a file is personal data.
    """
    comparisons: tuple[ComparisonFigures, ...]
    calibration: Calibration | None = None

    @model_validator(mode="after")
    def _levels_complete(self) -> Self:
        for figures in self.comparisons:
            kind = kind_of(figures.comparison)
            wanted = [level.name for level in kind.outcomes]
            if list(figures.levels) != wanted:
                raise ValueError(f"{figures.comparison.name}: levels must be {', '.join(wanted)} in this order")
        return self

    @property
    def version(self) -> str:
        """Hash of all that decides a score: models of one version score equally, whatever they are called."""
        scoring = self.model_dump_json(
            exclude={"name", "trained_on", "trained_at", "records", "unseen"}, exclude_none=True
        )
        return hashlib.sha256(scoring.encode()).hexdigest()[:16]

    @property
    def prior_weight(self) -> float:
        """Calibrated bits of the prior: strongly negative, as two records are rarely one person."""
        offset = self.calibration.offset if self.calibration else 0.0
        return self._slope * log2(self.prior / (1 - self.prior)) + offset

    @property
    def weights(self) -> Mapping[str, tuple[float, ...]]:
        """Comparison -> calibrated bits of its levels, strongest first, `otherwise` last."""
        return {
            figures.comparison.name: tuple(self._slope * level.weight for level in figures.levels.values())
            for figures in self.comparisons
        }

    @property
    def _slope(self) -> float:
        return self.calibration.slope if self.calibration else 1.0

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the normalised table that the model reads, in a fixed order."""
        read = {column for figures in self.comparisons for column in kind_of(figures.comparison).columns}
        return tuple(sorted(read))

    @property
    def support(self) -> dict[str, float]:
        """Comparison -> weight above which it says more than that the names are alike.

        Two records that agree on nothing but names are never merged and nobody is asked: in any large base they
        are two people more often than not. Comparisons of names alone are left out.
        """
        floors = {}
        for figures in self.comparisons:
            if figures.kind == "family_and_address":
                floors[figures.comparison.name] = self._slope * max(figures.levels[name].weight for name in _SAME_NAME)
            elif figures.kind not in NAME_KINDS:
                floors[figures.comparison.name] = 0.0
        return floors

    def splink_settings(self) -> dict[str, Any]:
        """Splink settings for DuckDB; blocking is left out, because candidate pairs are registered.

        Splink takes weights as m and u only: of a calibrated model both are raised to the slope, which multiplies
        the bits by it.
        """
        return splink_settings(
            [figures.comparison for figures in self.comparisons],
            1 / (1 + 2**-self.prior_weight),
            [
                [{"m": level.m**self._slope, "u": level.u**self._slope} for level in figures.levels.values()]
                for figures in self.comparisons
            ],
        )


def splink_settings(
    comparisons: list[Comparison], prior: float, figures: list[list[dict[str, float]]] | None = None
) -> dict[str, Any]:
    """Settings for Splink from comparisons; without figures, for training."""
    built = []
    for at, comparison in enumerate(comparisons):
        kind = kind_of(comparison)
        levels: list[dict[str, Any]] = [
            {"sql_condition": DUCKDB.render(kind.silent), "label_for_charts": "silent", "is_null_level": True}
        ]
        conditions = [*(DUCKDB.render(level.condition) for level in kind.levels), "ELSE"]
        for position, (level, condition) in enumerate(zip(kind.outcomes, conditions, strict=True)):
            entry: dict[str, Any] = {"sql_condition": condition, "label_for_charts": level.name}
            if figures is not None:
                entry["m_probability"] = figures[at][position]["m"]
                entry["u_probability"] = figures[at][position]["u"]
            levels.append(entry)
        built.append({"output_column_name": comparison.name, "comparison_levels": levels})
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "id",
        "probability_two_random_records_match": prior,
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": figures is not None,
        "blocking_rules_to_generate_predictions": [],
        "comparisons": built,
    }


def require_fit(model: Model, config: IdentityFile) -> None:
    """Raise IdentityError when the model was trained for other comparisons than the configuration names."""
    wanted = [(comparison.kind, comparison.field) for comparison in config.comparisons]
    held = [(figures.kind, figures.field) for figures in model.comparisons]
    if wanted != held:
        raise IdentityError(
            f"identity: the configuration compares {wanted}, model {model.name} was trained for {held} "
            "(name another model, or run `onevoice identity train`)"
        )


def load_model(name: str, folder: Path | None = None) -> Model:
    """Read a model file from `folder`, else the shipped one of that name; raise IdentityError when it is unusable."""
    model = read_model(name, folder)
    if model.normaliser != NORMALISER_VERSION:
        raise IdentityError(
            f"{name}: trained with normaliser {model.normaliser}, this is {NORMALISER_VERSION} "
            "(run `onevoice identity train`)"
        )
    return model


def read_model(name: str, folder: Path | None = None) -> Model:
    """The same for looking at only: also a model of another normaliser, which must not score."""
    shipped = SHIPPED / name
    own = folder / name if folder else None
    if own is not None and own.is_file():
        where, text = str(own), own.read_text("utf-8")
    elif shipped.is_file():
        where, text = f"shipped model {name}", shipped.read_text("utf-8")
    else:
        raise IdentityError(f"{name}: no such model, neither in {folder} nor shipped (name an existing model file)")
    try:
        return Model.model_validate(YAML(typ="safe").load(text))
    except (YAMLError, ValidationError) as error:
        raise IdentityError(f"{where}: not a model file: {error} (train it again)") from error


def save_model(model: Model, path: Path) -> None:
    """Write a model file."""
    data = model.model_dump(mode="json", exclude_none=True)
    data = {name: value for name, value in data.items() if value or name == "comparisons"}
    yaml = YAML()
    yaml.default_flow_style = False
    with path.open("w", encoding="utf-8") as file:
        yaml.dump(data, file)
