"""Merge loyalty status, consent and facts of every changed profile, and decide what may reach it."""

from __future__ import annotations

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows._stages import TIMEOUT, run_stages


@flow(timeout_seconds=TIMEOUT, persist_result=False)
def decide_suppressions(project: str, as_of: str | None = None, database: str | None = None) -> State[dict[str, Any]]:
    """Merge loyalty status, consent and facts of every changed profile, and decide what may reach it.

    `project` is the folder with config/ and mappings/; `as_of` an ISO time with its zone, now when left out;
    `database` a URL without a password (give one that has a password as ONEVOICE_DATABASE_URL).
    """
    return run_stages("decide-suppressions", ("unify", "decide"), project, as_of, database)
