"""A model that holds every kind of comparison, and records that reach every level of it."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, get_args

from hypothesis import strategies as st

from identity import Model, NormalisedRecord
from identity.comparisons import kind_of
from identity.model import ComparisonFigures, LevelFigures
from identity.records import NORMALISER_VERSION
from onevoice.configfile.identity_file import ONE_FIELD_KINDS, Comparison, ComparisonKind, IdentityFile
from onevoice.model import Ref

VALUES = {
    "given_name": ["Anna", "Anne", "A", "Smith", "Mary Ann", "Petra Ann", "Bill", "William", "Wlliam", "Xylora"],
    "family_name": ["Smith", "Smyth", "Smithe", "Anna", "Jones-Smith", "Xylora", "Smallwood"],
    "birth_date": ["1980-02-03", "1980-03-02", "1981-02-03", "1980-01-01", "1980-11-29", "1955-12-31"],
    "email": [
        "anna.smith1980@gmail.com",
        "annasmith1980@gmial.com",
        "anna.smyth1980@gmail.com",
        "anna.smith1981@gmail.com",
        "änna.smith1980@gmail.com",
        "z@web.de",
    ],
    "phone": ["07700900111", "+447700900111", "07700900112"],
    "street": ["1 High Street", "1 High St", "2 High Street", "9 Low Road", "High Street"],
    "city": ["Leeds", "Leads", "York"],
    "postcode": ["LS1 1AA", "LS1 1AB", "YO1 2BB", "LS1 9ZZ"],
    "card_number": ["LC1001", "LC1002"],
    "gender": ["female", "male"],
    "national_id": ["4974506", "4974560", "1111119"],
    "occupation": ["politician", "politican", "polisher", "painter"],
}
_NAME = st.text(alphabet="abeé", max_size=5)
_NAMES = st.lists(_NAME.filter(bool), max_size=3).map(tuple)
_DATE = st.dates().filter(lambda day: day.year > 999).map(lambda day: day.isoformat()) | st.sampled_from(
    [*VALUES["birth_date"], ""]
)
_MAIL = st.builds(
    "{}{}@{}".format,
    st.text(alphabet="ab1é", max_size=3),
    st.sampled_from(["annasmith1980", "anna.smith.1980", ""]),
    st.sampled_from(["gmail.com", "web.de"]),
) | st.just("")
RECORDS = st.builds(
    NormalisedRecord,
    ref=st.just(Ref("crm", "contacts", "1")),
    given=_NAME,
    givens=_NAMES,
    roots=_NAMES,
    starts=_NAMES,
    known_given=st.booleans(),
    family=_NAME,
    families=_NAMES,
    birth_date=_DATE,
    email=_MAIL,
    email_fixed=_MAIL,
    phones=_NAMES,
    cards=_NAMES,
    house=_NAME,
    street=_NAME,
    city=_NAME,
    postcode=st.text(alphabet="AB1", max_size=8),
    text=st.fixed_dictionaries({"gender": _NAME, "national_id": _NAME, "occupation": _NAME}).map(
        lambda texts: tuple(texts.items())
    ),
)
"""Records of few letters, so that pairs agree often, with every field absent now and then."""


def every_kind() -> Model:
    """A model with a figure of its own for every level of every kind."""
    comparisons = [Comparison(kind=kind) for kind in get_args(ComparisonKind) if kind not in ONE_FIELD_KINDS]
    comparisons += [Comparison(kind="exact", field="gender"), Comparison(kind="code", field="national_id")]
    comparisons.append(Comparison(kind="text", field="occupation"))
    figures = []
    for at, comparison in enumerate(comparisons):
        levels = {
            level.name: LevelFigures(m=0.9 / (position + 1), u=0.01 * (at + 1) * (position + 1))
            for position, level in enumerate(kind_of(comparison).outcomes)
        }
        figures.append(ComparisonFigures(kind=comparison.kind, field=comparison.field, levels=levels))
    return Model(
        name="all",
        normaliser=NORMALISER_VERSION,
        trained_on="nothing",
        prior=0.001,
        common={"given": ("anna",), "family": ("smith",)},
        comparisons=tuple(figures),
    )


def comparing(config: IdentityFile, model: Model) -> IdentityFile:
    """The configuration with the comparisons of the model."""
    return config.model_copy(update={"comparisons": tuple(figures.comparison for figures in model.comparisons)})


def random_records(make: Callable[..., NormalisedRecord], count: int, seed: int) -> list[NormalisedRecord]:
    """Records drawn from VALUES; one in seven values is absent."""
    rng = random.Random(seed)

    def drawn() -> dict[str, Any]:
        return {name: rng.choice(values) for name, values in VALUES.items() if rng.random() < 0.85}

    return [make(str(n), **drawn()) for n in range(count)]
