"""Training: the same records give the same model in any order; what they do not show is borrowed and told."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from identity import IdentityRecord, Model, NormalisedRecord, normalise
from identity.model import ComparisonFigures, LevelFigures
from identity.prior import with_expected_prior
from identity.train import LEAST_RECORDS, train
from identity.versions import doubts, moved_weights
from onevoice.configfile.identity_file import IdentityFile
from onevoice.errors import IdentityError
from onevoice.model import Ref


@pytest.fixture(scope="module")
def people(population, config: IdentityFile) -> list[NormalisedRecord]:
    records, _, _ = population(3, 220)
    return [normalise(record, config) for record in records]


@pytest.fixture(scope="module")
def trained(people: list[NormalisedRecord], config: IdentityFile) -> Model:
    return train(people, config, name="t", trained_on="sandbox")


def test_any_order_gives_the_same_model(
    people: list[NormalisedRecord], config: IdentityFile, trained: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("identity.train._CHUNK", 100)
    shuffled = random.Random(1).sample(people, len(people))
    assert train(iter(shuffled), config, name="other", trained_on="elsewhere") == trained.model_copy(
        update={"name": "other", "trained_on": "elsewhere"}
    )


def test_the_prior_is_counted(people: list[NormalisedRecord], trained: Model, population) -> None:
    records, truth, _ = population(3, 220)
    known = [truth[record.ref] for record in records]
    pairs = sum(known.count(person) - 1 for person in known) / 2
    true = pairs / (len(known) * (len(known) - 1) / 2)
    assert true / 3 < trained.prior < true * 3
    assert trained.records == len(people)


def test_matches_agree_and_others_differ(trained: Model) -> None:
    levels = {figures.comparison.name: figures.levels for figures in trained.comparisons}
    for name in ("given_name", "birth_date", "email", "phone", "card"):
        assert levels[name]["equal"].weight > 3
        assert levels[name]["different"].weight < 0


def test_the_prior_is_what_the_model_expects_of_these_records(population, config: IdentityFile, trained: Model) -> None:
    """Wherever it starts from."""
    records, truth, _ = population(3, 220)
    known = [truth[record.ref] for record in records]
    true = sum(known.count(person) - 1 for person in known) / len(known) / (len(known) - 1)
    high, low = (
        with_expected_prior(trained.model_copy(update={"prior": start}), records, config).prior
        for start in (true * 30, true / 30)
    )
    assert high == pytest.approx(low, rel=0.02)
    assert high == pytest.approx(true, rel=0.2)


def test_a_base_without_likely_pairs_keeps_the_prior(config: IdentityFile, model: Model) -> None:
    strangers = [
        IdentityRecord(Ref("crm", "contacts", str(at)), {"given_name": name, "family_name": "Berg"})
        for at, name in enumerate(("Tom", "Ute"))
    ]
    assert with_expected_prior(model, strangers, config) == model


def test_a_name_is_common_when_many_bear_it(make: Callable[..., NormalisedRecord], config: IdentityFile) -> None:
    records = [
        make(
            str(at),
            given_name="Maria" if at < 60 else f"Xan{chr(97 + at % 26)}{chr(97 + at // 26)}",
            family_name=f"Qo{chr(97 + at // 52)}{chr(97 + at // 2 % 26)}x",
            birth_date=f"19{50 + at // 2 % 50}-01-{at // 100 + 10}",
            email=f"p{at // 2}@example.org",
        )
        for at in range(LEAST_RECORDS + 20)
    ]
    narrow = config.model_copy(update={"comparisons": config.comparisons[:1] + config.comparisons[3:4]})
    made = train(records, narrow, name="t", trained_on="x", rules=(("birth_date",),))
    assert made.common == {"given": ("maria",)}, "family names are not asked for"
    levels = made.comparisons[0].levels
    assert levels["equal"].u < levels["common"].u, "two strangers are called Maria more often"


def test_what_the_records_do_not_show_is_borrowed_and_told(
    people: list[NormalisedRecord], config: IdentityFile, model: Model
) -> None:
    bare = [record._replace(cards=()) for record in people]
    with pytest.raises(IdentityError, match="card: there are no pairs to learn it from"):
        train(bare, config, name="t", trained_on="x")
    made = train(bare, config, name="t", trained_on="x", borrow=model)
    assert made.comparisons[-1] == model.comparisons[-1]
    assert {"card.equal", "card.different"} <= set(made.unseen)
    assert any(
        doubt.startswith("card: the records show too few pairs that are equal, different") for doubt in doubts(made)
    )


def test_too_few_records_are_refused(people: list[NormalisedRecord], config: IdentityFile) -> None:
    with pytest.raises(
        IdentityError, match=f"train: 40 customer records are too few to learn from .{LEAST_RECORDS} at"
    ):
        train(people[:40], config, name="t", trained_on="x")
    with pytest.raises(IdentityError, match="train: 0 customer records"):
        train([], config, name="t", trained_on="x")


def test_records_without_a_proof_are_refused(make: Callable[..., NormalisedRecord], config: IdentityFile) -> None:
    strangers = [make(str(at), family_name=f"Name{at}", email=f"a{at}@example.org") for at in range(LEAST_RECORDS)]
    with pytest.raises(IdentityError, match="nothing to learn from"):
        train(strangers, config, name="t", trained_on="x")


def test_a_model_for_which_different_names_speak_is_doubted(model: Model) -> None:
    assert not any("do not use this model" in doubt for doubt in doubts(model))
    taught = _with(model, "given_name", "different", LevelFigures(m=0.5, u=0.01))
    [doubt] = [doubt for doubt in doubts(taught) if "do not use" in doubt]
    assert doubt.startswith("given_name: that it is different speaks for a match (+5.6 bits)")


def test_what_changed_is_told_largest_first(model: Model) -> None:
    assert moved_weights(model, model) == []
    held = model.comparisons[2].levels["equal"]
    after = _with(model, "birth_date", "equal", LevelFigures(m=held.m, u=held.u * 2))
    after = after.model_copy(update={"prior": model.prior * 8})
    found = moved_weights(model, after)
    assert [(one.comparison, one.level) for one in found] == [("prior", ""), ("birth_date", "equal")]
    assert found[1].after == pytest.approx(found[1].before - 1)


def _with(model: Model, comparison: str, level: str, figures: LevelFigures) -> Model:
    changed = [
        ComparisonFigures(kind=one.kind, field=one.field, levels={**one.levels, level: figures})
        if one.comparison.name == comparison
        else one
        for one in model.comparisons
    ]
    return model.model_copy(update={"comparisons": tuple(changed)})
