"""sObject Collections: up to 200 records in one call, a result for each, in the order of the request."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from onevoice.sandbox.calls import DONE, PARTIAL_FAILURE
from onevoice.sandbox.gate import Answer
from onevoice.sandbox.salesforce.columns import Columns
from onevoice.sandbox.salesforce.errors import RowError, refusal
from onevoice.sandbox.salesforce.limits import locked
from onevoice.sandbox.salesforce.org import Org, api_version, json_object
from onevoice.sandbox.salesforce.schema import FieldDef
from onevoice.sandbox.salesforce.soql_run import render
from onevoice.sandbox.salesforce.values import find
from onevoice.sandbox.salesforce.writing import Writer

MOST_WRITTEN = 200
MOST_READ = 2000
"""Records in one collections call (REST API guide: 200 written, 2,000 retrieved by POST)."""

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Ready:
    """A record that passed its checks; `carry_out` stores it and says (id, made anew, changed)."""

    carry_out: Callable[[], tuple[str, bool, bool]]


class Batches:
    """/composite/sobjects..."""

    def __init__(self, org: Org, writer: Writer) -> None:
        self._org = org
        self._writer = writer

    async def update(self, request: Request) -> Answer:
        """PATCH /composite/sobjects."""
        body = await self._body(request)
        locked_rows = self._org.limits.locked_rows(len(body["records"]))

        def prepare(position: int, record: Body) -> _Ready:
            entity = self._entity(record)
            record_id = record.get("id", record.get("Id"))
            if not record_id:
                raise RowError("MISSING_ARGUMENT", "Id not specified in an update call")
            key = self._writer.locate(entity, record_id)
            changes = self._writer.checked(entity, key, record)
            if position in locked_rows:
                raise locked(key)
            return _Ready(lambda: (key, False, self._writer.update(entity, key, changes)))

        return self._carried_out(body, prepare)

    async def create(self, request: Request) -> Answer:
        """POST /composite/sobjects."""

        def prepare(_position: int, record: Body) -> _Ready:
            entity = self._entity(record)
            changes = self._writer.checked(entity, None, record)
            return _Ready(lambda: (self._writer.create(entity, changes), True, True))

        return self._carried_out(await self._body(request), prepare)

    async def upsert(self, request: Request) -> Answer:
        """PATCH /composite/sobjects/X/Field: records of one object, found by an external id."""
        body = await self._body(request)
        entity = self._org.schema.entity(str(request.path_params["entity"]))
        field = self._external(entity, str(request.path_params["field"]))

        def prepare(_position: int, record: Body) -> _Ready:
            if self._entity(record) != entity:
                raise RowError("INVALID_INPUT", f"All records must be of type {entity}")
            value = next((kept for name, kept in record.items() if name.lower() == field.name.lower()), None)
            if not value:
                raise RowError("MISSING_ARGUMENT", f"{field.name} not specified", (field.name,))
            key = self._writer.by_value(entity, field, value)
            changes = self._writer.checked(entity, key, record)
            if key is None:
                return _Ready(lambda: (self._writer.create(entity, changes), True, True))
            return _Ready(lambda: (key, False, self._writer.update(entity, key, changes)))

        return self._carried_out(body, prepare, tell_created=True)

    async def delete(self, request: Request) -> Answer:
        """DELETE /composite/sobjects?ids=."""
        api_version(request)
        ids = [part for part in request.query_params.get("ids", "").split(",") if part]
        records = [{"id": record_id} for record_id in ids]
        self._count(records, MOST_WRITTEN)
        every = request.query_params.get("allOrNone", "false") == "true"

        def prepare(_position: int, record: Body) -> _Ready:
            entity = self._holder(str(record["id"]))
            key = self._writer.locate(entity, record["id"])
            return _Ready(lambda: self._deleted(entity, key))

        return self._carried_out({"records": records, "allOrNone": every}, prepare)

    async def retrieve(self, request: Request) -> Answer:
        """POST or GET /composite/sobjects/X with ids and fields; a direct read: no lag, null for a missing record."""
        version = api_version(request)
        entity = self._org.schema.entity(str(request.path_params["entity"]))
        if request.method == "POST":
            body = await json_object(request)
            ids, names = body.get("ids"), body.get("fields")
        else:
            ids, names = (request.query_params.get(name, "").split(",") for name in ("ids", "fields"))
        if not isinstance(ids, list) or not isinstance(names, list) or not ids or not names:
            raise refusal(400, "MISSING_ARGUMENT", "ids and fields must be given")
        self._count(ids, MOST_READ)
        columns = Columns(self._org.schema, self._org.state, entity)
        chosen = [columns.find(str(name)) for name in names]
        rows = self._org.state.tables[entity].rows
        shown: list[dict[str, Any] | None] = []
        for record_id in ids:
            key = find(self._org.state, entity, str(record_id))
            if key is None or rows[key].get("IsDeleted"):
                shown.append(None)
            else:
                shown.extend(render(entity, chosen, [(key, rows[key])], version))
        return Answer(200, shown)

    async def _body(self, request: Request) -> Body:
        api_version(request)
        body = await json_object(request)
        records = body.get("records")
        if not isinstance(records, list) or not all(isinstance(record, Mapping) for record in records):
            raise refusal(400, "JSON_PARSER_ERROR", "records must be an array of objects")
        self._count(records, MOST_WRITTEN)
        return body

    def _count(self, records: Sequence[object], most: int) -> None:
        if len(records) > most:
            raise refusal(400, "EXCEEDED_ID_LIMIT", f"record limit reached. cannot submit more than {most} records")

    def _entity(self, record: Body) -> str:
        attributes = record.get("attributes")
        name = attributes.get("type") if isinstance(attributes, Mapping) else None
        if not isinstance(name, str):
            raise refusal(400, "INVALID_TYPE", "attributes.type must be given for every record")
        return self._org.schema.entity(name)

    def _external(self, entity: str, name: str) -> FieldDef:
        field = self._org.schema.fields(entity).get(name.lower())
        if field is None or not field.external_id:
            raise refusal(400, "INVALID_FIELD", f"{name} is not an external ID field of {entity}")
        return field

    def _holder(self, record_id: str) -> str:
        for entity in self._org.schema.objects():
            if find(self._org.state, entity, record_id) is not None:
                return entity
        raise RowError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")

    def _deleted(self, entity: str, key: str) -> tuple[str, bool, bool]:
        self._writer.delete(entity, key)
        return key, False, True

    def _carried_out(self, body: Body, prepare: Callable[[int, Body], _Ready], *, tell_created: bool = False) -> Answer:
        """Check every record, then store the good ones; with allOrNone one bad record keeps all of them out."""
        checked: list[_Ready | RowError] = []
        for position, record in enumerate(body["records"]):
            try:
                checked.append(prepare(position, record))
            except RowError as error:
                checked.append(error)
        failed = any(isinstance(one, RowError) for one in checked)
        rolled_back = RowError(
            "ALL_OR_NONE_OPERATION_ROLLED_BACK", "Record rolled back because not all records were valid"
        )
        results: list[dict[str, Any]] = []
        units = 0
        for one in checked:
            if isinstance(one, RowError) or (failed and body.get("allOrNone") is True):
                reason = one if isinstance(one, RowError) else rolled_back
                results.append({"success": False, "errors": [reason.as_result()]})
                continue
            key, created, changed = one.carry_out()
            units += changed
            results.append({"id": key, "success": True, "errors": [], **({"created": created} if tell_created else {})})
        return Answer(200, results, units=units, outcome=PARTIAL_FAILURE if failed else DONE)
