"""goldenmatch without a configuration, as its README begins; `probabilistic` asks for its Fellegi-Sunter mode.

python goldenmatch_zero.py FOLDER zero|probabilistic
"""

from __future__ import annotations

import sys

import goldenmatch as gm
from _files import Task


def clusters(task: Task, how: str) -> list[int]:
    """The cluster of every record, in the order of the rows."""
    frame = task.table.drop_columns("id")
    config = gm.auto_configure_probabilistic_df(frame) if how == "probabilistic" else None
    result = gm.dedupe_df(frame, config=config, confidence_required=False, allow_red_config=True)
    found = list(range(-1, -1 - task.table.num_rows, -1))
    for number, cluster in result.clusters.items():
        for at in cluster["members"]:
            found[at] = number
    return found


if __name__ == "__main__":
    task = Task()
    task.write(clusters(task, sys.argv[2]))
