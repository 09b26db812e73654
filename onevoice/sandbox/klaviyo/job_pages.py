"""Endpoints that take jobs and tell how they fare."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request

from onevoice.sandbox.calls import DONE, PARTIAL_FAILURE
from onevoice.sandbox.gate import Answer
from onevoice.sandbox.klaviyo.account import Account
from onevoice.sandbox.klaviyo.documents import MOST_BYTES, document, ids_of, page, reply
from onevoice.sandbox.klaviyo.errors import ProfileError, invalid, missing
from onevoice.sandbox.klaviyo.filters import ANY, EQUALS, Filterable, compile_filter, instant
from onevoice.sandbox.klaviyo.importing import import_error, owner, understood
from onevoice.sandbox.klaviyo.jobs import IMPORT, SUBSCRIBE, UNSUBSCRIBE
from onevoice.sandbox.klaviyo.profiles import MOST_SIZE, PAGED, USUAL_SIZE
from onevoice.sandbox.klaviyo.profiles_store import check_form
from onevoice.sandbox.klaviyo.showing import SUBSCRIBED, UNSUBSCRIBED
from onevoice.sandbox.state import Fields

MOST_IMPORTED, MOST_SUBSCRIBED, MOST_UNSUBSCRIBED, MOST_SUPPRESSED = 10_000, 1_000, 100, 100
"""Profiles a call, by the API description of each job."""
_CHANNELS = frozenset({"email", "sms"})
_PROFILES = "/data/attributes/profiles"


class JobPages:
    """The endpoints on jobs."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._jobs = account.jobs

    async def take_import(self, request: Request) -> Answer:
        """POST /api/profile-bulk-import-jobs. What cannot be written becomes an import error of the job."""
        query = self._account.query(request)
        data = await document(request, IMPORT, MOST_BYTES)
        given = _profiles(data, MOST_IMPORTED)
        try:
            ones = [understood(one, place) for place, one in enumerate(given)]
        except ProfileError as error:
            raise invalid(error.detail, _PROFILES + "/data" + error.pointer) from error
        lists = _related(data, "lists", many=True)
        if len(lists) > 1:
            raise invalid("Only one list is supported", "/data/relationships/lists")
        failing = self._account.limits.failing_profiles(len(ones))
        good, errors = [], []
        for one in ones:
            try:
                self._admit(one, failing=one["place"] in failing)
                good.append(one)
            except ProfileError as error:
                errors.append(import_error(one, error))
        target = self._known_list(lists)
        key = self._jobs.take(IMPORT, len(ones), {"profiles": good}, list=target, errors=errors)
        outcome = PARTIAL_FAILURE if errors else DONE
        shown = self._jobs.resource(key, self._jobs.table.rows[key], self._account.config.url)
        return reply(202, {"data": shown, "links": query.links()}, units=len(good), outcome=outcome)

    async def take_subscribe(self, request: Request) -> Answer:
        """POST /api/profile-subscription-bulk-create-jobs: answers without a body."""
        data = await document(request, SUBSCRIBE, MOST_BYTES)
        historical = data["attributes"].get("historical_import") or False
        if not isinstance(historical, bool):
            raise invalid("'historical_import' must be true or false", "/data/attributes/historical_import")
        profiles = [_consenting(one, SUBSCRIBED) for one in _profiles(data, MOST_SUBSCRIBED)]
        self._check_times(profiles, historical=historical)
        return self._take_consent(SUBSCRIBE, data, {"profiles": profiles, "historical_import": historical})

    async def take_unsubscribe(self, request: Request) -> Answer:
        """POST /api/profile-subscription-bulk-delete-jobs: answers without a body."""
        data = await document(request, UNSUBSCRIBE, MOST_BYTES)
        work = {"profiles": [_consenting(one, UNSUBSCRIBED) for one in _profiles(data, MOST_UNSUBSCRIBED)]}
        return self._take_consent(UNSUBSCRIBE, data, work)

    def take_suppression(self, kind: str) -> Callable[[Request], Awaitable[Answer]]:
        """POST of a suppression job: of addresses, or of all that are on a list."""

        async def take(request: Request) -> Answer:
            query = self._account.query(request)
            data = await document(request, kind, MOST_BYTES)
            emails = self._addresses(data)
            key = self._jobs.take(kind, len(emails), {"emails": emails})
            shown = self._jobs.resource(key, self._jobs.table.rows[key], self._account.config.url)
            return reply(202, {"data": shown, "links": query.links()}, units=len(emails))

        return take

    def one(self, kind: str) -> Callable[[Request], Awaitable[Answer]]:
        """GET of one job."""

        async def read(request: Request) -> Answer:
            key, row = self._existing(request, kind)
            links = self._account.query(request).links()
            return reply(200, {"data": self._jobs.resource(key, row, self._account.config.url), "links": links})

        return read

    def many(self, kind: str) -> Callable[[Request], Awaitable[Answer]]:
        """GET of all jobs of a kind, by time."""
        status = Filterable(ANY if kind == IMPORT else EQUALS, lambda _key, row: (self._jobs.status(row),))
        field = "created_at" if kind == IMPORT else "created"
        names = (*PAGED, "filter", "sort") if kind == IMPORT else ("page[cursor]", "filter", "sort")

        async def read(request: Request) -> Answer:
            query = self._account.query(request, names)
            passes = compile_filter(query.text("filter"), {"status": status})
            _, descending = query.sort(field, (field,))
            rows = {key: row for key, row in self._jobs.table.rows.items() if row["type"] == kind}
            order = sorted((row["created_at"], key) for key, row in rows.items())
            size = query.size(USUAL_SIZE, MOST_SIZE)
            keys, end = page(order, query, size, lambda key: passes(key, rows[key]), descending=descending)
            data = [self._jobs.resource(key, rows[key], self._account.config.url) for key in keys]
            return reply(200, {"data": data, "links": query.links(end)})

        return read

    async def import_errors(self, request: Request) -> Answer:
        """GET /api/profile-bulk-import-jobs/{id}/import-errors; there are none before the job is complete."""
        _, row = self._existing(request, IMPORT)
        query = self._account.query(request, PAGED)
        errors = {error["id"]: error for error in (row["errors"] if row["done"] else ())}
        order = [(f"{place:06}", key) for place, key in enumerate(errors)]
        keys, end = page(order, query, query.size(USUAL_SIZE, MOST_SIZE), lambda _key: True)
        return reply(200, {"data": [errors[key] for key in keys], "links": query.links(end)})

    async def imported(self, request: Request) -> Answer:
        """GET /api/profile-bulk-import-jobs/{id}/relationships/profiles."""
        _, row = self._existing(request, IMPORT)
        query = self._account.query(request, PAGED)
        order = [(f"{place:06}", key) for place, key in enumerate(row["profiles"])]
        keys, end = page(order, query, query.size(USUAL_SIZE, MOST_SIZE), lambda _key: True)
        return reply(200, {"data": [{"type": "profile", "id": key} for key in keys], "links": query.links(end)})

    def _existing(self, request: Request, kind: str) -> tuple[str, Fields]:
        key = str(request.path_params["id"])
        row = self._jobs.table.get(key)
        if row is None or row["type"] != kind:
            raise missing(kind, key)
        return key, row

    def _admit(self, one: Mapping[str, Any], *, failing: bool) -> None:
        """ProfileError for a profile that the job will not write."""
        key = owner(self._account.profiles, one)
        if failing:
            raise ProfileError(500, "internal_error", "An internal error occurred. Send this profile again.", "")
        if self._account.limits.rejects(key or ""):
            raise ProfileError(400, "under_review", "This profile is under review and cannot be changed.", "")

    def _known_list(self, keys: list[str]) -> str | None:
        for key in keys:
            self._account.list_row(key)
        return keys[0] if keys else None

    def _take_consent(self, kind: str, data: Mapping[str, Any], work: Fields) -> Answer:
        target = self._known_list(_related(data, "list", many=False))
        for one in work["profiles"]:
            if one.get("id") and one["id"] not in self._account.profiles.table:
                raise missing("profile", one["id"])
        self._jobs.take(kind, len(work["profiles"]), work, list=target)
        return reply(202, None, units=len(work["profiles"]))

    def _check_times(self, profiles: list[Fields], *, historical: bool) -> None:
        """`consented_at` belongs to a historical import, which needs it, in the past."""
        now = self._account.state.clock.now()
        for at in (at for one in profiles for at in one["channels"].values()):
            try:
                moment = instant(at)
            except (TypeError, ValueError):
                moment = now
            if (moment is not None) != historical or (moment is not None and moment >= now):
                raise invalid("'consented_at', in the past, and 'historical_import' need each other", _PROFILES)

    def _addresses(self, data: Mapping[str, Any]) -> list[str]:
        """The addresses that a suppression job names, one by one or by their list."""
        lists = _related(data, "list", many=False)
        if lists:
            if "profiles" in data["attributes"]:
                raise invalid("Profiles or a list may be given, not both", "/data")
            self._account.list_row(lists[0])
            return self._jobs.consent.members(lists[0])
        emails = []
        for one in _profiles(data, MOST_SUPPRESSED):
            email = _attributes(one).get("email")
            if not isinstance(email, str) or "@" not in email:
                raise invalid("Invalid email address", _PROFILES + "/data/attributes/email")
            emails.append(email)
        return emails


