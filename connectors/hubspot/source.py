"""Reading a portal: contacts by search windows with a sweep for deletes, and single records for read-back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors._manifest import StreamEntry
from connectors._watermark import Span, finished, moment, spans
from connectors.hubspot.client import Client, Refused
from connectors.hubspot.lists import Lists
from connectors.hubspot.properties import Properties
from connectors.hubspot.search import KEY, MOST_GROUPS, STAMP, Rows, Walk, holds, record
from onevoice.errors import ContractBroken
from onevoice.protocols import Json, Page, Record

MERGED = "hs_merged_object_ids"
"""On the winner of merges: the record ids that it swallowed, with semicolons between them."""
MERGED_INTO = "merged_into"
"""Stands in the data of a deleted record that was the loser of a merge: the winner's record id."""
OWN_PROPERTIES = (KEY, STAMP, MERGED)
ARCHIVED_PAGE = 100
FETCH_BATCH = 100


class Reader:
    """Pages of contacts, and single records of every stream."""

    def __init__(
        self, client: Client, properties: Properties, lists: Lists, entries: Mapping[str, StreamEntry]
    ) -> None:
        self._client = client
        self._properties = properties
        self._lists = lists
        self._entry = entries["contacts"]

    def read(self, stream: str, cursor: Json | None, fields: Sequence[str], as_of: datetime) -> Iterator[Page]:
        """Yield the contacts that changed, then those that were archived; of lists, the whole membership.

        A property the portal lacks is left out. HubSpot tells no changes of membership, so every read has it all.
        """
        if stream == "lists":
            yield Page(self._lists.everybody(fields), {"read_at": as_of.isoformat()})
            return
        if stream != "contacts":
            raise ContractBroken(
                f"{self._client.system}.{stream}: only contacts and lists can be read", system=self._client.system
            )
        self._properties.refresh()
        walk = Walk(self._client, self._properties.present(fields, OWN_PROPERTIES))
        windows = spans(cursor, as_of - self._entry.settle, self._entry.lookback)
        for span in windows:
            for rows, reached in walk.pages(span):
                yield Page([*rows, *_swallowed(rows)], reached.cursor())
        last = windows[-1]
        gone = self._archived_since(last.since) if last.since else []
        yield Page(gone, finished(last.through))

    def _archived_since(self, since: datetime) -> list[Record]:
        """Contacts archived since then. The list cannot be asked by time, so all of it is walked."""
        gone = []
        after: str | None = None
        while True:
            place: dict[str, Any] = {"after": after} if after else {}
            answer = self._client.call(
                "read",
                "crm.contacts.basic_api.get_page",
                limit=ARCHIVED_PAGE,
                archived=True,
                properties=[KEY],
                stream="contacts",
                **place,
            )
            for row in answer["results"]:
                archived_at = moment(row["archivedAt"])
                if archived_at >= since:
                    gone.append(Record(str(row["id"]), {}, archived_at, deleted=True))
            after = ((answer.get("paging") or {}).get("next") or {}).get("after")
            if not after:
                return gone

    def glance(
        self,
        stream: str,
        since: datetime,
        refusals: Mapping[str, Sequence[str]],
        fields: Sequence[str],
        as_of: datetime,
    ) -> Iterator[Record]:
        """Yield the refusals that changed from `since` on, as the index shows them by now."""
        if stream != "contacts":
            raise ContractBroken(
                f"{self._client.system}.{stream}: only contacts tell their changes", system=self._client.system
            )
        asked = self._properties.present(fields, OWN_PROPERTIES)
        stating = [holds(name, refusals[name]) for name in self._properties.present(list(refusals))]
        for start in range(0, len(stating), MOST_GROUPS):
            walk = Walk(self._client, asked, stating[start : start + MOST_GROUPS])
            for rows, _ in walk.pages(Span(as_of, since - self._entry.settle)):
                yield from rows

    def fetch(self, stream: str, keys: Sequence[str], fields: Sequence[str]) -> Iterator[Record]:
        """Yield the records as they are now, in the order of `keys`."""
        if stream == "contacts":
            yield from self._fetch_contacts(keys, fields)
        elif stream == "lists":
            yield from self._lists.fetch(keys, fields)
        else:
            for key in keys:
                yield self._fetch_status(key)

    def _fetch_contacts(self, keys: Sequence[str], fields: Sequence[str]) -> Iterator[Record]:
        asked = self._properties.present(fields, OWN_PROPERTIES) if keys else []
        for start in range(0, len(keys), FETCH_BATCH):
            batch = keys[start : start + FETCH_BATCH]
            inputs = [{"id": key} for key in batch if key.isdigit()]
            found: dict[str, Record] = {}
            if inputs:
                body = {"inputs": inputs, "properties": asked, "propertiesWithHistory": []}
                answer = self._client.call("read", "crm.contacts.batch_api.read", body, stream="contacts")
                found = {row.key: row for row in map(record, answer["results"])}
            for key in batch:
                yield found.get(key) or Record(key, {}, deleted=True)

    def _fetch_status(self, address: str) -> Record:
        """Subscription type id -> status, for one e-mail address; an address nobody knows has none."""
        route = "communication_preferences.status_api.get_email_status"
        try:
            answer = self._client.call("read", route, address, stream="subscriptions")
        except Refused as exc:
            if exc.status != 404:
                raise
            return Record(address, {}, deleted=True)
        return Record(address, {str(entry["id"]): _status(entry) for entry in answer["subscriptionStatuses"]})


def _swallowed(rows: Rows) -> Iterator[Record]:
    """The losers of merges, as deleted: they are in no index and in no list of archived contacts."""
    for row in rows:
        for key in str(row.data.get(MERGED) or "").split(";"):
            if key:
                yield Record(key, {MERGED_INTO: row.key}, row.updated_at, deleted=True, merged_into=row.key)


def _status(entry: Mapping[str, Any]) -> str:
    """HubSpot reads NOT_SUBSCRIBED where it is told to unsubscribe; here both are UNSUBSCRIBED, as it is written."""
    status = str(entry["status"])
    return "UNSUBSCRIBED" if status == "NOT_SUBSCRIBED" else status
