"""Every message of today with the truth's verdict, and for a wrong one the cause.

The cause is read from the profile ids that the hub left on the vendors' records (till records carry none: the hub's
assignment of them may be posted). Let the messaged record's id be X:

- `identity_miss`: of the records that carry enough to know better, each has an id, and none of them has X. The hub knew
  the fact, and did not know that it was about this person.
- `identity_mixup`: else, when X also stands on a record of another person; for a wrong tier also when the messaged
  record knew better by itself, if another person with X holds just the tier that was named.
- `not_identity`: everything else, above all when a record with X carried the fact, when the messaged record itself did,
  when the very address was opted out, and when a record's id is not known at all (not knowing is no excuse).
- `human_task` never comes from here: no class of today ends at a decision that only a human may make.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from onevoice.sandbox.campaigns import Message, hubspot_messages, salesforce_messages
from onevoice.sandbox.tables import OPTOUT_PROPERTY
from onevoice.sandbox.truth import Offer, Ref, Wrong
from onevoice.sandbox.world import World

CHANNEL = "email"


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
            offer = Offer(person, message.family, message.address, message.shown_tier)
            judged.append(Judged(message, person, truth.verdict(offer, day)))
        return judged

    def today(self) -> list[Judged]:
        """All messages of both systems."""
        day = self.day()
        return self.judge(
            [*salesforce_messages(self.world.salesforce, day), *hubspot_messages(self.world.hubspot, day)]
        )

    def profile_of(self, ref: Ref) -> str | None:
        """The hub's id for a record: as it stands on the vendor's record, else as the hub said."""
        return pushed(self.world, ref, "onevoice_profile_id") or self.assigned.get(ref)

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
        right = {(entry.person, entry.message.family) for entry in self.today() if entry.wrong is None}
        return [(person_name(person), family, CHANNEL) for person, family in sorted(right)]

    def native_opt_outs(self) -> dict[str, int]:
        """Opt-outs that came through the APIs, and those of them on an address that nobody opted out on."""
        by_api = wrong = 0
        for system, address in self._native_by_api():
            by_api += 1
            wrong += not (address and self.world.truth.opted_out(address)) and bool(system)
        return {"wrong": wrong, "set_by_api": by_api}

    def _native_by_api(self) -> Iterable[tuple[str, str]]:
        """(system, address) of every native opt-out that the API wrote."""
        contacts = self.world.salesforce.tables["Contact"].rows
        for (table, key), sent in self.world.salesforce.api_writes.values.items():
            if table == "Contact" and sent.get("HasOptedOutOfEmail") is True:
                yield "salesforce", (contacts.get(key, {}).get("Email") or "")
        for (table, key), sent in self.world.hubspot.api_writes.values.items():
            if table == "subscriptions" and sent.get("status") not in {None, "SUBSCRIBED"}:
                yield "hubspot", key
            if table == "contacts" and "true" in {sent.get("hs_email_optout"), sent.get(OPTOUT_PROPERTY)}:
                yield "hubspot", self.world.hubspot.tables["contacts"].rows.get(key, {}).get("email", "")

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
        if wrong is None or not wrong.carried_by or profile is None:
            return "not_identity"
        if wrong.kind == "K5" and self._holds_elsewhere(message.shown_tier, owners[profile] - {judged.person}):
            return "identity_mixup"
        if message.ref in wrong.carried_by:
            return "not_identity"
        ids = [self.profile_of(ref) for ref in wrong.carried_by]
        if all(ids) and profile not in ids:
            return "identity_miss"
        return "identity_mixup" if len(owners[profile]) > 1 else "not_identity"

    def _holds_elsewhere(self, shown_tier: str | None, others: set[int]) -> bool:
        """Whether one of these persons holds the tier that was named."""
        day = self.world.clock.now().date()
        held = (self.world.truth.highest_tier(person, day)[0] for person in others)
        return any(tier is not None and tier.name.lower() == (shown_tier or "").lower() for tier in held)


def person_name(person: int) -> str:
    """A person as the admin endpoint calls them."""
    return f"P{person:06d}"


def pushed(world: World, ref: Ref, name: str) -> Any:
    """The value of a `onevoice_*` field on a CRM record; None when it is empty or the record cannot hold it."""
    system, stream, key = ref
    if system == "salesforce":
        row = world.salesforce.tables[stream].get(key) or {}
        return row.get(f"{name}__c") or None
    if system == "hubspot":
        row = world.hubspot.tables[stream].get(key) or {}
        return row.get(name) or None
    return None


def _row(entry: Judged, cause: str | None) -> dict[str, Any]:
    message = entry.message
    return {
        "system": message.ref[0],
        "stream": message.ref[1],
        "record": message.ref[2],
        "person": person_name(entry.person),
        "family": message.family,
        "channel": CHANNEL,
        "address_hash": hashlib.sha256(message.address.strip().lower().encode()).hexdigest()[:16],
        "shown_tier": message.shown_tier,
        "contradictory": entry.wrong is not None,
        "class": entry.wrong.kind if entry.wrong else None,
        "cause": cause,
    }
