"""Calibration: planted maps are found, the order of pairs stays, too few labels are refused."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identity import Model
from identity.calibrate import LEAST_OF_EACH, calibrate, reliability
from identity.evaluate import evaluate_pairs, uncertainty, wilson
from identity.model import Calibration
from identity.native import NativeScorer
from identity.score import score_pairs
from onevoice.configfile.identity_file import IdentityFile
from onevoice.errors import IdentityError


def drawn(slope: float, offset: float, count: int, seed: int = 1) -> list[tuple[float, bool]]:
    """Pairs whose chance of being one person is known."""
    rng = random.Random(seed)
    weights = [rng.uniform(-8, 10) for _ in range(count)]
    return [(bits, rng.random() < 1 / (1 + 2 ** -(slope * bits + offset))) for bits in weights]


@pytest.mark.parametrize(("slope", "offset"), [(0.5, -2.0), (0.8, 1.0), (1.3, 3.0)])
def test_a_planted_map_is_found(slope: float, offset: float) -> None:
    fit = calibrate(drawn(slope, offset, 4000))
    assert fit.calibration.slope == pytest.approx(slope, abs=0.12)
    assert fit.calibration.offset == pytest.approx(offset, abs=0.35)
    assert fit.helps


def test_weights_that_are_right_are_left_alone() -> None:
    fit = calibrate(drawn(1.0, 0.0, 300))
    assert not fit.helps
    assert fit.calibration.slope == pytest.approx(1.0, abs=0.2)


def test_few_labels_move_little() -> None:
    few, many = calibrate(drawn(0.3, -1, 90)), calibrate(drawn(0.3, -1, 3000))
    assert few.calibration.slope > many.calibration.slope


@pytest.mark.parametrize("same", [LEAST_OF_EACH - 1, 200])
def test_too_few_of_either_answer_are_refused(same: int) -> None:
    judged = [(5.0, True)] * same + [(-5.0, False)] * (200 if same < LEAST_OF_EACH else LEAST_OF_EACH - 1)
    with pytest.raises(IdentityError, match="20 of each are needed"):
        calibrate(judged)


def test_judgements_against_the_weights_are_refused() -> None:
    with pytest.raises(IdentityError, match="do not follow their judgement"):
        calibrate([(at / 4, at < 0) for at in range(-200, 200)])


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-40, 40), st.booleans()), max_size=120),
    st.floats(-5, 5),
)
def test_a_fit_always_ends_and_never_turns_the_order(noise: list[tuple[float, bool]], shift: float) -> None:
    judged = [*drawn(1, shift, 200, seed=3), *noise]
    try:
        fit = calibrate(judged)
    except IdentityError:
        return
    assert fit.calibration.slope > 0


def test_bands_count_every_pair_once() -> None:
    judged = [(-100.0, False), (0.0, True), (100.0, True), (1.0, False)]
    bands = reliability(judged)
    assert sum(band.pairs for band in bands) == 4
    assert [(band.pairs, band.seen) for band in bands if band.pairs] == [(1, 0.0), (2, 0.5), (1, 1.0)]


def test_a_calibrated_model_scores_the_same_everywhere(make, model: Model, config: IdentityFile) -> None:
    a = make("1", given_name="Ana", family_name="Silva", birth_date="1984-02-29", phone="07700900123")
    b = make("2", given_name="Anna", family_name="Silva", birth_date="1984-02-29", email="ana@example.org")
    [raw] = score_pairs([a, b], None, model, config)
    calibrated = model.model_copy(update={"calibration": Calibration(slope=0.7, offset=-1.5, labels=90)})
    [engine] = score_pairs([a, b], None, calibrated, config)
    native = NativeScorer(calibrated, config).edge(a, b)
    assert engine.weight == pytest.approx(0.7 * raw.weight - 1.5, abs=1e-4)
    assert native.weight == pytest.approx(engine.weight, abs=1e-6)
    assert dict(native.per_field) == pytest.approx(dict(engine.per_field), abs=1e-6)
    assert calibrated.version != model.version


def test_wilson_as_published() -> None:
    """Table 1 of Newcombe, Two-Sided Confidence Intervals for the Single Proportion (1998), method 3."""
    for right, count, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        assert wilson(right / count, count) == pytest.approx((low, high), abs=1e-4)
    assert wilson(0.0, 0) == (0.0, 1.0)


def test_intervals_count_customers_and_not_pairs() -> None:
    truth = {f"{person}{copy}": person for person in "abcd" for copy in range(10)}
    found = {**truth, "a0": "b"}
    told = uncertainty(found, truth)
    assert (told.records, told.precision_on, told.recall_on) == (40, 4, 4)
    assert told.recall[1] - told.recall[0] > 0.4


def test_quality_of_verdicts() -> None:
    told = evaluate_pairs([(True, True)] * 8 + [(True, False)] * 2 + [(False, True)] * 4 + [(False, False)] * 5)
    assert (told.labels, told.same, told.precision, told.recall) == (19, 12, 0.8, pytest.approx(8 / 12))
    assert told.f1 == pytest.approx(8 / 11)
    assert told.precision_between == wilson(0.8, 10)
