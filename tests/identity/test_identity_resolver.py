"""Scores and links of a whole set of records."""

from __future__ import annotations

import pytest

from identity import Model, Resolver
from onevoice.configfile.identity_file import IdentityFile

_SURNAMES = ("Lee", "Okafor", "Brandt", "Silva", "Rossi", "Haddad", "Boyle", "Kapoor")


@pytest.fixture(scope="module")
def resolver(config: IdentityFile, model: Model) -> Resolver:
    """Low limits, so that small data crosses them."""
    guards = config.guards.model_copy(update={"max_surnames": 3, "max_block": 6})
    return Resolver(config.model_copy(update={"guards": guards}), model)


def test_a_phone_that_many_surnames_share_says_nothing(make, resolver: Resolver) -> None:
    pair = [
        make(str(n), given_name="Ann", family_name="Lee", phone="01999 555000", birth_date="1980-02-03") for n in "ab"
    ]
    others = [
        make(f"x{n}", given_name="Bob", family_name=name, phone="01999555000") for n, name in enumerate(_SURNAMES)
    ]
    [alone], among_others = resolver.score(pair, None), resolver.score([*pair, *others], None)
    assert alone.per_field["phone"] > 0
    assert [edge.per_field["phone"] for edge in among_others] == [0]


def test_strong_identifiers_link_only_while_names_agree(make, resolver: Resolver) -> None:
    a = make("a", given_name="Tomas", family_name="Berg", card_number="LC55500088")
    b = make("b", given_name="Thomas", family_name="Berg", card_number="LC55500088")
    c = make("c", given_name="Sara", family_name="Berg", card_number="LC55500088")
    edges = {(e.left.key, e.right.key): e for e in resolver.score([a, b, c], None)}
    assert edges["a", "b"].kind == "link:card_number"
    assert all(edge.kind == "score" for pair, edge in edges.items() if "c" in pair)
