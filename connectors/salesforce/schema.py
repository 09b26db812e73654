"""What an org has: the fields of each object that this user can see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.salesforce.client import Client
from connectors.salesforce.soql import FIELD
from onevoice.errors import ContractBroken


class Schema:
    """Field names by object, described when first needed and again whenever `refresh` is called."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._fields: dict[str, Mapping[str, str]] = {}
        self._filterable: dict[str, frozenset[str]] = {}
        self.left_out: dict[str, tuple[str, ...]] = {}
        """By object, the fields that were asked for last and that this org does not show."""

    def refresh(self, entity: str) -> Mapping[str, str]:
        """Field name -> Salesforce type, as the org describes them now. One call."""
        description = self._client.get(f"sobjects/{entity}/describe", stream=entity)
        try:
            self._fields[entity] = {field["name"]: field["type"] for field in description["fields"]}
            self._filterable[entity] = frozenset(f["name"] for f in description["fields"] if f.get("filterable"))
        except (KeyError, TypeError) as exc:
            raise ContractBroken(
                f"{self._client.system}.{entity}: the description of the object holds no fields",
                system=self._client.system,
                stream=entity,
            ) from exc
        return self._fields[entity]

    def fields(self, entity: str) -> Mapping[str, str]:
        """Field name -> Salesforce type, from the last description."""
        return self._fields.get(entity) or self.refresh(entity)

    def filterable(self, entity: str) -> Mapping[str, str]:
        """Of `fields`, those that a condition of a query may name."""
        known = self.fields(entity)
        return {name: known[name] for name in self._filterable[entity]}

    def present(self, entity: str, asked: Sequence[str], own: Sequence[str] = ()) -> list[str]:
        """The connector's `own` fields and the asked ones, without those the org does not show; in a stable order."""
        known = self.fields(entity)
        self.left_out[entity] = tuple(sorted(name for name in set(asked) if name not in known))
        return [name for name in dict.fromkeys([*own, *sorted(asked)]) if name in known and FIELD.fullmatch(name)]


def plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row without the envelope that Salesforce puts on it."""
    return {name: value for name, value in row.items() if name != "attributes"}
