"""Incremental equals full: any order and batching of the same changes ends with the same edges and the same people."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identity import (
    Constraint,
    Edge,
    Model,
    NormalisedRecord,
    Resolver,
    blocking_keys,
    cluster,
    count_degrees,
    crossed,
    in_use,
)
from onevoice.configfile.identity_file import IdentityFile
from onevoice.model import Ref

_SURNAMES = ("Lee", "Okafor", "Brandt", "Silva", "Rossi", "Haddad", "Boyle", "Kapoor")


class _Store:
    """The least that a pipeline does around a Resolver."""

    def __init__(self, resolver: Resolver, constraints: Sequence[Constraint] = ()) -> None:
        self.resolver = resolver
        self.constraints = constraints
        self.records: dict[Ref, NormalisedRecord] = {}
        self.edges: dict[tuple[Ref, Ref], Edge] = {}
        self.group: dict[Ref, frozenset[Ref]] = {}

    def apply(self, upserts: Collection[NormalisedRecord], deletes: Collection[Ref] = ()) -> None:
        config = self.resolver.config
        before = count_degrees(self.records.values(), config)
        for ref in deletes:
            self.records.pop(ref, None)
            self.group.pop(ref, None)
        self.records.update({record.ref: record for record in upserts})
        degrees = count_degrees(self.records.values(), config)
        flipped = crossed(before, degrees, config.guards)
        changed = {record.ref for record in upserts} | set(deletes)
        keys = {ref: set(blocking_keys(record, config)) for ref, record in self.records.items()}
        changed |= {ref for ref, held in keys.items() if held & flipped}
        live = {key for ref in changed & keys.keys() for key in keys[ref] if in_use(key, degrees[key], config.guards)}
        reach = changed | {ref for ref, held in keys.items() if held & live}
        while wider := self._beside(reach) - reach:
            reach |= wider
        hood = [self.records[ref] for ref in reach if ref in self.records]
        earlier = [edge for pair, edge in self.edges.items() if reach & set(pair)]
        found = self.resolver.resolve(
            hood, changed, earlier, self.constraints, {key: degrees[key] for r in hood for key in keys[r.ref]}
        )
        self.edges = {pair: edge for pair, edge in self.edges.items() if not found.edges_removed_for & set(pair)}
        self.edges.update({(edge.left, edge.right): edge for edge in found.edges_added})
        for one in found.clusters:
            self.group.update(dict.fromkeys(one.members, one.members))

    def _beside(self, refs: Collection[Ref]) -> set[Ref]:
        pairs = [
            *self.edges,
            *((c.left, c.right) for c in self.constraints if {c.left, c.right} <= self.records.keys()),
        ]
        return {ref for pair in pairs if set(pair) & set(refs) for ref in pair}


def _people(make, seed: int, count: int) -> list[NormalisedRecord]:
    """Few people, many records, much sharing: households, a shop's phone, initials, missing fields."""
    rng = random.Random(seed)
    records = []
    for n in range(count):
        family, house = rng.choice(_SURNAMES), rng.randint(1, 3)
        given = rng.choice(["Ann", "Anna", "A", "Bob", "Robert", "Emma", "Ella"])
        data = {
            "given_name": given,
            "family_name": family,
            "email": rng.choice([f"{given}.{family}{house}@web.de", f"{family}.home@web.de", ""]),
            "phone": rng.choice(["01999 555000", f"0770090{house}11{_SURNAMES.index(family)}", ""]),
            "birth_date": rng.choice(["1980-02-03", "1951-12-24", ""]),
            "street": f"{house} High Street",
            "postcode": f"LS{house} 1AA",
        }
        records.append(make(str(n), **{name: value for name, value in data.items() if value}))
    return records


@pytest.fixture(scope="module")
def resolver(config: IdentityFile, model: Model) -> Resolver:
    """Low limits, so that small data crosses them."""
    guards = config.guards.model_copy(update={"max_surnames": 3, "max_block": 6})
    return Resolver(config.model_copy(update={"guards": guards}), model)


@settings(max_examples=12, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), batches=st.integers(1, 5), churn=st.booleans())
def test_any_order_and_batching_ends_alike(make, resolver: Resolver, seed: int, batches: int, churn: bool) -> None:
    records = _people(make, seed, 36)
    rng = random.Random(seed + 1)
    left, right = rng.sample(records, 2)
    said = [Constraint(left.ref, right.ref, rng.choice(["must", "cannot"]))]
    whole = _Store(resolver, said)
    whole.apply(records)
    rng.shuffle(records)
    parts = _Store(resolver, said)
    doomed = _people(make, seed + 2, 44)[36:] if churn else []
    old = {record.ref: record for record in _people(make, seed + 3, 10)} if churn else {}
    for at in range(batches):
        parts.apply([old.get(record.ref, record) for record in [*records[at::batches], *doomed[at::batches]]])
    if churn:
        parts.apply([record for record in records if record.ref in old], [record.ref for record in doomed])
    assert parts.edges == whole.edges
    assert parts.group == whole.group
    batch = cluster(whole.records, list(whole.edges.values()), said, resolver.config)
    assert {one.members for one in batch.clusters} == set(whole.group.values())


def test_a_phone_that_many_surnames_share_links_nobody_any_more(make, resolver: Resolver) -> None:
    pair = [
        make(str(n), given_name="Ann", family_name="Lee", phone="01999 555000", birth_date="1980-02-03") for n in "ab"
    ]
    store = _Store(resolver)
    store.apply(pair)
    with_phone = store.edges[pair[0].ref, pair[1].ref].per_field["phone"]
    store.apply(
        [make(f"x{n}", given_name="Bob", family_name=name, phone="01999555000") for n, name in enumerate(_SURNAMES)]
    )
    assert with_phone > 0
    assert store.edges[pair[0].ref, pair[1].ref].per_field["phone"] == 0


def test_deleting_the_only_bridge_splits(make, resolver: Resolver) -> None:
    a = make("a", given_name="Ann", family_name="Lee", email="ann@web.de")
    b = make("b", given_name="Ann", family_name="Lee", email="ann@web.de", phone="07700900111")
    c = make("c", given_name="Ann", family_name="Lee", phone="07700900111")
    store = _Store(resolver)
    store.apply([a, b, c])
    assert store.group[a.ref] == {a.ref, b.ref, c.ref}
    store.apply([], [b.ref])
    assert store.group[a.ref] == {a.ref}
    assert store.group[c.ref] == {c.ref}


def test_strong_identifiers_link_only_while_names_agree(make, resolver: Resolver) -> None:
    a = make("a", given_name="Tomas", family_name="Berg", card_number="LC55500088")
    b = make("b", given_name="Thomas", family_name="Berg", card_number="LC55500088")
    c = make("c", given_name="Sara", family_name="Berg", card_number="LC55500088")
    edges = {(e.left.key, e.right.key): e for e in resolver.score([a, b, c], None)}
    assert edges["a", "b"].kind == "link:card_number"
    assert all(edge.kind == "score" for pair, edge in edges.items() if "c" in pair)
