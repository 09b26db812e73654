"""Single records: read, create, update, upsert, delete by id or by external id."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from onevoice.sandbox.gate import Answer
from onevoice.sandbox.salesforce.columns import Columns
from onevoice.sandbox.salesforce.errors import RowError, not_found, refusal, row_refusal
from onevoice.sandbox.salesforce.org import Org, api_version, json_object
from onevoice.sandbox.salesforce.schema import FieldDef
from onevoice.sandbox.salesforce.soql_run import render
from onevoice.sandbox.salesforce.values import find
from onevoice.sandbox.salesforce.writing import Writer


class Records:
    """/sobjects/X/..."""

    def __init__(self, org: Org, writer: Writer) -> None:
        self._org = org
        self._writer = writer

    async def read(self, request: Request) -> Answer:
        """GET /sobjects/X/id[?fields=]; a direct read has no lag."""
        entity = self._entity(request)
        return self._shown(request, entity, self._existing(entity, str(request.path_params["id"])))

    async def read_by_external_id(self, request: Request) -> Answer:
        """GET /sobjects/X/Field/value."""
        entity = self._entity(request)
        field = self._external(entity, str(request.path_params["field"]))
        key = self._writer.by_value(entity, field, request.path_params["value"])
        if key is None:
            raise not_found()
        return self._shown(request, entity, key)

    async def create(self, request: Request) -> Answer:
        """POST /sobjects/X."""
        entity = self._entity(request)
        body = await json_object(request)
        try:
            key = self._writer.create(entity, self._writer.checked(entity, None, body))
        except RowError as error:
            raise row_refusal(error) from error
        return Answer(201, {"id": key, "success": True, "errors": []}, units=1)

    async def update(self, request: Request) -> Answer:
        """PATCH /sobjects/X/id."""
        entity = self._entity(request)
        body = await json_object(request)
        if find(self._org.state, entity, str(request.path_params["id"])) is None:
            raise not_found()
        try:
            key = self._writer.locate(entity, request.path_params["id"])
            changed = self._writer.update(entity, key, self._writer.checked(entity, key, body))
        except RowError as error:
            raise row_refusal(error) from error
        return Answer(204, units=int(changed))

    async def upsert(self, request: Request) -> Answer:
        """PATCH /sobjects/X/Field/value: 201 when it made the record, 200 when it changed one."""
        entity = self._entity(request)
        body = await json_object(request)
        field = self._external(entity, str(request.path_params["field"]))
        value = request.path_params["value"]
        key = self._writer.by_value(entity, field, value)
        try:
            if key is None:
                made = self._writer.create(entity, self._writer.checked(entity, None, {**body, field.name: value}))
                return Answer(201, {"id": made, "success": True, "errors": [], "created": True}, units=1)
            changed = self._writer.update(entity, key, self._writer.checked(entity, key, body))
        except RowError as error:
            raise row_refusal(error) from error
        return Answer(200, {"id": key, "success": True, "errors": [], "created": False}, units=int(changed))

    async def delete(self, request: Request) -> Answer:
        """DELETE /sobjects/X/id."""
        entity = self._entity(request)
        key = self._existing(entity, str(request.path_params["id"]))
        self._writer.delete(entity, key)
        return Answer(204, units=1)

    def _entity(self, request: Request) -> str:
        api_version(request)
        return self._org.schema.entity(str(request.path_params["entity"]))

    def _existing(self, entity: str, record_id: str) -> str:
        key = find(self._org.state, entity, record_id)
        if key is None:
            raise not_found()
        if self._org.state.tables[entity].rows[key].get("IsDeleted"):
            raise refusal(404, "ENTITY_IS_DELETED", "entity is deleted")
        return key

    def _external(self, entity: str, name: str) -> FieldDef:
        field = self._org.schema.fields(entity).get(name.lower())
        if field is None or not field.external_id:
            raise refusal(404, "NOT_FOUND", f"Provided external ID field does not exist or is not accessible: {name}")
        return field

    def _shown(self, request: Request, entity: str, key: str) -> Answer:
        columns = Columns(self._org.schema, self._org.state, entity)
        wanted = request.query_params.get("fields")
        names = wanted.split(",") if wanted else [field.name for field in self._org.schema.fields(entity).values()]
        row = self._org.state.tables[entity].rows[key]
        found: list[dict[str, Any]] = render(
            entity, [columns.find(name) for name in names], [(key, row)], api_version(request)
        )
        return Answer(200, found[0])
