"""Reading a shop: customers, orders and abandoned checkouts that changed, and single records for read-back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from connectors._manifest import StreamEntry
from connectors._watermark import Span, finished, spans
from connectors.shopify.client import Client, TooCostly
from connectors.shopify.selection import Selection
from connectors.shopify.walk import KINDS, Price, Walk
from onevoice.errors import ContractBroken
from onevoice.protocols import Json, Page, Record

PAGE = 250
"""Rows of one page at most."""
FEW = 20
"""Rows of one page where hardly any are expected: Shopify sets aside what a full page would cost."""
SEARCHED = {
    "defaultEmailAddress.marketingState": "email_marketing_state",
    "defaultPhoneNumber.marketingState": "sms_marketing_state",
}
"""Fields that state a refusal -> the search terms for them (shopify.dev, changelog of 2025-03-26, "Re-enabled customer
search terms")."""
INPUTS = 250
"""Elements of one array of input (shopify.dev, API limits)."""


class Reader:
    """Pages of a stream, and single records of it."""

    def __init__(self, client: Client, entries: Mapping[str, StreamEntry]) -> None:
        self._client = client
        self._entries = entries

    def read(self, stream: str, cursor: Json | None, fields: Sequence[str], as_of: datetime) -> Iterator[Page]:
        """Yield the records that changed. Shopify lists no deleted ones: a point read finds them gone."""
        entry = self._entries[stream]
        selection = self._selection(stream, fields)
        walk = Walk(self._client, stream, selection, Price(selection.points, PAGE))
        windows = spans(cursor, as_of - entry.settle, entry.lookback)
        for span in windows:
            for rows, reached in walk.pages(span):
                yield Page(rows, reached.cursor())
        yield Page((), finished(windows[-1].through))

    def glance(
        self,
        stream: str,
        since: datetime,
        refusals: Mapping[str, Sequence[str]],
        fields: Sequence[str],
        as_of: datetime,
    ) -> Iterator[Record]:
        """Yield the customers who refused, of those that changed from `since` on, as the index shows them by now."""
        stating = [f"{SEARCHED[name]}:{word}" for name, words in refusals.items() if name in SEARCHED for word in words]
        if not stating:
            return
        selection = self._selection(stream, fields)
        walk = Walk(self._client, stream, selection, Price(selection.points, FEW), f"({' OR '.join(stating)})")
        yield from walk.shown(Span(as_of, since - self._entries[stream].settle))

    def fetch(self, stream: str, keys: Sequence[str], fields: Sequence[str]) -> Iterator[Record]:
        """Yield the records as they are now, from the database and not from the index, in the order of `keys`."""
        selection = self._selection(stream, fields)
        price = Price(selection.points, INPUTS)
        walk = Walk(self._client, stream, selection, price)
        wanted = f"... on {selection.type_name} {{ {selection.text} }}"
        document = f"query Nodes($ids: [ID!]!) {{ nodes(ids: $ids) {{ {wanted} }} }}"
        known = [key for key in dict.fromkeys(keys) if is_gid(selection.type_name, key)]
        found: dict[str, Record] = {}
        while known:
            size = min(price.size, len(known))
            chunk = known[:size]
            try:
                answer = self._client.query(document, {"ids": chunk}, stream=stream, cost=price.of(size))
            except TooCostly:
                if size == 1:
                    raise
                price.was_too_much(size)
                continue
            price.learn(size, answer.cost)
            nodes = answer.data.get("nodes")
            if not isinstance(nodes, list) or len(nodes) != len(chunk):
                raise ContractBroken(
                    f"{self._client.system}.{stream}: {len(chunk)} records were asked for and not as many answered",
                    system=self._client.system,
                    stream=stream,
                )
            found |= {key: walk.record(node) for key, node in zip(chunk, nodes, strict=True) if node}
            known = known[size:]
        for key in keys:
            yield found.get(key) or Record(key, {}, deleted=True)

    def _selection(self, stream: str, fields: Sequence[str]) -> Selection:
        if stream not in KINDS:
            raise ContractBroken(
                f"{self._client.system}.{stream}: there is no such stream", system=self._client.system, stream=stream
            )
        return Selection(f"{self._client.system}.{stream}", KINDS[stream].type_name, fields)


def is_gid(type_name: str, key: str) -> bool:
    """Whether a key has the form of a Shopify id of this type."""
    return re.fullmatch(rf"gid://shopify/{type_name}/[0-9]{{1,19}}", key) is not None
