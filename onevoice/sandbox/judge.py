"""Every message of today with the truth's verdict, and for a wrong one the cause.

The cause is read from the profile ids that the hub left on the vendors' records (till records carry none: the hub's
assignment of them may be posted). Let the messaged record's id be X:

- `identity_miss`: of the records that carry enough to know better, each has an id, and none of them has X (where it
  takes all of them together, as for a sum of points: one has another). The hub knew the fact, and did not know that it
  was about this person.
- `identity_mixup`: else, when X also stands on a record of another person; for a wrong tier, number of points or day
  of expiry also when it is just what the persons with X hold together.
- `not_identity`: everything else, above all when a record with X carried the fact, when the messaged record itself did,
  when the very address was opted out, and when a record's id is not known at all (not knowing is no excuse).
- `human_task` never comes from here: no class of today ends at a decision that only a human may make.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from onevoice.sandbox.campaigns import Message, all_messages
from onevoice.sandbox.pushed import PROFILE_ID, pushed, row_of
from onevoice.sandbox.tables import OPTOUT_PROPERTY
from onevoice.sandbox.truth import Offer, Ref, Wrong
from onevoice.sandbox.world import World


@dataclass(frozen=True, slots=True)
class Judged:
    """A message with its verdict."""

    message: Message
    person: int
    wrong: Wrong | None


@dataclass(slots=True)
class Judge:
    """The observer of one world."""

    world: World
    assigned: dict[Ref, str] = field(default_factory=dict)
    """What the hub posted: record -> profile id."""

    def day(self) -> date:
        """Today, in UTC."""
        return self.world.clock.now().date()

    def judge(self, messages: Iterable[Message]) -> list[Judged]:
        """Put the truth's verdict on messages."""
        truth, day = self.world.truth, self.day()
        judged = []
        for message in messages:
            person = truth.person_of[message.ref]
            offer = Offer(person, message.family, message.address, message.shown, message.channel)
            judged.append(Judged(message, person, truth.verdict(offer, day)))
        return _one_birthday_mail_each(judged)

    def today(self) -> list[Judged]:
        """All messages of all systems."""
        return self.judge(all_messages(self.world.vendors, self.day()))

    def profile_of(self, ref: Ref) -> str | None:
        """The hub's id for a record: as it stands on the vendor's record, else as the hub said."""
        return pushed(self.world, ref, PROFILE_ID) or self.assigned.get(ref)

    def messages(self) -> dict[str, Any]:
        """The answer of GET /messages."""
        judged = self.today()
        owners = self._owners() if any(entry.wrong for entry in judged) else {}
        rows: list[dict[str, Any]] = []
        left: Counter[tuple[str, str]] = Counter()
        for entry in judged:
            cause = self._cause(entry, owners) if entry.wrong else None
            if entry.wrong and cause:
                left[entry.wrong.kind, cause] += 1
            rows.append(_row(entry, cause))
        by_class = Counter(entry.wrong.kind for entry in judged if entry.wrong)
        return {
            "as_of": self.world.clock.now().isoformat(),
            "messages": rows,
            "summary": {
                "sent": len(judged),
                "contradictory": by_class.total(),
                "by_class": dict(sorted(by_class.items())),
                "left": [{"class": k, "cause": c, "count": n} for (k, c), n in sorted(left.items())],
            },
        }

    def allowed(self) -> list[tuple[str, str, str]]:
        """Distinct (person, family, channel) that some system sends now and the truth allows."""
        right = {
            (entry.person, entry.message.family, entry.message.channel) for entry in self.today() if entry.wrong is None
        }
        return [(person_name(person), family, channel) for person, family, channel in sorted(right)]

    def native_opt_outs(self) -> dict[str, int]:
        """Opt-outs that came through the APIs, and those of them on an address that nobody opted out on."""
        addresses = list(self._native_by_api())
        wrong = sum(not (address and self.world.truth.opted_out(address)) for address in addresses)
        return {"wrong": wrong, "set_by_api": len(addresses)}

    def _native_by_api(self) -> Iterator[str]:
        """The address of every native opt-out from mail that an API wrote."""
        for system, vendor in self.world.vendors.items():
            for (table, key), sent in vendor.api_writes.values.items():
                if system == "hubspot" and table == "subscriptions":
                    if sent.get("status") not in {None, "SUBSCRIBED"}:
                        yield key
                elif _opts_out(sent):
                    row = row_of(self.world, (system, table, key))
                    yield row.get("Email") or row.get("email") or ""

    def _owners(self) -> dict[str, set[int]]:
        """Profile id -> the persons whose records it stands on."""
        owners: dict[str, set[int]] = defaultdict(set)
        for ref, person in self.world.truth.person_of.items():
            profile = self.profile_of(ref)
            if profile:
                owners[profile].add(person)
        return owners

    def _cause(self, judged: Judged, owners: dict[str, set[int]]) -> str:
        message, wrong = judged.message, judged.wrong
        profile = self.profile_of(message.ref)
        if wrong is None or profile is None or not (wrong.carried_by or wrong.together):
            return "not_identity"
        mixed = len(owners[profile]) > 1
        if mixed and self._holds_together(message, owners[profile], judged.person):
            return "identity_mixup"
        if message.ref in wrong.carried_by and not wrong.together:
            return "not_identity"
        ids = [self.profile_of(ref) for ref in wrong.carried_by]
        apart = [known for known in ids if known != profile]
        if all(ids) and (apart if wrong.together else len(apart) == len(ids)):
            return "identity_miss"
        return "identity_mixup" if mixed else "not_identity"

    def _holds_together(self, message: Message, owners: set[int], person: int) -> bool:
        """Whether the message states what the persons behind one profile id hold together, or one of the others."""
        day, facts = self.day(), [self.world.truth.facts[owner] for owner in owners]
        if message.family == "tier_perk":
            others = (self.world.truth.facts[owner].highest_tier(day)[0] for owner in owners - {person})
            return any(tier is not None and tier.name.lower() == (message.shown or "").lower() for tier in others)
        if message.family == "points_balance":
            return float(message.shown or 0) == sum(fact.points() or 0 for fact in facts)
        if message.family == "points_expiry":
            days = (fact.next_expiry(day) for fact in facts)
            return message.shown == min((on for on in days if on), default=date.max).isoformat()
        return False


