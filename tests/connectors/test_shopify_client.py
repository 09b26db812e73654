"""One shop's API: prices and points, the errors inside a 200, and what an admin is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors import open_budget, open_connector
from connectors._http import Refused
from connectors.shopify.client import TooCostly
from onevoice.errors import (
    Ambiguous,
    AuthFailed,
    ConfigError,
    ConnectorError,
    ContractBroken,
    FatalError,
    PermissionMissing,
    Unavailable,
)
from onevoice.protocols import DeferReason, Write, WriteResult

AS_OF = datetime(2026, 11, 22, 9, tzinfo=UTC)
KEY = "gid://shopify/Customer/1"
UNSUBSCRIBE = Write(KEY, {"defaultEmailAddress.marketingState": "UNSUBSCRIBED"})
NOTHING = {"nodes": [], "pageInfo": {"hasNextPage": False, "endCursor": None}}
ANSWERS = {
    "Page": {"customers": NOTHING},
    "Count": {"customersCount": {"count": 0, "precision": "EXACT"}},
    "About": {
        "shop": {"name": "Coats", "myshopifyDomain": "coats.myshopify.com"},
        "currentAppInstallation": {"accessScopes": [{"handle": "write_customers"}, {"handle": "read_orders"}]},
    },
    "Write": {"m0": {"customer": {"id": KEY}, "userErrors": []}},
}


def error(code: str, *path: object, **more: object) -> dict[str, Any]:
    return {"message": f"{code} said of jane@example.org", "path": list(path), "extensions": {"code": code, **more}}


def priced(asked: float, left: float, most: float = 2000, rate: float = 100) -> dict[str, Any]:
    status = {"maximumAvailable": most, "currentlyAvailable": left, "restoreRate": rate}
    return {"cost": {"requestedQueryCost": asked, "actualQueryCost": None, "throttleStatus": status}}


@pytest.fixture
def vendor(scripted: Callable[..., Any], budget: Any) -> Any:
    """A scripted shop: takes what `vendor.says` holds, one after another, then answers as an empty shop."""
    server = scripted()
    server.says = []

    def answer(exchange: Any) -> Any:
        said = server.says.pop(0) if server.says else None
        name = exchange.json()["query"].split()[1].partition("(")[0]
        if said is None:
            return 200, {"data": ANSWERS[name]}
        return said if isinstance(said, tuple) else (200, said)

    server.answer = answer
    server.settings = {"url": server.url, "access_token": "shpat_t"}
    server.shop = open_connector("shopify", "shop", server.settings, budget)
    return server


def read(vendor: Any) -> list[Any]:
    return list(vendor.shop.read("customers", None, ["firstName"], AS_OF))


def test_request_is_as_shopify_wants_it(vendor: Any) -> None:
    vendor.shop.check()
    [request] = vendor.requests
    assert (request.method, request.path) == ("POST", "/admin/api/2026-07/graphql.json")
    assert request.headers["X-Shopify-Access-Token"] == "shpat_t"


def test_version_is_a_setting(scripted: Any, vendor: Any, budget: Any) -> None:
    open_connector("shopify", "shop", {**vendor.settings, "version": "2026-10"}, budget).check()
    assert vendor.requests[-1].path == "/admin/api/2026-10/graphql.json"
    with pytest.raises(ConfigError, match="version is written as 2026-07"):
        open_connector("shopify", "shop", {**vendor.settings, "version": "../../x"}, budget)


def test_check_names_the_shop_and_the_scopes_that_are_missing(vendor: Any) -> None:
    vendor.says = [(200, {"data": ANSWERS["About"]}, {"X-Shopify-API-Version": "2026-04"})]
    answer = vendor.shop.check()
    assert answer.account == "Coats (coats.myshopify.com)"
    missing = [note for note in answer.notes if "access scope" in note]
    assert [note.split()[-1] for note in missing] == ["read_all_orders)", "read_products)"]
    assert "answered with API version 2026-04 for 2026-07" in answer.notes[-1]


def test_throttle_in_a_200_is_waited_out_for_as_long_as_the_points_take(vendor: Any, budget: Any) -> None:
    vendor.says = [{"errors": [error("THROTTLED")], "extensions": priced(300, 50)}]
    read(vendor)
    assert budget.refusals == [("read", 2.5)]
    assert len(vendor.requests) == 3


def test_throttle_without_a_price_is_one_all_the_same(vendor: Any, budget: Any) -> None:
    vendor.says = [{"errors": [error("THROTTLED")]}, (429, {"errors": "slow"}, {"Retry-After": "1.5"})]
    read(vendor)
    assert budget.refusals == [("read", None), ("read", 1.5)]


def test_what_shopify_says_of_its_points_reaches_the_budget(vendor: Any, budget: Any) -> None:
    vendor.says = [{"data": ANSWERS["Page"], "extensions": priced(52, 1948.5, most=4000, rate=200)}]
    read(vendor)
    assert budget.observed == [("points", 1948, 4000 + 80 * 200)]
    assert all(cost >= 1 for cost in budget.costs)


def test_points_that_are_told_are_waited_for() -> None:
    budget = open_budget("shopify", "shop")
    budget.observe("points", remaining=5, limit=10_000 * 50)
    began = datetime.now(UTC)
    budget.acquire("write", urgent=True, cost=505)
    assert 0.05 < (datetime.now(UTC) - began).total_seconds() < 2


def test_page_that_costs_too_much_is_made_smaller(vendor: Any) -> None:
    vendor.says = [{"errors": [error("MAX_COST_EXCEEDED")]}, {"errors": [error("MAX_COST_EXCEEDED")]}]
    read(vendor)
    sizes = [request.json()["variables"].get("first") for request in vendor.requests[:3]]
    assert sizes[0] > sizes[1] > sizes[2] > 0


def test_record_that_alone_costs_too_much_is_told(vendor: Any) -> None:
    vendor.answer = lambda _: (200, {"errors": [error("MAX_COST_EXCEEDED")]})
    with pytest.raises(TooCostly):
        read(vendor)
    assert vendor.requests[-1].json()["variables"]["first"] == 1


def test_query_that_no_bucket_can_pay_is_not_waited_for(vendor: Any) -> None:
    vendor.answer = lambda _: (200, {"errors": [error("THROTTLED")], "extensions": priced(900, 100, most=500)})
    with pytest.raises(TooCostly):
        read(vendor)


def test_denied_field_is_told_and_not_taken_for_blank(vendor: Any) -> None:
    node = {"id": KEY, "updatedAt": "2026-11-01T00:00:00Z", "firstName": None}
    denied = error("ACCESS_DENIED", "customers", "nodes", 0, "firstName", requiredAccess="`read_customers`")
    vendor.says = [{"data": {"customers": {**NOTHING, "nodes": [node]}}, "errors": [denied]}]
    with pytest.raises(PermissionMissing) as caught:
        read(vendor)
    assert "customers.nodes.firstName is not allowed" in str(caught.value)
    assert "read_customers" in str(caught.value)
    assert "protected customer data" in str(caught.value)
    assert (caught.value.system, caught.value.stream) == ("shop", "customers")


def test_field_that_the_version_lacks_is_told(vendor: Any) -> None:
    wrong = {"message": "Field 'firstName' doesn't exist on type 'Customer'", "extensions": {"code": "undefinedField"}}
    vendor.says = [{"errors": [wrong]}]
    with pytest.raises(ContractBroken, match=r"doesn't exist on type 'Customer'.*correct the mapping"):
        read(vendor)


STATUSES: Mapping[int, type[ConnectorError]] = {
    401: AuthFailed,
    402: FatalError,
    403: PermissionMissing,
    404: FatalError,
    423: FatalError,
    400: Refused,
    301: ContractBroken,
}


@pytest.mark.parametrize(("status", "kind"), STATUSES.items())
def test_every_status_has_its_error(vendor: Any, status: int, kind: type[ConnectorError]) -> None:
    vendor.answer = lambda _: (status, {"errors": "[API] no, jane@example.org"})
    with pytest.raises(kind) as caught:
        vendor.shop.check()
    assert "jane" not in str(caught.value)
    assert len(vendor.requests) == 1


FAILURES = ({"errors": [error("INTERNAL_SERVER_ERROR")]}, (503, {"errors": "x"}), (200, b"<html>"))


@pytest.mark.parametrize("failure", FAILURES, ids=("inside a 200", "status", "no JSON"))
def test_failure_of_a_read_is_asked_again_and_of_a_write_is_not(vendor: Any, failure: Any) -> None:
    vendor.says = [failure]
    assert vendor.shop.check().account
    vendor.says = [failure]
    before = len(vendor.requests)
    with pytest.raises(Ambiguous):
        vendor.shop.write("customers", [UNSUBSCRIBE])
    assert len(vendor.requests) == before + 1


@pytest.mark.parametrize("body", [{}, [], None, {"data": None}, {"errors": [None]}, {"data": {}}, {"errors": "odd"}])
def test_odd_answers_are_errors_of_ours(vendor: Any, body: Any) -> None:
    vendor.answer = lambda _: (200, body)
    with pytest.raises((ContractBroken, Unavailable)):
        read(vendor)
    with pytest.raises((ContractBroken, Unavailable)):
        vendor.shop.write("customers", [Write(KEY, {"metafields.onevoice.tier": "x"})])
    with pytest.raises((ContractBroken, Ambiguous)):
        raise_for(vendor.shop.write("customers", [UNSUBSCRIBE]))


def raise_for(results: Sequence[WriteResult]) -> None:
    assert [result.reason for result in results] == [DeferReason.AMBIGUOUS]
    raise Ambiguous(results[0].message)
