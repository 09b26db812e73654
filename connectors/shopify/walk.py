"""Walking one stream over a window of `updatedAt` without losing a row.

The filter `updated_at` may match whole days, answers older and newer rows than asked, and stands on an index that
follows changes late; so each row's own stamp decides here. Page tokens are Shopify's own (they hold the last row's
value and id, so a row that moves hides no other) and never leave a walk. They end at 25,000 rows: before that a query
begins again at the newest time reached, and where that does not get further, the rest is walked by id.

Abandoned checkouts cannot be sorted by time: they are walked by id.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from connectors._watermark import Span, moment
from connectors.shopify.client import SINGLE_QUERY_POINTS, Client, TooCostly
from connectors.shopify.selection import Selection
from onevoice.errors import ContractBroken, Unavailable
from onevoice.protocols import Record

REACH = 20_000
"""Rows that one query is followed for; Shopify's page tokens end at 25,000."""
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
TARGET_POINTS = SINGLE_QUERY_POINTS * 9 // 10


@dataclass(frozen=True, slots=True)
class Kind:
    """One type of record: its name in the schema, the query that lists it, the one that counts it."""

    type_name: str
    root: str
    count: str
    by_time: bool
    """Whether the list can be sorted by UPDATED_AT."""


KINDS: Mapping[str, Kind] = {
    "customers": Kind("Customer", "customers", "customersCount", by_time=True),
    "orders": Kind("Order", "orders", "ordersCount", by_time=True),
    "abandonedCheckouts": Kind("AbandonedCheckout", "abandonedCheckouts", "abandonedCheckoutsCount", by_time=False),
}

Rows = Sequence[Record]


