"""Salesforce: Contact in both directions; Case and the loyalty objects as sources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from connectors._manifest import Manifest
from connectors.salesforce.client import Client
from connectors.salesforce.destination import Writer
from connectors.salesforce.provision import Provisioner
from connectors.salesforce.schema import Schema
from connectors.salesforce.source import Reader
from onevoice.protocols import Budget, Check, Field, Json, Page, Record, Stream, Write, WriteResult

__all__ = ["open_system"]


class _SalesforceOrg:
    """One org; implements Source, Destination, Fetches, Glances and Provisions."""

    def __init__(self, system: str, settings: Mapping[str, str], budget: Budget, manifest: Manifest) -> None:
        self.system = system
        self.streams: Mapping[str, Stream] = manifest.contract_streams()
        self._client = Client(system, settings, budget)
        self._schema = Schema(self._client)
        self._reader = Reader(self._client, self._schema, manifest.streams)
        self._writer = Writer(self._client)
        self._provisioner = Provisioner(self._client, self._schema)

    def check(self) -> Check:
        """Two small calls. Notes name objects the org lacks and mapped fields that reads had to leave out."""
        found = self._client.call("query", lambda sf: sf.query("SELECT Id FROM Organization"))
        listed = self._client.get("sobjects") or {}
        present = {entry["name"] for entry in listed.get("sobjects", ())}
        notes = [f"{name} is not in this org or not shown to this user" for name in self.streams if name not in present]
        notes += [
            f"{stream}: {', '.join(names)} is mapped but not in this org or not shown to this user"
            for stream, names in sorted(self._schema.left_out.items())
            if names
        ]
        return Check(account=found["records"][0]["Id"], notes=tuple(notes))

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
        return self._writer.write(stream, writes)

    def provision(self, fields: Sequence[Field], *, dry_run: bool) -> Sequence[str]:
        """See `Provisions.provision`."""
        return self._provisioner.provision(fields, dry_run=dry_run)


def open_system(system: str, settings: Mapping[str, str], budget: Budget, manifest: Manifest) -> _SalesforceOrg:
    """The org behind `settings`; no call is made yet."""
    return _SalesforceOrg(system, settings, budget, manifest)
