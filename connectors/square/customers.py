"""Reading customers: changed profiles, changed attributes, deleted and merged ones; and single customers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from connectors._http import Refused
from connectors._manifest import StreamEntry
from connectors._watermark import Span, finished, moment, spans
from connectors.square.attributes import PREFIX as ATTRIBUTE
from connectors.square.attributes import Attributes, Values
from connectors.square.client import Client, Row, first_error
from connectors.square.groups import PREFIX as GROUP
from connectors.square.groups import Groups
from connectors.square.walk import Search, pages, span_filter, stamp
from onevoice.errors import PermissionMissing, Unavailable
from onevoice.protocols import Json, Page, Record

PAGE = 100
"""Customers of one search or one read by ids."""
EVENTS_PAGE = 100
DELETED, ATTRIBUTE_DELETED = "customer.deleted", "customer.custom_attribute.owned.deleted"
"""Events of the seller. An attribute is owned by the application that defined it, whoever deletes it."""
MERGED_INTO = "merged_into"
"""Stands in the data of a deleted record that was the loser of a merge: the winner's id."""
_PASSING = frozenset({"INTERNAL_SERVER_ERROR", "SERVICE_UNAVAILABLE", "GATEWAY_TIMEOUT", "TEMPORARY_ERROR"})


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a customer was asked for beside the profile."""

    attributes: tuple[str, ...]
    groups: tuple[str, ...]

    @classmethod
    def of(cls, fields: Sequence[str]) -> Asked:
        """From field names: `custom_attributes.<key>` and `in_group.<name>`."""
        return cls(
            tuple(sorted(name.removeprefix(ATTRIBUTE) for name in fields if name.startswith(ATTRIBUTE))),
            tuple(sorted(name.removeprefix(GROUP) for name in fields if name.startswith(GROUP))),
        )


class Customers:
    """The stream `customers`, for reading."""

    def __init__(self, client: Client, attributes: Attributes, groups: Groups, entry: StreamEntry) -> None:
        self._client = client
        self._attributes = attributes
        self._groups = groups
        self._entry = entry

    def read(self, cursor: Json | None, fields: Sequence[str], as_of: datetime) -> Iterator[Page]:
        """Yield the customers that changed, then those whose attributes did or went away, then those that are gone.

        The search sorts by time of creation only. So a window of changes is walked in that order, and the watermark
        keeps the place in it: `since` is where the window of changes begins, `stamp` the time of creation reached.
        """
        asked = self._ask(fields)
        windows = spans(cursor, as_of - self._entry.settle, self._entry.lookback)
        resumed = cursor is not None and cursor["stamp"] is not None
        for number, span in enumerate(windows):
            if number == 0 and resumed:
                yield from self._window(replace(span, stamp=span.since), span.stamp, asked)
            else:
                yield from self._window(span, None, asked)
        last = windows[-1]
        gone, bereft = self._told(last.since, last.through) if last.since else ({}, frozenset[str]())
        for records in self._of(sorted(bereft - gone.keys()), asked):
            yield Page(records, replace(last, stamp=last.since).cursor())
        yield Page(list(gone.values()), finished(last.through))

    def glance(self, since: datetime, fields: Sequence[str], as_of: datetime) -> Iterator[Record]:
        """Yield the customers whose profile changed from `since` on, as the search shows them by now.

        The search knows no filter by consent. It needs none: values of attributes, which is nearly all that the hub
        writes, have stamps of their own. Its index may be a minute late.
        """
        asked = self._ask(fields)
        for rows, _ in pages(self._search(since - self._entry.lookback, as_of), "created_at", None):
            yield from self._records(rows, [row["id"] for row in rows], asked)

    def fetch(self, keys: Sequence[str], fields: Sequence[str]) -> Iterator[Record]:
        """Yield the customers as they are now, in the order of `keys`."""
        asked = self._ask(fields) if keys else Asked((), ())
        for start in range(0, len(keys), PAGE):
            batch = keys[start : start + PAGE]
            found = self._by_ids(batch)
            values = self._attributes.of(
                [key for key in batch if key in found and _is(found[key], key)], asked.attributes
            )
            for key in batch:
                yield self._record(found[key], values[key], asked) if key in values else _absent(key, found.get(key))

    def _ask(self, fields: Sequence[str]) -> Asked:
        """What was asked for and can be there: an attribute without a definition is on nobody."""
        asked = Asked.of(fields)
        if asked.groups:
            self._groups.refresh()
        defined = self._attributes.defined() if asked.attributes else frozenset[str]()
        return replace(asked, attributes=tuple(key for key in asked.attributes if key in defined))

    def _window(self, span: Span, created: datetime | None, asked: Asked) -> Iterator[Page]:
        """One window of changes (`span.stamp` to `span.through`) from a time of creation on."""
        low = span.stamp
        holders = (
            self._attributes.holders(asked.attributes, low, span.through) if asked.attributes else frozenset[str]()
        )
        done: set[str] = set()
        for rows, reached in pages(self._search(low, span.through), "created_at", created):
            done.update(row["id"] for row in rows)
            # In a first read only holders have anything to show; later, an old value may stand on any changed profile.
            ids = [row["id"] for row in rows if low or row["id"] in holders]
            yield Page(self._records(rows, ids, asked), replace(span, since=low, stamp=reached).cursor())
            created = reached
        for records in self._of(sorted(holders - done) if low else [], asked):
            # With no changed profile there is no place to keep, and any will do.
            yield Page(records, replace(span, since=low, stamp=created or low).cursor())

    def _of(self, keys: Sequence[str], asked: Asked) -> Iterator[list[Record]]:
        """Customers by their ids, in pages; one that is gone is left out."""
        for start in range(0, len(keys), PAGE):
            rows = [row for key, row in self._by_ids(keys[start : start + PAGE]).items() if _is(row, key)]
            yield self._records(rows, [row["id"] for row in rows], asked)

    def _search(self, low: datetime | None, high: datetime) -> Search:
        """Profiles that changed in a window, by time of creation."""

        def search(created: datetime | None, place: str | None) -> tuple[Sequence[Row], str | None]:
            when: dict[str, Any] = {"updated_at": span_filter(low, high)}
            if created:
                when["created_at"] = span_filter(created, None)
            body: dict[str, Any] = {
                "limit": PAGE,
                "query": {"filter": when, "sort": {"field": "CREATED_AT", "order": "ASC"}},
            }
            if place:
                body["cursor"] = place
            answer = self._client.call("search", "POST", "/customers/search", stream="customers", json=body)
            return answer.get("customers") or [], answer.get("cursor")

        return search

    def _records(self, rows: Sequence[Row], ids: Sequence[str], asked: Asked) -> list[Record]:
        """Records of profiles; the attributes of those in `ids` are read, the others have none."""
        values = self._attributes.of(ids, asked.attributes)
        return [self._record(row, values.get(row["id"], {}), asked) for row in rows]

    def _record(self, row: Row, values: Values, asked: Asked) -> Record:
        data = {**row, "custom_attributes": dict(values), "in_group": dict(self._groups.of(row, asked.groups))}
        return Record(str(row["id"]), data, stamp(row, "updated_at"))

    def _by_ids(self, keys: Sequence[str]) -> dict[str, Row]:
        """Profiles by the id asked for; one that was merged away is answered by the profile that came of it."""
        answer = self._client.call(
            "read", "POST", "/customers/bulk-retrieve", stream="customers", json={"customer_ids": list(keys)}
        )
        found: dict[str, Row] = {}
        for key, response in (answer.get("responses") or {}).items():
            if response.get("customer"):
                found[key] = response["customer"]
            elif first_error(response).get("code") in _PASSING:
                raise Unavailable(
                    f"{self._client.system}.customers: a profile could not be read (run again)",
                    system=self._client.system,
                    stream="customers",
                )
        return found

    def _told(self, since: datetime, through: datetime) -> tuple[dict[str, Record], frozenset[str]]:
        """Customers deleted or merged since then, and the ids of those who lost an attribute, as the seller's events
        tell it; nothing else at Square does.

        Events are kept for 28 days, and only while they are switched on (see README). Where they may not be
        asked for, the read goes on without: `check` says so.
        """
        query = {"filter": {"event_types": [DELETED, ATTRIBUTE_DELETED], "created_at": span_filter(since, through)}}
        body = {"limit": EVENTS_PAGE, "query": query}
        gone: dict[str, Record] = {}
        bereft: set[str] = set()
        try:
            for rows in self._client.found("/events", body, "events", stream="customers"):
                for event in rows:
                    if event.get("type") == DELETED:
                        gone.update((record.key, record) for record in _swallowed(event))
                    elif event.get("type") == ATTRIBUTE_DELETED:
                        bereft.add(_holder(event))
        except (PermissionMissing, Refused):
            return {}, frozenset()
        return gone, frozenset(filter(None, bereft))

    def note_on_events(self) -> str:
        """What an admin should know of the events; "" when they can be asked."""
        query = {"filter": {"event_types": [DELETED]}}
        try:
            self._client.call("read", "POST", "/events", stream="customers", json={"limit": 1, "query": query})
        except (PermissionMissing, Refused):
            return (
                "customers: deleted and merged customers and deleted attributes cannot be seen"
                " (the token may not search events)"
            )
        return ""


def _swallowed(event: Row) -> Iterator[Record]:
    """The customers that one event takes away: the deleted one, and all that went into the same merge."""
    data = event.get("data") or {}
    at = moment(event["created_at"])
    merge = ((data.get("object") or {}).get("event_context") or {}).get("merge") or {}
    into = str(merge.get("to_customer_id") or "")
    for key in dict.fromkeys([str(data["id"]), *map(str, merge.get("from_customer_ids") or ())]):
        if key != into:
            yield Record(key, {MERGED_INTO: into} if into else {}, at, deleted=True, merged_into=into)


def _holder(event: Row) -> str:
    """The customer of an attribute that was deleted: its id ends with `:CUSTOMER:<customer id>`."""
    return str((event.get("data") or {}).get("id") or "").rpartition(":CUSTOMER:")[2]


def _is(row: Row, key: str) -> bool:
    return str(row["id"]) == key


def _absent(key: str, other: Row | None) -> Record:
    """A customer who is gone, or went into another one."""
    if other is None:
        return Record(key, {}, deleted=True)
    into = str(other["id"])
    return Record(key, {MERGED_INTO: into}, deleted=True, merged_into=into)
