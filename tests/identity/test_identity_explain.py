"""Explanations say what was scored, what was left out, and what decided, without a value of any record."""

from __future__ import annotations

import pytest

from identity import Degree, Model, NormalisedRecord, Reason, Resolver, cluster, explain_pair
from identity.native import NativeScorer
from identity_samples import comparing, every_kind, random_records
from onevoice.configfile.identity_file import IdentityFile

ANNA = {"given_name": "Anna", "family_name": "Smith", "birth_date": "1980-02-03", "card_number": "LC1001"}
HOME = {"street": "1 High Street", "city": "Leeds", "postcode": "LS1 1AA"}


def _told(reasons: list[Reason], field: str) -> str:
    return " / ".join(reason.sentence for reason in reasons if reason.field == field)


def test_the_weights_are_those_of_the_edge(make, config: IdentityFile) -> None:
    model = every_kind()
    config = comparing(config, model)
    scorer = NativeScorer(model, config)
    records = random_records(make, 40, 3)
    for a, b in zip(records[::2], records[1::2], strict=True):
        edge = scorer.edge(a, b)
        reasons = explain_pair(a, b, model, config)
        assert [r.field for r in reasons[: len(edge.per_field) + 1]] == ["prior", *edge.per_field]
        assert {r.field: r.weight for r in reasons[1 : len(edge.per_field) + 1]} == dict(edge.per_field)


def test_a_merge_is_told(make, config: IdentityFile, model: Model) -> None:
    a, b = make("1", **ANNA), make("2", **ANNA, **HOME)
    reasons = explain_pair(a, b, model, config)
    assert _told(reasons, "given_name") == "the given names are equal, a name that many bear"
    assert _told(reasons, "email") == "nothing to compare"
    assert "links them" in _told(reasons, "card_number")
    assert _told(reasons, "verdict") == "merged, 99.9% sure", "never certain"
    text = " ".join(reason.sentence for reason in reasons)
    assert not any(value in text for value in ("Anna", "anna", "Smith", "smith", "1980", "LC1001", "High"))


def test_a_shared_value_is_told_to_be_left_out(make, config: IdentityFile, model: Model) -> None:
    a, b = make("1", given_name="Anna", phone="07700900111"), make("2", given_name="Anna", phone="07700900111")
    degrees = {"phone=+447700900111": Degree(12, 9)}
    reasons = explain_pair(a, b, model, config, degrees)
    assert "the phone they share is left out: 9 surnames use it, more than guards.max_surnames, 5" in _told(
        reasons, "phone"
    )
    assert [reason.weight for reason in reasons if reason.field == "phone"] == [0.0, None]
    assert _told(reasons, "blocking") == "never compared: too many records or surnames agree on phone"
    assert _told(reasons, "verdict") == "not merged"
    one_sided = explain_pair(a, make("3", given_name="Anna"), model, config, degrees)
    assert "the phone of one of them is left out" in _told(one_sided, "phone")


def test_two_that_no_line_of_blocking_finds(make, config: IdentityFile, model: Model) -> None:
    reasons = explain_pair(make("1", given_name="Anna"), make("2", given_name="Bill"), model, config)
    assert _told(reasons, "blocking") == "never compared: they agree on all parts of no line of blocking"


def test_names_alone_are_never_enough(make, config: IdentityFile, model: Model) -> None:
    a, b = (make(key, given_name="Xylora", family_name="Quandt") for key in "12")
    reasons = explain_pair(a, b, model, config)
    assert _told(reasons, "support").startswith("nothing but names")
    assert _told(reasons, "verdict") == "not merged"
    assert Resolver(config, model).score([a, b], None) == []


def test_a_veto_and_what_lifts_it(make, config: IdentityFile, model: Model) -> None:
    twins = [make(name, **{**ANNA, **HOME, "given_name": name, "card_number": ""}) for name in ("Anna", "Petra")]
    assert _told(explain_pair(*twins, model, config), "veto") == "kept apart: the given names are clearly different"
    one = [make("1", **ANNA, **HOME), make("2", **{**ANNA, **HOME, "given_name": "Petra"})]
    reasons = explain_pair(*one, model, config)
    assert "but values that prove one person are equal" in _told(reasons, "veto")


@pytest.mark.parametrize("seed", range(2))
def test_the_verdict_is_what_resolution_does(make, config: IdentityFile, model: Model, seed: int) -> None:
    records: list[NormalisedRecord] = random_records(make, 30, seed)
    for a, b in zip(records[::2], records[1::2], strict=True):
        edges = Resolver(config, model).score([a, b], None)
        found = cluster({a.ref: a, b.ref: b}, edges, [], config)
        verdict = _told(explain_pair(a, b, model, config), "verdict")
        assert verdict.startswith("merged") == (len(found.clusters) == 1)
        assert ("a steward is asked" in verdict) == bool(found.review)
