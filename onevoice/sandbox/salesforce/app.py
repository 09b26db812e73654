"""The Salesforce server: its routes, behind its gate."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.routing import Route

from onevoice.sandbox.calls import READ, SETUP, WRITE
from onevoice.sandbox.gate import Admit, Answer, Endpoint, Operation, WithoutTrailingSlash, guarded
from onevoice.sandbox.salesforce.auth import TOKEN, Auth
from onevoice.sandbox.salesforce.batches import MOST_READ, MOST_WRITTEN, Batches
from onevoice.sandbox.salesforce.describing import Describing
from onevoice.sandbox.salesforce.errors import not_found
from onevoice.sandbox.salesforce.org import Org
from onevoice.sandbox.salesforce.query import Queries
from onevoice.sandbox.salesforce.records import Records
from onevoice.sandbox.salesforce.tooling import Tooling
from onevoice.sandbox.salesforce.writing import Writer
from onevoice.sandbox.state import ServerConfig, VendorState

_ORGANIZATION = {"Name": "Onevoice Sandbox", "IsSandbox": True, "OrganizationType": "Enterprise Edition"}


def create_app(state: VendorState, config: ServerConfig) -> Starlette:
    """The server of one org; `config.url` must be the https URL that clients use."""
    if not state.tables["Organization"].rows:
        state.tables["Organization"].insert(_ORGANIZATION, stamp=state.clock.now(), actor="seed")
    org = Org(state, config)
    auth, describing, queries = Auth(org), Describing(org), Queries(org)
    writer = Writer(org)
    records, batches, tooling = Records(org, writer), Batches(org, writer), Tooling(org)

    def usage(_operation: Operation) -> Mapping[str, str]:
        return {"Sforce-Limit-Info": org.limits.usage()}

    def route(method: str, path: str, operation: Operation, endpoint: Endpoint, admit: Admit = auth.admit) -> Route:
        return Route(path, guarded(state, operation, endpoint, admit, usage), methods=[method])

    async def nowhere(_request: Request) -> Answer:
        raise not_found()

    def open_door(_request: Request, _operation: Operation) -> None:
        """Signing in and looking at the versions need no session."""

    def up(_request: Request, _operation: Operation) -> None:
        auth.refuse_when_down()

    data = "/services/data/v{version}"
    one, many = data + "/sobjects/{entity}", data + "/composite/sobjects"
    describe, query = Operation("describe", SETUP), Operation("query", READ)
    update_many = Operation("update batch", WRITE, MOST_WRITTEN)
    retrieve = Operation("retrieve batch", READ, MOST_READ)
    routes = [
        route("POST", "/services/oauth2/token", TOKEN, auth.token, open_door),
        route("GET", "/services/oauth2/userinfo", Operation("userinfo", SETUP), auth.userinfo),
        Route("/services/Soap/u/{version}", auth.soap_login, methods=["POST"]),
        route("GET", "/services/data", Operation("versions", SETUP), describing.versions, up),
        route("GET", data, Operation("versions", SETUP), describing.resources),
        route("GET", data + "/limits", Operation("limits", SETUP), describing.limits),
        route("GET", data + "/query", query, queries.query),
        route("GET", data + "/queryAll", query, queries.query_all),
        route("GET", data + "/query/{locator}", query, queries.more),
        route("GET", data + "/queryAll/{locator}", query, queries.more),
        route("GET", data + "/sobjects", describe, describing.objects),
        route("GET", one, describe, describing.basics),
        route("GET", one + "/describe", describe, describing.describe),
        route("GET", one + "/deleted", Operation("deleted", READ), describing.deleted),
        route("GET", one + "/updated", Operation("updated", READ), describing.updated),
        route("POST", one, Operation("create", WRITE), records.create),
        route("GET", one + "/{id}", Operation("read", READ), records.read),
        route("PATCH", one + "/{id}", Operation("update", WRITE), records.update),
        route("DELETE", one + "/{id}", Operation("delete", WRITE), records.delete),
        route("GET", one + "/{field}/{value}", Operation("read", READ), records.read_by_external_id),
        route("PATCH", one + "/{field}/{value}", Operation("upsert", WRITE), records.upsert),
        route("PATCH", many, update_many, batches.update),
        route("POST", many, Operation("create batch", WRITE, MOST_WRITTEN), batches.create),
        route("DELETE", many, Operation("delete batch", WRITE, MOST_WRITTEN), batches.delete),
        route("PATCH", many + "/{entity}/{field}", Operation("upsert batch", WRITE, MOST_WRITTEN), batches.upsert),
        route("POST", many + "/{entity}", retrieve, batches.retrieve),
        route("GET", many + "/{entity}", retrieve, batches.retrieve),
        route("POST", data + "/tooling/sobjects/CustomField", Operation("create field", SETUP), tooling.create_field),
        *(route(method, "/{path:path}", Operation("unknown", SETUP), nowhere) for method in ("GET", "POST", "PATCH")),
    ]
    app = Starlette(routes=routes, middleware=[Middleware(WithoutTrailingSlash)])
    app.router.redirect_slashes = False
    return app
