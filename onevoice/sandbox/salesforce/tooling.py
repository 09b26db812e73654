"""Creating custom fields through the Tooling API."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request

from onevoice.sandbox.gate import Answer
from onevoice.sandbox.salesforce.errors import RowError, row_refusal
from onevoice.sandbox.salesforce.org import Org, api_version, json_object
from onevoice.sandbox.salesforce.schema import OBJECTS, FieldDef
from onevoice.sandbox.state import salesforce_id

LONGEST_TEXT = 255
_FULL_NAME = re.compile(r"(\w+)\.([A-Za-z](?:_?[A-Za-z0-9])*)__c")

Metadata = Mapping[str, Any]


class Tooling:
    """/tooling/sobjects/CustomField."""

    def __init__(self, org: Org) -> None:
        self._org = org

    async def create_field(self, request: Request) -> Answer:
        """POST {FullName: 'Contact.my_field__c', Metadata: {label, type, ...}}; visible to the client at once."""
        api_version(request)
        body = await json_object(request)
        try:
            entity, field = self._defined(str(body.get("FullName", "")), body.get("Metadata"))
        except RowError as error:
            raise row_refusal(error) from error
        self._org.schema.add(entity, field)
        serial = sum(len(self._org.schema.custom(name)) for name in OBJECTS)
        created = {"id": salesforce_id("00N", serial), "success": True, "errors": [], "warnings": [], "infos": []}
        return Answer(201, created, units=1)

    def _defined(self, full_name: str, metadata: object) -> tuple[str, FieldDef]:
        named = _FULL_NAME.fullmatch(full_name)
        if named is None:
            raise RowError(
                "FIELD_INTEGRITY_EXCEPTION", "FullName must be Object.name__c with letters, digits and single _"
            )
        entity, name = self._org.schema.entity(named.group(1)), f"{named.group(2)}__c"
        if not isinstance(metadata, Mapping) or not metadata.get("label"):
            raise RowError("REQUIRED_FIELD_MISSING", "Required fields are missing: [Metadata.label]", ("label",))
        if name.lower() in self._org.schema.fields(entity):
            raise RowError(
                "DUPLICATE_DEVELOPER_NAME",
                f"There is already a field named {named.group(2)} on {entity}.",
                ("FullName",),
            )
        build = _TYPES.get(str(metadata.get("type")))
        if build is None:
            raise RowError(
                "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", f"type must be one of {', '.join(_TYPES)}", ("type",)
            )
        return entity, build(name, metadata)


def _required(metadata: Metadata, name: str, highest: int) -> int:
    value = metadata.get(name)
    if not isinstance(value, int) or not 0 <= value <= highest:
        raise RowError("FIELD_INTEGRITY_EXCEPTION", f"Must specify '{name}' from 0 to {highest}", (name,))
    return value


def _text(name: str, metadata: Metadata) -> FieldDef:
    return FieldDef(
        name,
        "string",
        str(metadata["label"]),
        _required(metadata, "length", LONGEST_TEXT),
        custom=True,
        external_id=metadata.get("externalId") is True,
        unique=metadata.get("unique") is True,
    )


def _long_text(name: str, metadata: Metadata) -> FieldDef:
    length = _required(metadata, "length", 131_072)
    return FieldDef(name, "textarea", str(metadata["label"]), length, custom=True, filterable=False)


def _number(name: str, metadata: Metadata) -> FieldDef:
    precision, scale = _required(metadata, "precision", 18), _required(metadata, "scale", 17)
    return FieldDef(name, "double", str(metadata["label"]), custom=True, precision=precision, scale=scale)


def _checkbox(name: str, metadata: Metadata) -> FieldDef:
    if "defaultValue" not in metadata:
        raise RowError("FIELD_INTEGRITY_EXCEPTION", "Must specify 'defaultValue' for a checkbox", ("defaultValue",))
    return FieldDef(name, "boolean", str(metadata["label"]), custom=True)


def _date(name: str, metadata: Metadata) -> FieldDef:
    return FieldDef(name, "date", str(metadata["label"]), custom=True)


def _datetime(name: str, metadata: Metadata) -> FieldDef:
    return FieldDef(name, "datetime", str(metadata["label"]), custom=True)


_TYPES: dict[str, Callable[[str, Metadata], FieldDef]] = {
    "Text": _text,
    "LongTextArea": _long_text,
    "Number": _number,
    "Checkbox": _checkbox,
    "Date": _date,
    "DateTime": _datetime,
}
