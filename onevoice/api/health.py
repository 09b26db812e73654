"""Is the service up, and how old is what it serves? The one question that needs no key."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from onevoice.api.access import Served
from onevoice.api.answers import Answer
from onevoice.api.problems import described
from onevoice.api.replies import reply
from onevoice.store import lookups

router = APIRouter(prefix="/v1", tags=["health"])


class Health(Answer):
    """The service answers, and its store can be read."""

    status: Literal["ok"]
    policy: str = Field(description="Content hash of the rules in force.")
    read_at: dict[str, datetime] = Field(description="When each system/stream was last read.")


@router.get(
    "/health",
    response_model=Health,
    responses={413: described(413), 503: described(503)},
    operation_id="getHealth",
    summary="Up, and how fresh",
)
def get_health(serving: Served) -> Response:
    """No key is needed, and nothing of anybody is told."""
    with serving.hub.store.snapshot() as connection:
        times = lookups.read_times(connection)
    read_at = {f"{system}/{stream}": at for (system, stream), at in sorted(times.items())}
    return reply(Health(status="ok", policy=serving.hub.policy.version, read_at=read_at))
