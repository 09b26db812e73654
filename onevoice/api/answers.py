"""The shapes of all answers about customers. Fields are only ever added: consumers are told to ignore unknown ones."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Plain = str | int | float | bool
AsOf = Field(description="When the hub last read what this stands on.")
IdentifierKind = Literal["email", "phone", "card", "record"]


class Answer(BaseModel):
    """Base of every answer: built whole or not at all."""

    model_config = ConfigDict(frozen=True)


class RecordRef(Answer):
    """A vendor's record."""

    system: str
    stream: str
    key: str


class Value(Answer):
    """One merged value of a customer; a list where all distinct values are kept (survivorship `union`)."""

    value: Plain | list[Plain]
    as_of: datetime = AsOf


class Membership(Answer):
    """The merged view of a customer's memberships of one programme; points are never moved."""

    programme: str
    label: str
    is_member: bool
    status: str
    has_perks: bool
    tier: str | None
    tier_until: date | None
    points: str | None = Field(description="Redeemable points as a decimal number.")
    member_since: date | None
    as_of: datetime = AsOf


class Objection(Answer):
    """A no to messages that is in force."""

    channel: str
    purpose: str
    reaches: Literal["customer", "contact_point"] = Field(description="The whole customer, or one address or number.")
    contact_point: str | None = Field(description="Masked without pii:read; null where it reaches the customer.")
    opted_out: bool = Field(description="Somebody said so; false where messages only do not arrive.")
    stated_at: datetime
    stated_in: RecordRef
    as_of: datetime = AsOf


class Profile(Answer):
    """What is known of one customer."""

    profile_id: str
    created_at: datetime
    changed_at: datetime
    masked: bool = Field(description="Personal data is masked, because the key lacks pii:read.")
    customer: dict[str, Value] = Field(description="Merged fields by name; what is not known is left out.")
    memberships: list[Membership]
    objections: list[Objection]
    records: int = Field(description="How many vendor records are this customer.")


class Match(Answer):
    """Why a customer is among the candidates."""

    by: IdentifierKind
    records: list[RecordRef] = Field(description="Their records that hold the identifier.")
    shared_with: int = Field(ge=0, description="How many other customers hold it too.")


class Candidate(Answer):
    """One customer who may be meant."""

    match: Match
    profile: Profile


class Candidates(Answer):
    """Everybody who may be meant. The hub never picks one of several."""

    by: IdentifierKind
    total: int = Field(description="How many customers hold the identifier.")
    complete: bool = Field(description="Whether all of them are listed.")
    candidates: list[Candidate]


class Source(Answer):
    """One vendor record of a customer."""

    record: RecordRef
    linked_since: datetime
    changed_there_at: datetime | None = Field(description="The vendor's own time of change.")
    customer: dict[str, Plain] = Field(description="What it says of the customer, in canonical fields.")
    as_of: datetime = AsOf


class Sources(Answer):
    """The vendor records that are one customer."""

    profile_id: str
    masked: bool
    sources: list[Source]


class Loser(Answer):
    """A value of another record that did not survive."""

    value: Plain
    source: RecordRef


class Origin(Answer):
    """Where a merged value comes from, and what it outweighed."""

    value: Plain | list[Plain]
    source: RecordRef
    rule: str = Field(description="The survivorship rule that chose it.")
    changed_there_at: datetime | None
    losing: list[Loser]
    as_of: datetime = AsOf


class Provenance(Answer):
    """Where each merged value of a customer comes from."""

    profile_id: str
    masked: bool
    fields: dict[str, Origin]


class Reason(Answer):
    """One rule that denies."""

    sentence: str
    rule: str
    layer: str = Field(description="erasure, consent, safety, integrity, contact_policy, commercial, ...")
    until: date | None = Field(description="Last day on which it denies; null: until further notice.")


class DecisionOn(Answer):
    """May one offer family reach the customer on one channel?"""

    family: str
    label: str
    channel: str
    result: Literal["allow", "deny"]
    reasons: list[Reason] = Field(description="Every rule that denies, the deciding one first.")
    sole_blocker: str | None = Field(description="The one rule without which it would be allowed, if there is one.")
    facts: dict[str, Any] = Field(description="What the rules read; null is unknown.")
    changes_on: date | None = Field(description="First day on which the answer is another with the same facts.")
    outlook: str


class Decisions(Answer):
    """What may reach a customer, reckoned anew from the stored facts by the rules in force."""

    profile_id: str
    day: date = Field(description="The day for which it was decided.")
    policy: str = Field(description="Content hash of the rules that decided.")
    stored_policy: str | None = Field(description="Rules behind what was last pushed; null before the first decision.")
    decided_at: datetime | None = Field(description="When what was last pushed was decided.")
    valid_until: date | None = Field(description="First day on which any answer may differ; null: never.")
    decisions: list[DecisionOn]
    as_of: datetime = Field(description="When the facts were last reckoned.")


class LifeEvent(Answer):
    """Something that happened to a profile id."""

    at: datetime
    kind: str = Field(description="created, merged, split, moved, retired or restored.")
    profile_id: str
    other_id: str | None
    sentence: str
    cause: str = Field(description="The records that explain it.")


class History(Answer):
    """The life of a profile id and of those merged into it, oldest first."""

    profile_id: str
    events: list[LifeEvent]


class LastOrder(Answer):
    """What the customer bought last."""

    at: datetime
    categories: list[str]
    channel: str | None
    system: str
    full_price: bool | None = Field(description="Null where the system does not tell the price.")
    today: bool


class OpenCart(Answer):
    """What the customer left in a cart and has not bought."""

    at: datetime
    categories: list[str]
    system: str


class Visit(Answer):
    """A check-in of today."""

    at: datetime
    store: str


class ServiceView(Answer):
    """What the service desk has to know in the first second."""

    profile_id: str
    sentences: list[str]
    name: str | None = Field(description="Masked without pii:read.")
    memberships: list[Membership]
    last_order: LastOrder | None
    annual_spend: str | None = Field(description="Decimal number; null where it is not known.")
    top_20_percent: bool | None = Field(description="By annual spend, among those who spent anything.")
    open_cart: OpenCart | None
    complaint_open_since: datetime | None
    visits_today: list[Visit]
    as_of: dict[str, datetime] = Field(description="When each stream behind this view was last read: system/stream.")
