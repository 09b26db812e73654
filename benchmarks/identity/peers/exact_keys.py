"""Union-find over exact keys: records that agree on one of them are one person, and so on."""

from __future__ import annotations

from collections.abc import Iterator

from _files import Task, joined


def pairs(task: Task) -> Iterator[tuple[int, int]]:
    """Every record with the first that has the same key."""
    first: dict[tuple[object, ...], int] = {}
    for at, row in enumerate(task.rows):
        for key in task.keys:
            values = tuple(row[column] for column in key)
            if all(values):
                yield at, first.setdefault((*key, *values), at)


if __name__ == "__main__":
    task = Task()
    task.write(joined(task.table.num_rows, pairs(task)))
