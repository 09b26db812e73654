"""/crm/v3/properties/contacts: the portal's contact properties and their groups."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from starlette.requests import Request

from onevoice.sandbox.gate import Answer, RefusalError
from onevoice.sandbox.hubspot.errors import invalid, missing, refusal, row_error
from onevoice.sandbox.hubspot.portal import Portal, json_object
from onevoice.sandbox.hubspot.schema import CONTACT_TYPES, Property
from onevoice.sandbox.state import hubspot_stamp

MOST_UNIQUE = 10
"""Own properties with unique values that an object type may have."""
MOST = 100
"""Properties in one batch call."""
_NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")
_FIELD_TYPES = {
    "string": {"text", "textarea", "file", "html", "phonenumber"},
    "number": {"number", "calculation_equation"},
    "date": {"date"},
    "datetime": {"date"},
    "enumeration": {"select", "radio", "checkbox", "booleancheckbox"},
    "bool": {"booleancheckbox"},
}


class PropertyPages:
    """Endpoints on properties and property groups."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal

    async def all(self, request: Request) -> Answer:
        """GET /crm/v3/properties/{type}."""
        self._type(request)
        shown = [self._portal.properties.shown(one) for one in self._portal.properties.all().values()]
        return Answer(200, {"results": shown})

    async def one(self, request: Request) -> Answer:
        """GET /crm/v3/properties/{type}/{name}."""
        return Answer(200, self._portal.properties.shown(self._existing(request)))

    async def create(self, request: Request) -> Answer:
        """POST /crm/v3/properties/{type}."""
        self._type(request)
        return Answer(201, self._portal.properties.shown(self._created(await json_object(request))), units=1)

    async def create_many(self, request: Request) -> Answer:
        """POST /crm/v3/properties/{type}/batch/create: 207 when some were not made."""
        self._type(request)
        results, errors = [], []
        for one in await self._inputs(request):
            try:
                results.append(self._portal.properties.shown(self._created(one)))
            except RefusalError as error:
                body: Any = error.answer.body
                errors.append(row_error(body["category"], body["message"], {"name": [str(one.get("name"))]}))
        return self._batch(201, results, errors)

    async def read_many(self, request: Request) -> Answer:
        """POST /crm/v3/properties/{type}/batch/read."""
        self._type(request)
        names = [str(one.get("name")) for one in await self._inputs(request)]
        found = [(name, self._portal.properties.find(name)) for name in names]
        results = [self._portal.properties.shown(one) for _, one in found if one is not None]
        lost = [name for name, one in found if one is None]
        errors = [row_error("OBJECT_NOT_FOUND", "Some properties do not exist", {"name": lost})] if lost else []
        return self._batch(200, results, errors)

    async def update(self, request: Request) -> Answer:
        """PATCH /crm/v3/properties/{type}/{name}: label, description, options."""
        one = self._existing(request)
        body = await json_object(request)
        if not self._portal.properties.is_created(one.name):
            raise invalid(f"{one.name} is defined by HubSpot or an integration and cannot be changed")
        values, labels = _options(body, one.type) if "options" in body else (one.options, one.option_labels)
        changed = replace(
            one,
            label=str(body.get("label", one.label)),
            description=str(body.get("description", one.description)),
            options=values,
            option_labels=labels,
        )
        self._portal.properties.put(changed)
        return Answer(200, self._portal.properties.shown(changed), units=1)

    async def archive(self, request: Request) -> Answer:
        """DELETE /crm/v3/properties/{type}/{name}."""
        one = self._existing(request)
        if not self._portal.properties.is_created(one.name):
            raise invalid(f"{one.name} is defined by HubSpot or an integration and cannot be archived")
        self._portal.properties.remove(one.name)
        return Answer(204, units=1)

    async def groups(self, request: Request) -> Answer:
        """GET /crm/v3/properties/{type}/groups."""
        self._type(request)
        return Answer(200, {"results": [_group(*one) for one in self._portal.properties.groups().items()]})

    async def group(self, request: Request) -> Answer:
        """GET /crm/v3/properties/{type}/groups/{name}."""
        self._type(request)
        name = str(request.path_params["name"])
        if name not in self._portal.properties.groups():
            raise missing()
        return Answer(200, _group(name, self._portal.properties.groups()[name]))

    async def create_group(self, request: Request) -> Answer:
        """POST /crm/v3/properties/{type}/groups."""
        self._type(request)
        body = await json_object(request)
        name, label = str(body.get("name", "")), str(body.get("label", ""))
        if not _NAME.fullmatch(name) or not label:
            raise invalid("a property group needs a name of lower-case letters, digits and _, and a label")
        if name in self._portal.properties.groups():
            raise refusal(409, "OBJECT_ALREADY_EXISTS", f"Property group {name} already exists")
        self._portal.properties.put_group(name, label)
        return Answer(201, _group(name, label), units=1)

    def _type(self, request: Request) -> None:
        name = request.path_params["type"]
        if name not in CONTACT_TYPES:
            raise refusal(400, "VALIDATION_ERROR", f"Unable to infer object type from: {name}")

    def _existing(self, request: Request) -> Property:
        self._type(request)
        one = self._portal.properties.find(str(request.path_params["name"]))
        if one is None:
            raise missing(f"Property {request.path_params['name']} does not exist")
        return one

    def _created(self, body: Mapping[str, Any]) -> Property:
        absent = [name for name in ("name", "label", "type", "fieldType", "groupName") if not body.get(name)]
        if absent:
            raise invalid(f"Invalid input JSON: some of the required attributes are not set: {absent}")
        name, kind = str(body["name"]), str(body["type"])
        if not _NAME.fullmatch(name):
            raise invalid("a property name has lower-case letters, digits and _, and begins with a letter")
        if self._portal.properties.find(name) is not None:
            raise refusal(409, "OBJECT_ALREADY_EXISTS", f"Property {name} already exists")
        if body["fieldType"] not in _FIELD_TYPES.get(kind, set()):
            raise invalid(f"type {kind} does not go with fieldType {body['fieldType']}")
        if body["groupName"] not in self._portal.properties.groups():
            raise invalid(f"Property group {body['groupName']} does not exist")
        unique = body.get("hasUniqueValue") is True
        if unique and sum(one.unique and one.own for one in self._portal.properties.all().values()) >= MOST_UNIQUE:
            raise invalid(f"at most {MOST_UNIQUE} properties can have unique values")
        values, labels = _options(body, kind)
        made = Property(
            name=name,
            type=kind,
            label=str(body["label"]),
            field_type=str(body["fieldType"]),
            group=str(body["groupName"]),
            description=str(body.get("description") or ""),
            own=True,
            unique=unique,
            options=values,
            option_labels=labels,
        )
        self._portal.properties.put(made)
        return made

    async def _inputs(self, request: Request) -> list[Mapping[str, Any]]:
        inputs = (await json_object(request)).get("inputs")
        if not isinstance(inputs, list) or not 1 <= len(inputs) <= MOST:
            raise invalid(f"inputs must be a list of 1 to {MOST}")
        if not all(isinstance(one, Mapping) for one in inputs):
            raise invalid("Invalid input JSON: every input must be an object")
        return inputs

    def _batch(self, status: int, results: list[dict[str, Any]], errors: list[dict[str, Any]]) -> Answer:
        stamp = hubspot_stamp(self._portal.state.clock.now())
        body: dict[str, Any] = {"status": "COMPLETE", "results": results, "startedAt": stamp, "completedAt": stamp}
        if errors:
            return Answer(207, {**body, "numErrors": len(errors), "errors": errors}, units=len(results))
        return Answer(status, body, units=len(results))


def _options(body: Mapping[str, Any], kind: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(values, labels) of an enumeration."""
    options = body.get("options") or []
    if not isinstance(options, list) or not all(isinstance(o, Mapping) and o.get("value") for o in options):
        raise invalid("options must be a list of objects with a label and a value")
    if kind == "enumeration" and not options:
        raise invalid("an enumeration needs options")
    return tuple(str(o["value"]) for o in options), tuple(str(o.get("label", o["value"])) for o in options)


def _group(name: str, label: str) -> dict[str, Any]:
    return {"name": name, "label": label, "displayOrder": -1, "archived": False}
