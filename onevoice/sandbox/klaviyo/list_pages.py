"""Endpoints on lists. Being on a list is not consent."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request

from onevoice.sandbox.gate import Answer
from onevoice.sandbox.klaviyo.account import Account
from onevoice.sandbox.klaviyo.consent import Consent
from onevoice.sandbox.klaviyo.documents import Query, SortKey, document, identifiers, page, reply
from onevoice.sandbox.klaviyo.errors import invalid, missing
from onevoice.sandbox.klaviyo.filters import ANY, ORDERED, Filterable, compile_filter
from onevoice.sandbox.klaviyo.profiles import FILTERABLE, MOST_SIZE, PAGED, SHOWN, USUAL_SIZE
from onevoice.sandbox.klaviyo.showing import (
    is_joined_profile_field,
    list_resource,
    profile_attributes,
    profile_resource,
)
from onevoice.sandbox.state import Fields

MOST_LISTS = 10
"""Lists on a page."""
MOST_CHANGED = 1_000
"""Profiles put on a list, or taken off it, by one call."""
_FIELDS = ("created", "id", "name", "opt_in_process", "updated")
_OPT_INS = ("double_opt_in", "single_opt_in")
_SORTABLE = ("created", "id", "name", "updated")
_AFTER = frozenset({"greater-than"})
_FILTERABLE = {
    "id": Filterable(ANY, lambda key, _row: (key,)),
    "name": Filterable(ANY, lambda _key, row: (row["name"],)),
    "created": Filterable(_AFTER, lambda _key, row: (row["created"],), instant=True),
    "updated": Filterable(_AFTER, lambda _key, row: (row["updated"],), instant=True),
}


class ListPages:
    """The endpoints on lists."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._lists = account.lists
        self._consent = Consent(account.state, account.profiles)

    async def many(self, request: Request) -> Answer:
        """GET /api/lists."""
        query = self._account.query(request, ("fields[list]", "filter", "sort", *PAGED))
        names = query.listed("fields[list]", _FIELDS.__contains__)
        passes = compile_filter(query.text("filter"), _FILTERABLE)
        field, descending = query.sort("id", _SORTABLE)
        rows = self._lists.rows
        order = sorted((key if field == "id" else str(row[field]), key) for key, row in rows.items())
        size = query.size(MOST_LISTS, MOST_LISTS)
        keys, end = page(order, query, size, lambda key: passes(key, rows[key]), descending=descending)
        data = [list_resource(key, rows[key], names, self._account.config.url) for key in keys]
        return reply(200, {"data": data, "links": query.links(end)})

    async def one(self, request: Request) -> Answer:
        """GET /api/lists/{id}."""
        query = self._account.query(request, ("additional-fields[list]", "fields[list]"))
        more = query.listed("additional-fields[list]", lambda name: name == "profile_count")
        names = query.listed("fields[list]", (*_FIELDS, "profile_count").__contains__) or list(_FIELDS)
        key, row = self._existing(request)
        shown = list_resource(key, row, [*names, *more], self._account.config.url)
        return reply(200, {"data": shown, "links": query.links()})

    async def create(self, request: Request) -> Answer:
        """POST /api/lists."""
        query = self._account.query(request, ("fields[list]",))
        names = query.listed("fields[list]", _FIELDS.__contains__)
        attributes = (await document(request, "list"))["attributes"]
        name, process = attributes.get("name"), attributes.get("opt_in_process", _OPT_INS[1])
        if not isinstance(name, str) or not name.strip() or process not in list(_OPT_INS):
            raise invalid("A list needs a name, and may have a known 'opt_in_process'", "/data/attributes")
        key = self._lists.insert({"name": name, "opt_in_process": process, "joined": {}})
        shown = list_resource(key, self._lists.rows[key], names, self._account.config.url)
        return reply(201, {"data": shown, "links": query.links()}, units=1)

    async def profiles(self, request: Request) -> Answer:
        """GET /api/lists/{id}/profiles."""
        query = self._account.query(request, (*SHOWN, *PAGED, "filter", "sort"))
        names = query.listed("fields[profile]", is_joined_profile_field)
        wanted = query.listed("additional-fields[profile]", lambda name: name == "subscriptions")
        keys, end, joined = self._page(request, query)
        data = []
        for key in keys:
            row = self._account.profiles.table.rows[key]
            attributes = profile_attributes(row, subscriptions=bool(wanted))
            attributes["joined_group_at"] = joined[key]
            data.append(profile_resource(key, attributes, names, self._account.config.url))
        return reply(200, {"data": data, "links": query.links(end)})

    async def profile_ids(self, request: Request) -> Answer:
        """GET /api/lists/{id}/relationships/profiles."""
        query = self._account.query(request, (*PAGED, "filter", "sort"))
        keys, end, _ = self._page(request, query)
        return reply(200, {"data": [{"type": "profile", "id": key} for key in keys], "links": query.links(end)})

    async def add(self, request: Request) -> Answer:
        """POST /api/lists/{id}/relationships/profiles: without consent."""
        key, profiles = await self._changed(request)
        self._consent.join(key, profiles)
        return reply(204, None, units=len(profiles))

    async def remove(self, request: Request) -> Answer:
        """DELETE /api/lists/{id}/relationships/profiles: consent stays."""
        key, profiles = await self._changed(request)
        self._consent.remove(key, profiles)
        return reply(204, None, units=len(profiles))

    async def _changed(self, request: Request) -> tuple[str, Sequence[str]]:
        key, _ = self._existing(request)
        profiles = await identifiers(request, "profile", MOST_CHANGED)
        for one in profiles:
            if one not in self._account.profiles.table:
                raise missing("profile", one)
        return key, profiles

    def _existing(self, request: Request) -> tuple[str, Fields]:
        key = str(request.path_params["id"])
        return key, self._account.list_row(key)

    def _page(self, request: Request, query: Query) -> tuple[list[str], SortKey | None, dict[str, str]]:
        """The ids of one page of a list's profiles, its end, and since when each is on the list."""
        _, row = self._existing(request)
        joined: dict[str, str] = row["joined"]
        since = Filterable(ORDERED, lambda key, _row: (joined[key],), instant=True)
        known = {"email": FILTERABLE["email"], "phone_number": FILTERABLE["phone_number"], "joined_group_at": since}
        passes = compile_filter(query.text("filter"), known)
        _, descending = query.sort("joined_group_at", ("joined_group_at",))
        rows = self._account.profiles.table.rows
        order = sorted((at, key) for key, at in joined.items() if key in rows)
        size = query.size(USUAL_SIZE, MOST_SIZE)
        keys, end = page(order, query, size, lambda key: passes(key, rows[key]), descending=descending)
        return keys, end, joined
