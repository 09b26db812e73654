"""What the benchmark runs on: data sets, what their models are trained by, and how the peers are set up for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Rules = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class DataSet:
    """One data set; its project lies in the folder of its name."""

    title: str
    columns: Mapping[str, str]
    """Column that the peers are given -> how it is to be compared: name, date, email, postcode, code, text or exact."""
    blocks: Rules
    """The peers compare records that agree on all columns of one line; so does their training, where they train."""
    keys: Rules
    """Exact keys: records that agree on all columns of one line are one person to union-find."""
    training: Rules = ()
    """Pairs by which our model is trained (identity/train.py); none where the shipped model is judged."""
    hard: str = ""
    """The stream of hard cases, which is mixed in and judged apart."""
    bars: Mapping[str, float] = field(default_factory=dict)
    """What our figures must reach."""
    beside: Literal["ahead", "near", ""] = ""
    """Our F1 must be above that of every unlabelled peer, or near that of the best of all."""


_ADDRESS = {"house": "exact", "street": "text"}
_FEBRL = {
    "given": "name",
    "family": "name",
    "birth_date": "date",
    "national_id": "code",
    **_ADDRESS,
    "city": "text",
    "postcode": "code",
}
_FEBRL_BLOCKS: Rules = (
    ("national_id",),
    ("birth_date",),
    ("given", "family"),
    ("given", "postcode"),
    ("family", "postcode"),
    ("house", "street"),
)
_FEBRL_KEYS: Rules = (("national_id",), ("given", "family", "birth_date"))
_FEBRL_TRAINING: Rules = (("birth_date",), ("given", "family"))
_FEBRL_BARS = {"f1": 0.994}
_CENSUS = {"given": "name", "family": "name", "middle_initial": "exact"}

SETS: Mapping[str, DataSet] = {
    "hub_20k": DataSet(
        "hub_20k, hard cases mixed in",
        {
            "given": "name",
            "family": "name",
            "birth_date": "date",
            "email": "email",
            "phone": "exact",
            "postcode": "postcode",
            "card": "exact",
        },
        (
            ("email",),
            ("phone",),
            ("card",),
            ("birth_date", "family"),
            ("given", "family"),
            ("family", "postcode"),
        ),
        (("email",), ("phone",), ("card",), ("given", "family", "birth_date")),
        hard="hard_cases",
        bars={"f1": 0.98, "precision": 0.99},
        beside="ahead",
    ),
    "census": DataSet(
        "census 2020 and 2030",
        {**_CENSUS, "birth_date": "date", "gender": "exact", **_ADDRESS},
        (
            ("birth_date", "family"),
            ("birth_date", "given"),
            ("given", "family"),
            ("house", "street", "given"),
        ),
        (("given", "family", "birth_date"),),
        (("birth_date",), ("given", "family")),
        bars={"f1": 0.98},
        beside="ahead",
    ),
    "census_w2": DataSet(
        "census 2020 and tax forms",
        {**_CENSUS, "national_id": "code", **_ADDRESS},
        (("national_id",), ("given", "family"), ("house", "street", "given"), ("family", "street")),
        (("national_id",), ("given", "family", "house", "street")),
        (("x_national_id",), ("given", "family", "street")),
        bars={"f1": 0.965},
        beside="ahead",
    ),
    "febrl3": DataSet("FEBRL 3", _FEBRL, _FEBRL_BLOCKS, _FEBRL_KEYS, _FEBRL_TRAINING, bars=_FEBRL_BARS, beside="near"),
    "febrl4": DataSet("FEBRL 4", _FEBRL, _FEBRL_BLOCKS, _FEBRL_KEYS, _FEBRL_TRAINING, bars=_FEBRL_BARS, beside="near"),
    "historical_persons": DataSet(
        "historical persons",
        {
            "given": "name",
            "family": "name",
            "birth_date": "date",
            "postcode": "postcode",
            "birth_place": "exact",
            "occupation": "exact",
        },
        (
            ("given", "family"),
            ("family", "birth_date"),
            ("given", "birth_date"),
            ("postcode", "given"),
            ("postcode", "family"),
            ("birth_date", "birth_place"),
        ),
        (("given", "family", "birth_date"),),
        (("whole",), ("birth_date", "postcode")),
        bars={"f1": 0.83, "b_cubed_f1": 0.86},
    ),
}
