"""Reading an org: windows over SystemModstamp, deleted rows included, resumable at every page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors._manifest import StreamEntry
from connectors._watermark import Span, finished, moment, spans
from connectors.salesforce.client import Client, Refused
from connectors.salesforce.schema import Schema, plain
from connectors.salesforce.soql import RECORD_ID, stated, window_query
from onevoice.errors import ContractBroken, Unavailable
from onevoice.protocols import Json, Page, Record

OWN_FIELDS = ("Id", "SystemModstamp", "IsDeleted", "MasterRecordId")
"""Read whether a mapping asks or not; MasterRecordId, where an object has it, names the winner of a merge."""
FETCH_BATCH = 500
"""Ids of one collections read; Salesforce takes 2,000, and the answer of 500 with many fields stays small."""
_LOST_PLACE = frozenset({"INVALID_QUERY_LOCATOR", "INVALID_QUERY_CURSOR"})
_MOST_LOST_PLACES = 20


class Reader:
    """Pages of records, and single records by id."""

    def __init__(self, client: Client, schema: Schema, entries: Mapping[str, StreamEntry]) -> None:
        self._client = client
        self._schema = schema
        self._entries = entries

    def read(self, stream: str, cursor: Json | None, fields: Sequence[str], as_of: datetime) -> Iterator[Page]:
        """Yield what changed, deleted rows included. A field the org does not show is left out (see `check`)."""
        entry = self._entries[stream]
        self._schema.refresh(stream)
        asked = self._schema.present(stream, fields, OWN_FIELDS)
        stamp = entry.stamp or "SystemModstamp"
        walk = spans(cursor, as_of - entry.settle, entry.lookback)
        for span, following in zip(walk, [*walk[1:], None], strict=True):
            end = following.cursor() if following else finished(span.through)
            yield from self._window(stream, asked, stamp, span, end)

    def glance(
        self,
        stream: str,
        since: datetime,
        refusals: Mapping[str, Sequence[str]],
        fields: Sequence[str],
        as_of: datetime,
    ) -> Iterator[Record]:
        """Yield the refusals that changed from `since` on, as the query shows them by now."""
        entry = self._entries[stream]
        known = self._schema.filterable(stream)
        stating = {name: (known[name], words) for name, words in refusals.items() if name in known}
        if not stating:
            return
        asked = self._schema.present(stream, fields, OWN_FIELDS)
        span = Span(as_of, since - entry.settle)
        for page in self._window(stream, asked, entry.stamp or "SystemModstamp", span, {}, stated(stating)):
            yield from page.records

    def _window(
        self, stream: str, fields: Sequence[str], stamp: str, span: Span, end: Json, only: str = ""
    ) -> Iterator[Page]:
        """Walk one window; when Salesforce has lost its place in the result, ask again from the last row."""
        for _ in range(_MOST_LOST_PLACES):
            try:
                for rows, done in self._answers(stream, window_query(stream, fields, stamp, span, only)):
                    records = [_record(row, stamp) for row in rows]
                    span = _reached(span, records)
                    yield Page(records, end if done else span.cursor())
            except Refused as exc:
                if exc.code not in _LOST_PLACE:
                    raise
            else:
                return
        raise Unavailable(
            f"{self._client.system}.{stream}: the query lost its place {_MOST_LOST_PLACES} times (run again)",
            system=self._client.system,
            stream=stream,
        )

    def _answers(self, stream: str, query: str) -> Iterator[tuple[Sequence[Mapping[str, Any]], bool]]:
        """The rows of one query, answer by answer, and whether that was all; every row must have come."""
        answer = self._client.call("query", lambda sf: sf.query(query, include_deleted=True), stream=stream)
        total, seen = answer["totalSize"], 0
        while True:
            seen += len(answer["records"])
            if answer["done"]:
                if seen != total:
                    raise Unavailable(
                        f"{self._client.system}.{stream}: {seen} rows came of {total} (run again)",
                        system=self._client.system,
                        stream=stream,
                    )
                yield answer["records"], True
                return
            yield answer["records"], False
            answer = self._more(stream, answer["nextRecordsUrl"])

    def _more(self, stream: str, address: str) -> Any:
        """The next answer of a query. The SDK puts the address behind the host: it must be a path, or the token would
        travel to whatever host the two make together."""
        if not address.startswith("/services/data/"):
            raise ContractBroken(
                f"{self._client.system}.{stream}: the address of the next rows does not lie in the org's API",
                system=self._client.system,
                stream=stream,
            )
        return self._client.call("query", lambda sf: sf.query_more(address, identifier_is_url=True), stream=stream)

    def fetch(self, stream: str, keys: Sequence[str], fields: Sequence[str]) -> Iterator[Record]:
        """Yield the records as they are now, in the order of `keys`; one that is gone yields Record(deleted=True)."""
        if not keys:
            return
        asked = self._schema.present(stream, fields, OWN_FIELDS[:2])
        for start in range(0, len(keys), FETCH_BATCH):
            yield from self._fetch_batch(stream, keys[start : start + FETCH_BATCH], asked)

    def _fetch_batch(self, stream: str, keys: Sequence[str], fields: Sequence[str]) -> Iterator[Record]:
        valid = [key for key in keys if RECORD_ID.fullmatch(key)]
        rows: Sequence[Mapping[str, Any] | None] = []
        if valid:
            body = {"ids": valid, "fields": list(fields)}
            path = f"composite/sobjects/{stream}"
            rows = self._client.call("read", lambda sf: sf.restful(path, method="POST", json=body), stream=stream) or []
        found = {row["Id"][:15]: row for row in rows if row}
        for key in keys:
            row = found.get(key[:15])
            if row is None:
                yield Record(key, {}, deleted=True)
            else:
                yield Record(key, plain(row), moment(row["SystemModstamp"]) if row.get("SystemModstamp") else None)


def _reached(span: Span, records: Sequence[Record]) -> Span:
    """The place after these records. One that was edited while we read carries a stamp beyond the window: it is
    passed on, but says nothing about how far the walk has come."""
    for record in reversed(records):
        if record.updated_at and record.updated_at <= span.through:
            return span.at(record.updated_at, record.key)
    return span


def _record(row: Mapping[str, Any], stamp: str) -> Record:
    deleted, winner = bool(row.get("IsDeleted")), str(row.get("MasterRecordId") or "")
    return Record(row["Id"], plain(row), moment(row[stamp]), deleted, merged_into=winner if deleted else "")