class Price:
    """What one row (or one mutation) costs, learned from answers, and how many of them one query can hold."""

    def __init__(self, points: int, most: int) -> None:
        self._points = float(max(1, points))
        self._most = most

    @property
    def size(self) -> int:
        """Rows for the next query."""
        return max(1, min(self._most, int(TARGET_POINTS / self._points)))

    def of(self, size: int) -> int:
        """What so many are expected to cost."""
        return min(SINGLE_QUERY_POINTS, round(size * self._points) + 1)

    def learn(self, size: int, cost: int | None) -> None:
        """Take note of what so many cost."""
        if cost:
            self._points = max(0.1, cost / size)

    def was_too_much(self, size: int) -> None:
        """Take note that so many were refused."""
        self._points = max(self._points, TARGET_POINTS / size) * 2
        self._most = max(1, size // 2)


class Walk:
    """One walk over a window; yields records with the place that is reached once they are stored. `only` is a search
    text that narrows the window."""

    def __init__(self, client: Client, stream: str, selection: Selection, price: Price, only: str = "") -> None:
        self._client = client
        self._stream = stream
        self._kind = KINDS[stream]
        self._selection = selection
        self._price = price
        self._only = only
        self._answered = 0

    def pages(self, span: Span) -> Iterator[tuple[Rows, Span]]:
        """Every record whose stamp lies in the window, from the span's place on; a record may come twice.

        Ends with Unavailable when fewer rows came than Shopify counts in the window, with the watermark back where
        this walk began.
        """
        self._answered = 0
        yield from self._by_time(span) if self._kind.by_time and not span.id else self._by_id(span)
        counted = self._count(span)
        if self._answered < counted:
            yield (), span.at(span.stamp or BEGINNING, span.id)
            raise Unavailable(
                f"{self._where}: {counted} rows were counted and {self._answered} came (run again)", **self._place
            )

    def shown(self, span: Span) -> Iterator[Record]:
        """What the window shows by now. Not held against a count: while others write, the two would seldom agree."""
        for rows, _ in self._by_time(span):
            yield from rows

    def _by_time(self, span: Span) -> Iterator[tuple[Rows, Span]]:
        low, seen = span.stamp or BEGINNING, frozenset[str]()
        while True:
            after, rows_asked, newest, known = None, 0, low, seen
            while rows_asked < REACH:
                found, after = self._list(self._between(span.stamp and low, span.through), "UPDATED_AT", after)
                rows_asked += len(found)
                inside = [row for row in found if low <= _stamp(row) <= span.through]
                stamps = [_stamp(row) for row in inside]
                if stamps != sorted(stamps) or (stamps and stamps[0] < newest):
                    # Not in order: nothing may be believed to be done before all of it is.
                    yield from self._by_id(span.at(low))
                    return
                if stamps and stamps[-1] > newest:
                    newest, known = stamps[-1], frozenset()
                known |= {row.key for row in inside if _stamp(row) == newest}
                yield [row for row in inside if row.key not in seen], span.at(newest)
                if after is None:
                    return
            if newest == low:
                yield from self._by_id(span.at(low))
                return
            low, seen = newest, known
            span = replace(span, stamp=low)

    def _by_id(self, span: Span) -> Iterator[tuple[Rows, Span]]:
        """All rows of the window by id, from the span's id on; the stamp of the watermark stays where it is."""
        low, last = span.stamp or BEGINNING, span.id or "0"
        while True:
            query = f"{self._between(span.stamp, span.through)} AND id:>{last}"
            found, after = self._list(query, "ID", None)
            fresh = [row for row in found if number_of(row.key) > int(last)]
            last = str(max((number_of(row.key) for row in fresh), default=int(last)))
            yield [row for row in fresh if low <= _stamp(row) <= span.through], span.at(low, last)
            if after is None:
                return
            if not fresh:
                raise Unavailable(f"{self._where}: a list goes on without new rows (run again)", **self._place)

    def _list(self, query: str, sort: str, after: str | None) -> tuple[Rows, str | None]:
        """One page, and the token of the next one, None at the end."""
        kind = self._kind
        document = (
            f"query Page($first: Int!, $after: String, $query: String) {{ {kind.root}(first: $first, after: $after, "
            f"query: $query, sortKey: {sort}) {{ nodes {{ {self._selection.text} }} "
            "pageInfo { hasNextPage endCursor } } }"
        )
        while True:
            size = self._price.size
            variables = {"first": size, "after": after, "query": query}
            try:
                answer = self._client.query(document, variables, stream=self._stream, cost=self._price.of(size))
            except TooCostly:
                if size == 1:
                    raise
                self._price.was_too_much(size)
                continue
            self._price.learn(size, answer.cost)
            break
        try:
            listed = answer.part(kind.root)
            rows = [self.record(node) for node in listed["nodes"]]
            info = listed["pageInfo"]
        except (KeyError, TypeError, ValueError, AttributeError) as exc:
            raise ContractBroken(f"{self._where}: the answer has another form than documented", **self._place) from exc
        self._answered += len(rows)
        return rows, str(info["endCursor"]) if info["hasNextPage"] else None

    def record(self, node: Mapping[str, Any]) -> Record:
        """A node as a record, with the rest of its lists."""
        node = {**node, **{name: self._whole_list(node, name) for name in self._selection.lists}}
        return Record(str(node["id"]), self._selection.data(node), moment(node["updatedAt"]))

    def _whole_list(self, node: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        """A list of the record to its end."""
        nodes, info = list(node[name]["nodes"]), node[name]["pageInfo"]
        document = (
            f"query Rest($id: ID!, $after: String) {{ node(id: $id) {{ ... on {self._kind.type_name} "
            f"{{ {self._selection.list_text(name)} }} }} }}"
        )
        while info["hasNextPage"]:
            variables = {"id": node["id"], "after": info["endCursor"]}
            answer = self._client.query(document, variables, stream=self._stream, cost=self._selection.points)
            if answer.data.get("node") is None:
                break  # deleted while we read
            part = answer.part("node")[name]
            if not part["nodes"]:
                raise ContractBroken(f"{self._where}: {name} goes on without elements", **self._place)
            nodes, info = nodes + list(part["nodes"]), part["pageInfo"]
        return {"nodes": nodes, "pageInfo": info}

    def _count(self, span: Span) -> int:
        """How many rows of the window Shopify counts; 0 where it only knows a lower bound or nothing."""
        document = (
            f"query Count($query: String) {{ {self._kind.count}(query: $query, limit: null) {{ count precision }} }}"
        )
        query = self._between(span.stamp, span.through)
        if span.id:
            query += f" AND id:>{span.id}"
        answer = self._client.query(document, {"query": query}, stream=self._stream, cost=1)
        counted = answer.data.get(self._kind.count)
        return int(counted["count"]) if counted and counted["precision"] == "EXACT" else 0

    def _between(self, low: datetime | None, high: datetime) -> str:
        """Shopify's search text for a window; its times have whole seconds."""
        lower = [f"updated_at:>='{_second(low)}'"] if low else []
        return " AND ".join([*lower, f"updated_at:<='{_second(high)}'", *([self._only] if self._only else [])])

    @property
    def _where(self) -> str:
        return f"{self._client.system}.{self._stream}"

    @property
    def _place(self) -> Any:
        return {"system": self._client.system, "stream": self._stream}


def number_of(gid: str) -> int:
    """gid://shopify/Customer/1 -> 1; ValueError when it ends with no number."""
    return int(gid.rpartition("/")[2])


def _stamp(row: Record) -> datetime:
    if row.updated_at is None:
        raise ContractBroken("a record without a time of change")
    return row.updated_at


def _second(value: datetime) -> str:
    return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"