def person_name(person: int) -> str:
    """A person as the admin endpoint calls them."""
    return f"P{person:06d}"


def _opts_out(sent: Mapping[str, Any]) -> bool:
    """Whether the fields sent to a contact, a customer or a profile opt its address out."""
    if sent.get("HasOptedOutOfEmail") is True or "true" in {sent.get("hs_email_optout"), sent.get(OPTOUT_PROPERTY)}:
        return True
    if (sent.get("emailMarketing") or {}).get("state") == "UNSUBSCRIBED":
        return True
    said = sent.get("email_marketing") or {}
    reasons = {entry.get("reason") for entry in said.get("suppression") or ()}
    return said.get("consent") == "UNSUBSCRIBED" or bool(reasons & {"USER_SUPPRESSED", "UNSUBSCRIBE"})


def _one_birthday_mail_each(judged: list[Judged]) -> list[Judged]:
    """Of several right birthday mails to one person all but the first, by system, stream and key, are K10."""
    first: dict[int, Ref] = {}
    for entry in judged:
        if entry.message.family == "birthday" and entry.wrong is None:
            known = first.setdefault(entry.person, entry.message.ref)
            first[entry.person] = min(known, entry.message.ref)
    return [
        replace(entry, wrong=Wrong("K10", (first[entry.person],)))
        if entry.message.family == "birthday" and entry.wrong is None and first[entry.person] != entry.message.ref
        else entry
        for entry in judged
    ]


def _row(entry: Judged, cause: str | None) -> dict[str, Any]:
    message = entry.message
    return {
        "system": message.ref[0],
        "stream": message.ref[1],
        "record": message.ref[2],
        "person": person_name(entry.person),
        "family": message.family,
        "channel": message.channel,
        "address_hash": _hashed(message.address),
        "shown": message.shown,
        "shown_tier": message.shown if message.family == "tier_perk" else None,
        "contradictory": entry.wrong is not None,
        "class": entry.wrong.kind if entry.wrong else None,
        "cause": cause,
    }


def _hashed(address: str) -> str | None:
    return hashlib.sha256(address.strip().lower().encode()).hexdigest()[:16] if address else None
