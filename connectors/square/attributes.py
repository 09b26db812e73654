"""Custom attributes of customers. Square shows them one customer a call, so it is worth knowing who has any.

Searches for customers take a filter on an attribute's time of change: it names who holds an attribute at all, and whose
changed in a window, a hundred customers a call. Only those are asked for their values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from connectors._http import Refused
from connectors.square.client import NOT_FOUND, Client, quoted, side_by_side
from connectors.square.walk import span_filter

PREFIX = "custom_attributes."
"""A field `custom_attributes.<key>` is the value of that attribute."""
PAGE = 100
_BEGINNING = datetime(2010, 1, 1, tzinfo=UTC)
"""Before any attribute of Square."""

Values = Mapping[str, Any]


class Attributes:
    """Custom attributes and their definitions."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def defined(self) -> frozenset[str]:
        """Keys of the definitions this application sees."""
        path = "/customers/custom-attribute-definitions"
        rows = self._client.listed(path, "custom_attribute_definitions", stream="customers", limit=PAGE)
        return frozenset(str(row["key"]) for row in rows)

    def holders(self, keys: Sequence[str], low: datetime | None, high: datetime) -> frozenset[str]:
        """Ids of customers with one of these attributes that was set between `low` (None: ever) and `high`.

        Filters of one search are joined by AND, so each key is a search of its own.
        """
        found: set[str] = set()
        for key in keys:
            when = span_filter(low or _BEGINNING, high)
            query = {"filter": {"custom_attribute": {"filters": [{"key": key, "updated_at": when}]}}}
            body = {"limit": PAGE, "query": query}
            for rows in self._client.found("/customers/search", body, "customers", stream="customers"):
                found.update(str(row["id"]) for row in rows)
        return frozenset(found)

    def of(self, customers: Sequence[str], keys: Sequence[str]) -> Mapping[str, Values]:
        """Values by customer id; an attribute that is not set is left out, and a customer who is gone has none."""
        if not keys:
            return {key: {} for key in customers}
        values = side_by_side(lambda customer: self._of_one(customer, keys), customers)
        return dict(zip(customers, values, strict=True))

    def _of_one(self, customer: str, keys: Sequence[str]) -> Values:
        path = f"/customers/{quoted(customer)}/custom-attributes"
        try:
            rows = self._client.listed(path, "custom_attributes", stream="customers", limit=PAGE)
        except Refused as exc:
            if exc.status != NOT_FOUND:
                raise
            return {}
        return {row["key"]: row["value"] for row in rows if row.get("key") in keys and row.get("value") is not None}
