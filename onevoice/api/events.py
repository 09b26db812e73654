"""Events in: somebody checked in at a store. Stored before the answer leaves, and once however often it is sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated, Literal

import anyio
from anyio import to_thread
from fastapi import APIRouter
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field
from starlette.responses import Response

from onevoice.api.access import Scope, Served, WritesEvents, scoped
from onevoice.api.answers import Answer
from onevoice.api.identifiers import from_parts, required
from onevoice.api.problems import Problem, documented, invalid, unavailable
from onevoice.api.replies import reply
from onevoice.mapping.values import to_text
from onevoice.pipeline.events import CheckIn, SameIdOtherEvent, Taken, take_in

router = APIRouter(prefix="/v1", tags=["events"])

PATIENCE = 20.0
"""Seconds an event waits while a sync writes; then its sender is asked to send it again."""
_AHEAD = timedelta(days=1)
"""A clock that is further ahead is wrong."""


def _written_time(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("an ISO time with its zone is allowed, as 2026-11-22T15:00:00Z")  # noqa: TRY004 - pydantic's way
    return value


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("a time between the years 1 and 9999 is allowed") from None


Moment = Annotated[AwareDatetime, BeforeValidator(_written_time), AfterValidator(_in_utc)]


class CheckedIn(BaseModel):
    """A check-in. Name the customer by exactly one of phone, email, card."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(pattern="^[A-Za-z0-9._:-]{1,100}$", description="Yours, and unique: sending twice is sending once.")
    type: Literal["check_in"]
    at: Moment = Field(description="When it happened, with its zone.")
    store: str = Field(min_length=1, max_length=100, description="Which store.")
    phone: Annotated[str, Field(max_length=1000)] | None = None
    email: Annotated[str, Field(max_length=1000)] | None = None
    card: Annotated[str, Field(max_length=1000)] | None = None


class Received(Answer):
    """What became of an event. It is stored in any case."""

    id: str
    assigned: bool
    profile_id: str | None
    note: str
    repeated: bool = Field(description="It had been received before; nothing was done again.")
    received_at: datetime


@router.post(
    "/events",
    status_code=201,
    response_model=Received,
    responses={**documented(400, 409), 200: {"model": Received, "description": "It had been received before."}},
    openapi_extra=scoped(Scope.EVENTS_WRITE),
    operation_id="receiveEvent",
    summary="A customer checked in at a store",
)
async def receive_event(serving: Served, caller: WritesEvents, sent: CheckedIn) -> Response:
    """It becomes a visit of the one customer it surely belongs to. Where nobody or several may be meant it stays
    unassigned, is said to be so, and is looked at again with every sync for 30 days."""
    now = serving.clock()
    if sent.at > now + _AHEAD:
        raise invalid("body.at", "a time that has passed is allowed (check the clock)")
    store = to_text(sent.store)
    parts = from_parts("body", sent.model_dump(include={"phone", "email", "card"}))
    check_in = CheckIn(sent.id, sent.at, store, required(serving.hub, "body", parts))
    try:
        with anyio.fail_after(PATIENCE):
            work = partial(take_in, serving.hub, check_in, now)
            taken = await to_thread.run_sync(work, limiter=serving.writers, abandon_on_cancel=True)
    except TimeoutError:
        raise unavailable("store: a sync is writing (send the event again: the same id is stored once)") from None
    except SameIdOtherEvent:
        raise Problem(409, "conflict", "event: this id was used for another event (give each its own)") from None
    caller.note([taken.profile_id] if taken.profile_id else [])
    return reply(_received(sent.id, parts.kind, taken), 200 if taken.repeated else 201)


def _received(event_id: str, kind: str, taken: Taken) -> Received:
    return Received(
        id=event_id,
        assigned=taken.profile_id is not None,
        profile_id=taken.profile_id,
        note=_note(kind, taken),
        repeated=taken.repeated,
        received_at=taken.received_at,
    )


def _note(kind: str, taken: Taken) -> str:
    if taken.profile_id is not None:
        return "A visit of this customer."
    if taken.candidates == 0:
        return f"Nobody is known by this {kind} yet: looked at again with every sync for 30 days."
    return f"{taken.candidates} customers share this {kind}, so it is nobody's until one of them is surely meant."
