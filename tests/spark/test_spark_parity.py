"""Spark finds what DuckDB finds: every condition, every edge, every customer."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from identity import IdentityRecord, load_model, normalise
from identity.batch import BatchResult, resolve_all
from identity.comparisons import kind_of
from identity.conditions import SPARK, check
from identity.spark.likeness import register
from identity.tables import readers, records_table
from identity_samples import every_kind, random_records
from onevoice.configfile.identity_file import IdentityFile
from onevoice.model import Ref
from sandbox_people import population

pytestmark = [pytest.mark.spark, pytest.mark.timeout(3000)]
ROOT = Path(__file__).parents[2]
PEOPLE = 30_000
"""Of whom the sandbox's systems hold a little more than 100,000 records."""


@pytest.fixture(scope="module")
def config() -> IdentityFile:
    return IdentityFile.model_validate(YAML(typ="safe").load((ROOT / "config/identity.yaml").read_text("utf-8")))


def test_every_condition_is_answered_as_in_python(session: Any, config: IdentityFile) -> None:
    model = every_kind()
    records = random_records(
        lambda key, **data: normalise(IdentityRecord(Ref("crm", "contacts", key), data), config), 120, 11
    )
    kinds = [kind_of(figures.comparison) for figures in model.comparisons]
    conditions = [
        condition for kind in kinds for condition in (kind.silent, *(level.condition for level in kind.levels))
    ]
    register(session)
    table = records_table(records, model.columns, common=model.common)
    session.createDataFrame(table).createOrReplaceTempView("given")
    columns = ", ".join(f"l.{name} as {name}_l, r.{name} as {name}_r" for name in table.column_names)
    told = ", ".join(f"coalesce({SPARK.render(one)}, false) as c{at}" for at, one in enumerate(conditions))
    rows = session.sql(f"select {told} from (select {columns} from given l, given r) order by id_l, id_r").collect()
    reads = readers(model.columns, model.common)
    forms = [{column: read(record) for column, read in reads.items()} for record in records]
    checks = [check(condition) for condition in conditions]
    assert [tuple(row) for row in rows] == [
        tuple(holds(left, right) for holds in checks) for left, right in product(forms, forms)
    ]


def test_a_hundred_thousand_records_come_to_the_same_customers(session: Any, config: IdentityFile) -> None:
    records, _, _ = population(11, PEOPLE)
    assert len(records) > 100_000
    found: dict[str, BatchResult] = {
        engine: resolve_all(records, config.model_copy(update={"engine": engine}), load_model(config.model))
        for engine in ("duckdb", "spark")
    }
    ours, theirs = found["duckdb"], found["spark"]
    assert ours.edges.num_rows > 100_000
    assert theirs.edges.equals(ours.edges)
    assert theirs.members.equals(ours.members)
    assert theirs.joins.equals(ours.joins)
    assert theirs.review.equals(ours.review)
