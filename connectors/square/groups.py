"""Customer groups by name, and which of them a customer is in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.square.client import Client, Row

PREFIX = "in_group."
"""A field `in_group.<name>` is the membership in the group of that name: true or false."""
PAGE = 50


class Groups:
    """The seller's customer groups."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._ids: Mapping[str, str] = {}

    def find(self, name: str) -> str | None:
        """The id of the group with this name; asks anew before it says None. Of several, the first by id."""
        return self._ids.get(name) or self.refresh().get(name)

    def refresh(self) -> Mapping[str, str]:
        """Name -> id, as the seller has them now."""
        rows = self._client.listed("/customers/groups", "groups", stream="customers", limit=PAGE)
        self._ids = {row["name"]: row["id"] for row in sorted(rows, key=lambda row: str(row["id"]), reverse=True)}
        return self._ids

    def create(self, name: str) -> None:
        """Make an empty group."""
        body = {"group": {"name": name}}
        self._client.call("write", "POST", "/customers/groups", stream="customers", write=True, json=body)

    def of(self, customer: Row, names: Sequence[str]) -> Mapping[str, bool]:
        """Name -> whether the customer is in that group; nobody is in a group that does not exist."""
        inside = set(customer.get("group_ids") or ())
        return {name: self._ids.get(name) in inside for name in names}
