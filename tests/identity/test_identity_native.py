"""The scorer of single pairs says what Splink says, level by level and to the sixth digit."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identity import Edge, Model, NormalisedRecord, Resolver, normalise
from identity.blocking import count_degrees, is_shared
from identity.comparisons import kind_of
from identity.model import Calibration
from identity.native import NativeScorer
from identity.score import _edges, _predict, engine, score_pairs
from identity.tables import records_table
from identity_samples import RECORDS, comparing, every_kind, random_records
from onevoice.configfile.identity_file import IdentityFile
from onevoice.errors import IdentityError
from onevoice.model import Ref

ALL = every_kind()


def _by_splink(records: Sequence[NormalisedRecord], model: Model, shared: Collection[str] = ()) -> list[Edge]:
    """Edges of all pairs, however low their weight."""
    with engine() as connection:
        connection.execute(
            "create table pairs as select l::int as join_key_l, r::int as join_key_r, '0' as match_key "
            f"from range({len(records)}) a(l), range({len(records)}) b(r) where l < r"
        )
        rows = _predict(connection, records_table(records, model.columns, shared, model.common), model, None)
    return _edges(rows, records, [figures.comparison.name for figures in model.comparisons])


def _numbered(records: Sequence[NormalisedRecord]) -> list[NormalisedRecord]:
    return [record._replace(ref=Ref("crm", "contacts", f"{at:04}")) for at, record in enumerate(records)]


@pytest.mark.parametrize("shared", [(), ("phone=+447700900111", "card_number=LC1001", "email=z@web.de")])
def test_every_level_scores_as_in_splink(make, config: IdentityFile, shared: Collection[str]) -> None:
    records = _numbered(random_records(make, 150, 5))
    scorer = NativeScorer(ALL, comparing(config, ALL))
    pairs = list(combinations(records, 2))
    assert [scorer.edge(a, b, shared) for a, b in pairs] == _by_splink(records, ALL, shared)


def test_those_records_reach_every_level(make, config: IdentityFile) -> None:
    scorer = NativeScorer(ALL, comparing(config, ALL))
    pairs = combinations(random_records(make, 150, 5), 2)
    reached = [set(levels) for levels in zip(*(scorer.levels(a, b) for a, b in pairs), strict=True)]
    for figures, outcomes in zip(ALL.comparisons, reached, strict=True):
        assert outcomes == {None, *range(len(kind_of(figures.comparison).outcomes))}, figures.comparison.name


@given(st.lists(RECORDS, min_size=12, max_size=14))
@settings(max_examples=3, deadline=None)
def test_generated_records_score_as_in_splink(config: IdentityFile, records: list[NormalisedRecord]) -> None:
    numbered = _numbered(records)
    scorer = NativeScorer(ALL, comparing(config, ALL))
    assert [scorer.edge(a, b) for a, b in combinations(numbered, 2)] == _by_splink(numbered, ALL)


def test_a_calibrated_model_scores_as_in_splink(make, config: IdentityFile) -> None:
    calibrated = ALL.model_copy(update={"calibration": Calibration(slope=0.7, offset=-1.25, labels=40)})
    records = _numbered(random_records(make, 30, 6))
    scorer = NativeScorer(calibrated, comparing(config, calibrated))
    assert [scorer.edge(a, b) for a, b in combinations(records, 2)] == _by_splink(records, calibrated)


def test_what_the_hub_scores_is_scored_the_same(population, config: IdentityFile, model: Model) -> None:
    records, _, _ = population(11, 400)
    forms = {record.ref: normalise(record, config) for record in records}
    degrees = count_degrees(forms.values(), config)
    shared = {key for key, degree in degrees.items() if is_shared(key, degree, config.guards)}
    scorer = NativeScorer(model, config)
    edges = score_pairs(list(forms.values()), None, model, config)
    assert len(edges) > 500
    assert edges == [scorer.edge(forms[edge.right], forms[edge.left], shared) for edge in edges]


def test_the_model_must_be_the_configurations(config: IdentityFile) -> None:
    with pytest.raises(IdentityError, match="was trained for"):
        NativeScorer(ALL, config)
    with pytest.raises(IdentityError, match="was trained for"):
        Resolver(config, ALL)
