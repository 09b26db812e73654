"""recordlinkage twice: ECM, unsupervised, and logistic regression with labels; connected components after either.

python recordlinkage_both.py FOLDER ecm|labels
"""

from __future__ import annotations

import sys

import pandas as pd
import recordlinkage as rl
from _files import Task, joined

LABELS = 2000
SEED = 7
NAME, TEXT = 0.85, 0.85
"""Jaro-Winkler from which two names, or two texts, agree."""


def features(task: Task, records: pd.DataFrame) -> pd.DataFrame:
    """Candidate pairs and whether each column agrees, 0 or 1."""
    index = rl.Index()
    for block in task.blocks:
        index.block(list(block))
    compare = rl.Compare()
    for column, kind in task.columns.items():
        if kind in ("name", "text", "email"):
            compare.string(column, column, method="jarowinkler", threshold=NAME, label=column)
        elif kind == "code":
            compare.string(column, column, method="damerau_levenshtein", threshold=TEXT, label=column)
        else:
            compare.exact(column, column, label=column)
    return compare.compute(index.index(records), records)


def matches(task: Task, how: str, table: pd.DataFrame) -> pd.MultiIndex:
    """The pairs that the classifier takes for matches."""
    if how == "ecm":
        return rl.ECMClassifier().fit_predict(table)
    sample = table.sample(n=min(LABELS, len(table)), random_state=SEED)
    persons, records = task.persons(), task.table.column("id").to_pylist()
    told = [persons[records[a]] == persons[records[b]] for a, b in sample.index]
    learner = rl.LogisticRegressionClassifier()
    learner.fit(sample, sample.index[told])
    return learner.predict(table)


if __name__ == "__main__":
    task = Task()
    frame = task.table.drop_columns("id").to_pandas()
    found = matches(task, sys.argv[2], features(task, frame))
    task.write(joined(len(frame), found))
