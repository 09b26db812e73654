"""/query, /queryAll and their further pages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from onevoice.sandbox.gate import Answer
from onevoice.sandbox.salesforce.columns import Column, Columns
from onevoice.sandbox.salesforce.errors import not_found, refusal
from onevoice.sandbox.salesforce.org import Org, api_version
from onevoice.sandbox.salesforce.soql import MalformedQueryError, Query, parse
from onevoice.sandbox.salesforce.soql_run import Found, render
from onevoice.sandbox.state import salesforce_id

PAGE = 2000
SMALLEST_PAGE = 200
"""Rows a page has by default, which is also the most, and the fewest that batchSize can ask for."""
OPEN_LOCATORS = 10
"""Result sets that are kept open for one user; an eleventh closes the oldest."""
_BATCH_SIZE = re.compile(r"batchSize\s*=\s*(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Locator:
    """A result set that is being read: the records as they were when it was opened."""

    entity: str
    columns: list[Column]
    rows: Sequence[Found]
    page: int


class Queries:
    """The query endpoints and the result sets that they hold open."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._open: dict[str, _Locator] = {}
        self._serial = 0

    async def query(self, request: Request) -> Answer:
        """GET /query?q=."""
        return self._first_page(request, with_deleted=False)

    async def query_all(self, request: Request) -> Answer:
        """GET /queryAll?q=: deleted records too."""
        return self._first_page(request, with_deleted=True)

    async def more(self, request: Request) -> Answer:
        """GET /query/<locator>-<offset>."""
        name, _, offset = str(request.path_params["locator"]).partition("-")
        locator = self._open.get(name)
        if locator is None or not offset.isdigit():
            raise refusal(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        return self._page(name, locator, int(offset), api_version(request))

    def _first_page(self, request: Request, *, with_deleted: bool) -> Answer:
        version = api_version(request)
        text = request.query_params.get("q")
        if text is None:
            raise not_found()
        try:
            query = parse(text)
        except MalformedQueryError as error:
            raise refusal(400, "MALFORMED_QUERY", str(error)) from error
        entity, columns = self._org.runner.columns(query)
        rows = self._org.runner.run(query, with_deleted=with_deleted)
        if query.count is not None:
            return self._counted(query, entity, rows)
        self._serial += 1
        name = salesforce_id("01g", self._serial)
        return self._page(name, _Locator(entity, columns, rows, _page_size(request)), 0, version)

    def _counted(self, query: Query, entity: str, rows: Sequence[Found]) -> Answer:
        if not query.count:
            return Answer(200, {"totalSize": len(rows), "done": True, "records": []})
        read = Columns(self._org.schema, self._org.state, entity).find(query.count).read
        count = sum(read(key, row) is not None for key, row in rows)
        record = {"attributes": {"type": "AggregateResult"}, "expr0": count}
        return Answer(200, {"totalSize": 1, "done": True, "records": [record]})

    def _page(self, name: str, locator: _Locator, offset: int, version: str) -> Answer:
        end = offset + locator.page
        body: dict[str, Any] = {"totalSize": len(locator.rows), "done": end >= len(locator.rows)}
        if not body["done"]:
            body["nextRecordsUrl"] = f"/services/data/v{version}/query/{name}-{end}"
            self._open.setdefault(name, locator)
            while len(self._open) > OPEN_LOCATORS:
                del self._open[next(iter(self._open))]
        body["records"] = render(locator.entity, locator.columns, locator.rows[offset:end], version)
        return Answer(200, body)


def _page_size(request: Request) -> int:
    wanted = _BATCH_SIZE.search(request.headers.get("sforce-query-options", ""))
    return min(max(int(wanted.group(1)), SMALLEST_PAGE), PAGE) if wanted else PAGE
