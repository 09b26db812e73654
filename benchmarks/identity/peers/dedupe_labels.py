"""dedupe with labelled pairs, for it has no mode without; trained on some of the records, for the memory it takes."""

from __future__ import annotations

import random
from itertools import combinations

import dedupe
from _files import Task

TRAINED_ON = 600
"""Records whose pairs it learns blocking from: with a few thousand it takes more memory than this machine has."""
LABELS = 2000
SEED = 7


def learner(task: Task) -> dedupe.Dedupe:
    """A trained model; at most 2,000 labelled pairs, half of them of one person where there are so many."""
    rows = {row["id"]: {column: row[column] for column in task.columns} for row in task.rows}
    persons = task.persons()
    groups: dict[str, list[str]] = {}
    for record, person in persons.items():
        if record in rows:
            groups.setdefault(person, []).append(record)
    rng = random.Random(SEED)
    several = sorted(group for group in groups.values() if len(group) > 1)
    rng.shuffle(several)
    chosen: list[str] = []
    for group in several:
        if len(chosen) + len(group) > TRAINED_ON:
            break
        chosen.extend(group)
    same = [(a, b) for a, b in combinations(chosen, 2) if persons[a] == persons[b]]
    other = [tuple(rng.sample(chosen, 2)) for _ in range(LABELS)]
    apart = [(a, b) for a, b in other if persons[a] != persons[b]]
    model = dedupe.Dedupe([_variable(column, kind) for column, kind in task.columns.items()], num_cores=1)
    model.prepare_training({record: rows[record] for record in chosen}, sample_size=500)
    model.mark_pairs(
        {
            "match": [(rows[a], rows[b]) for a, b in same[: LABELS // 2]],
            "distinct": [(rows[a], rows[b]) for a, b in apart[: LABELS // 2]],
        }
    )
    model.train()
    return model


def _variable(column: str, kind: str) -> dedupe.variables.base.Variable:
    made = dedupe.variables.Exact if kind == "exact" else dedupe.variables.ShortString
    return made(column, has_missing=True)


if __name__ == "__main__":
    task = Task()
    rows = [{column: row[column] for column in task.columns} for row in task.rows]
    clusters = list(range(-1, -1 - len(rows), -1))
    for number, (members, _) in enumerate(learner(task).partition(dict(enumerate(rows)), threshold=0.5)):
        for at in members:
            clusters[at] = number
    task.write(clusters)
