"""The HubSpot server: its routes, behind its gate."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.routing import Route

from onevoice.sandbox.calls import READ, SETUP, WRITE
from onevoice.sandbox.gate import Admit, Answer, Endpoint, Operation, WithoutTrailingSlash, guarded
from onevoice.sandbox.hubspot.auth import TOKEN, Auth
from onevoice.sandbox.hubspot.batches import MOST, Batches
from onevoice.sandbox.hubspot.consent import Consent
from onevoice.sandbox.hubspot.contacts import ContactPages
from onevoice.sandbox.hubspot.contacts_store import Contacts
from onevoice.sandbox.hubspot.errors import missing
from onevoice.sandbox.hubspot.limits import SEARCH
from onevoice.sandbox.hubspot.lists import MOST_CHANGED, Lists
from onevoice.sandbox.hubspot.portal import Portal
from onevoice.sandbox.hubspot.properties import PropertyPages
from onevoice.sandbox.hubspot.search import Search
from onevoice.sandbox.state import ServerConfig, VendorState


def create_app(state: VendorState, config: ServerConfig) -> Starlette:
    """The server of one portal; `config.url` must be the URL that clients use."""
    portal = Portal(state, config)
    auth, contacts = Auth(portal), Contacts(portal)
    pages, batches, search = ContactPages(portal, contacts), Batches(portal, contacts), Search(portal, contacts)
    properties, lists, consent = PropertyPages(portal), Lists(portal, contacts), Consent(portal, contacts)

    def route(method: str, path: str, operation: Operation, endpoint: Endpoint, admit: Admit = auth.admit) -> Route:
        return Route(path, guarded(state, operation, endpoint, admit, portal.limits.headers), methods=[method])

    async def nowhere(_request: Request) -> Answer:
        raise missing()

    def open_door(_request: Request, _operation: Operation) -> None:
        """Tokens are asked for without a token."""

    people, kinds, many = "/crm/v3/objects/contacts", "/crm/v3/properties/{type}", "/crm/v3/lists"
    preferences = "/communication-preferences/v3"
    about = Operation("account", SETUP)
    schema, schema_change = Operation("properties", SETUP), Operation("create property", SETUP)
    members = Operation("list members", WRITE, MOST_CHANGED)
    routes = [
        route("POST", "/oauth/v1/token", TOKEN, auth.token, open_door),
        route("GET", "/oauth/v1/access-tokens/{token}", about, auth.about_token, open_door),
        route("GET", "/account-info/v3/details", about, auth.account),
        route("POST", people + "/search", Operation(SEARCH, READ), search.search),
        route("POST", people + "/batch/read", Operation("read batch", READ, MOST), batches.read),
        route("POST", people + "/batch/update", Operation("update batch", WRITE, MOST), batches.update),
        route("POST", people + "/batch/create", Operation("create batch", WRITE, MOST), batches.create),
        route("POST", people + "/batch/upsert", Operation("upsert batch", WRITE, MOST), batches.upsert),
        route("POST", people + "/batch/archive", Operation("archive batch", WRITE, MOST), batches.archive),
        route("POST", people + "/gdpr-delete", Operation("erase", WRITE), pages.erase),
        route("POST", people + "/merge", Operation("merge", WRITE), pages.merge),
        route("GET", people, Operation("list", READ), pages.page),
        route("POST", people, Operation("create", WRITE), pages.create),
        route("GET", people + "/{id}", Operation("read", READ), pages.read),
        route("PATCH", people + "/{id}", Operation("update", WRITE), pages.update),
        route("DELETE", people + "/{id}", Operation("archive", WRITE), pages.archive),
        route("GET", kinds, schema, properties.all),
        route("POST", kinds, schema_change, properties.create),
        route("POST", kinds + "/batch/create", schema_change, properties.create_many),
        route("POST", kinds + "/batch/read", schema, properties.read_many),
        route("GET", kinds + "/groups", schema, properties.groups),
        route("POST", kinds + "/groups", schema_change, properties.create_group),
        route("GET", kinds + "/groups/{name}", schema, properties.group),
        route("GET", kinds + "/{name}", schema, properties.one),
        route("PATCH", kinds + "/{name}", schema_change, properties.update),
        route("DELETE", kinds + "/{name}", schema_change, properties.archive),
        route("GET", many, Operation("lists", READ), lists.many),
        route("POST", many, Operation("create list", SETUP), lists.create),
        route("POST", many + "/search", Operation("lists", READ), lists.search),
        route("GET", many + "/object-type-id/{type}/name/{name}", Operation("lists", READ), lists.by_name),
        route("GET", many + "/records/{type}/{record}/memberships", Operation("lists", READ), lists.of_record),
        route("GET", many + "/{id}", Operation("lists", READ), lists.read),
        route("DELETE", many + "/{id}", Operation("delete list", WRITE), lists.delete),
        route("GET", many + "/{id}/memberships", Operation("read list members", READ), lists.members),
        route("GET", many + "/{id}/memberships/join-order", Operation("read list members", READ), lists.members),
        route("DELETE", many + "/{id}/memberships", members, lists.clear),
        route("PUT", many + "/{id}/memberships/add", members, lists.add),
        route("PUT", many + "/{id}/memberships/remove", members, lists.remove),
        route("PUT", many + "/{id}/memberships/add-and-remove", members, lists.add_and_remove),
        route("GET", preferences + "/definitions", schema, consent.definitions),
        route("GET", preferences + "/status/email/{address}", Operation("subscription status", READ), consent.status),
        route("POST", preferences + "/subscribe", Operation("subscribe", WRITE), consent.subscribe),
        route("POST", preferences + "/unsubscribe", Operation("unsubscribe", WRITE), consent.unsubscribe),
        *(route(m, "/{path:path}", Operation("unknown", SETUP), nowhere) for m in ("GET", "POST", "PUT", "PATCH")),
    ]
    app = Starlette(routes=routes, middleware=[Middleware(WithoutTrailingSlash)])
    app.router.redirect_slashes = False
    return app
