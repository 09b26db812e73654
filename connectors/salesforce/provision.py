"""Creating the custom fields that pushing needs, through the Tooling API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.salesforce.client import Client, Refused
from connectors.salesforce.schema import Schema
from connectors.salesforce.soql import FIELD
from onevoice.errors import ConfigError, PermissionMissing
from onevoice.protocols import Field

_METADATA: Mapping[str, Mapping[str, Any]] = {
    "text": {"type": "Text", "length": 255},
    "integer": {"type": "Number", "precision": 18, "scale": 0},
    "decimal": {"type": "Number", "precision": 18, "scale": 2},
    "boolean": {"type": "Checkbox", "defaultValue": "false"},
    "date": {"type": "Date"},
    "datetime": {"type": "DateTime"},
}
_EXISTS = frozenset({"DUPLICATE_DEVELOPER_NAME", "DUPLICATE_VALUE"})


class Provisioner:
    """Custom fields, made once."""

    def __init__(self, client: Client, schema: Schema) -> None:
        self._client = client
        self._schema = schema

    def provision(self, fields: Sequence[Field], *, dry_run: bool) -> Sequence[str]:
        """Create each missing field; one sentence per field. PermissionMissing for one that only an admin can show."""
        sentences = []
        for field in self._missing(fields):
            name = f"{field.stream}.{field.name}"
            if dry_run:
                sentences.append(f"{self._client.system}: would create {name} ({field.type})")
            else:
                self._create(field)
                sentences.append(f"{self._client.system}: created {name} ({field.type})")
        return sentences

    def _missing(self, fields: Sequence[Field]) -> list[Field]:
        missing = []
        for stream in dict.fromkeys(field.stream for field in fields):
            known = self._schema.refresh(stream)
            missing += [field for field in fields if field.stream == stream and field.name not in known]
        hidden = [f"{field.stream}.{field.name}" for field in missing if not field.name.endswith("__c")]
        if hidden:
            raise PermissionMissing(
                f"{self._client.system}: {', '.join(hidden)} cannot be created and is not shown to this user "
                "(grant it in a permission set)",
                system=self._client.system,
            )
        return missing

    def _create(self, field: Field) -> None:
        if not FIELD.fullmatch(field.name) or field.type not in _METADATA:
            raise ConfigError(
                f"{self._client.system}: {field.stream}.{field.name}: a field is named with letters, digits and "
                f"underscores, and its type is one of {', '.join(_METADATA)}"
            )
        body = {
            "FullName": f"{field.stream}.{field.name}",
            "Metadata": {**_METADATA[field.type], "label": field.label[:40]},
        }
        try:
            self._client.call(
                "write",
                lambda sf: sf.toolingexecute("sobjects/CustomField", method="POST", data=body),
                stream=field.stream,
                write=True,
            )
        except Refused as exc:
            if exc.code not in _EXISTS:
                raise
            raise PermissionMissing(
                f"{self._client.system}: {field.stream}.{field.name} exists but is not shown to this user "
                "(grant it in a permission set)",
                system=self._client.system,
                stream=field.stream,
            ) from exc
