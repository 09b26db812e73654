"""Edits by hand behind the hub's back, as people make them in Salesforce and HubSpot, and what the hub must write then.

Every kind takes a profile that no other edit of the same call touches, and only where the outcome is beyond doubt: all
records of the profile belong to one person, and the edit makes a difference to what stands on each expected record.
The kinds, and the records that the hub must write afterwards:

- clear_field: empties a field that the hub pushed; that record.
- untick_optout: un-ticks a native opt-out in Salesforce that the hub had set; that record.
- raise_tier, lower_tier: changes the tier that decides in LoyaltyMemberTier; all contacts of the profile, both systems.
- unsubscribe: opts the address of a contact out in HubSpot; all contacts of the profile, both systems.
- complain: opens a complaint in Salesforce; all contacts of the profile, both systems.
- irrelevant: changes a job title or a description; none.
- wrong_tier: writes another tier into `onevoice_tier`; that record.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from onevoice.sandbox.chance import stream
from onevoice.sandbox.judge import Judge
from onevoice.sandbox.pushed import pushed
from onevoice.sandbox.records.salesforce import TIER_IDS
from onevoice.sandbox.state import hubspot_stamp, salesforce_stamp
from onevoice.sandbox.tables import OPTOUT_PROPERTY
from onevoice.sandbox.truth import FAMILIES, TIER_RANK, Membership, Ref, Tier, same_mailbox

KINDS = (
    "clear_field",
    "untick_optout",
    "raise_tier",
    "unsubscribe",
    "complain",
    "irrelevant",
    "wrong_tier",
    "lower_tier",
)


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit. `ref` is the place of the edit; `expected` are contact records the hub must write."""

    kind: str
    ref: Ref
    field: str
    contradicts: bool
    expected: tuple[Ref, ...]


class NothingPushedError(Exception):
    """No profile id stands on any vendor record yet, so there is nothing to edit behind anybody's back."""


