"""Unify: the golden fields, loyalty status, consent and facts of every profile that something happened to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from identity import Circumstances, Golden, IdentityRecord, survive
from identity.uncollected import uncollected
from onevoice import consent as consent_rules
from onevoice import loyalty
from onevoice.consent import allowed_points, channel_denied, point_states, resolve_consent
from onevoice.loyalty import merge_memberships
from onevoice.model import ConsentEvent, ConsentState, Item, LoyaltyStatus, Membership, Origin, Ref
from onevoice.pipeline.facts import Reading, facts_of, memberships_of
from onevoice.pipeline.facts import next_change as facts_change
from onevoice.pipeline.hub import Hub
from onevoice.pipeline.report import Report
from onevoice.store import Connection, former_links, identities, pages, profiles, runs
from onevoice.store.former_links import FormerLink
from onevoice.store.identities import CustomerRow
from onevoice.store.profiles import Marks, ProfileRow

CHUNK = 1000
UNDELIVERED = frozenset({Origin.BOUNCE, Origin.COMPLAINT})
"""A bounce or a spam complaint stops an address; it is not the customer's opt-out, so no native one follows from it."""
MARKETING = "marketing"
"""The purpose for which offers are sent."""


def unify(hub: Hub) -> Report:
    """Recompute the profiles that were touched, or that the passing of time may have changed."""
    counts = {"profiles": 0, "changed": 0}
    with hub.store.begin() as connection:
        due = set(profiles.due_profiles(connection, hub.today))
        if runs.configured_anew(connection, "unify", hub.versions["unify"]):
            due.update(pid for _, pid in identities.all_links(connection))
        pages.mark_work(connection, {("unify", pid) for pid in due})
    while True:
        with uncollected(), hub.store.begin() as connection:
            ids = pages.load_work(connection, "unify", CHUNK)
            if not ids:
                return Report(counts)
            counts["profiles"] += len(ids)
            counts["changed"] += _unify_chunk(hub, connection, ids)
            pages.finish_work(connection, "unify", ids)


def _unify_chunk(hub: Hub, connection: Connection, ids: Sequence[str]) -> int:
    """Recompute some profiles and pass on those that differ from before."""
    before = profiles.load_marks(connection, ids)
    members = identities.load_members(connection, ids)
    evidence = Evidence(connection, ids, {ref for refs in members.values() for ref in refs}, hub.today)
    rows = [compute(hub, pid, members.get(pid, []), evidence) for pid in sorted(before)]
    changed = [row for row in rows if row.hash != before[row.profile_id].hash]
    stored = [
        row for row in rows if Marks(row.hash, row.provenance_hash, row.due_on) != before[row.profile_id]
    ]  # a losing value may go while nothing else changes
    profiles.save_profiles(connection, stored, {row.profile_id for row in changed}, hub.as_of)
    marks = {(step, row.profile_id) for row in changed for step in ("decide", "plan")}
    pages.mark_work(connection, marks)
    return len(changed)


class Evidence:
    """Everything the store knows about some customer records, loaded at once."""

    def __init__(self, connection: Connection, ids: Iterable[str], refs: set[str], today: date) -> None:
        self.former = {
            profile_id: [link for link in links if link.until is None or link.until > today]
            for profile_id, links in former_links.load_former(connection, ids).items()
        }
        self.own: Mapping[str, Sequence[Item]] = pages.load_items(connection, refs)
        self.owned = profiles.items_owned(connection, refs)
        stamps = identities.load_stamps(connection, refs)
        self.customers = {
            ref: CustomerRow(ref, item.data, _card_numbers(self.owned.get(ref, ())), stamps[ref])
            for ref, items in self.own.items()
            for item in items
            if item.kind == "customer"
        }
        memberships = {
            str(item.source)
            for items in (*self.own.values(), *self.owned.values())
            for item in items
            if item.kind == "membership"
        }
        self.parts = profiles.items_owned(connection, memberships)
        self.points = profiles.points_of(connection, refs)
        self.events = pages.events_of(connection, refs | {f.ref for links in self.former.values() for f in links})
        values = {value for points in self.points.values() for _, value in points}
        self.events_at = profiles.events_at(connection, values)
        speakers = {_speaker(event) for events in self.events_at.values() for event in events}
        gone = former_links.profiles_of_gone(connection, speakers)
        self.person_of = {**gone, **identities.load_links(connection, speakers)}

    def persons_at(self, points: Iterable[str]) -> list[list[ConsentEvent]]:
        """Events at some contact points, one list per person who spoke there."""
        found: dict[str, list[ConsentEvent]] = {}
        for point in points:
            for event in self.events_at.get(point, ()):
                speaker = _speaker(event)
                found.setdefault(self.person_of.get(speaker, speaker), []).append(event)
        return [found[person] for person in sorted(found)]

    def items(self, refs: Iterable[str]) -> list[Item]:
        """Items of the customers' own records and of the records that belong to them."""
        found = [item for ref in refs for item in (*self.own.get(ref, ()), *self.owned.get(ref, ()))]
        unique = {
            (item.source, item.kind, orjson.dumps(dict(item.data), option=orjson.OPT_SORT_KEYS)): item for item in found
        }
        return [unique[key] for key in sorted(unique)]


