"""A full run over columns ends where Resolver ends, record by record: forms, keys, edges, customers, review."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identity import (
    Constraint,
    Edge,
    IdentityRecord,
    Model,
    Resolver,
    blocking_keys,
    cluster,
    key_code,
    normalise,
    surname_key,
)
from identity.batch import BatchResult, resolve_all
from onevoice.configfile.identity_file import IdentityFile, Link
from onevoice.errors import IdentityError
from onevoice.model import Ref


def _same(records: Sequence[IdentityRecord], config: IdentityFile, model: Model, *said: Constraint) -> BatchResult:
    """Run both, compare everything, and hand over the full run's result."""
    found = resolve_all(records, config, model, said)
    forms = {record.ref: normalise(record, config) for record in records}
    ordered = sorted(forms)
    assert found.refs.to_pylist() == [str(ref) for ref in ordered]
    for row, ref in zip(found.forms.to_pylist(), ordered, strict=True):
        assert Ref.parse(row.pop("ref")) == ref
        wanted = forms[ref].as_dict()
        assert row == {name: _plain(wanted[name]) for name in row}
        assert wanted.keys() - row.keys() == {"ref", "version"}
    keys = {(row["value"], row["ref"], row["surname"]) for row in found.keys.to_pylist()}
    assert len(keys) == found.keys.num_rows
    assert keys == {
        (key_code(key), str(f.ref), surname_key(f)) for f in forms.values() for key in blocking_keys(f, config)
    }
    edges = Resolver(config, model).score(list(forms.values()), None)
    columns = ["left", "right", "kind", "weight", "probability", *(one.comparison.name for one in model.comparisons)]
    assert [tuple(row[name] for name in columns) for row in found.edges.to_pylist()] == [
        (str(e.left), str(e.right), e.kind, e.weight, e.probability, *(e.per_field.get(name) for name in columns[5:]))
        for e in edges
    ]
    whole = cluster(forms, edges, said, config)
    number = {str(ref): at for at, one in enumerate(whole.clusters) for ref in one.members}
    assert {row["ref"]: row["cluster"] for row in found.members.to_pylist()} == number
    told = found.clustering()
    assert [one.members for one in told.clusters] == [one.members for one in whole.clusters]
    assert [[_bare(e) for e in one.edges] for one in told.clusters] == [
        [_bare(e) for e in one.edges] for one in whole.clusters
    ]
    assert told.review == whole.review
    return found


def _bare(edge: Edge) -> tuple[object, ...]:
    return edge.left, edge.right, edge.weight, edge.probability


def _plain(value: object) -> object:
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


def test_the_population_of_the_sandbox(population, config: IdentityFile, model: Model) -> None:
    records, _, _ = population(3, 150)
    found = _same(records, config, model)
    assert {"grey", "veto"} <= set(found.review["kind"].to_pylist())
    assert any(kind.startswith("link:") for kind in found.edges["kind"].to_pylist())


_FAMILIES = ("Lee", "Okafor", "Brandt", "de la Silva", "Rossi", "Haddad", "Boyle", "O'Neill", "Müller", "Mueller")
_GIVENS = ("Ann", "Anna", "A", "Bob", "Robert", "Emma", "Ella", "Anna Maria", "Jrnnifer", "", "Дмитрий")


def _crowd(seed: int, count: int) -> list[IdentityRecord]:
    """Few people, many records, much sharing, and what forms take in besides."""
    rng = random.Random(seed)
    made = []
    for n in range(count):
        family, house, given = rng.choice(_FAMILIES), rng.randint(1, 3), rng.choice(_GIVENS)
        if rng.random() < 0.1:
            given, family = family, given
        data = {
            "given_name": given,
            "family_name": family,
            "email": rng.choice([f"{given}.{family}{house}@web.de", f"{family}.home@web.de", "test@test.com", None]),
            "phone": rng.choice(["01999 555000", ["0770090" + str(house) + "111", "0044 7700900222"], [], None]),
            "birth_date": rng.choice(["1980-02-03", "1980-03-02", "1951-12-24", "1970-01-01", None]),
            "street": rng.choice([f"{house} High Street", f"{house} High St", None]),
            "city": rng.choice(["Leeds", "N/A"]),
            "postcode": f"LS{house} 1AA",
            "country": rng.choice(["GB", "us", None]),
            "card_number": rng.choice([f"LC10{house}", [f"LC10{house}", "LC999"], "0000", None]),
            "national_id": rng.choice([f"7654{house}21", f"1111{house}22", None]),
            "gender": rng.choice(["f", "m", None]),
        }
        held = {name: value for name, value in data.items() if value is not None}
        made.append(IdentityRecord(Ref(rng.choice(("crm", "crm-x")), "c/d"[: rng.choice((1,))], f"{n % 7}/{n}"), held))
    return made


