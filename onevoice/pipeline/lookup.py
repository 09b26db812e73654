"""One customer, found by any of their identifiers, and whether an offer may reach them. Only reads.

A lookup never picks: an identifier that several people share is answered with all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from identity.contact import card as card_form
from onevoice.consent import contact_point
from onevoice.mapping.phones import to_phone
from onevoice.mapping.transforms import Odd
from onevoice.mapping.transforms import email as email_form
from onevoice.mapping.values import Unusable, to_text
from onevoice.model import FOREVER, Layer, Ref
from onevoice.pipeline.hub import Hub
from onevoice.policy import reasons
from onevoice.store import Connection, lookups
from onevoice.store.lookups import Holders, JudgedProfile, KnownProfile

Kind = Literal["email", "phone", "card", "record"]
POINT_OF: Mapping[str, Kind] = {"email": "email", "sms": "phone"}
"""Channel of an offer -> kind of contact point it goes to; other channels go to none."""
MARKETING = "marketing"
_LONGEST = 320
"""Characters of the longest contact point that the store takes."""


@dataclass(frozen=True, slots=True)
class Identifier:
    """One thing somebody is known by, in the hub's own form."""

    kind: Kind
    value: str


@dataclass(frozen=True, slots=True)
class Match:
    """One customer who may be meant."""

    profile_id: str
    records: Sequence[str]
    """Refs of their records that hold the identifier."""


@dataclass(frozen=True, slots=True)
class Denied:
    """One reason against an offer, of one of the customers who may be meant."""

    profile_id: str | None
    """None: it stands at the contact point, whoever uses it."""
    rule: str
    layer: Layer
    sentence: str
    until: date


@dataclass(frozen=True, slots=True)
class Verdict:
    """May this offer reach whoever is meant? Deny overrides, over every reason and every customer."""

    reasons: Sequence[Denied]
    valid_until: date | None
    """First day on which the answer may differ although nothing new is known; None: never."""
    candidates: int

    @property
    def allowed(self) -> bool:
        """No reason against it."""
        return not self.reasons


def identifier(hub: Hub, kind: Kind, text: str) -> Identifier | None:
    """An identifier in the form in which the hub stores it; None when it is not one at all."""
    try:
        if kind == "email":
            value = contact_point(_email(text))
        elif kind == "phone":
            value = to_phone(text, hub.config.hub.default_phone_region)
        else:
            value = card_form(to_text(text)) if kind == "card" else to_text(text)
    except Unusable:
        return None
    return Identifier(kind, value) if value and len(value) <= _LONGEST else None


def _email(text: str) -> str:
    try:
        return email_form(text)
    except Odd as odd:  # records keep such a text too, so it may be asked for
        return odd.kept


def find(connection: Connection, who: Identifier) -> list[Match]:
    """Every customer who holds an identifier, in order of profile id."""
    return [Match(profile_id, refs) for profile_id, refs in _holders(connection, who).items()]


def _holders(connection: Connection, who: Identifier) -> Holders:
    if who.kind == "record":
        return lookups.holders_of_record(connection, who.value)
    if who.kind == "card":
        return lookups.holders_of_card(connection, who.value)
    return lookups.holders_of_point(connection, who.kind, who.value)


def check(
    hub: Hub, profiles: Iterable[JudgedProfile], family: str, channel: str, no: PointNo | None, today: date
) -> Verdict:
    """Whether an offer may reach whoever is meant by these profiles; `no` is what stands at the point it would go to.

    The rules are asked afresh with the facts as they are stored, so the passing of time counts at once.
    """
    policy, denied, ends, count = hub.policy, list[Denied](), list[date](), 0
    for profile in profiles:
        count += 1
        for r in reasons(policy, profile.facts, today, family, channel):
            denied.append(Denied(profile.profile_id, r.rule, r.layer, r.sentence, r.until))
        edge = policy.decide(profile.facts, today).valid_until
        ends += [edge] if edge else []
    if no is not None and family in policy.marketing:
        denied.append(Denied(None, no.rule, Layer.CONSENT, no.sentence, FOREVER))
    ordered = sorted(denied, key=lambda d: (d.layer, d.rule, d.profile_id or ""))
    return Verdict(ordered, min(ends, default=None), count)


@dataclass(frozen=True, slots=True)
class PointNo:
    """Why an address or number takes no marketing, whoever uses it."""

    rule: str
    sentence: str


def no_at(connection: Connection, point: Identifier, channel: str) -> PointNo | None:
    """The no that stands at an address or number for marketing on a channel."""
    holders = [match.profile_id for match in find(connection, point)][:_MOST_ASKED]
    asked_for: list[bool] = []
    for judged in lookups.load_judged(connection, holders).values():
        allowed = judged.consent.get("allowed", {}).get(channel)
        asked_for += [] if allowed is None else [point.value in allowed]
        no = judged.consent.get("points", {}).get(point.value, {}).get(f"{channel}/{MARKETING}")
        if no and no.get("opted_out", True):
            return PointNo("contact_point_opted_out", f"Somebody opted out on this very {_NOUN[point.kind]}.")
        if no:
            sentence = f"Messages to this {_NOUN[point.kind]} do not arrive or were reported as spam."
            return PointNo("contact_point_undeliverable", sentence)
    if asked_for and not any(asked_for):
        return PointNo("contact_point_not_asked_for", f"Nobody asked for messages to this {_NOUN[point.kind]}.")
    return None


_NOUN: Mapping[str, str] = {"email": "address", "phone": "number"}
_MOST_ASKED = 20
"""Holders of one contact point that are asked: each knows the whole state of it."""


@dataclass(frozen=True, slots=True)
class Ages:
    """When the hub last read what a value stands on."""

    streams: Mapping[tuple[str, str], datetime]

    def of(self, refs: Iterable[str], otherwise: datetime) -> datetime:
        """The oldest reading behind values that come from these records; `otherwise` where none is known."""
        known = (self.streams.get((r.system, r.stream)) for r in map(Ref.parse, refs))
        return min((at for at in known if at is not None), default=otherwise)


def ages(connection: Connection) -> Ages:
    """When each stream was last read."""
    return Ages(lookups.read_times(connection))


def places(hub: Hub) -> list[tuple[str, str]]:
    """Every (family, channel) on which something could be offered, in the order of config/offers.yaml."""
    offers = hub.config.offers
    return [(family, channel) for family in offers.families for channel in offers.channels_of(family)]


def unknown_place(hub: Hub, family: str, channel: str) -> str | None:
    """What is wrong with a family and channel, and what is allowed; None when they go together."""
    offers = hub.config.offers
    if family not in offers.families:
        return f"family: not one of ours (families: {', '.join(offers.families)})"
    if channel not in offers.channels_of(family):
        return f"channel: {family} does not go out on it (its channels: {', '.join(offers.channels_of(family))})"
    return None


def golden(profile: KnownProfile) -> Mapping[str, Any]:
    """The merged values of a profile that are there."""
    return {name: value for name, value in sorted(profile.golden.items()) if value is not None}
