"""Splink with the comparisons that its own demonstrations use, unsupervised, and its own clustering at .95."""

from __future__ import annotations

import duckdb
import splink.comparison_library as cl
from _files import Task
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

COMPARISONS = {
    "name": cl.NameComparison,
    "date": lambda column: cl.DateOfBirthComparison(column, input_is_string=True),
    "email": cl.EmailComparison,
    "postcode": cl.PostcodeComparison,
    "code": lambda column: cl.DamerauLevenshteinAtThresholds(column, [1, 2]),
    "text": lambda column: cl.JaroWinklerAtThresholds(column, [0.9, 0.7]),
    "exact": lambda column: cl.ExactMatch(column).configure(term_frequency_adjustments=True),
}
THRESHOLD = 0.95
RECALL = 0.7
"""What the demonstrations guess of the exact keys."""


def clusters(task: Task) -> dict[str, int]:
    """Record -> cluster."""
    connection = duckdb.connect(config={"threads": 2})
    connection.register("columns_in", task.table)
    connection.execute("create table records as select * from columns_in")
    api = DuckDBAPI(connection)
    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="id",
        comparisons=[COMPARISONS[kind](column) for column, kind in task.columns.items()],
        blocking_rules_to_generate_predictions=[block_on(*block) for block in task.blocks],
    )
    linker = Linker(api.register("records"), settings, log_level="ERROR")
    keys = [block_on(*key) for key in task.keys]
    linker.training.estimate_probability_two_random_records_match(keys, recall=RECALL)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=7)
    for block in trainable(task):
        linker.training.estimate_parameters_using_expectation_maximisation(block_on(*block))
    scored = linker.inference.predict(threshold_match_probability=THRESHOLD, warning_mode="never")
    found = linker.clustering.cluster_pairwise_predictions_at_threshold(scored, THRESHOLD)
    rows = connection.execute(f"select id, cluster_id from {found.physical_name}").fetchall()
    numbers: dict[str, int] = {}
    return {record: numbers.setdefault(cluster, len(numbers)) for record, cluster in rows}


def trainable(task: Task) -> list[list[str]]:
    """Two rules without a column in common, so that each column is trained: the names, and of the other blocks one
    that has none of them, or what is left of the first without them."""
    names = ["given", "family"]
    others = [[column for column in block if column not in names] for block in task.blocks]
    whole = [list(block) for block in task.blocks if set(block).isdisjoint(names)]
    return [names, next(block for block in (*whole, *others) if block)]


if __name__ == "__main__":
    task = Task()
    found = clusters(task)
    task.write(found[record] for record in task.table.column("id").to_pylist())
