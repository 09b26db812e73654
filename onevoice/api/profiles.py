"""Reading profiles: by id, by any identifier, and everything that stands behind one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from onevoice.api import answers, portray
from onevoice.api.access import Caller, ReadsProfiles, Scope, Served, scoped
from onevoice.api.deciding import decisions_of
from onevoice.api.desk import desk_view
from onevoice.api.identifiers import Asked, asked_for, from_parts
from onevoice.api.problems import documented, not_found
from onevoice.api.reading import Reading, reading
from onevoice.api.replies import reply, tagged
from onevoice.api.serving import Serving
from onevoice.pipeline import lookup
from onevoice.store import lookups

router = APIRouter(prefix="/v1", tags=["profiles"])

MOST_CANDIDATES = 50
"""Customers listed for one identifier; a number that more people share is nobody's."""

ProfileId = Annotated[
    str, Path(pattern="^[A-Za-z0-9]{1,40}$", description="A profile id, living or retired.", examples=["3f2a90c1d4e5"])
]
_READS = scoped(Scope.PROFILES_READ)
_MOVED: dict[int | str, dict[str, Any]] = {
    308: {
        "description": "The profile was merged into another: the same path with the surviving id.",
        "headers": {"Location": {"schema": {"type": "string"}}},
    }
}
_SAME: dict[int | str, dict[str, Any]] = {304: {"description": "The asker has it already (If-None-Match)."}}
_ONE = {**documented(404, 410), **_MOVED, **_SAME}


class Identifier(BaseModel):
    """Exactly one of email, phone, card, or system with stream and key."""

    model_config = ConfigDict(extra="forbid")

    email: str | None = Field(default=None, max_length=1000)
    phone: str | None = Field(default=None, max_length=1000)
    card: str | None = Field(default=None, max_length=1000)
    system: str | None = Field(default=None, max_length=100)
    stream: str | None = Field(default=None, max_length=100)
    key: str | None = Field(default=None, max_length=400)


@router.get(
    "/profiles",
    response_model=answers.Candidates,
    responses=documented(404),
    openapi_extra=_READS,
    operation_id="findProfiles",
    summary="Who may be meant by an identifier",
)
def find_profiles(serving: Served, caller: ReadsProfiles, sent: Annotated[Identifier, Query()]) -> Response:
    """Everybody who holds one identifier: never a pick, 404 when nobody does. Query strings end up in the logs of
    proxies: prefer `POST /v1/profiles:lookup`."""
    return reply(_candidates(serving, caller, asked_for(serving.hub, from_parts("query", sent.model_dump()))))


@router.post(
    "/profiles:lookup",
    response_model=answers.Candidates,
    responses=documented(400, 404),
    openapi_extra=_READS,
    operation_id="lookupProfiles",
    summary="The same, with the identifier in the body",
)
def lookup_profiles(serving: Served, caller: ReadsProfiles, sent: Identifier) -> Response:
    """Everybody who holds one identifier: never a pick, 404 when nobody does."""
    return reply(_candidates(serving, caller, asked_for(serving.hub, from_parts("body", sent.model_dump()))))


@router.get(
    "/profiles/{profile_id}",
    response_model=answers.Profile,
    responses=_ONE,
    openapi_extra=_READS,
    operation_id="getProfile",
    summary="One customer",
)
def get_profile(request: Request, serving: Served, caller: ReadsProfiles, profile_id: ProfileId) -> Response:
    """What is known of one customer. Sends an ETag."""
    with reading(serving, caller) as look:
        known = look.one(profile_id)
        records = lookups.count_records(look.connection, [profile_id]).get(profile_id, 0)
        answer = portray.profile(known, records, look.ages(), look.labels(), sees_persons=caller.sees_persons)
    return tagged(request, answer)


@router.get(
    "/profiles/{profile_id}/sources",
    response_model=answers.Sources,
    responses=_ONE,
    openapi_extra=_READS,
    operation_id="getSources",
    summary="The vendor records that are this customer",
)
def get_sources(request: Request, serving: Served, caller: ReadsProfiles, profile_id: ProfileId) -> Response:
    """Every vendor record with what it says of the customer."""
    with reading(serving, caller) as look:
        known = look.one(profile_id)
        rows = lookups.load_sources(look.connection, [profile_id]).get(profile_id, [])
        answer = portray.sources(known, rows, look.ages(), sees_persons=caller.sees_persons)
    return tagged(request, answer)


