"""What the org tells about itself: versions, objects, fields, limits, deleted and updated records."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request

from onevoice.sandbox.gate import Answer
from onevoice.sandbox.salesforce.errors import refusal
from onevoice.sandbox.salesforce.limits import DAILY_CALLS
from onevoice.sandbox.salesforce.org import Org, api_version
from onevoice.sandbox.salesforce.schema import FieldDef
from onevoice.sandbox.state import salesforce_stamp

VERSIONS = ("65.0", "66.0", "67.0")
DELETED_DAYS, UPDATED_DAYS = 15, 30
"""How far back the logs of deleted and updated records reach."""
_SOAP_TYPES = {"id": "tns:ID", "reference": "tns:ID", "datetime": "xsd:dateTime"}
_PLAIN_TYPES = frozenset({"boolean", "date", "double"})


class Describing:
    """Endpoints that tell about the org."""

    def __init__(self, org: Org) -> None:
        self._org = org

    async def versions(self, _request: Request) -> Answer:
        """GET /services/data."""
        return Answer(200, [{"label": f"v{v}", "url": f"/services/data/v{v}", "version": v} for v in VERSIONS])

    async def resources(self, request: Request) -> Answer:
        """GET /services/data/vNN.0."""
        base = f"/services/data/v{api_version(request)}"
        return Answer(200, {name: f"{base}/{name}" for name in ("sobjects", "query", "queryAll", "limits", "tooling")})

    async def objects(self, request: Request) -> Answer:
        """GET /sobjects."""
        version = api_version(request)
        shown = [self._about(entity, version) for entity in self._org.schema.objects()]
        return Answer(200, {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": shown})

    async def basics(self, request: Request) -> Answer:
        """GET /sobjects/X."""
        entity = self._org.schema.entity(str(request.path_params["entity"]))
        return Answer(200, {"objectDescribe": self._about(entity, api_version(request)), "recentItems": []})

    async def describe(self, request: Request) -> Answer:
        """GET /sobjects/X/describe."""
        entity = self._org.schema.entity(str(request.path_params["entity"]))
        fields = [_described(field) for field in self._org.schema.fields(entity).values()]
        return Answer(200, {**self._about(entity, api_version(request)), "fields": fields})

    async def limits(self, request: Request) -> Answer:
        """GET /limits."""
        api_version(request)
        left = max(DAILY_CALLS - self._org.limits.calls, 0)
        return Answer(
            200,
            {
                "DailyApiRequests": {"Max": DAILY_CALLS, "Remaining": left},
                "DailyBulkV2QueryJobs": {"Max": 10000, "Remaining": 10000},
            },
        )

    async def deleted(self, request: Request) -> Answer:
        """GET /sobjects/X/deleted?start=&end=."""
        entity, start, end = self._window(request, DELETED_DAYS)
        seen = self._org.state.tables[entity].seen()
        records = [
            {"id": key, "deletedDate": row["SystemModstamp"]}
            for key, row in seen.items()
            if row.get("IsDeleted") and start <= row["SystemModstamp"] <= end
        ]
        earliest = salesforce_stamp(self._org.state.clock.now() - timedelta(days=DELETED_DAYS))
        body = {"deletedRecords": records, "earliestDateAvailable": earliest, "latestDateCovered": end}
        return Answer(200, body)

    async def updated(self, request: Request) -> Answer:
        """GET /sobjects/X/updated?start=&end=."""
        entity, start, end = self._window(request, UPDATED_DAYS)
        seen = self._org.state.tables[entity].seen()
        ids = [key for key, row in seen.items() if not row.get("IsDeleted") and start <= row["SystemModstamp"] <= end]
        return Answer(200, {"ids": ids, "latestDateCovered": end})

    def _window(self, request: Request, days: int) -> tuple[str, str, str]:
        api_version(request)
        entity = self._org.schema.entity(str(request.path_params["entity"]))
        try:
            start, end = (datetime.fromisoformat(request.query_params[name]) for name in ("start", "end"))
            first, last = salesforce_stamp(start), salesforce_stamp(end)
        except (KeyError, ValueError) as error:
            raise refusal(400, "INVALID_REPLICATION_DATE", "start and end must be dates with a time zone") from error
        if end - start < timedelta(minutes=1):
            raise refusal(400, "INVALID_REPLICATION_DATE", "endDate must be at least 1 minute after startDate")
        if start < self._org.state.clock.now() - timedelta(days=days):
            raise refusal(400, "INVALID_REPLICATION_DATE", f"startDate cannot be more than {days} days ago")
        return entity, first, last

    def _about(self, entity: str, version: str) -> dict[str, Any]:
        base = f"/services/data/v{version}/sobjects/{entity}"
        return {
            "name": entity,
            "label": entity,
            "keyPrefix": self._org.state.tables[entity].spec.new_id(1)[:3],
            "custom": False,
            "createable": True,
            "deletable": True,
            "queryable": True,
            "retrieveable": True,
            "updateable": True,
            "urls": {"sobject": base, "describe": f"{base}/describe", "rowTemplate": f"{base}/{{ID}}"},
        }


def _described(field: FieldDef) -> dict[str, Any]:
    soap = _SOAP_TYPES.get(field.type, f"xsd:{field.type}" if field.type in _PLAIN_TYPES else "xsd:string")
    return {
        "name": field.name,
        "label": field.label,
        "type": field.type,
        "soapType": soap,
        "length": field.length,
        "precision": field.precision,
        "scale": field.scale,
        "createable": field.writable,
        "updateable": field.writable,
        "filterable": field.filterable,
        "sortable": field.filterable,
        "nillable": not field.required and field.type != "boolean",
        "custom": field.custom,
        "externalId": field.external_id,
        "unique": field.unique,
        "idLookup": field.external_id or field.name == "Id",
        "restrictedPicklist": bool(field.values),
        "picklistValues": [{"value": value, "label": value, "active": True} for value in field.values],
        "referenceTo": [field.parent] if field.parent else [],
        "relationshipName": field.relation or None,
        "calculated": False,
    }