def _card_numbers(owned: Iterable[Item]) -> tuple[str, ...]:
    """Numbers of the memberships among a customer's own things."""
    numbers = {item.data.get("number") for item in owned if item.kind == "membership"}
    return tuple(sorted(number for number in numbers if number))


def compute(hub: Hub, profile_id: str, refs: Sequence[str], evidence: Evidence) -> ProfileRow:
    """One profile from its evidence, as of the run's day."""
    items = evidence.items(refs)
    memberships = memberships_of(items, evidence.parts)
    status = merge_memberships(memberships, hub.config.loyalty, hub.today)
    points = sorted({value for ref in refs for _, value in evidence.points.get(ref, ())})
    former = evidence.former.get(profile_id, ())
    left = [event for link in former for event in evidence.events.get(link.ref, ())]
    own = [event for ref in refs for event in evidence.events.get(ref, ())]
    noes = _noes(resolve_consent(left, hub.config.consent, hub.today))
    consent = resolve_consent([*own, *noes], hub.config.consent, hub.today)
    persons = evidence.persons_at(points)
    standing = point_states(persons, hub.config.consent, hub.today)
    objections = [[event for event in said if event.origin not in UNDELIVERED] for said in persons]
    opted_out = point_states(objections, hub.config.consent, hub.today)
    records = [_with_blanks(hub, identity_record(row)) for ref in refs if (row := evidence.customers.get(ref))]
    golden = survive(records, hub.config.identity, _beside(hub, consent, standing))
    rules, country = hub.config.consent, golden.fields.get("country")
    denied = {channel: channel_denied(consent, channel, MARKETING, rules, country) for channel in rules.channels}
    allowed = {channel: allowed_points(consent, channel, MARKETING, rules, country) for channel in rules.channels}
    reading = Reading(hub.today, ZoneInfo(hub.config.hub.timezone), hub.config.hub.currency)
    facts = facts_of(items, golden.fields, status.get(hub.programme), denied, reading)
    known = {
        "golden": dict(golden.fields),
        "status": {name: _status_json(s) for name, s in sorted(status.items())},
        "consent": _consent_json(consent, standing, opted_out, allowed),
        "facts": facts,
    }
    provenance = _provenance_json(golden)
    return ProfileRow(
        profile_id,
        provenance=provenance,
        provenance_hash=_digest(provenance),
        hash=_digest(known),
        due_on=_due_on(
            hub,
            memberships,
            [*own, *left, *(event for said in persons for event in said)],
            former,
            (facts_change(items, reading), golden.next_change),
        ),
        **known,
    )


