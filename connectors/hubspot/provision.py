"""Creating what pushing needs: a property group, properties, and static lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.hubspot.client import Client, Refused
from connectors.hubspot.lists import Lists
from connectors.hubspot.properties import NAME, Properties
from onevoice.errors import ConfigError
from onevoice.protocols import Field

GROUP = "onevoice"
_TYPES: Mapping[str, Mapping[str, object]] = {
    "text": {"type": "string", "fieldType": "text"},
    "integer": {"type": "number", "fieldType": "number"},
    "decimal": {"type": "number", "fieldType": "number"},
    "boolean": {
        "type": "enumeration",
        "fieldType": "booleancheckbox",
        "options": [
            {"label": "Yes", "value": "true", "displayOrder": 0, "hidden": False},
            {"label": "No", "value": "false", "displayOrder": 1, "hidden": False},
        ],
    },
    "date": {"type": "date", "fieldType": "date"},
    "datetime": {"type": "datetime", "fieldType": "date"},
}


class Provisioner:
    """Properties of contacts and static lists, made once."""

    def __init__(self, client: Client, properties: Properties, lists: Lists) -> None:
        self._client = client
        self._properties = properties
        self._lists = lists

    def provision(self, fields: Sequence[Field], *, dry_run: bool) -> Sequence[str]:
        """Create what is missing; one sentence per thing. A field of the stream `lists` is a static list."""
        verb = "would create" if dry_run else "created"
        properties = self._missing_properties(fields)
        lists = [field for field in fields if field.stream == "lists" and self._lists.find(field.name) is None]
        sentences = []
        if properties and not self._group_exists():
            if not dry_run:
                self._create_group()
            sentences.append(f"{self._client.system}: {verb} property group {GROUP}")
        for field in properties:
            if not dry_run:
                self._create_property(field)
            sentences.append(f"{self._client.system}: {verb} property {field.name} ({field.type})")
        for field in lists:
            if not dry_run:
                self._lists.create(field.name)
            sentences.append(f"{self._client.system}: {verb} static list {field.name}")
        if properties and not dry_run:
            self._properties.refresh()
        return sentences

    def _missing_properties(self, fields: Sequence[Field]) -> list[Field]:
        wanted = [field for field in fields if field.stream == "contacts"]
        known = self._properties.refresh() if wanted else frozenset()
        for field in wanted:
            if field.name not in known and (not NAME.fullmatch(field.name) or field.type not in _TYPES):
                raise ConfigError(
                    f"{self._client.system}: {field.name}: a property is named with lower-case letters, digits and "
                    f"underscores, and its type is one of {', '.join(_TYPES)}"
                )
        return [field for field in wanted if field.name not in known]

    def _group_exists(self) -> bool:
        try:
            self._client.call("read", "crm.properties.groups_api.get_by_name", "contacts", GROUP, stream="contacts")
        except Refused as exc:
            if exc.status != 404:
                raise
            return False
        return True

    def _create_group(self) -> None:
        body = {"name": GROUP, "label": "Onevoice"}
        self._client.call("write", "crm.properties.groups_api.create", "contacts", body, stream="contacts", write=True)

    def _create_property(self, field: Field) -> None:
        body = {"name": field.name, "label": field.label, "groupName": GROUP, **_TYPES[field.type]}
        self._client.call("write", "crm.properties.core_api.create", "contacts", body, stream="contacts", write=True)
