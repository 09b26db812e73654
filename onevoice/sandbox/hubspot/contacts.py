"""/crm/v3/objects/contacts: one contact, the list of all, merge, erasure."""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

from starlette.requests import Request

from onevoice.sandbox.gate import Answer
from onevoice.sandbox.hubspot.contacts_store import Contacts
from onevoice.sandbox.hubspot.errors import invalid, missing
from onevoice.sandbox.hubspot.portal import Portal, json_object, listed, whole_number

MOST_LISTED = 100
"""Contacts on a page of the list endpoint."""


class ContactPages:
    """Endpoints on single contacts and on the list of them; none of them lags."""

    def __init__(self, portal: Portal, contacts: Contacts) -> None:
        self._portal = portal
        self._contacts = contacts

    async def page(self, request: Request) -> Answer:
        """GET /crm/v3/objects/contacts."""
        query = request.query_params
        limit = whole_number(query.get("limit", "10"), "limit", 1, MOST_LISTED)
        names = self._contacts.names(listed(request, "properties"))
        archived = query.get("archived", "false").lower() == "true"
        ids = self._contacts.archived_ids() if archived else self._contacts.ids()
        after = whole_number(query.get("after", "0"), "after", 0, 10**18)
        start = bisect_left(ids, after, key=int)
        show = self._contacts.show_archived if archived else self._contacts.show
        body: dict[str, Any] = {"results": [show(key, names) for key in ids[start : start + limit]]}
        if start + limit < len(ids):
            following = ids[start + limit]
            link = f"{self._portal.config.url}{request.url.path}?limit={limit}&after={following}"
            body["paging"] = {"next": {"after": following, "link": link}}
        return Answer(200, body)

    async def read(self, request: Request) -> Answer:
        """GET /crm/v3/objects/contacts/{id}."""
        names = self._contacts.names(listed(request, "properties"))
        if request.query_params.get("archived", "false").lower() == "true":
            key = str(request.path_params["id"])
            if key not in self._contacts.archived_ids():
                raise missing()
            return Answer(200, self._contacts.show_archived(key, names))
        return Answer(200, self._contacts.show(self._existing(request), names))

    async def create(self, request: Request) -> Answer:
        """POST /crm/v3/objects/contacts."""
        changes = self._contacts.checked((await json_object(request)).get("properties"))
        self._contacts.refuse_taken(changes, None)
        key = self._contacts.create(changes)
        return Answer(201, self._contacts.show(key, self._contacts.names(changes)), units=1)

    async def update(self, request: Request) -> Answer:
        """PATCH /crm/v3/objects/contacts/{id}."""
        body = await json_object(request)
        key = self._existing(request)
        changes = self._contacts.checked(body.get("properties"))
        self._contacts.refuse_taken(changes, key)
        if self._portal.limits.rejects(key):
            raise invalid("This contact is under review and cannot be edited.")
        changed = self._contacts.update(key, changes)
        return Answer(200, self._contacts.show(key, self._contacts.names(changes)), units=int(changed))

    async def archive(self, request: Request) -> Answer:
        """DELETE /crm/v3/objects/contacts/{id}: archived; a second time it is no error."""
        key = self._contacts.find(str(request.path_params["id"]))
        if key is not None:
            self._contacts.archive(key)
        return Answer(204, units=int(key is not None))

    async def merge(self, request: Request) -> Answer:
        """POST /crm/v3/objects/contacts/merge."""
        body = await json_object(request)
        winner, loser = (self._contacts.find(str(body.get(n))) for n in ("primaryObjectId", "objectIdToMerge"))
        if winner is None or loser is None or winner == loser:
            raise invalid("primaryObjectId and objectIdToMerge must be two existing contacts")
        self._contacts.merge(winner, loser)
        return Answer(200, self._contacts.show(winner, self._contacts.names(())), units=1)

    async def erase(self, request: Request) -> Answer:
        """POST /crm/v3/objects/contacts/gdpr-delete."""
        body = await json_object(request)
        id_property = body.get("idProperty")
        key = self._contacts.find(str(body.get("objectId")), None if id_property is None else str(id_property))
        if key is not None:
            self._contacts.erase(key)
        return Answer(204, units=int(key is not None))

    def _existing(self, request: Request) -> str:
        key = self._contacts.find(str(request.path_params["id"]), request.query_params.get("idProperty"))
        if key is None:
            raise missing()
        return key
