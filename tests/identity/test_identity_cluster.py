"""Clusters: vetoes, proofs, limits, stewards' decisions, and what is left to review."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from identity import Clustering, Constraint, Edge, NormalisedRecord, cluster
from identity.score import probability
from onevoice.configfile.identity_file import IdentityFile
from onevoice.errors import IdentityError


def _edge(a: NormalisedRecord, b: NormalisedRecord, weight: float = 10.0) -> Edge:
    left, right = sorted((a.ref, b.ref))
    return Edge(left, right, weight, probability(weight))


def _run(records, edges, config: IdentityFile, *constraints: Constraint) -> Clustering:
    return cluster({record.ref: record for record in records}, edges, constraints, config)


def _groups(found: Clustering) -> set[frozenset[str]]:
    return {frozenset(ref.key for ref in one.members) for one in found.clusters}


def test_a_heavy_edge_joins_and_a_grey_one_asks(make, config: IdentityFile) -> None:
    a, b, c = (make(key, given_name="Ann", family_name="Lee") for key in "abc")
    found = _run([a, b, c], [_edge(a, b, 5.0), _edge(b, c, -1.0)], config)
    assert _groups(found) == {frozenset("ab"), frozenset("c")}
    assert [(item.kind, item.left.key, item.right.key) for item in found.review] == [("grey", "b", "c")]


def test_different_given_names_and_dates_are_vetoed_and_told(make, config: IdentityFile) -> None:
    emma = make("a", given_name="Emma", family_name="Castellano")
    ella = make("b", given_name="Ella", family_name="Castellano")
    father = make("c", given_name="Robert", family_name="Hargreaves", birth_date="1950-04-02")
    son = make("d", given_name="Robert", family_name="Hargreaves", birth_date="1983-09-17")
    found = _run([emma, ella, father, son], [_edge(emma, ella, 25), _edge(father, son, 25)], config)
    assert len(found.clusters) == 4
    assert [item.kind for item in found.review] == ["veto", "veto"]
    lenient = config.model_copy(update={"vetoes": config.vetoes.model_copy(update={"given_name": False})})
    assert len(_run([emma, ella], [_edge(emma, ella, 25)], lenient).clusters) == 1


def test_same_card_and_birth_date_prove_one_person(make, config: IdentityFile) -> None:
    a = make("a", given_name="Julia", family_name="Ray", birth_date="1984-12-01", card_number="LC100")
    b = make("b", given_name="Zara", family_name="Ray", birth_date="1984-12-01", card_number="LC100")
    c = make("c", given_name="Zara", family_name="Ray", birth_date="1984-12-01", card_number="LC200")
    assert _groups(_run([a, b], [_edge(a, b)], config)) == {frozenset("ab")}
    assert _groups(_run([a, c], [_edge(a, c)], config)) == {frozenset("a"), frozenset("c")}


def test_a_person_unique_value_overrides_and_forbids(make, config: IdentityFile) -> None:
    strict = config.model_copy(update={"person_unique": ("national_id",)})
    a = make("a", given_name="Emma", national_id="7654321")
    b = make("b", given_name="Ella", national_id="7654321")
    c = make("c", given_name="Emma", national_id="1111222")
    assert _groups(_run([a, b, c], [_edge(a, b, 9), _edge(a, c, 8)], strict)) == {frozenset("ab"), frozenset("c")}


def test_an_initial_that_fits_two_people_goes_to_neither(make, config: IdentityFile) -> None:
    annabel, arthur = (make(key, given_name=n, family_name="Lister") for key, n in (("a", "Annabel"), ("b", "Arthur")))
    initial = make("c", given_name="A", family_name="Lister")
    even = _run([annabel, arthur, initial], [_edge(annabel, initial, 9), _edge(arthur, initial, 8)], config)
    assert len(even.clusters) == 3
    assert {item.kind for item in even.review} == {"grey"}
    clear = _run([annabel, arthur, initial], [_edge(annabel, initial, 20), _edge(arthur, initial, 8)], config)
    assert _groups(clear) == {frozenset("ac"), frozenset("b")}
    said = Constraint(annabel.ref, arthur.ref, "must")
    one = _run([annabel, arthur, initial], [_edge(annabel, initial, 9), _edge(arthur, initial, 8)], config, said)
    assert _groups(one) == {frozenset("abc")}


def test_a_whole_name_that_fits_father_and_son_goes_to_neither(make, config: IdentityFile) -> None:
    names = {"given_name": "Edmund", "family_name": "Hale"}
    father, son = make("a", **names, birth_date="1948-06-12"), make("b", **names, birth_date="1980-10-25")
    bare = make("c", **names)
    even = [_edge(father, bare, 9), _edge(son, bare, 8)]
    found = _run([father, son, bare], even, config)
    assert len(found.clusters) == 3
    assert [item.reason for item in found.review] == ["a record fits two people who cannot be one"] * 2
    clear = _run([father, son, bare], [_edge(father, bare, 12), _edge(son, bare, 8)], config)
    assert _groups(clear) == {frozenset("ac"), frozenset("b")}


def test_a_proof_leaves_no_doubt_whose_record_it_is(make, config: IdentityFile) -> None:
    strict = config.model_copy(update={"person_unique": ("national_id",)})
    names = {"given_name": "Edmund", "family_name": "Hale"}
    father = make("a", **names, birth_date="1948-06-12", national_id="1111222")
    son, bare = make("b", **names, birth_date="1980-10-25"), make("c", **names, national_id="1111222")
    found = _run([father, son, bare], [_edge(father, bare, 9), _edge(son, bare, 8)], strict)
    assert _groups(found) == {frozenset("ac"), frozenset("b")}


@pytest.mark.parametrize("order", [1, -1])
def test_two_accounts_are_asked_about_whatever_joined_them(make, config: IdentityFile, order: int) -> None:
    cards = {"a": "70000001", "c": "70000099", "d": "70000001"}
    records = [make(key, given_name="Ann", family_name="Lee", card_number=cards.get(key, "")) for key in "abcd"][
        ::order
    ]
    a, b, c, d = sorted(records, key=lambda record: record.ref)
    edges = [_edge(b, c, 9), _edge(a, b, 8), _edge(a, d, 7)][::order]
    assert _groups(_run(records, edges, config)) == {frozenset("abcd")}
    asks = config.model_copy(update={"guards": config.guards.model_copy(update={"two_accounts": "ask"})})
    found = _run(records, edges, asks)
    assert _groups(found) == {frozenset("bc"), frozenset("ad")}
    assert [(item.kind, item.left.key, item.right.key) for item in found.review] == [("guard", "a", "b")]
    assert _groups(_run(records, edges, asks, Constraint(a.ref, c.ref, "must"))) == {frozenset("abcd")}


def test_limits_on_size_and_names(make, config: IdentityFile) -> None:
    guards = config.guards.model_copy(update={"max_records": 3})
    small = config.model_copy(update={"guards": guards})
    chain = [make(str(n), given_name="Ann", family_name="Lee") for n in range(6)]
    found = _run(chain, [_edge(a, b) for a, b in pairwise(chain)], small)
    assert max(len(one.members) for one in found.clusters) <= 3
    assert "guard" in {item.kind for item in found.review}


def test_a_steward_wins_over_scores_and_vetoes(make, config: IdentityFile) -> None:
    a, b = make("a", given_name="Emma"), make("b", given_name="Ella")
    assert _groups(_run([a, b], [], config, Constraint(b.ref, a.ref, "must"))) == {frozenset("ab")}
    c, d, e = (make(key, given_name="Ann") for key in "cde")
    edges = [_edge(c, d, 9), _edge(d, e, 8)]
    found = _run([c, d, e], edges, config, Constraint(c.ref, e.ref, "cannot"))
    assert _groups(found) == {frozenset("cd"), frozenset("e")}
    assert [item.kind for item in found.review] == ["cannot"]


def test_contradicting_stewards_are_reported(make, config: IdentityFile) -> None:
    a, b, c = (make(key, given_name="Ann") for key in "abc")
    said = [Constraint(a.ref, b.ref, "must"), Constraint(b.ref, c.ref, "must"), Constraint(a.ref, c.ref, "cannot")]
    found = _run([a, b, c], [], config, *said)
    assert len(found.clusters) == 1
    assert [item.kind for item in found.review] == ["contradiction"]


def test_the_order_of_records_and_edges_does_not_matter(make, config: IdentityFile) -> None:
    rng = random.Random(4)
    people = [make(str(n), given_name=rng.choice(["Ann", "Bob", "A", ""]), family_name="Lee") for n in range(30)]
    edges = [_edge(*rng.sample(people, 2), rng.choice([-1.0, 5.0, 5.0, 9.0])) for _ in range(60)]
    unique = list({(edge.left, edge.right): edge for edge in edges}.values())
    first = _run(people, unique, config)
    for _ in range(5):
        rng.shuffle(people)
        rng.shuffle(unique)
        again = _run(people, unique, config)
        assert _groups(again) == _groups(first)
        assert again.review == first.review


def test_edges_to_unknown_records_are_refused(make, config: IdentityFile) -> None:
    a, b = make("a"), make("b")
    with pytest.raises(IdentityError, match="not among the records"):
        _run([a], [_edge(a, b)], config)
