"""One shop: its state and everything its fields share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLResolveInfo

from onevoice.sandbox.shopify.errors import top_error
from onevoice.sandbox.shopify.limits import Limits
from onevoice.sandbox.shopify.search import Searches
from onevoice.sandbox.state import Fields, ServerConfig, Table, VendorState

CURRENCY = "GBP"
"""Of the shop; what has lines is in the currency of its lines."""
READ_SCOPES = ("read_customers", "read_orders")
WRITE_SCOPES = ("write_customers",)
SHOP_ID = "gid://shopify/Shop/64001000"
APP_ID = "gid://shopify/AppInstallation/501002003"


class Shop:
    """What the fields read and the mutations change."""

    def __init__(self, state: VendorState, config: ServerConfig) -> None:
        self.state = state
        self.config = config
        self.limits = Limits(state)
        self.customers: Table = state.tables["customers"]
        self.orders: Table = state.tables["orders"]
        self.checkouts: Table = state.tables["checkouts"]
        self.searches = Searches()
        self._orders_at = -1
        self._orders_of: dict[str, list[Fields]] = {}

    @property
    def scopes_of(self) -> Mapping[str, tuple[str, ...]]:
        """What each access token may do."""
        scopes: dict[str, tuple[str, ...]] = {self.config.client_secret: (*READ_SCOPES, *WRITE_SCOPES)}
        if self.config.read_only_token:
            scopes[self.config.read_only_token] = READ_SCOPES
        return scopes

    @property
    def definitions(self) -> dict[str, dict[str, Any]]:
        """The metafield definitions of customers, by "namespace.key"; they are kept with the state."""
        return self.state.schema.setdefault("CUSTOMER", {})

    def orders_of(self, customer: str) -> Sequence[Fields]:
        """All orders of a customer as they are now."""
        if self._orders_at != self.orders.changes:
            grouped: dict[str, list[Fields]] = defaultdict(list)
            for row in self.orders.rows.values():
                if row.get("customer"):
                    grouped[row["customer"]].append(row)
            self._orders_of, self._orders_at = dict(grouped), self.orders.changes
        return self._orders_of.get(customer, ())


@dataclass(slots=True)
class Call:
    """One request, as the fields see it."""

    shop: Shop
    scopes: tuple[str, ...]
    warnings: list[dict[str, Any]] = field(default_factory=list)
    """What was passed over in search queries, for `extensions.search`."""

    def need(self, scope: str, what: str) -> None:
        """Refuse a field that the token may not use."""
        if scope not in self.scopes:
            raise top_error(
                f"Access denied for {what} field. Required access: `{scope}` access scope.",
                "ACCESS_DENIED",
                documentation="https://shopify.dev/docs/api/usage/access-scopes",
                requiredAccess=f"`{scope}` access scope.",
            )


Info = GraphQLResolveInfo[Call]
"""What graphql-core hands to every field; its `context` is the Call."""
