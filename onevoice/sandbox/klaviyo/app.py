"""The Klaviyo server: its routes, behind its gate."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from onevoice.sandbox.calls import READ, SETUP, WRITE
from onevoice.sandbox.gate import Answer, Endpoint, Operation, RefusalError, WithoutTrailingSlash, guarded
from onevoice.sandbox.klaviyo.account import Account
from onevoice.sandbox.klaviyo.errors import refusal
from onevoice.sandbox.klaviyo.job_pages import (
    MOST_IMPORTED,
    MOST_SUBSCRIBED,
    MOST_SUPPRESSED,
    MOST_UNSUBSCRIBED,
    JobPages,
)
from onevoice.sandbox.klaviyo.jobs import IMPORT, SUBSCRIBE, SUPPRESS, UNSUBSCRIBE, UNSUPPRESS
from onevoice.sandbox.klaviyo.limits import XS, L, M, Rate, S
from onevoice.sandbox.klaviyo.list_pages import MOST_CHANGED, ListPages
from onevoice.sandbox.klaviyo.profiles import ProfilePages
from onevoice.sandbox.state import ServerConfig, VendorState

REVISIONS = frozenset({"2026-07-15", "2026-10-15"})
"""Revisions that are answered. The newer one is that of the newest SDK; what is served here is the same in both."""
SCHEME = "Klaviyo-API-Key"

Serve = Callable[[Request], Awaitable[Response]]


def create_app(state: VendorState, config: ServerConfig) -> Starlette:
    """The server of one account; `config.url` must be the URL that clients use, `config.client_secret` is the private
    key (pk_...)."""
    account = Account(state, config)
    profiles, jobs, lists = ProfilePages(account), JobPages(account), ListPages(account)
    gate = _Gate(account)

    def route(method: str, path: str, operation: Operation, rate: Rate, endpoint: Endpoint) -> Route:
        return Route(f"/api/{path}", gate.guard(operation, rate, endpoint), methods=[method])

    async def nowhere(request: Request) -> Answer:
        raise refusal(404, "not_found", "Not found.", f"The path {request.url.path} could not be found.")

    members, one_member = "lists/{id}/relationships/profiles", "lists/{id}/profiles"
    read, import_job = partial(Operation, kind=READ), f"{IMPORT}s/{{id}}"
    routes = [
        route("GET", "accounts", Operation("account", SETUP), XS, account.accounts),
        route("GET", "accounts/{id}", Operation("account by id", SETUP), XS, account.account),
        route("GET", "profiles", read("list profiles"), L, profiles.many),
        route("POST", "profiles", Operation("create profile", WRITE), L, profiles.create),
        route("GET", "profiles/{id}", read("read profile"), L, profiles.one),
        route("PATCH", "profiles/{id}", Operation("update profile", WRITE), L, profiles.update),
        route("GET", "profiles/{id}/relationships/lists", read("lists of a profile"), S, profiles.lists),
        route("POST", "profile-import", Operation("upsert profile", WRITE), L, profiles.upsert),
        route("GET", f"{IMPORT}s", read("import jobs"), M, jobs.many(IMPORT)),
        route("POST", f"{IMPORT}s", Operation("import job", WRITE, MOST_IMPORTED), M, jobs.take_import),
        route("GET", import_job, read("import job status"), M, jobs.one(IMPORT)),
        route("GET", f"{import_job}/import-errors", read("import errors"), M, jobs.import_errors),
        route("GET", f"{import_job}/relationships/profiles", read("imported profiles"), M, jobs.imported),
        route("POST", f"{SUBSCRIBE}s", Operation("subscribe job", WRITE, MOST_SUBSCRIBED), L, jobs.take_subscribe),
        route(
            "POST", f"{UNSUBSCRIBE}s", Operation("unsubscribe job", WRITE, MOST_UNSUBSCRIBED), L, jobs.take_unsubscribe
        ),
        *(
            one
            for kind, name in ((SUPPRESS, "suppress job"), (UNSUPPRESS, "unsuppress job"))
            for one in (
                route("GET", f"{kind}s", read(f"{name}s"), L, jobs.many(kind)),
                route("POST", f"{kind}s", Operation(name, WRITE, MOST_SUPPRESSED), L, jobs.take_suppression(kind)),
                route("GET", f"{kind}s/{{id}}", read(f"{name} status"), L, jobs.one(kind)),
            )
        ),
        route("GET", "lists", read("lists"), L, lists.many),
        route("POST", "lists", Operation("create list", SETUP), M, lists.create),
        route("GET", "lists/{id}", read("list"), L, lists.one),
        route("GET", one_member, read("list profiles of a list"), L, lists.profiles),
        route("GET", members, read("list members"), L, lists.profile_ids),
        route("POST", members, Operation("add to list", WRITE, MOST_CHANGED), M, lists.add),
        route("DELETE", members, Operation("remove from list", WRITE, MOST_CHANGED), M, lists.remove),
        *(
            Route("/{path:path}", gate.guard(Operation("unknown", SETUP), XS, nowhere), methods=[method])
            for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
        ),
    ]
    app = Starlette(routes=routes, middleware=[Middleware(WithoutTrailingSlash)])
    app.router.redirect_slashes = False
    return app


class _Gate:
    """What every call passes: outage, key, revision, limits; and the jobs that are due are done first."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def guard(self, operation: Operation, rate: Rate, endpoint: Endpoint) -> Serve:
        """The endpoint behind the gate; its answers carry the rate headers, a 429 does not."""
        limits = self._account.limits

        def admit(request: Request, _operation: Operation) -> None:
            self._admit(request)
            limits.admit(operation.name, rate)
            self._account.jobs.run_due()

        async def paced(request: Request) -> Answer:
            try:
                answer = await endpoint(request)
            except RefusalError as refused:
                answer = refused.answer
            return replace(answer, headers={**answer.headers, **limits.headers(operation.name, rate)})

        return guarded(self._account.state, operation, paced, admit, lambda _operation: {})

    def _admit(self, request: Request) -> None:
        if self._account.state.faults.down:
            raise refusal(503, "service_unavailable", "Service unavailable.", "The service is temporarily unavailable.")
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme != SCHEME or key != self._account.config.client_secret:
            raise refusal(
                401,
                "not_authenticated",
                "Authentication credentials were not provided.",
                "Missing or invalid private key.",
            )
        revision = request.headers.get("revision")
        if not revision:
            raise refusal(400, "missing_revision", "Missing revision.", "A 'revision' header is required.")
        if revision not in REVISIONS:
            raise refusal(400, "invalid_revision", "Invalid revision.", f"'{revision}' is not a revision served here.")
