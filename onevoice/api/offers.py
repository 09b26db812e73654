"""`offers:check`: may this offer reach this customer on this channel? Every sender can ask before it sends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from onevoice.api import portray
from onevoice.api.access import ChecksOffers, Scope, Served, scoped
from onevoice.api.answers import Answer, Reason
from onevoice.api.identifiers import Asked, asked_for, from_parts
from onevoice.api.problems import documented, invalid
from onevoice.api.reading import Reading, reading
from onevoice.api.replies import reply
from onevoice.api.serving import Serving
from onevoice.model import Layer
from onevoice.pipeline import lookup
from onevoice.pipeline.hub import Hub
from onevoice.store import lookups
from onevoice.store.lookups import JudgedProfile

router = APIRouter(prefix="/v1", tags=["offers"])

MOST_CHECKS = 100
MOST_SHARED = 500
"""Customers looked at behind one identifier: more share nothing but a shop's own number."""

Text = Annotated[str, Field(max_length=1000)]


class Check(BaseModel):
    """One question. Name the customer by profile_id or by exactly one identifier."""

    model_config = ConfigDict(extra="forbid")

    profile_id: str | None = Field(default=None, pattern="^[A-Za-z0-9]{1,40}$", description="Retired ids are followed.")
    email: Text | None = None
    phone: Text | None = None
    card: Text | None = None
    system: str | None = Field(default=None, max_length=100)
    stream: str | None = Field(default=None, max_length=100)
    key: str | None = Field(default=None, max_length=400)
    family: str = Field(max_length=100, description="Offer family of config/offers.yaml.")
    channel: str = Field(max_length=100, description="Channel of config/offers.yaml.")
    contact_point: Text | None = Field(
        default=None,
        description="The address or number that would be written to; left out, the identifier if it is one.",
    )


class Checks(BaseModel):
    """Questions, answered in their order."""

    model_config = ConfigDict(extra="forbid")

    checks: list[Check] = Field(min_length=1, max_length=MOST_CHECKS)


class DenyReason(Reason):
    """A reason, and which of the customers who may be meant it is about."""

    profile_id: str | None


class Result(Answer):
    """The answer to one question."""

    result: Literal["allow", "deny"]
    family: str
    channel: str
    profile_ids: list[str] = Field(description="Customers who may be meant; several where an identifier is shared.")
    shared: bool = Field(description="Several customers may be meant: denied for one is denied for all.")
    reasons: list[DenyReason] = Field(description="Everything that denies, the deciding reason first.")
    note: str | None = Field(description="What else has to be known of this answer, as a sentence.")
    valid_until: date | None = Field(description="First day on which the answer may differ; null: until news comes.")
    as_of: datetime | None = Field(description="When the oldest facts behind it were reckoned; null: nobody is known.")


class Results(Answer):
    """Answers in the order of the questions."""

    policy: str = Field(description="Content hash of the rules that decided.")
    day: date = Field(description="The company's day for which it was decided.")
    results: list[Result]


@dataclass(frozen=True, slots=True)
class _Question:
    """A question that makes sense."""

    check: Check
    asked: Asked | None
    """None: asked by profile id."""
    point: lookup.Identifier | None


@router.post(
    "/offers:check",
    response_model=Results,
    responses=documented(400),
    openapi_extra=scoped(Scope.OFFERS_CHECK),
    operation_id="checkOffers",
    summary="May these offers reach these customers?",
)
def check_offers(serving: Served, caller: ChecksOffers, sent: Checks) -> Response:
    """One answer per question. Whoever is not known is denied, and a note says so: nothing is known that allows it."""
    questions = [_question(serving, f"body.checks.{at}", check) for at, check in enumerate(sent.checks)]
    with reading(serving, caller) as look:
        results = [_answer(serving, look, question) for question in questions]
    return reply(Results(policy=serving.hub.policy.version, day=serving.today, results=results))


def _question(serving: Serving, where: str, check: Check) -> _Question:
    """A question with its names understood. Raises a 422 Problem."""
    hub = serving.hub
    wrong = lookup.unknown_place(hub, check.family, check.channel)
    if wrong:
        raise invalid(f"{where}.{wrong.partition(':')[0]}", wrong.partition(": ")[2])
    named = check.model_dump(include={"email", "phone", "card", "system", "stream", "key"})
    by_id = check.profile_id is not None
    if by_id and any(text is not None for text in named.values()):
        raise invalid(where, "either profile_id or one identifier is allowed")
    asked = None if by_id else asked_for(hub, from_parts(where, named))
    return _Question(check, asked, _point(hub, where, check, asked))


def _point(hub: Hub, where: str, check: Check, asked: Asked | None) -> lookup.Identifier | None:
    """Where the message would go: what was said, else the identifier where it is an address of the channel's kind."""
    kind = lookup.POINT_OF.get(check.channel)
    if check.contact_point is None:
        return asked.who if asked and asked.kind == kind else None
    if kind is None:
        raise invalid(f"{where}.contact_point", f"{check.channel} goes to no address or number")
    found = lookup.identifier(hub, kind, check.contact_point)
    if found is None:
        raise invalid(f"{where}.contact_point", f"not usable as {kind}")
    return found


def _answer(serving: Serving, look: Reading, question: _Question) -> Result:
    check = question.check
    judged = _meant(look, question)
    no = lookup.no_at(look.connection, question.point, check.channel) if question.point else None
    verdict = lookup.check(serving.hub, judged, check.family, check.channel, no, serving.today)
    look.caller.note(profile.profile_id for profile in judged)
    reasons = [
        DenyReason(
            profile_id=found.profile_id,
            sentence=found.sentence,
            rule=found.rule,
            layer=portray.layer(found.layer),
            until=portray.last_day(found.until),
        )
        for found in verdict.reasons
    ]
    if not judged:
        reasons.append(_UNKNOWN)
    return Result(
        result="deny" if reasons else "allow",
        family=check.family,
        channel=check.channel,
        profile_ids=[profile.profile_id for profile in judged],
        shared=len(judged) > 1,
        reasons=reasons,
        note=_note(question, len(judged)),
        valid_until=verdict.valid_until,
        as_of=min((profile.changed_at for profile in judged), default=None),
    )


_UNKNOWN = DenyReason(
    profile_id=None,
    sentence="Nobody is known by it, so nothing is known that would allow it.",
    rule="unknown_customer",
    layer=portray.layer(Layer.CONSENT),
    until=None,
)


def _meant(look: Reading, question: _Question) -> list[JudgedProfile]:
    """Everybody who may be meant, in order of profile id."""
    if question.asked is None:
        _, current = lookups.redirects(look.connection, str(question.check.profile_id))
        ids = [current] if current else []
    else:
        who = question.asked.who
        ids = [match.profile_id for match in lookup.find(look.connection, who)][:MOST_SHARED] if who else []
    found = lookups.load_judged(look.connection, ids)
    return [found[profile_id] for profile_id in ids if profile_id in found]


def _note(question: _Question, candidates: int) -> str | None:
    if question.asked is not None and candidates > 1:
        return f"{candidates} customers share this {question.asked.kind}: what is denied for one is denied for all."
    if question.asked is None and candidates == 0:
        return "No customer has this profile id (any more)."
    return None