class Hand:
    """Makes the edits of one call."""

    def __init__(self, judge: Judge, seed: int) -> None:
        self._judge = judge
        self._world = judge.world
        self._truth = judge.world.truth
        self._day = judge.day()
        self._rng: random.Random = stream(seed, "edits by hand")
        self._used: set[str] = set()
        self._profiles: dict[str, list[Ref]] = defaultdict(list)
        self._boxes: dict[str, set[str]] = defaultdict(set)
        for system, table in (("salesforce", "Contact"), ("hubspot", "contacts")):
            for key in self._state(system).tables[table].rows:
                self._note((system, table, key))
        if not self._profiles:
            raise NothingPushedError("edits: no record carries a profile id (let a cycle of the hub push first)")
        self._order = [
            profile
            for profile, refs in self._profiles.items()
            if len({self._truth.person_of[ref] for ref in refs if ref in self._truth.person_of}) == 1
        ]
        self._rng.shuffle(self._order)

    def make(self, count: int) -> list[Edit]:
        """Make `count` edits, the kinds in turn; a kind without a fitting profile leaves its turn to the next."""
        wrong_before = self._wrong()
        edits: list[Edit] = []
        idle = 0
        makers = {kind: getattr(self, f"_{kind}") for kind in KINDS}
        for kind in _in_turn(KINDS):
            if len(edits) >= count or idle >= len(KINDS):
                break
            edit = self._one(makers[kind])
            idle = 0 if edit else idle + 1
            if edit:
                edits.append(edit)
        wrong_now = self._wrong() - wrong_before
        return [self._settled(edit, wrong_now) for edit in edits]

    def _settled(self, edit: Edit, wrong_now: set[Ref]) -> Edit:
        """An emptied field contradicts when it lets a wrong message out."""
        return replace(edit, contradicts=edit.ref in wrong_now) if edit.kind == "clear_field" else edit

    def _wrong(self) -> set[Ref]:
        return {entry.message.ref for entry in self._judge.today() if entry.wrong}

    def _note(self, ref: Ref) -> None:
        profile = pushed(self._world, ref, "onevoice_profile_id")
        if profile:
            self._profiles[profile].append(ref)
        address = self._address(ref)
        if address:
            self._boxes[same_mailbox(address)].add(profile or "")

    def _one(self, maker: Callable[[str, list[Ref]], Edit | None]) -> Edit | None:
        for profile in self._order:
            if profile not in self._used:
                edit = maker(profile, self._profiles[profile])
                if edit:
                    self._used.add(profile)
                    return edit
        return None

    def _state(self, system: str) -> Any:
        return self._world.salesforce if system == "salesforce" else self._world.hubspot

    def _row(self, ref: Ref) -> dict[str, Any]:
        row: dict[str, Any] = self._state(ref[0]).tables[ref[1]].rows[ref[2]]
        return row

    def _address(self, ref: Ref) -> str:
        row = self._row(ref)
        return row.get("Email") or row.get("email") or ""

    def _update(self, ref: Ref, name: str, value: str | None) -> str:
        """Put a value into one of the hub's fields by hand; gives the field's own name there."""
        salesforce = ref[0] == "salesforce"
        field = f"{name}__c" if salesforce else name
        self._state(ref[0]).tables[ref[1]].update(ref[2], {field: value if salesforce else value or ""}, actor="hand")
        return field

    def _reachable(self, refs: list[Ref]) -> bool:
        """Every record has an address of its own profile, and nobody opted out on any or is this person's."""
        person = self._truth.person_of[refs[0]]
        if self._truth.facts[person].opt_outs:
            return False
        addresses = [self._address(ref) for ref in refs]
        return all(
            address and len(self._boxes[same_mailbox(address)]) == 1 and not self._truth.opted_out(address)
            for address in addresses
        )

    def _shown_tier(self, ref: Ref) -> str:
        """The pushed tier in small letters: how a hub spells it is its own affair."""
        return str(pushed(self._world, ref, "onevoice_tier") or "").lower()

    def _clear_field(self, _: str, refs: list[Ref]) -> Edit | None:
        ref = self._rng.choice(refs)
        names = [name for name in ("onevoice_tier", "onevoice_points") if pushed(self._world, ref, name) is not None]
        for family in FAMILIES:
            until = pushed(self._world, ref, f"onevoice_no_{family}_until")
            if until and str(until)[:10] > (self._day + timedelta(days=2)).isoformat():
                names.append(f"onevoice_no_{family}_until")
        if not names:
            return None
        return Edit("clear_field", ref, self._update(ref, self._rng.choice(names), None), False, (ref,))

    def _untick_optout(self, _: str, refs: list[Ref]) -> Edit | None:
        by_api = self._world.salesforce.api_writes.values
        for ref in refs:
            sent = by_api.get(ref[1:], {}).get("HasOptedOutOfEmail")
            if ref[0] == "salesforce" and sent is True and self._row(ref).get("HasOptedOutOfEmail"):
                self._state(ref[0]).tables[ref[1]].update(ref[2], {"HasOptedOutOfEmail": False}, actor="hand")
                return Edit("untick_optout", ref, "HasOptedOutOfEmail", contradicts=True, expected=(ref,))
        return None

    def _raise_tier(self, _: str, refs: list[Ref]) -> Edit | None:
        return self._change_tier("raise_tier", refs, {"Blue": "Silver", "Silver": "Gold"})

    def _lower_tier(self, _: str, refs: list[Ref]) -> Edit | None:
        return self._change_tier("lower_tier", refs, {"Gold": "Silver", "Silver": "Blue"})

    def _change_tier(self, kind: str, refs: list[Ref], steps: dict[str, str]) -> Edit | None:
        """Only the one active membership of a person, whose tier in force all records of the profile show."""
        person = self._truth.person_of[refs[0]]
        memberships = self._truth.facts[person].memberships
        if len(memberships) != 1 or memberships[0].ref not in refs:
            return None
        tier = memberships[0].tier_in_force(self._day)
        if tier is None or tier.name not in steps or not self._only_in_force(memberships[0], tier):
            return None
        if any(self._shown_tier(ref) != tier.name.lower() for ref in refs):
            return None
        name = steps[tier.name]
        until = None if name == "Blue" else self._day + timedelta(days=self._rng.randint(100, 300))
        changes = {
            "Name": name,
            "LoyaltyTierId": TIER_IDS[name],
            "TierExpirationDate": until.isoformat() if until else None,
        }
        place = ("salesforce", "LoyaltyMemberTier", tier.key)
        self._world.salesforce.tables["LoyaltyMemberTier"].update(tier.key, changes, actor="hand")
        self._truth.learn("tier", person, tier.key, name, until.isoformat() if until else None)
        return Edit(kind, place, "Name", contradicts=False, expected=tuple(refs))

    def _only_in_force(self, membership: Membership, tier: Tier) -> bool:
        rank = TIER_RANK[tier.name.lower()]
        others = [t for t in membership.tiers if t is not tier and (t.until is None or t.until >= self._day)]
        return rank >= 0 and not others

    def _unsubscribe(self, _: str, refs: list[Ref]) -> Edit | None:
        contact = next((ref for ref in refs if ref[0] == "hubspot"), None)
        if contact is None or len(refs) < 2 or not self._reachable(refs):
            return None
        address = self._address(contact)
        table = self._world.hubspot.tables["subscriptions"]
        if address not in table:
            table.insert({"email": address, "status": "", "source": "", "events": []}, key=address, actor="hand")
        event = {"at": hubspot_stamp(self._world.clock.now()), "status": "NOT_SUBSCRIBED", "source": "CONTACT"}
        said = [*table.rows[address]["events"], event]
        table.update(address, {"status": "NOT_SUBSCRIBED", "source": "CONTACT", "events": said}, actor="hand")
        self._world.hubspot.tables["contacts"].update(contact[2], {OPTOUT_PROPERTY: "true"}, actor="vendor")
        self._truth.learn("opt_out", list(contact), address, self._day.isoformat(), "email")
        return Edit("unsubscribe", contact, OPTOUT_PROPERTY, contradicts=False, expected=tuple(refs))

    def _complain(self, _: str, refs: list[Ref]) -> Edit | None:
        contact = next((ref for ref in refs if ref[0] == "salesforce"), None)
        if contact is None or len(refs) < 2 or not self._reachable(refs):
            return None
        if any(pushed(self._world, ref, "onevoice_no_discount_until") for ref in refs):
            return None
        table = self._world.salesforce.tables["Case"]
        now = self._world.clock.now()
        fields = {
            "ContactId": contact[2],
            "CaseNumber": f"{len(table) + 1:08d}",
            "Type": "Complaint",
            "Status": "New",
            "IsClosed": False,
            "CreatedDate": salesforce_stamp(now),
            "ClosedDate": None,
            "Subject": "Complaint about an order",
            "IsDeleted": False,
        }
        key = table.insert(fields, actor="hand")
        self._truth.learn("complain", list(contact), key, self._day.isoformat())
        return Edit("complain", ("salesforce", "Case", key), "Status", contradicts=False, expected=tuple(refs))

    def _irrelevant(self, _: str, refs: list[Ref]) -> Edit:
        ref = self._rng.choice(refs)
        field = self._rng.choice(("Title", "Description")) if ref[0] == "salesforce" else "jobtitle"
        text = f"Asked about opening hours {self._rng.randint(1, 99)}"
        self._state(ref[0]).tables[ref[1]].update(ref[2], {field: text}, actor="hand")
        return Edit("irrelevant", ref, field, contradicts=False, expected=())

    def _wrong_tier(self, _: str, refs: list[Ref]) -> Edit | None:
        ref = self._rng.choice(refs)
        tier, _refs = self._truth.of(ref).highest_tier(self._day)
        if tier is None or self._shown_tier(ref) != tier.name.lower():
            return None
        wrong = "Silver" if tier.name == "Gold" else "Gold"
        shown = str(pushed(self._world, ref, "onevoice_tier"))
        field = self._update(ref, "onevoice_tier", wrong.lower() if shown.islower() else wrong)
        return Edit("wrong_tier", ref, field, contradicts=True, expected=(ref,))


def _in_turn(kinds: tuple[str, ...]) -> Iterator[str]:
    while True:
        yield from kinds


def answer(edits: list[Edit]) -> dict[str, Any]:
    """The edits as POST /edits tells them."""
    expected = sorted({ref for edit in edits for ref in edit.expected})
    return {
        "edits": [
            {
                "kind": edit.kind,
                "system": edit.ref[0],
                "stream": edit.ref[1],
                "key": edit.ref[2],
                "field": edit.field,
                "contradicts": edit.contradicts,
            }
            for edit in edits
        ],
        "expected_records": [list(ref) for ref in expected],
    }
