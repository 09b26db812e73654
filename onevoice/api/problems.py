"""What the API says when it cannot do what was asked: problem documents (RFC 9457), never a value that was sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"


class Fault(BaseModel):
    """One thing wrong with a request."""

    where: str = Field(description="Place in the request, as `query.email` or `body.checks.0.family`.")
    message: str = Field(description="What is wrong and what is allowed; the value sent is not repeated.")


class ProblemDocument(BaseModel):
    """A problem as RFC 9457 writes it."""

    type: str = Field(description="Stable name of this kind of problem.", examples=["urn:onevoice:problem:not-found"])
    title: str = Field(description="The kind of problem in a few words.")
    status: int = Field(ge=400, le=599)
    detail: str = Field(description="What happened this time, and what to do.")
    errors: list[Fault] = Field(default_factory=list, description="Every fault of the request.")


class Problem(Exception):
    """Raised anywhere in a request; becomes its answer."""

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        *,
        errors: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.kind, self.detail = status, kind, detail
        self.errors, self.headers = tuple(errors), dict(headers or {})

    def response(self) -> Response:
        """The HTTP answer."""
        document: dict[str, Any] = {
            "type": f"urn:onevoice:problem:{self.kind}",
            "title": self.kind.replace("-", " ").capitalize(),
            "status": self.status,
            "detail": self.detail,
            "errors": [fault.model_dump() for fault in self.errors],
        }
        headers = {"Cache-Control": "no-store", **self.headers}
        return Response(orjson.dumps(document), self.status, headers=headers, media_type=MEDIA_TYPE)


def not_found(what: str) -> Problem:
    """404 with what was looked for, in words that name nobody."""
    return Problem(404, "not-found", what)


def invalid(where: str, message: str) -> Problem:
    """422 with one fault."""
    return Problem(422, "invalid-request", "The request does not fit.", errors=[Fault(where=where, message=message)])


def unavailable(why: str) -> Problem:
    """503; trying again in a moment may help."""
    return Problem(503, "unavailable", why, headers={"Retry-After": "5"})


async def on_problem(_: Request, exc: Exception) -> Response:
    """Answer of a Problem."""
    assert isinstance(exc, Problem)  # noqa: S101 - registered for it
    return exc.response()


async def on_invalid_request(_: Request, exc: Exception) -> Response:
    """Answer to a request that does not fit its description: pydantic's findings without the values found."""
    assert isinstance(exc, RequestValidationError)  # noqa: S101 - registered for it
    found = exc.errors()[:50]
    faults = [Fault(where=".".join(map(str, error["loc"])), message=_message(error)) for error in found]
    return Problem(422, "invalid-request", "The request does not fit.", errors=faults).response()


async def on_http_exception(_: Request, exc: Exception) -> Response:
    """Answer to what the framework refuses by itself: no such path, no such method, a body that cannot be read."""
    assert isinstance(exc, HTTPException)  # noqa: S101 - registered for it
    phrase = HTTPStatus(exc.status_code).phrase
    kind = phrase.lower().replace(" ", "-")
    return Problem(exc.status_code, kind, f"{phrase}.", headers=exc.headers).response()


def _message(error: Mapping[str, Any]) -> str:
    """pydantic's message; for our own validators the sentence that they raised."""
    return str(error["msg"]).removeprefix("Value error, ")


_TEXTS: Mapping[int, str] = {
    400: "The body cannot be read.",
    401: "No key was sent, or one that is not ours, has ended or was revoked.",
    403: "The key lacks the scope.",
    404: "Nobody is known by it.",
    409: "It contradicts what was sent before.",
    410: "There was such a profile; its customer is gone and nobody took its place.",
    413: "The request is too large.",
    422: "The request does not fit; `errors` lists every fault.",
    503: "The store, or the audit of reads, cannot be used now; try again.",
}


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problem answers of an operation for its description; every operation with a key has some in common."""
    return {status: described(status) for status in sorted({401, 403, 413, 422, 503, *statuses})}


def described(status: int) -> dict[str, Any]:
    """One problem answer for a description."""
    shape = {"$ref": f"#/components/schemas/{ProblemDocument.__name__}"}
    return {"description": _TEXTS[status], "content": {MEDIA_TYPE: {"schema": shape}}}