@router.get(
    "/profiles/{profile_id}/provenance",
    response_model=answers.Provenance,
    responses=_ONE,
    openapi_extra=_READS,
    operation_id="getProvenance",
    summary="Where each merged value comes from",
)
def get_provenance(request: Request, serving: Served, caller: ReadsProfiles, profile_id: ProfileId) -> Response:
    """Per field the record, the rule that chose it, and the values that lost."""
    with reading(serving, caller) as look:
        answer = portray.provenance(look.one(profile_id), look.ages(), sees_persons=caller.sees_persons)
    return tagged(request, answer)


@router.get(
    "/profiles/{profile_id}/decisions",
    response_model=answers.Decisions,
    responses=_ONE,
    openapi_extra=_READS,
    operation_id="getDecisions",
    summary="What may reach this customer, and why not",
)
def get_decisions(request: Request, serving: Served, caller: ReadsProfiles, profile_id: ProfileId) -> Response:
    """Per offer family and channel: allow or deny, every reason as a sentence, and what would change it."""
    with reading(serving, caller) as look:
        known = look.one(profile_id)
        stored = lookups.load_decided(look.connection, [profile_id]).get(profile_id)
        answer = decisions_of(serving, known, stored, sees_persons=caller.sees_persons)
    return tagged(request, answer)


@router.get(
    "/profiles/{profile_id}/history",
    response_model=answers.History,
    responses=_ONE,
    openapi_extra=_READS,
    operation_id="getHistory",
    summary="What happened to this profile id",
)
def get_history(request: Request, serving: Served, caller: ReadsProfiles, profile_id: ProfileId) -> Response:
    """Merges, splits and moves of records, oldest first, those of the ids merged into it included."""
    with reading(serving, caller) as look:
        look.one(profile_id)
        entries = lookups.load_history(look.connection, profile_id)
    return tagged(request, portray.history(profile_id, entries, sees_persons=caller.sees_persons))


@router.get(
    "/profiles/{profile_id}/service-view",
    response_model=answers.ServiceView,
    responses=_ONE,
    openapi_extra=_READS,
    operation_id="getServiceView",
    summary="What the service desk has to know in the first second",
)
def get_service_view(request: Request, serving: Served, caller: ReadsProfiles, profile_id: ProfileId) -> Response:
    """Member, just bought, among the best customers, open cart, open complaint, today's visits: in words and fields."""
    with reading(serving, caller) as look:
        answer = desk_view(serving, look, look.one(profile_id))
    return tagged(request, answer)


def _candidates(serving: Serving, caller: Caller, asked: Asked) -> answers.Candidates:
    with reading(serving, caller) as look:
        matches = lookup.find(look.connection, asked.who) if asked.who else []
        if not matches:
            raise not_found(f"{asked.kind}: nobody is known by it")
        return answers.Candidates(
            by=asked.kind,
            total=len(matches),
            complete=len(matches) <= MOST_CANDIDATES,
            candidates=_portrayed(look, asked.kind, matches),
        )


def _portrayed(look: Reading, kind: answers.IdentifierKind, matches: Sequence[lookup.Match]) -> list[answers.Candidate]:
    listed = matches[:MOST_CANDIDATES]
    ids = [match.profile_id for match in listed]
    known, records = look.some(ids), lookups.count_records(look.connection, ids)
    ages, labels, sees_persons = look.ages(), look.labels(), look.caller.sees_persons
    return [
        answers.Candidate(
            match=answers.Match(
                by=kind,
                records=[portray.record_ref(ref, sees_persons=sees_persons) for ref in match.records],
                shared_with=len(matches) - 1,
            ),
            profile=portray.profile(
                known[match.profile_id],
                records.get(match.profile_id, 0),
                ages,
                labels,
                sees_persons=sees_persons,
            ),
        )
        for match in listed
        if match.profile_id in known
    ]