def _profiles(data: Mapping[str, Any], most: int) -> list[Any]:
    """The profiles in a job's attributes."""
    profiles = data["attributes"].get("profiles")
    given = profiles.get("data") if isinstance(profiles, Mapping) else None
    if not isinstance(given, list) or not 1 <= len(given) <= most:
        raise invalid(f"1 to {most} profiles are needed", _PROFILES)
    return given


def _attributes(one: object) -> Mapping[str, Any]:
    attributes = one.get("attributes") if isinstance(one, Mapping) and one.get("type") == "profile" else None
    if not isinstance(attributes, Mapping):
        raise invalid("Every item must be an object of type 'profile' with 'attributes'", _PROFILES + "/data")
    return attributes


def _related(data: Mapping[str, Any], name: str, *, many: bool) -> list[str]:
    """The ids of the lists that a job names."""
    relations = data.get("relationships", {})
    if not isinstance(relations, Mapping):
        raise invalid("'relationships' must be an object", "/data/relationships")
    relation = relations.get(name)
    if name not in relations:
        return []
    given = relation.get("data") if isinstance(relation, Mapping) else None
    return ids_of(given if many else [given], "list", 10, f"/data/relationships/{name}")


def _consenting(one: object, consent: str) -> Fields:
    """{id, email, phone_number, channels: {channel: consented_at or None}}: of marketing by e-mail and SMS only."""
    attributes = _attributes(one)
    try:
        check_form({name: value for name, value in attributes.items() if name != "subscriptions"})
    except ProfileError as error:
        raise invalid(error.detail, f"{_PROFILES}/data{error.pointer}") from error
    said = attributes.get("subscriptions")
    if not isinstance(said, Mapping) or not said or set(said) - _CHANNELS:
        raise invalid("'subscriptions' must name 'email', 'sms' or both", _PROFILES + "/data/attributes/subscriptions")
    channels: dict[str, str | None] = {}
    for channel, identifier in (("email", "email"), ("sms", "phone_number")):
        if channel not in said:
            continue
        marketing = said[channel].get("marketing") if isinstance(said[channel], Mapping) else None
        if not isinstance(marketing, Mapping) or marketing.get("consent") != consent:
            raise invalid(f"'consent' must be '{consent}'", f"{_PROFILES}/data/attributes/subscriptions/{channel}")
        if not attributes.get(identifier):
            raise invalid(f"'{identifier}' is needed for '{channel}'", f"{_PROFILES}/data/attributes/{identifier}")
        channels[channel] = marketing.get("consented_at")
    key = one.get("id") if isinstance(one, Mapping) else None
    if key is not None and not isinstance(key, str):
        raise invalid("'id' must be a string or null", _PROFILES + "/data/id")
    return {
        "id": key,
        "email": attributes.get("email"),
        "phone_number": attributes.get("phone_number"),
        "channels": channels,
    }
