"""The application: routes, what stands around them, and its description."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from anyio import to_thread
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from onevoice.api import changes, events, health, offers, profiles
from onevoice.api.guard import Guard
from onevoice.api.problems import Problem, ProblemDocument, on_http_exception, on_invalid_request, on_problem
from onevoice.api.reading import Moved
from onevoice.api.replies import on_moved
from onevoice.api.serving import Clock, Serving, now
from onevoice.pipeline.hub import Hub

VERSION = "1"
READERS = 8
"""Threads that answer. One answer is a millisecond or two of computing: more threads would only wait for one another,
and need more connections than the store keeps open."""
_ABOUT = """Read merged customer profiles, ask whether an offer may reach a customer, follow changes, report check-ins.

Every operation but `/v1/health` needs a key with a scope (`Authorization: Bearer ovk_...`). Without `pii:read` personal
data is masked. An identifier that several customers share is answered with all of them, never with a pick. Errors are
problem documents (RFC 9457). Answers may gain fields: ignore those you do not know."""


def create_app(hub: Hub, clock: Clock = now) -> FastAPI:
    """The API over an open hub. `clock` tells the present; a fixed one serves a replay or a sandbox."""
    serving = Serving(hub, clock)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        to_thread.current_default_thread_limiter().total_tokens = READERS
        serving.audit.start()
        yield
        serving.audit.stop()

    app = _described(lifespan=lifespan, middleware=[Middleware(Guard, serving=serving)])
    app.state.serving = serving
    return app


def openapi_document() -> dict[str, Any]:
    """The description of the API, the same for every project."""
    return _described().openapi()


def _described(**options: Any) -> FastAPI:
    app = FastAPI(
        title="Onevoice",
        version=VERSION,
        description=_ABOUT,
        openapi_url="/v1/openapi.json",
        docs_url=None,  # its page loads scripts from elsewhere
        redoc_url=None,
        **options,
    )
    for room in (profiles, offers, changes, events, health):
        app.include_router(room.router)
    app.add_exception_handler(Problem, on_problem)
    app.add_exception_handler(Moved, on_moved)
    app.add_exception_handler(RequestValidationError, on_invalid_request)
    app.add_exception_handler(HTTPException, on_http_exception)
    app.openapi_schema = _with_problems(app.openapi())
    return app


def _with_problems(document: dict[str, Any]) -> dict[str, Any]:
    """The description with the shape of problems, to which every operation's errors refer."""
    shape = ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}")
    inner = shape.pop("$defs")
    document["components"]["schemas"].update({**inner, ProblemDocument.__name__: shape})
    return document
