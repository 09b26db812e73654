"""Square: customers in both directions; orders and loyalty accounts as sources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from connectors._manifest import Manifest
from connectors.square.attributes import Attributes
from connectors.square.client import Client
from connectors.square.customers import Customers
from connectors.square.destination import Destination
from connectors.square.groups import Groups
from connectors.square.loyalty import LoyaltyAccounts
from connectors.square.orders import Orders
from connectors.square.provision import Provisioner
from onevoice.errors import ContractBroken
from onevoice.protocols import Budget, Check, Field, Json, Page, Record, Stream, Write, WriteResult

__all__ = ["open_system"]


class _SquareSeller:
    """One seller; implements Source, Destination, Fetches, Glances and Provisions."""

    def __init__(self, system: str, settings: Mapping[str, str], budget: Budget, manifest: Manifest) -> None:
        self.system = system
        self.streams: Mapping[str, Stream] = manifest.contract_streams()
        client = Client(system, settings, budget)
        attributes, groups = Attributes(client), Groups(client)
        self._customers = Customers(client, attributes, groups, manifest.streams["customers"])
        self._orders = Orders(client, manifest.streams["orders"])
        self._loyalty = LoyaltyAccounts(client, manifest.streams["loyalty_accounts"])
        self._destination = Destination(client, groups)
        self._provisioner = Provisioner(client, attributes, groups)

    def check(self) -> Check:
        """Two small calls. A note says when deleted customers cannot be seen."""
        stores = self._orders.stores()
        account = next(
            (str(row["merchant_id"]) for row in stores if row.get("merchant_id")), "seller without locations"
        )
        note = self._customers.note_on_events()
        return Check(account=account, notes=(note,) if note else ())

    def read(self, stream: str, cursor: Json | None, fields: Sequence[str], as_of: datetime) -> Iterator[Page]:
        """See `Source.read`."""
        match stream:
            case "customers":
                return self._customers.read(cursor, fields, as_of)
            case "orders":
                return self._orders.read(cursor, as_of)
            case "loyalty_accounts":
                return self._loyalty.read(cursor, as_of)
        raise self._unknown(stream)

    def glance(
        self,
        stream: str,
        since: datetime,
        refusals: Mapping[str, Sequence[str]],
        fields: Sequence[str],
        as_of: datetime,
    ) -> Iterator[Record]:
        """See `Glances.glance`."""
        del refusals  # nothing to filter by
        if stream != "customers":
            raise self._unknown(stream)
        return self._customers.glance(since, fields, as_of)

    def fetch(self, stream: str, keys: Sequence[str], fields: Sequence[str]) -> Iterator[Record]:
        """See `Fetches.fetch`."""
        match stream:
            case "customers":
                return self._customers.fetch(keys, fields)
            case "orders":
                return self._orders.fetch(keys)
            case "loyalty_accounts":
                return self._loyalty.fetch(keys)
        raise self._unknown(stream)

    def write(self, stream: str, writes: Sequence[Write]) -> Sequence[WriteResult]:
        """See `Destination.write`."""
        if stream != "customers":
            raise self._unknown(stream)
        return self._destination.write(writes)

    def provision(self, fields: Sequence[Field], *, dry_run: bool) -> Sequence[str]:
        """See `Provisions.provision`."""
        return self._provisioner.provision(fields, dry_run=dry_run)

    def _unknown(self, stream: str) -> ContractBroken:
        return ContractBroken(f"{self.system}: there is no such stream {stream}", system=self.system, stream=stream)


def open_system(system: str, settings: Mapping[str, str], budget: Budget, manifest: Manifest) -> _SquareSeller:
    """The seller behind `settings`; no call is made yet."""
    return _SquareSeller(system, settings, budget, manifest)
