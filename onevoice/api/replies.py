"""Answers as HTTP: JSON with a tag for asking again, a redirect for a retired id."""

from __future__ import annotations

import hashlib

from fastapi import Request
from pydantic import BaseModel
from starlette.responses import Response

from onevoice.api.reading import Moved

PRIVATE = "private, no-cache"
"""Nobody in between keeps personal data; the asker may keep it, and asks with If-None-Match whether it still holds."""


def reply(answer: BaseModel, status: int = 200) -> Response:
    """An answer as JSON."""
    headers = {"Cache-Control": PRIVATE}
    return Response(answer.model_dump_json(), status, headers=headers, media_type="application/json")


def tagged(request: Request, answer: BaseModel) -> Response:
    """An answer as JSON with its ETag; 304 without a body when the asker has the same already."""
    body = answer.model_dump_json().encode()
    tag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    headers = {"Cache-Control": PRIVATE, "ETag": tag}
    if tag in _tags(request.headers.get("if-none-match", "")):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")


def _tags(header: str) -> set[str]:
    return {part.strip().removeprefix("W/") for part in header.split(",")}


async def on_moved(request: Request, exc: Exception) -> Response:
    """Redirect from a retired profile id to the surviving one, for good and with the same method."""
    assert isinstance(exc, Moved)  # noqa: S101 - registered for it
    route, old = request.scope["route"], request.path_params["profile_id"]
    rest = route.path.partition("{profile_id}")[2]
    base = request.url.path.partition(f"/{old}")[0]
    headers = {"Location": f"{base}/{exc.profile_id}{rest}", "Cache-Control": "no-store"}
    return Response(status_code=308, headers=headers)
