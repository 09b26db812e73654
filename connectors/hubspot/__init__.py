"""HubSpot: contacts in both directions; subscriptions and static lists as destinations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from connectors._manifest import Manifest
from connectors.hubspot.client import Client
from connectors.hubspot.destination import Contacts, Subscriptions
from connectors.hubspot.lists import Lists
from connectors.hubspot.properties import Properties
from connectors.hubspot.provision import Provisioner
from connectors.hubspot.source import Reader
from onevoice.errors import ContractBroken
from onevoice.protocols import Budget, Check, Field, Json, Page, Record, Stream, Write, WriteResult

__all__ = ["open_system"]


class _HubSpotPortal:
    """One portal; implements Source, Destination, Fetches, Glances and Provisions."""

    def __init__(self, system: str, settings: Mapping[str, str], budget: Budget, manifest: Manifest) -> None:
        self.system = system
        self.streams: Mapping[str, Stream] = manifest.contract_streams()
        self._client = Client(system, settings, budget)
        self._properties = Properties(self._client)
        self._lists = Lists(self._client)
        self._reader = Reader(self._client, self._properties, self._lists, manifest.streams)
        self._contacts = Contacts(self._client, self._properties)
        self._subscriptions = Subscriptions(self._client, settings)
        self._provisioner = Provisioner(self._client, self._properties, self._lists)

    def check(self) -> Check:
        """One small call, and with OAuth one more for the portal's id. Notes name properties that reads left out."""
        self._client.call("read", "crm.contacts.basic_api.get_page", limit=1, properties=["email"], stream="contacts")
        account = "private app"
        if self._client.renewable:
            about = self._client.call("read", "oauth.access_tokens_api.get", self._client.token)
            account = str(about.get("hub_id") or about.get("hubId") or "unknown portal")
        absent = self._properties.left_out
        notes = (f"contacts: {', '.join(absent)} is mapped but not in this portal",) if absent else ()
        return Check(account=account, notes=notes)

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
        """See `Fetches.fetch`. For `lists` the fields are names of lists."""
        return self._reader.fetch(stream, keys, fields)

    def write(self, stream: str, writes: Sequence[Write]) -> Sequence[WriteResult]:
        """See `Destination.write`."""
        match stream:
            case "contacts":
                return self._contacts.write(writes)
            case "subscriptions":
                return self._subscriptions.write(writes)
            case "lists":
                return self._lists.write(writes)
        raise ContractBroken(f"{self.system}: there is no stream {stream}", system=self.system, stream=stream)

    def provision(self, fields: Sequence[Field], *, dry_run: bool) -> Sequence[str]:
        """See `Provisions.provision`."""
        return self._provisioner.provision(fields, dry_run=dry_run)


def open_system(system: str, settings: Mapping[str, str], budget: Budget, manifest: Manifest) -> _HubSpotPortal:
    """The portal behind `settings`; no call is made yet."""
    return _HubSpotPortal(system, settings, budget, manifest)
