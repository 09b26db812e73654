"""Creating what pushing needs: definitions of custom attributes, and customer groups."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from connectors.square.attributes import PREFIX as ATTRIBUTE
from connectors.square.attributes import Attributes
from connectors.square.client import Client
from connectors.square.groups import PREFIX as GROUP
from connectors.square.groups import Groups
from onevoice.errors import ConfigError
from onevoice.protocols import Field

SCHEMA = "https://developer-production-s.squarecdn.com/schemas/v1/common.json#squareup.common."
_TYPES: Mapping[str, str] = {
    "text": "String",
    "integer": "Number",
    "decimal": "Number",
    "boolean": "Boolean",
    "date": "Date",
    "datetime": "String",  # customers have no attribute type for a moment
}
_KEY = re.compile(r"[A-Za-z0-9._-]{1,60}")
DESCRIPTION = "Kept by Onevoice. A change made here is put back."


class Provisioner:
    """Attribute definitions and groups, made once."""

    def __init__(self, client: Client, attributes: Attributes, groups: Groups) -> None:
        self._client = client
        self._attributes = attributes
        self._groups = groups

    def provision(self, fields: Sequence[Field], *, dry_run: bool) -> Sequence[str]:
        """Create what is missing; one sentence per thing."""
        verb = "would create" if dry_run else "created"
        attributes = self._missing_attributes([field for field in fields if not field.name.startswith(GROUP)])
        groups = self._missing_groups([field.name for field in fields if field.name.startswith(GROUP)])
        sentences = []
        for field in attributes:
            if not dry_run:
                self._define(field)
            name = field.name.removeprefix(ATTRIBUTE)
            sentences.append(f"{self._client.system}: {verb} custom attribute {name} ({field.type}) for {field.name}")
        for name in groups:
            if not dry_run:
                self._groups.create(name)
            sentences.append(f"{self._client.system}: {verb} customer group {name} for {GROUP}{name}")
        return sentences

    def _missing_attributes(self, fields: Sequence[Field]) -> list[Field]:
        known = self._attributes.defined() if fields else frozenset[str]()
        for field in fields:
            key = field.name.removeprefix(ATTRIBUTE)
            if not field.name.startswith(ATTRIBUTE) or not _KEY.fullmatch(key) or field.type not in _TYPES:
                raise ConfigError(
                    f"{self._client.system}: {field.name}: name it {ATTRIBUTE}<key> with letters, digits, points, "
                    f"underscores and hyphens, or {GROUP}<group>; types are {', '.join(_TYPES)}"
                )
        return [field for field in fields if field.name.removeprefix(ATTRIBUTE) not in known]

    def _missing_groups(self, names: Sequence[str]) -> list[str]:
        known = self._groups.refresh() if names else {}
        return [name for name in (each.removeprefix(GROUP) for each in names) if name not in known]

    def _define(self, field: Field) -> None:
        definition = {
            "key": field.name.removeprefix(ATTRIBUTE),
            "name": field.label,
            "description": DESCRIPTION,
            # The seller sees the values and does not edit them.
            "visibility": "VISIBILITY_READ_ONLY",
            "schema": {"$ref": SCHEMA + _TYPES[field.type]},
        }
        path = "/customers/custom-attribute-definitions"
        body = {"custom_attribute_definition": definition}
        self._client.call("write", "POST", path, stream="customers", write=True, json=body)
