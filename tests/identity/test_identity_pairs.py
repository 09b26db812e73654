"""Pairs that are judged one by one get the edges that scoring a whole set gives."""

from __future__ import annotations

import random
from collections.abc import Collection
from itertools import combinations

import pytest

from customers import person_like
from identity import (
    Degree,
    IdentityRecord,
    Resolver,
    blocking_keys,
    count_degrees,
    in_use,
    is_shared,
    key_code,
    load_model,
    normalise,
)
from identity.score import engine
from onevoice.configfile.identity_file import IdentityFile
from onevoice.model import Ref


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_edges_of_pairs_are_those_of_the_whole_set(config: IdentityFile, seed: int) -> None:
    guards = config.guards.model_copy(update={"max_surnames": 4, "max_block": 12})
    config = config.model_copy(update={"guards": guards})
    rng = random.Random(seed)
    records = [normalise(IdentityRecord(Ref("s", "c", f"{n:02}"), person_like(rng)), config) for n in range(60)]
    degrees = count_degrees(records, config)
    live = [{key for key in blocking_keys(r, config) if in_use(key, degrees[key], guards)} for r in records]
    pairs = [(records[a], records[b]) for a, b in combinations(range(len(records)), 2) if live[a] & live[b]]
    resolver = Resolver(config, load_model(config.model))
    asked: set[str] = set()

    def of(keys: Collection[str]) -> dict[str, Degree]:
        asked.update(keys)
        return {key: degrees[key] for key in keys}

    found = resolver.edges([(b, a) for a, b in pairs], of)
    assert found == resolver.score(records, None)
    assert len(found) > 10
    assert any(is_shared(key, degrees[key], guards) for key in asked)
    assert len(found) < len(pairs)


def test_a_link_lifts_a_pair_that_its_score_leaves_out(config: IdentityFile) -> None:
    mail = {"given_name": "Ann", "family_name": "Lister", "email": "ann.lister@posteo.net"}
    records = [normalise(IdentityRecord(Ref("s", "c", str(n)), mail), config) for n in range(2)]
    degrees = count_degrees(records, config)
    resolver = Resolver(config, load_model(config.model))
    [edge] = resolver.edges([(records[0], records[1])], lambda keys: {key: degrees[key] for key in keys})
    assert (edge.kind, edge) == ("link:email", resolver.score(records, None)[0])
    assert not any(e.kind == "link:email" for e in resolver.edges([(records[0], records[1])], lambda _: {}))


def test_the_code_of_a_key_is_what_the_engine_of_full_runs_makes() -> None:
    keys = ["email=ann@posteo.net", "names=żółć łukasz", "", "x" * 5000]
    with engine() as connection:
        rows = connection.execute(
            "select (md5_number_upper(key) >> 1)::bigint from (select unnest(?) as key)", [keys]
        ).fetchall()
    assert [code for (code,) in rows] == [key_code(key) for key in keys]
    assert all(0 <= key_code(key) < 2**63 for key in keys)
