"""Klaviyo: profiles in both directions, and suppressed addresses as a destination."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from connectors._manifest import Manifest
from connectors.klaviyo.client import Client
from connectors.klaviyo.imports import Imports
from connectors.klaviyo.own_writes import OwnWrites
from connectors.klaviyo.source import Reader
from connectors.klaviyo.suppressions import Suppressions
from onevoice.errors import ContractBroken, PermissionMissing
from onevoice.protocols import Budget, Check, Field, Json, Page, Record, Stream, Write, WriteResult

__all__ = ["open_system"]


class _KlaviyoAccount:
    """One account; implements Source, Destination, Fetches, Glances and Provisions."""

    def __init__(self, system: str, settings: Mapping[str, str], budget: Budget, manifest: Manifest) -> None:
        self.system = system
        self.streams: Mapping[str, Stream] = manifest.contract_streams()
        self._client = Client(system, settings, budget)
        own_writes = OwnWrites()
        self._reader = Reader(self._client, manifest.streams, own_writes)
        self._imports = Imports(self._client, own_writes)
        self._suppressions = Suppressions(self._client, own_writes)

    def check(self) -> Check:
        """One call for the account; where the key may not see it, one for a single profile's id."""
        try:
            accounts = self._client.get("/api/accounts")
        except PermissionMissing:
            self._client.get("/api/profiles", {"page[size]": 1, "fields[profile]": "id"}, stream="profiles")
            return Check("unknown account", ("the key lacks accounts:read, so the account cannot be named",))
        try:
            account = accounts["data"][0]
            name = account["attributes"]["contact_information"]["organization_name"]
            return Check(f"{name} ({account['id']})")
        except (KeyError, IndexError, TypeError) as exc:
            raise ContractBroken(f"{self.system}: the account answer is not one (check url)") from exc

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
        match stream:
            case "profiles":
                return self._imports.write(writes)
            case "suppressions":
                return self._suppressions.write(writes)
        raise ContractBroken(f"{self.system}: there is no stream {stream}", system=self.system, stream=stream)

    def provision(self, fields: Sequence[Field], *, dry_run: bool) -> Sequence[str]:
        """Nothing to do, ever: a custom property comes into being with its first value, and a suppression needs none.

        ConfigError names fields that could not be written.
        """
        del dry_run  # nothing is made, dry or not
        return self._imports.provision([field.name for field in fields if field.stream == "profiles"])


def open_system(system: str, settings: Mapping[str, str], budget: Budget, manifest: Manifest) -> _KlaviyoAccount:
    """The account behind `settings`; no call is made yet."""
    return _KlaviyoAccount(system, settings, budget, manifest)
