"""The Square server: its routes, behind its gate."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.routing import Route

from onevoice.sandbox.calls import READ, SETUP, WRITE
from onevoice.sandbox.gate import Answer, Endpoint, Operation, WithoutTrailingSlash, guarded
from onevoice.sandbox.square.attribute_filter import AttributeFilters
from onevoice.sandbox.square.attributes import MOST_UPSERTED, AttributePages
from onevoice.sandbox.square.attributes_store import Attributes
from onevoice.sandbox.square.customer_search import CustomerSearch
from onevoice.sandbox.square.customers import MOST, CustomerPages
from onevoice.sandbox.square.customers_store import Customers
from onevoice.sandbox.square.errors import refusal
from onevoice.sandbox.square.events import Events
from onevoice.sandbox.square.groups import Groups
from onevoice.sandbox.square.limits import no_headers
from onevoice.sandbox.square.loyalty import Loyalty
from onevoice.sandbox.square.loyalty_events import LoyaltyEvents
from onevoice.sandbox.square.orders import MOST_READ, Orders
from onevoice.sandbox.square.seller import Seller
from onevoice.sandbox.state import ServerConfig, VendorState


def create_app(state: VendorState, config: ServerConfig) -> Starlette:
    """The server of one seller; its access token is `config.client_secret`."""
    seller = Seller(state, config)
    customers = Customers(seller)
    attributes = Attributes(seller, customers)
    pages, groups = CustomerPages(seller, customers), Groups(seller, customers)
    search = CustomerSearch(seller, customers, AttributeFilters(attributes))
    values = AttributePages(seller, customers, attributes)
    orders, loyalty, events = Orders(seller), Loyalty(seller), LoyaltyEvents(seller)
    happened = Events(seller)

    def route(method: str, path: str, operation: Operation, endpoint: Endpoint) -> Route:
        return Route(path, guarded(state, operation, endpoint, seller.admit, no_headers), methods=[method])

    async def nowhere(request: Request) -> Answer:
        asked = f"`{request.url.path}` and HTTP method `{request.method}`"
        raise refusal("NOT_FOUND", f"API endpoint for URL path {asked} is not found.")

    people, points = "/v2/customers", "/v2/loyalty"
    kinds, teams = people + "/custom-attribute-definitions", people + "/groups"
    person = people + "/{id}"
    describe, define = Operation("attribute definitions", SETUP), Operation("define attribute", SETUP)
    about, read_group, change_group = (Operation(name, SETUP) for name in ("account", "groups", "change group"))
    read_value, upsert_value = Operation("read attributes", READ), Operation("upsert attribute", WRITE)
    routes = [
        route("POST", people + "/search", Operation("search customers", READ, MOST), search.search),
        route("POST", people + "/bulk-create", Operation("create customers", WRITE, MOST), pages.create_many),
        route("POST", people + "/bulk-retrieve", Operation("read customers", READ, MOST), pages.read_many),
        route("POST", people + "/bulk-update", Operation("update customers", WRITE, MOST), pages.update_many),
        route("POST", people + "/bulk-delete", Operation("delete customers", WRITE, MOST), pages.delete_many),
        route("GET", kinds, describe, values.definitions),
        route("POST", kinds, define, values.define),
        route("GET", kinds + "/{key}", describe, values.definition),
        route("PUT", kinds + "/{key}", define, values.redefine),
        route("DELETE", kinds + "/{key}", define, values.undefine),
        route(
            "POST",
            people + "/custom-attributes/bulk-upsert",
            Operation("upsert attributes", WRITE, MOST_UPSERTED),
            values.upsert_many,
        ),
        route("GET", teams, read_group, groups.every),
        route("POST", teams, change_group, groups.create),
        route("GET", teams + "/{group}", read_group, groups.read),
        route("PUT", teams + "/{group}", change_group, groups.rename),
        route("DELETE", teams + "/{group}", change_group, groups.delete),
        route("GET", people, Operation("list customers", READ, MOST), search.every),
        route("POST", people, Operation("create customer", WRITE), pages.create),
        route("GET", person, Operation("read customer", READ), pages.read),
        route("PUT", person, Operation("update customer", WRITE), pages.update),
        route("DELETE", person, Operation("delete customer", WRITE), pages.delete),
        route("PUT", person + "/groups/{group}", Operation("add to group", WRITE), groups.add),
        route("DELETE", person + "/groups/{group}", Operation("remove from group", WRITE), groups.remove),
        route("GET", person + "/custom-attributes", read_value, values.values),
        route("GET", person + "/custom-attributes/{key}", read_value, values.value),
        route("POST", person + "/custom-attributes/{key}", upsert_value, values.upsert),
        route("DELETE", person + "/custom-attributes/{key}", Operation("delete attribute", WRITE), values.take),
        route("GET", "/v2/locations", about, orders.locations),
        route("GET", "/v2/locations/{id}", about, orders.location),
        route("POST", "/v2/orders/search", Operation("search orders", READ), orders.search),
        route("POST", "/v2/orders/batch-retrieve", Operation("read orders", READ, MOST_READ), orders.read_many),
        route("GET", "/v2/orders/{id}", Operation("read order", READ), orders.read),
        route("GET", points + "/programs", about, loyalty.programs),
        route("GET", points + "/programs/{id}", about, loyalty.program),
        route("POST", points + "/accounts", Operation("create account", WRITE), loyalty.create),
        route("POST", points + "/accounts/search", Operation("search accounts", READ), loyalty.search),
        route("GET", points + "/accounts/{id}", Operation("read account", READ), loyalty.read),
        route("POST", points + "/accounts/{id}/accumulate", Operation("accumulate", WRITE), loyalty.accumulate),
        route("POST", points + "/accounts/{id}/adjust", Operation("adjust", WRITE), loyalty.adjust),
        route("POST", points + "/events/search", Operation("search events", READ), events.search),
        route("POST", "/v2/events", Operation("search happenings", READ), happened.search),
        *(
            route(method, "/{path:path}", Operation("unknown", SETUP), nowhere)
            for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
        ),
    ]
    app = Starlette(routes=routes, middleware=[Middleware(WithoutTrailingSlash)])
    app.router.redirect_slashes = False
    return app
