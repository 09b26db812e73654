"""/crm/v3/lists: lists of contacts and their members."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request

from onevoice.sandbox.gate import Answer
from onevoice.sandbox.hubspot.contacts_store import Contacts
from onevoice.sandbox.hubspot.errors import invalid, missing, refusal
from onevoice.sandbox.hubspot.portal import Portal, json_anything, json_object, listed, whole_number
from onevoice.sandbox.hubspot.schema import CONTACT_TYPES
from onevoice.sandbox.state import Fields, hubspot_stamp

CONTACTS_TYPE = "0-1"
MOST_CHANGED = 100_000
"""Record ids in one membership call."""
MOST_MEMBERS = 250
"""Members on a page."""
_KINDS = ("MANUAL", "SNAPSHOT", "DYNAMIC")


class Lists:
    """Endpoints on lists. Members join and leave at once; only lists of fixed members can be written."""

    def __init__(self, portal: Portal, contacts: Contacts) -> None:
        self._state = portal.state
        self._table = portal.state.tables["lists"]
        self._contacts = contacts
        self._joined: dict[tuple[str, str], str] = {}

    async def create(self, request: Request) -> Answer:
        """POST /crm/v3/lists."""
        body = await json_object(request)
        name, kind = str(body.get("name") or ""), body.get("processingType")
        if not name or body.get("objectTypeId") != CONTACTS_TYPE or kind not in _KINDS:
            raise invalid(f"a list needs a name, objectTypeId {CONTACTS_TYPE} and a processingType of {list(_KINDS)}")
        if self._named(name) is not None:
            raise refusal(
                400,
                "VALIDATION_ERROR",
                f"A list with the name {name} already exists",
                subCategory="ILS.DUPLICATE_LIST_NAMES",
            )
        key = self._table.insert({"name": name, "processingType": kind, "members": set()})
        self._table.update(key, {"listId": key}, actor="vendor")
        return Answer(200, {"list": self._shown(key)}, units=1)

    async def many(self, request: Request) -> Answer:
        """GET /crm/v3/lists?listIds=."""
        return Answer(200, {"lists": [self._shown(key) for key in listed(request, "listIds") if key in self._table]})

    async def read(self, request: Request) -> Answer:
        """GET /crm/v3/lists/{id}."""
        return Answer(200, {"list": self._shown(self._existing(request))})

    async def by_name(self, request: Request) -> Answer:
        """GET /crm/v3/lists/object-type-id/{type}/name/{name}."""
        key = self._named(str(request.path_params["name"]))
        if key is None or request.path_params["type"] not in CONTACT_TYPES:
            raise missing("List does not exist")
        return Answer(200, {"list": self._shown(key)})

    async def search(self, request: Request) -> Answer:
        """POST /crm/v3/lists/search."""
        body = await json_object(request)
        words = str(body.get("query") or "").casefold()
        kinds = body.get("processingTypes") or _KINDS
        wanted = [str(key) for key in body.get("listIds") or self._table.rows]
        offset = whole_number(body.get("offset") or 0, "offset", 0, 10**9)
        count = whole_number(body.get("count") or 20, "count", 1, 500)
        keys = [
            key
            for key in sorted(set(wanted) & self._table.rows.keys(), key=int)
            if words in str(self._table.rows[key]["name"]).casefold() and self._kind(key) in kinds
        ]
        shown = [
            {**self._shown(key), "additionalProperties": self._extras(key)} for key in keys[offset : offset + count]
        ]
        for one in shown:
            del one["size"]
        end = offset + len(shown)
        return Answer(200, {"lists": shown, "offset": end, "hasMore": end < len(keys), "total": len(keys)})

    async def delete(self, request: Request) -> Answer:
        """DELETE /crm/v3/lists/{id}."""
        self._table.delete(self._existing(request))
        return Answer(204, units=1)

    async def add(self, request: Request) -> Answer:
        """PUT /crm/v3/lists/{id}/memberships/add with an array of record ids."""
        return self._changed(request, _ids(await json_anything(request)), [])

    async def remove(self, request: Request) -> Answer:
        """PUT /crm/v3/lists/{id}/memberships/remove with an array of record ids."""
        return self._changed(request, [], _ids(await json_anything(request)))

    async def add_and_remove(self, request: Request) -> Answer:
        """PUT /crm/v3/lists/{id}/memberships/add-and-remove."""
        body = await json_object(request)
        return self._changed(request, _ids(body.get("recordIdsToAdd")), _ids(body.get("recordIdsToRemove")))

    async def clear(self, request: Request) -> Answer:
        """DELETE /crm/v3/lists/{id}/memberships."""
        key = self._writable(request)
        members = self._members(key)
        self._table.update(key, {"members": set()})
        return Answer(204, units=len(members))

    async def members(self, request: Request) -> Answer:
        """GET /crm/v3/lists/{id}/memberships, ordered by record id; pages by the last record id."""
        key = self._existing(request)
        limit = whole_number(request.query_params.get("limit", "100"), "limit", 1, MOST_MEMBERS)
        after = whole_number(request.query_params.get("after", "0"), "after", 0, 10**18)
        ordered = sorted((record_id for record_id in self._members(key) if int(record_id) > after), key=int)
        page = ordered[:limit]
        body: dict[str, Any] = {
            "results": [{"recordId": one, "membershipTimestamp": self._since(key, one)} for one in page],
            "total": len(self._members(key)),
        }
        if len(ordered) > limit:
            body["paging"] = {"next": {"after": page[-1]}}
        return Answer(200, body)

    async def of_record(self, request: Request) -> Answer:
        """GET /crm/v3/lists/records/{type}/{record}/memberships."""
        record_id = str(request.path_params["record"])
        if request.path_params["type"] not in CONTACT_TYPES or self._contacts.find(record_id) is None:
            raise missing()
        results = []
        for key in self._table.rows:
            if record_id in self._members(key):
                since = self._since(key, record_id)
                results.append(
                    {"listId": key, "listVersion": 1, "firstAddedTimestamp": since, "lastAddedTimestamp": since}
                )
        return Answer(200, {"results": results, "total": len(results)})

    def _changed(self, request: Request, adding: Sequence[str], removing: Sequence[str]) -> Answer:
        if len(adding) + len(removing) > MOST_CHANGED:
            raise invalid(f"at most {MOST_CHANGED} record ids can be changed in one call")
        key = self._writable(request)
        members = self._members(key)
        lost = [one for one in adding if self._contacts.find(one) != one]
        joining = set(adding) - set(lost) - members
        leaving = set(removing) & members
        if joining or leaving:
            self._table.update(key, {"members": (members | joining) - leaving})
            stamp = hubspot_stamp(self._state.clock.now())
            self._joined.update({(key, one): stamp for one in joining})
        body = {
            "recordsIdsAdded": sorted(joining, key=int),
            "recordIdsRemoved": sorted(leaving, key=int),
            "recordIdsMissing": lost,
        }
        return Answer(200, body, units=len(joining) + len(leaving))

    def _existing(self, request: Request) -> str:
        key = str(request.path_params["id"])
        if key not in self._table:
            raise missing(f"List does not exist with ID {key}")
        return key

    def _writable(self, request: Request) -> str:
        key = self._existing(request)
        if self._kind(key) == "DYNAMIC":
            raise invalid("Memberships of a DYNAMIC list follow its filters and cannot be written")
        return key

    def _named(self, name: str) -> str | None:
        return next((key for key, row in self._table.rows.items() if row["name"].casefold() == name.casefold()), None)

    def _kind(self, key: str) -> str:
        return str(self._table.rows[key]["processingType"])

    def _members(self, key: str) -> set[str]:
        members: set[str] = self._table.rows[key]["members"]
        return members

    def _since(self, key: str, record_id: str) -> str:
        """When a member joined; for those from before this server started, when the list last changed."""
        return self._joined.get((key, record_id), str(self._table.rows[key]["updatedAt"]))

    def _shown(self, key: str) -> dict[str, Any]:
        row: Fields = self._table.rows[key]
        return {
            "listId": key,
            "listVersion": 1,
            "name": row["name"],
            "objectTypeId": CONTACTS_TYPE,
            "processingType": row["processingType"],
            "processingStatus": "COMPLETE",
            "createdAt": row["createdAt"],
            "updatedAt": row["updatedAt"],
            "size": len(row["members"]),
        }

    def _extras(self, key: str) -> dict[str, str]:
        return {"hs_list_size": str(len(self._members(key)))}


def _ids(given: object) -> list[str]:
    if not isinstance(given, list) or not all(str(one).isdigit() for one in given):
        raise invalid("record ids must be a list")
    return list(dict.fromkeys(map(str, given)))
