"""Worlds for the tests, and an oracle: a hub that knows who is who and reads nothing but the vendors' records.

What the oracle cannot find out from the vendors, no hub could: with it the tests see that every fact of the truth is
there to be found, and that the edits by hand say rightly what must be written.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

import pytest

from onevoice.sandbox.truth import FAMILIES, same_mailbox
from onevoice.sandbox.world import World, build_world

FOREVER = "9999-12-31"
Ref = tuple[str, str, str]


class Oracle:
    """Desired values of every contact, from the vendors' rows, the till's receipts and the true identities."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.opted_out: dict[int, set[str]] = defaultdict(set)

    def push(self) -> int:
        """Write what differs, as a hub does through the API; gives the number of records written."""
        differing = self.differing()
        for ref, changes in differing.items():
            self._state(ref).tables[ref[1]].update(ref[2], changes)
        self._push_lists_and_subscriptions()
        return len(differing)

    def differing(self) -> dict[Ref, dict[str, Any]]:
        """Contact records that do not hold what they should, with what must change."""
        found = {}
        for ref, wanted in self._desired().items():
            row = self._state(ref).tables[ref[1]].rows[ref[2]]
            changes = {name: value for name, value in wanted.items() if (row.get(name) or None) != (value or None)}
            if changes:
                found[ref] = changes
        return found

    def _state(self, ref: Ref) -> Any:
        return self.world.salesforce if ref[0] == "salesforce" else self.world.hubspot

    def _person(self, contact: str) -> int:
        return self.world.truth.person_of["salesforce", "Contact", contact]

    def _desired(self) -> dict[Ref, dict[str, Any]]:
        today = self.world.clock.now().date()
        self._read_opt_outs()
        tiers, members = self._tiers(today), self._members()
        complaints, orders, carts = self._complaints(today), self._orders(), self._carts()
        addresses = {same_mailbox(a) for said in self.opted_out.values() for a in said}
        wanted: dict[Ref, dict[str, Any]] = {}
        for ref, person in self.world.truth.person_of.items():
            if ref[0] == "till":
                continue
            row = self._state(ref).tables[ref[1]].rows[ref[2]]
            address = row.get("Email") or row.get("email") or ""
            denied: set[str] = set()
            tier = tiers.get(person)
            perk = tier in {"Silver", "Gold"}
            if person in complaints:
                denied |= set(FAMILIES) - {"newsletter"}
            if person in members:
                denied.add("join")
            if not perk:
                denied.add("tier_perk")
            if orders[person]:
                denied.add("first_order")
            open_cart = False
            for left, category in carts[person]:
                if (today - left.date()).days <= 7:
                    bought = any(at > left and what == category for at, what in orders[person])
                    denied |= {"cart_reminder"} if bought else set()
                    open_cart |= not bought
            if perk or open_cart or any((today - at.date()).days < 90 for at, _ in orders[person]):
                denied.add("win_back")
            opted_here = bool(address) and same_mailbox(address) in addresses
            if self.opted_out.get(person) or opted_here:
                denied = set(FAMILIES)
            suffix = "__c" if ref[0] == "salesforce" else ""
            values: dict[str, Any] = {
                f"onevoice_profile_id{suffix}": f"p{person}",
                f"onevoice_tier{suffix}": tier,
                **{f"onevoice_no_{f}_until{suffix}": FOREVER if f in denied else None for f in FAMILIES},
            }
            if ref[0] == "salesforce" and opted_here:
                values["HasOptedOutOfEmail"] = True
            wanted[ref] = values
        return wanted

    def _push_lists_and_subscriptions(self) -> None:
        state = self.world.hubspot
        boxes = {same_mailbox(a) for said in self.opted_out.values() for a in said}
        members = set()
        for key, row in state.tables["contacts"].rows.items():
            if row.get("onevoice_no_newsletter_until"):
                members.add(key)
            address = row["email"]
            if address and same_mailbox(address) in boxes and row["hs_email_optout_10001"] != "true":
                table = state.tables["subscriptions"]
                if address not in table:
                    table.insert({"status": "", "source": "", "events": []}, key=address, actor="vendor")
                table.update(address, {"status": "NOT_SUBSCRIBED", "source": "API"})
                state.tables["contacts"].update(key, {"hs_email_optout_10001": "true"}, actor="vendor")
        lists = state.tables["lists"]
        if "1" not in lists:
            lists.insert({"name": "onevoice_no_newsletter", "listId": "1", "members": set()}, key="1")
        lists.update("1", {"members": members})

    def _read_opt_outs(self) -> None:
        """People's own opt-outs: not those that came through the API."""
        sent = self.world.salesforce.api_writes.values
        for key, row in self.world.salesforce.tables["Contact"].rows.items():
            if row["HasOptedOutOfEmail"] and not sent.get(("Contact", key), {}).get("HasOptedOutOfEmail"):
                self.opted_out[self._person(key)].add(row["Email"])
        sent = self.world.hubspot.api_writes.values
        subscriptions = self.world.hubspot.tables["subscriptions"].rows
        for key, row in self.world.hubspot.tables["contacts"].rows.items():
            said = subscriptions.get(row["email"], {}).get("status") == "NOT_SUBSCRIBED"
            assert not row["email"] or said == (row["hs_email_optout_10001"] == "true")
            if said and ("subscriptions", row["email"]) not in sent:
                self.opted_out[self.world.truth.person_of["hubspot", "contacts", key]].add(row["email"])

    def _members(self) -> set[int]:
        rows = self.world.salesforce.tables["LoyaltyProgramMember"].rows.values()
        return {
            self._person(row["ContactId"]) for row in rows if row["MemberStatus"] in {"Active", "Pending", "Suspended"}
        }

    def _tiers(self, today: date) -> dict[int, str]:
        rank = ("Blue", "Silver", "Gold")
        members = self.world.salesforce.tables["LoyaltyProgramMember"].rows
        best: dict[int, str] = {}
        for row in self.world.salesforce.tables["LoyaltyMemberTier"].rows.values():
            member = members[row["LoyaltyMemberId"]]
            until = row["TierExpirationDate"]
            if member["MemberStatus"] == "Active" and (until is None or until >= today.isoformat()):
                person = self._person(member["ContactId"])
                best[person] = max(best.get(person, "Blue"), row["Name"], key=rank.index)
        return best

    def _complaints(self, today: date) -> set[int]:
        found = set()
        for row in self.world.salesforce.tables["Case"].rows.values():
            closed = row["ClosedDate"] and date.fromisoformat(row["ClosedDate"][:10])
            if row["Type"] == "Complaint" and (not closed or today < closed + timedelta(days=7)):
                found.add(self._person(row["ContactId"]))
        return found

    def _orders(self) -> dict[int, list[tuple[datetime, str]]]:
        found: dict[int, list[tuple[datetime, str]]] = defaultdict(list)
        for order in self.world.receipts:
            person = self.world.truth.person_of["till", "cards", order.draft.card]
            found[person].append((order.at, order.category))
        for key, row in self.world.hubspot.tables["contacts"].rows.items():
            if row["web_orders"] not in {"", "0"}:
                at = datetime.fromisoformat(row["web_last_order_at"])
                person = self.world.truth.person_of["hubspot", "contacts", key]
                found[person].append((at, row["web_last_order_category"]))
        return found

    def _carts(self) -> dict[int, list[tuple[datetime, str]]]:
        found: dict[int, list[tuple[datetime, str]]] = defaultdict(list)
        for key, row in self.world.hubspot.tables["contacts"].rows.items():
            if row["cart_abandoned_at"]:
                person = self.world.truth.person_of["hubspot", "contacts", key]
                found[person].append((datetime.fromisoformat(row["cart_abandoned_at"]), row["cart_category"]))
        return found


@lru_cache(maxsize=4)
def _read_only(seed: int, people: int) -> World:
    return build_world(seed, people)


@pytest.fixture
def world_of() -> Callable[[int, int], World]:
    """(seed, people) -> a world that several tests share and none changes."""
    return _read_only


@pytest.fixture
def fresh() -> World:
    """A small world of the test's own."""
    return build_world(11, 1500)


@pytest.fixture
def oracle_for() -> Callable[[World], Oracle]:
    """World -> a hub that knows who is who."""
    return Oracle
