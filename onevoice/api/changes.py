"""The change feed: which profiles changed since the cursor. A consumer keeps the cursor and reads what it needs."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from onevoice.api.access import ReadsChanges, Scope, Served, scoped
from onevoice.api.answers import Answer
from onevoice.api.problems import Problem, documented, invalid
from onevoice.api.reading import reading
from onevoice.api.replies import PRIVATE, reply
from onevoice.store import changes
from onevoice.store.changes import NumberedChange

router = APIRouter(prefix="/v1", tags=["changes"])

NDJSON = "application/x-ndjson"
_BEGIN = "c1-"
"""What a cursor begins with: the version of its form. Consumers must not look inside."""


Cursor = Annotated[str | None, Query(max_length=40, description="Of the last change read; left out: the first.")]


class Change(Answer):
    """One thing that happened to a profile: read the profile anew."""

    cursor: str = Field(description="Ask with it to get what came later.")
    profile_id: str
    kind: str = Field(description="created, changed, decided, merged, split, moved, retired or restored.")
    other_id: str | None = Field(description="merged: the survivor. split, moved: where the records were before.")
    at: datetime = Field(description="As of when the run worked that changed it.")


class Changes(Answer):
    """What came after a cursor, oldest first. A profile may be named several times."""

    changes: list[Change]
    next_cursor: str = Field(description="For the next question, also where nothing came.")
    more: bool = Field(description="More is there already.")


@router.get(
    "/changes",
    response_model=Changes,
    responses={
        **documented(409),
        200: {
            "content": {
                NDJSON: {"schema": {"type": "string", "description": "With this in Accept: one Change a line."}}
            }
        },
    },
    openapi_extra=scoped(Scope.CHANGES_READ),
    operation_id="readChanges",
    summary="What changed since a cursor",
)
def read_changes(
    request: Request,
    serving: Served,
    caller: ReadsChanges,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
) -> Response:
    """Everything that changed, in order and without gaps, at least once: keep the cursor with what you made of it."""
    since = _number(cursor)
    with reading(serving, caller) as look:
        rows = changes.changes_after(look.connection, since, limit + 1)
        if not rows and since > changes.last_change(look.connection):
            raise Problem(409, "foreign-cursor", "cursor: it is of another store (begin again without one)")
    shown = [_change(row) for row in rows[:limit]]
    if NDJSON in request.headers.get("accept", ""):
        lines = "".join(f"{change.model_dump_json()}\n" for change in shown)
        return Response(lines, headers={"Cache-Control": PRIVATE}, media_type=NDJSON)
    end = shown[-1].cursor if shown else f"{_BEGIN}{since}"
    return reply(Changes(changes=shown, next_cursor=end, more=len(rows) > limit))


def _number(cursor: str | None) -> int:
    if cursor is None:
        return 0
    digits = cursor.removeprefix(_BEGIN)
    if not cursor.startswith(_BEGIN) or not (digits.isascii() and digits.isdigit()) or len(digits) > 18:
        raise invalid("query.cursor", "a cursor of an earlier answer is allowed")
    return int(digits)


def _change(row: NumberedChange) -> Change:
    return Change(
        cursor=f"{_BEGIN}{row.seq}", profile_id=row.profile_id, kind=row.kind, other_id=row.other_id, at=row.at
    )
