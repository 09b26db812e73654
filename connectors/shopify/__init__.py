"""Shopify: customers in both directions; orders and abandoned checkouts as a source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from connectors._manifest import Manifest
from connectors.shopify.client import POINTS, Client
from connectors.shopify.definitions import Definitions
from connectors.shopify.destination import Customers
from connectors.shopify.source import Reader
from onevoice.errors import ContractBroken
from onevoice.protocols import Budget, Check, Field, Json, Page, Record, Stream, Write, WriteResult

__all__ = ["open_system"]

_ABOUT = "query About { shop { name myshopifyDomain } currentAppInstallation { accessScopes { handle } } }"
_SCOPES = {
    "read_customers": "customers cannot be read",
    "write_customers": "customers cannot be written",
    "read_orders": "orders and abandoned checkouts cannot be read",
    "read_all_orders": "orders older than 60 days are not shown",
    "read_products": "the product types of orders and carts cannot be read",
}
"""Access scope -> what is missing without it."""


class _ShopifyShop:
    """One shop; implements Source, Destination, Fetches, Glances and Provisions."""

    def __init__(self, system: str, settings: Mapping[str, str], budget: Budget, manifest: Manifest) -> None:
        self.system = system
        self.streams: Mapping[str, Stream] = manifest.contract_streams()
        window = next(limit.seconds for limit in manifest.limits if limit.name == POINTS)
        self._client = Client(system, settings, budget, window)
        self._definitions = Definitions(self._client)
        self._reader = Reader(self._client, manifest.streams)
        self._customers = Customers(self._client, self._definitions)

    def check(self) -> Check:
        """One small call. Notes name access scopes that are missing, and a version that Shopify does not serve."""
        answer = self._client.query(_ABOUT, {}, cost=5)
        shop = answer.part("shop")
        granted = {scope["handle"] for scope in answer.part("currentAppInstallation")["accessScopes"]}
        granted |= {f"read_{scope.removeprefix('write_')}" for scope in granted if scope.startswith("write_")}
        notes = [
            f"{without} (grant the access scope {scope})" for scope, without in _SCOPES.items() if scope not in granted
        ]
        if answer.version not in {"", self._client.version}:
            notes.append(f"Shopify answered with API version {answer.version} for {self._client.version}")
        return Check(account=f"{shop['name']} ({shop['myshopifyDomain']})", notes=notes)

    def read(self, stream: str, cursor: Json | None, fields: Sequence[str], as_of: datetime) -> Iterator[Page]:
        """See `Source.read`."""
        return self._reader.read(stream, cursor, fields, as_of)

    def glance(
        self,
        stream: str,
        since: datetime,
        refusals: Mapping[str, Sequence[str]],
        fields: Sequence[str],
        as_of: datetime,
    ) -> Iterator[Record]:
        """See `Glances.glance`."""
        return self._reader.glance(stream, since, refusals, fields, as_of)

    def fetch(self, stream: str, keys: Sequence[str], fields: Sequence[str]) -> Iterator[Record]:
        """See `Fetches.fetch`."""
        return self._reader.fetch(stream, keys, fields)

    def write(self, stream: str, writes: Sequence[Write]) -> Sequence[WriteResult]:
        """See `Destination.write`."""
        if stream != "customers":
            raise ContractBroken(
                f"{self.system}.{stream}: only customers are written", system=self.system, stream=stream
            )
        return self._customers.write(writes)

    def provision(self, fields: Sequence[Field], *, dry_run: bool) -> Sequence[str]:
        """See `Provisions.provision`."""
        return self._definitions.provision(fields, dry_run=dry_run)


def open_system(system: str, settings: Mapping[str, str], budget: Budget, manifest: Manifest) -> _ShopifyShop:
    """The shop behind `settings`; no call is made yet."""
    return _ShopifyShop(system, settings, budget, manifest)
