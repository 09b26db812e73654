"""A Shopify shop served on loopback, and Shopify's own schema as the judge of every request and every answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from graphql import execute_sync, parse, validate
from graphql.execution.values import get_variable_values

from descriptions import shopify_schema
from loopback import Stage, caller
from onevoice.sandbox.shopify import create_app
from onevoice.sandbox.shopify.tables import gid_kind, shopify_stamp, shopify_state
from onevoice.sandbox.state import Clock, ServerConfig, VendorState

AS_OF = datetime(2026, 11, 22, 9, tzinfo=UTC)
TOKEN, READ_ONLY = "token", "token-to-read"
PATH = "/admin/api/2026-07/graphql.json"


class Judge:
    """Shopify's schema: says whether a request is one of its own and whether an answer is complete and of its types."""

    def __init__(self) -> None:
        self.schema = shopify_schema()
        self.checked = 0
        self._validated: dict[str, list[str]] = {}

    def faults(self, query: str, variables: dict[str, Any]) -> list[str]:
        """What the schema has against a request."""
        document = parse(query)
        if query not in self._validated:
            self._validated[query] = [error.message for error in validate(self.schema, document)]
        found = list(self._validated[query])
        definitions = [one for one in document.definitions if getattr(one, "variable_definitions", None)]
        for one in [] if found else definitions:
            coerced = get_variable_values(self.schema, one.variable_definitions, variables)
            found += [error.message for error in coerced] if isinstance(coerced, list) else []
        return found

    def check(self, response: httpx.Response) -> None:
        """Raise for a run request or an answer that the schema does not allow."""
        asked, said = json.loads(response.request.content), response.json()
        if response.status_code != 200:
            return
        for error in said.get("errors", ()):
            assert isinstance(error["message"], str)
            assert error["extensions"]["code"]
        if "data" not in said:
            return
        variables = asked.get("variables") or {}
        assert self.faults(asked["query"], variables) == []
        if not said.get("errors"):
            completed = execute_sync(
                self.schema,
                parse(asked["query"]),
                root_value=said["data"],
                variable_values=variables,
                field_resolver=lambda source, info, **_: source[info.path.key],
                type_resolver=_type_of,
            )
            assert completed.errors is None
            assert completed.data == said["data"]
        cost = said["extensions"]["cost"]
        assert cost["actualQueryCost"] >= 0
        self.checked += 1


def _type_of(source: dict[str, Any], *_: object) -> str:
    """An object of an interface says its type, by name or by its id."""
    return str(source.get("__typename") or gid_kind(source["id"]))


@pytest.fixture(scope="session")
def judge() -> Judge:
    return Judge()


class Shop:
    """A served shop: its state, and a client for it."""

    def __init__(self, state: VendorState, url: str, client: httpx.Client) -> None:
        self.state = state
        self.url = url
        self.client = client
        self._stamps = 0

    def ask(self, query: str, /, *, token: str = TOKEN, **variables: Any) -> dict[str, Any]:
        """The body of the answer, which is a 200."""
        body = {"query": query, "variables": variables}
        response = self.client.post(PATH, json=body, headers={"X-Shopify-Access-Token": token})
        assert response.status_code == 200, response.text
        said: dict[str, Any] = response.json()
        return said

    def data(self, query: str, /, **variables: Any) -> dict[str, Any]:
        """What was asked for; there were no errors."""
        said = self.ask(query, **variables)
        assert "errors" not in said, said["errors"]
        data: dict[str, Any] = said["data"]
        return data

    def codes(self, query: str, /, **variables: Any) -> list[str]:
        """The codes of the errors at the top of the answer."""
        return [error["extensions"]["code"] for error in self.ask(query, **variables).get("errors", ())]

    def customer(self, **fields: Any) -> str:
        """A customer that has long been there; each was changed a second after the one before."""
        row = {
            "firstName": "Ann",
            "lastName": "Lee",
            "email": None,
            "phone": None,
            "emailMarketing": None,
            "phoneMarketing": None,
            "address": None,
            "tags": [],
            "metafields": {},
            **fields,
        }
        return self._insert("customers", row)

    def order(self, customer: str | None, *lines: dict[str, Any], **fields: Any) -> str:
        """An order of these lines."""
        return self._insert("orders", {"name": "#1001", "customer": customer, "cancelledAt": None, **fields}, lines)

    def checkout(self, customer: str | None, *lines: dict[str, Any], **fields: Any) -> str:
        """An abandoned checkout."""
        return self._insert("checkouts", {"customer": customer, "completedAt": None, **fields}, lines)

    def _insert(self, name: str, row: dict[str, Any], lines: tuple[dict[str, Any], ...] = ()) -> str:
        table = self.state.tables[name]
        self._stamps += 1
        stamp = AS_OF - timedelta(days=3) + timedelta(seconds=self._stamps)
        key = table.spec.new_id(len(table) + 1)
        kind = {"orders": "LineItem", "checkouts": "AbandonedCheckoutLineItem"}.get(name)
        numbered = [{"id": f"gid://shopify/{kind}/{len(table) * 100 + n}", **one} for n, one in enumerate(lines, 1)]
        full = {"processedAt": shopify_stamp(stamp)} if name == "orders" else {}
        full |= {"lines": numbered} if kind else {}
        return table.insert({"id": key, **full, **row}, stamp, key, "seed")


def line(**fields: Any) -> dict[str, Any]:
    """One line of an order or a checkout, at full price unless told otherwise."""
    return {
        "title": "Fell jacket",
        "productType": "Jackets",
        "quantity": 1,
        "original": "59.90",
        "discounted": "59.90",
        "currency": "GBP",
        **fields,
    }


@pytest.fixture
def opened(stage_of: Callable[..., Stage], judge: Judge) -> Iterator[Callable[[VendorState], Shop]]:
    """Opens a shop with this state, limits off, in place of the one before; every request and answer is judged."""
    stage = stage_of("shopify")

    def check(response: httpx.Response) -> None:
        response.read()
        judge.check(response)

    with caller(stage.url, event_hooks={"response": [check]}) as client:

        def open_with(state: VendorState) -> Shop:
            state.faults.limits_on = False
            config = ServerConfig(stage.url, client_id="app", client_secret=TOKEN, read_only_token=READ_ONLY)
            stage.app = create_app(state, config)
            return Shop(state, stage.url, client)

        yield open_with


@pytest.fixture
def shop(opened: Callable[[VendorState], Shop]) -> Shop:
    """An empty shop, limits off."""
    return opened(shopify_state(Clock(AS_OF)))


@pytest.fixture
def restarted(shop: Shop, opened: Callable[[VendorState], Shop]) -> Callable[[], Shop]:
    """Puts a server in the shop's place that has taken over what it kept on disk."""

    def restart() -> Shop:
        state = shopify_state(Clock(shop.state.clock.now()))
        state.load(json.loads(json.dumps(shop.state.dump())))
        return opened(state)

    return restart


@pytest.fixture
def one_line() -> Callable[..., dict[str, Any]]:
    return line
