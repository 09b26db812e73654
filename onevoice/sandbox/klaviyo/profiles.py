"""Endpoints on profiles: pages with filters, one by id, create, update, upsert."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from starlette.requests import Request

from onevoice.sandbox.gate import Answer
from onevoice.sandbox.klaviyo.account import Account
from onevoice.sandbox.klaviyo.documents import Query, SortKey, document, page, reply
from onevoice.sandbox.klaviyo.errors import ProfileError, invalid, missing
from onevoice.sandbox.klaviyo.filters import ANY, AROUND, EQUALS, ORDERED, Filterable, compile_filter, instant
from onevoice.sandbox.klaviyo.importing import owner, understood, upsert
from onevoice.sandbox.klaviyo.profiles_store import check_form
from onevoice.sandbox.klaviyo.showing import is_profile_field, profile_attributes, profile_resource
from onevoice.sandbox.klaviyo.tables import klaviyo_stamp
from onevoice.sandbox.state import Fields

USUAL_SIZE, MOST_SIZE = 20, 100
SHOWN = ("additional-fields[profile]", "fields[profile]")
PAGED = ("page[cursor]", "page[size]")

_SUPPRESSION = "subscriptions.email.marketing.suppression"
_LIST_SUPPRESSION = "subscriptions.email.marketing.list_suppressions"


def _field(name: str) -> Filterable:
    return Filterable(ANY, lambda _key, row: (row.get(name),), any_capitals=name == "email")


def _time(name: str) -> Filterable:
    return Filterable(AROUND, lambda _key, row: (row.get(name),), instant=True)


def _entries(name: str, part: str, *, instant: bool = False) -> Filterable:
    """`part` of the entries of one of the lists of an e-mail consent."""

    def read(_key: str, row: Fields) -> Sequence[str | None]:
        return [one.get(part) for one in (row.get("email_marketing") or {}).get(name) or ()]

    return Filterable(ORDERED if instant else EQUALS, read, instant=instant)


FILTERABLE = {
    "id": Filterable(ANY, lambda key, _row: (key,)),
    "email": _field("email"),
    "phone_number": _field("phone_number"),
    "external_id": _field("external_id"),
    "created": _time("created"),
    "updated": _time("updated"),
    f"{_SUPPRESSION}.reason": _entries("suppression", "reason"),
    f"{_SUPPRESSION}.timestamp": _entries("suppression", "timestamp", instant=True),
    f"{_LIST_SUPPRESSION}.reason": _entries("list_suppressions", "reason"),
    f"{_LIST_SUPPRESSION}.list_id": _entries("list_suppressions", "list_id"),
    f"{_LIST_SUPPRESSION}.timestamp": _entries("list_suppressions", "timestamp", instant=True),
}
SORTABLE = ("created", "email", "id", f"{_LIST_SUPPRESSION}.timestamp", f"{_SUPPRESSION}.timestamp", "updated")


@dataclass(frozen=True, slots=True)
class _Shape:
    """What answers show of a profile: subscriptions where additional-fields asks for them, and of all that what
    fields[profile] names; everything when it names nothing."""

    names: Sequence[str]
    subscriptions: bool

    @classmethod
    def asked(cls, query: Query) -> Self:
        """As the request wants it."""
        names = query.listed("fields[profile]", is_profile_field)
        more = query.listed("additional-fields[profile]", lambda name: name == "subscriptions")
        return cls(names, bool(more))


class ProfilePages:
    """The endpoints on profiles."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._profiles = account.profiles
        self._sorted: dict[str, tuple[int, list[SortKey]]] = {}

    async def many(self, request: Request) -> Answer:
        """GET /api/profiles: what the index has seen so far."""
        query = self._account.query(request, (*SHOWN, *PAGED, "filter", "sort"))
        shape = _Shape.asked(query)
        passes = compile_filter(query.text("filter"), FILTERABLE)
        field, descending = query.sort("id", SORTABLE)
        size = query.size(USUAL_SIZE, MOST_SIZE)
        seen = self._profiles.table.seen()
        keys, end = page(self._keys(field), query, size, lambda key: passes(key, seen[key]), descending=descending)
        data = [self._shown(key, seen[key], shape) for key in keys]
        return reply(200, {"data": data, "links": query.links(end)})

    async def one(self, request: Request) -> Answer:
        """GET /api/profiles/{id}: as it is now."""
        query = self._account.query(request, SHOWN)
        return self._answer(200, self._existing(request), query, _Shape.asked(query))

    async def create(self, request: Request) -> Answer:
        """POST /api/profiles: 409 when an identifier is taken."""
        query = self._account.query(request, SHOWN)
        shape = _Shape.asked(query)
        data = await document(request, "profile")
        if data.get("id") is not None:
            raise invalid("'id' is not a valid field here", "/data/id")
        try:
            check_form(data["attributes"])
            self._profiles.check(data["attributes"], None)
        except ProfileError as error:
            raise error.refusal() from error
        return self._answer(201, self._profiles.create(data["attributes"]), query, shape, units=1)

    async def update(self, request: Request) -> Answer:
        """PATCH /api/profiles/{id}: null clears, what is absent stays."""
        query = self._account.query(request, SHOWN)
        shape = _Shape.asked(query)
        key = self._existing(request)
        data = await document(request, "profile")
        if data.get("id") != key:
            raise invalid("The id in the body must be that of the path", "/data/id")
        try:
            upsert(self._profiles, understood(data, 0))
        except ProfileError as error:
            raise error.refusal() from error
        return self._answer(200, key, query, shape, units=1)

    async def upsert(self, request: Request) -> Answer:
        """POST /api/profile-import: 201 for a new profile, 200 for a known one."""
        query = self._account.query(request, SHOWN)
        shape = _Shape.asked(query)
        data = await document(request, "profile")
        try:
            one = understood(data, 0)
            known = owner(self._profiles, one)
            key = upsert(self._profiles, one)
        except ProfileError as error:
            raise error.refusal() from error
        return self._answer(200 if known else 201, key, query, shape, units=1)

    async def lists(self, request: Request) -> Answer:
        """GET /api/profiles/{id}/relationships/lists."""
        key = self._existing(request)
        rows = self._account.lists.rows
        data = [{"type": "list", "id": one} for one, row in sorted(rows.items()) if key in row["joined"]]
        return reply(200, {"data": data, "links": self._account.query(request).links()})

    def _existing(self, request: Request) -> str:
        key = str(request.path_params["id"])
        if key not in self._profiles.table:
            raise missing("profile", key)
        return key

    def _answer(self, status: int, key: str, query: Query, shape: _Shape, *, units: int = 0) -> Answer:
        shown = self._shown(key, self._profiles.table.rows[key], shape)
        return reply(status, {"data": shown, "links": query.links()}, units=units)

    def _shown(self, key: str, row: Fields, shape: _Shape) -> Fields:
        attributes = profile_attributes(row, subscriptions=shape.subscriptions)
        return profile_resource(key, attributes, shape.names, self._account.config.url)

    def _keys(self, field: str) -> list[SortKey]:
        """All profiles that the index sees in the order of one field, kept while nothing changes."""
        table = self._profiles.table
        seen = table.seen()
        at, keys = self._sorted.get(field, (-1, []))
        if at != table.seen_changes:
            keys = sorted((_sort_value(field, key, row), key) for key, row in seen.items())
            self._sorted[field] = (table.seen_changes, keys)
        return keys


def _sort_value(field: str, key: str, row: Fields) -> str:
    """As text that sorts as the values do; nothing sorts first."""
    known = FILTERABLE[field]
    values = [value for value in known.read(key, row) if value]
    if not values:
        return ""
    if not known.instant:
        return values[0].lower()
    return max(klaviyo_stamp(moment) for moment in map(instant, values) if moment)