@settings(max_examples=6, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), strict=st.booleans(), ask=st.booleans(), proved=st.booleans())
def test_any_crowd(config: IdentityFile, model: Model, seed: int, strict: bool, ask: bool, proved: bool) -> None:
    guards = {"max_surnames": 3, "max_block": 8, "max_records": 6, "max_given_names": 3}
    changed = {
        "guards": config.guards.model_copy(update={**guards, "two_accounts": "ask" if ask else "merge"}),
        "person_unique": ("national_id",) if strict else (),
        "links": (*config.links[:1], Link(field="email", requires="given_name" if proved else "nothing")),
        "vetoes": config.vetoes.model_copy(update={"lifted_by": (("card_number", "birth_date"),) if proved else ()}),
    }
    records = _crowd(seed, 60)
    rng = random.Random(seed)
    said = [
        Constraint(*(record.ref for record in rng.sample(records, 2)), rng.choice(["must", "cannot"])) for _ in range(4)
    ]
    found = _same(records, config.model_copy(update=changed), model, *said)
    assert found.members.num_rows == len(records), "everybody is in one customer"


_ANN = {"given_name": "Ann", "family_name": "Lee", "email": "ann@web.de", "birth_date": "1980-02-03"}


def _several(*changes: dict[str, object]) -> list[IdentityRecord]:
    return [IdentityRecord(Ref("crm", "contacts", str(n)), {**_ANN, **held}) for n, held in enumerate(changes)]


def test_a_limit_stops_a_component_in_which_nothing_clashes(config: IdentityFile, model: Model) -> None:
    limits = {"max_records": 3, "max_given_names": 1, "two_accounts": "ask"}
    for limit, records in {
        "max_records": _several({}, {}, {}, {}),
        "max_given_names": _several({}, {"given_name": "Anna"}),
        "two_accounts": _several({"card_number": "LC100"}, {"card_number": "LC200"}),
    }.items():
        guarded = config.model_copy(update={"guards": config.guards.model_copy(update={limit: limits[limit]})})
        assert _same(records, config, model).review.num_rows == 0
        assert _same(records, guarded, model).review["kind"].to_pylist() == ["guard"], limit


def test_a_steward_is_heard_where_nothing_clashes(config: IdentityFile, model: Model) -> None:
    records = [*_several({}, {}), IdentityRecord(Ref("crm", "contacts", "9"), {"given_name": "Zoe"})]
    a, b, zoe = (record.ref for record in records)
    apart = _same(records, config, model, Constraint(a, b, "cannot"))
    assert apart.members["cluster"].to_pylist() == [0, 1, 2]
    together = _same(records, config, model, Constraint(zoe, a, "must"))
    assert together.members["cluster"].to_pylist() == [0, 0, 0]


def test_a_proof_lifts_what_forbids_a_link(config: IdentityFile, model: Model) -> None:
    held = {"card_number": "LC100", "national_id": "7654321"}
    records = _several(held, {**held, "birth_date": "1951-12-24"})
    proved = config.model_copy(update={"person_unique": ("national_id",)})
    assert _same(records, config, model).edges["kind"].to_pylist() == ["score"]
    assert _same(records, proved, model).edges["kind"].to_pylist() == ["link:card_number"]


def test_a_table_is_read_as_its_records_are(config: IdentityFile, model: Model) -> None:
    records = _crowd(5, 50)
    rows = []
    for record in records:
        phones = record.data.get("phone", [])
        cards = record.data.get("card_number", [])
        rows.append(
            {
                **record.data,
                "ref": str(record.ref),
                "phone": [phones] if isinstance(phones, str) else phones,
                "card_number": cards if isinstance(cards, str) else None,
                "cards": [] if isinstance(cards, str) else cards,
                "updated_at": "2026-01-01",
            }
        )
    names = sorted({name for row in rows for name in row})
    given = pa.table({name: [row.get(name) for row in rows] for name in names})
    table = resolve_all(given, config, model)
    single = resolve_all(records, config, model)
    for name in ("refs", "forms", "keys", "edges", "members", "joins", "review"):
        assert getattr(table, name).to_pylist() == getattr(single, name).to_pylist(), name


def test_nobody_at_all(config: IdentityFile, model: Model) -> None:
    found = _same([], config, model)
    assert found.members.num_rows == 0
    alone = _same([IdentityRecord(Ref("crm", "contacts", "1"), {"given_name": "Ann"})], config, model)
    assert alone.members.num_rows == 1


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        ({"name": ["Ann"]}, "no column `ref`"),
        ({"ref": ["crm/contacts"]}, "not of the form system/stream/key"),
        ({"ref": ["crm/contacts/1", "crm/contacts/1"]}, "stands for two records"),
        ({"ref": ["crm/contacts/1"], "city": [["Leeds"]]}, "column city holds lists"),
    ],
)
def test_what_cannot_be_resolved_is_told(config: IdentityFile, model: Model, table, fault: str) -> None:
    with pytest.raises(IdentityError, match=fault):
        resolve_all(pa.table(table), config, model)


def test_a_constraint_on_a_stranger_is_told(config: IdentityFile, model: Model) -> None:
    here, there = Ref("crm", "contacts", "1"), Ref("crm", "contacts", "2")
    with pytest.raises(IdentityError, match="crm/contacts/2"):
        resolve_all([IdentityRecord(here, {})], config, model, [Constraint(here, there, "must")])
