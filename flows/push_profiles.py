"""Write what every destination must hold and does not, and read it back."""

from __future__ import annotations

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows._stages import TIMEOUT, run_stages


@flow(timeout_seconds=TIMEOUT, persist_result=False)
def push_profiles(
    project: str, as_of: str | None = None, database: str | None = None, first: bool = False
) -> State[dict[str, Any]]:
    """Write what every destination must hold and does not, and read it back.

    `project` is the folder with config/ and mappings/; `as_of` an ISO time with its zone, now when left out;
    `database` a URL without a password (give one that has a password as ONEVOICE_DATABASE_URL); `first` lets a push
    through that touches most records.
    """
    return run_stages("push-profiles", ("plan", "push", "verify"), project, as_of, database, first=first)