def _digest(value: Mapping[str, Any]) -> str:
    return hashlib.blake2b(orjson.dumps(value, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()


def _with_blanks(hub: Hub, record: IdentityRecord) -> IdentityRecord:
    """The record with an empty value for every field that its system leaves empty, where such values count."""
    empty = hub.counted_blanks.get((record.ref.system, record.ref.stream), frozenset()) - record.data.keys()
    if not empty:
        return record
    return IdentityRecord(record.ref, {**record.data, **dict.fromkeys(empty)}, record.updated_at)


def _beside(hub: Hub, consent: ConsentState, standing: Mapping[tuple[str, str, str], ConsentEvent]) -> Circumstances:
    """What consent and delivery tell of the customer's contact points."""
    bounced = frozenset(key[0] for key, event in standing.items() if event.origin is Origin.BOUNCE)
    return Circumstances(hub.today, frozenset(key[0] for key in consent.granted), bounced)


def _noes(state: ConsentState) -> set[ConsentEvent]:
    """Every no of a state: the latest on each contact point, and the person's own below a later bounce there."""
    return {*state.point_denied.values(), *state.person_denied.values()}


def _speaker(event: ConsentEvent) -> str:
    """The customer record behind a statement."""
    return str(event.owner or event.source)


def _due_on(
    hub: Hub,
    memberships: Sequence[Membership],
    events: Sequence[ConsentEvent],
    former: Sequence[FormerLink],
    others: Sequence[date | None],
) -> date | None:
    """First day after today on which the profile may differ although nothing new is known."""
    days = (
        loyalty.next_change(memberships, hub.config.loyalty, hub.today),
        consent_rules.next_change(events, hub.config.consent, hub.today),
        *others,
        *(link.until for link in former),
    )
    return min((day for day in days if day is not None), default=None)


def identity_record(row: CustomerRow) -> IdentityRecord:
    """A canonical customer as identity resolution takes it: with every card number that is known to be theirs."""
    own = row.data.get("card_number")
    cards = sorted({*row.cards, *([own] if own else [])})
    data = {**row.data, "card_number": cards[0] if len(cards) == 1 else cards} if cards else row.data
    return IdentityRecord(Ref.parse(row.ref), data, row.updated_at)


def _status_json(status: LoyaltyStatus) -> dict[str, Any]:
    return {
        "status": status.status,
        "is_member": status.is_member,
        "has_perks": status.has_perks,
        "tier": status.tier,
        "tier_rank": status.tier_rank,
        "tier_until": status.tier_until.isoformat() if status.tier_until else None,
        "points": str(sum(status.points.values())) if status.points else None,
        "wallets": {wallet: str(amount) for wallet, amount in sorted(status.points.items())},
        "points_next_expiry_on": status.points_next_expiry_on.isoformat() if status.points_next_expiry_on else None,
        "member_since": status.member_since.isoformat() if status.member_since else None,
        "restrictions": list(status.restrictions),
        "memberships": [str(ref) for ref in status.memberships],
    }


def _consent_json(
    consent: ConsentState,
    standing: Mapping[tuple[str, str, str], ConsentEvent],
    opted_out: Mapping[tuple[str, str, str], ConsentEvent],
    allowed: Mapping[str, frozenset[str] | None],
) -> dict[str, Any]:
    """Noes that reach the whole person, and those on each contact point: `opted_out` tells whether somebody said so,
    or whether messages only do not arrive there. `allowed` are the contact points with a yes, where one is needed."""
    return {
        "allowed": {channel: sorted(points) for channel, points in sorted(allowed.items()) if points is not None},
        "person": {
            f"{channel}/{purpose}": _event_json(e) for (channel, purpose), e in sorted(consent.person_denied.items())
        },
        "points": {
            point: {
                f"{c}/{p}": {**_event_json(e), "opted_out": (at, c, p) in opted_out}
                for (at, c, p), e in sorted(standing.items())
                if at == point
            }
            for point in sorted({at for at, _, _ in standing})
        },
    }


def _event_json(event: ConsentEvent) -> dict[str, Any]:
    return {"source": str(event.source), "at": event.event_time.isoformat(), "origin": event.origin.value}


def _provenance_json(golden: Golden) -> dict[str, Any]:
    return {
        name: {
            "source": str(entry.ref),
            "rule": entry.rule,
            "at": entry.at.isoformat() if entry.at else None,
            "losing": [{"value": value, "source": str(ref)} for ref, value in entry.losing],
            **({"sources": [str(ref) for ref in entry.holders]} if entry.holders else {}),
        }
        for name, entry in sorted(golden.provenance.items())
    }
