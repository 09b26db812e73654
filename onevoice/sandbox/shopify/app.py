"""The Shopify server: one endpoint, POST /admin/api/{version}/graphql.json."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from onevoice.sandbox.calls import REFUSED, SETUP
from onevoice.sandbox.gate import CUT_OFF, Answer, json_body, render
from onevoice.sandbox.shopify.execute import Request, answer, named
from onevoice.sandbox.shopify.shop import Call, Shop
from onevoice.sandbox.state import ServerConfig, VendorState
from onevoice.sandbox.trap import CutOffError

VERSION = "2026-07"
_VERSIONS = re.compile(r"20\d\d-(01|04|07|10)|unstable")
_UNKNOWN = "[API] Invalid API key or access token (unrecognized login or wrong password)"


def create_app(state: VendorState, config: ServerConfig) -> Starlette:
    """The server of one shop. Its access token is `config.client_secret`; `config.read_only_token`, where there is one,
    may read and not write."""
    door = _Door(Shop(state, config))
    return Starlette(routes=[Route("/admin/api/{version}/graphql.json", door.serve, methods=["POST"])])


class _Door:
    """HTTP in front of the schema: everything that is refused before GraphQL is looked at."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    async def serve(self, request: HttpRequest) -> Response:
        """Answer one request, always with the version that served it."""
        said = await self._answer(request)
        if said.status != 200:
            self._shop.state.calls.record("refused request", SETUP, outcome=REFUSED)
        return render(said, {"X-Shopify-API-Version": VERSION, "X-Request-Id": str(uuid.uuid4())})

    async def _answer(self, request: HttpRequest) -> Answer:
        if self._shop.state.faults.down:
            return Answer(503, {"errors": "Service Unavailable"})
        scopes = self._shop.scopes_of.get(request.headers.get("X-Shopify-Access-Token", ""))
        if scopes is None:
            return Answer(401, {"errors": _UNKNOWN})
        # Shopify serves a version that it no longer has as the oldest that it has; one that is yet to come is unknown.
        version = str(request.path_params["version"])
        if not _VERSIONS.fullmatch(version) or VERSION < version < "unstable":
            return Answer(404, {"errors": "Not Found"})
        try:
            asked = _request(await json_body(request))
        except ValueError:
            return Answer(400, {"errors": {"query": "Required parameter missing or invalid"}})

        async def carried_out() -> Answer:
            return Answer(200, answer(Call(self._shop, scopes), asked))

        try:
            return await self._shop.state.trap.around(*named(asked), carried_out)
        except CutOffError:
            return CUT_OFF


def _request(body: Any) -> Request:
    """ValueError for anything but {query, variables?, operationName?}."""
    if not isinstance(body, Mapping) or not isinstance(body.get("query"), str) or not body["query"].strip():
        raise ValueError("query")
    variables, operation = body.get("variables") or {}, body.get("operationName")
    if isinstance(variables, Mapping) and isinstance(operation, str | None):
        return Request(body["query"], variables, operation)
    raise ValueError("variables")
