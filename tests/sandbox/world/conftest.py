"""Worlds for the tests, and an oracle: a hub that knows who is who and reads nothing but the vendors' records.

What the oracle cannot find out from the vendors, no hub could: with it the tests see that every fact of the truth is
there to be found, and that the edits by hand say rightly what must be written.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

import pytest

from onevoice.sandbox.campaigns import STREAMS
from onevoice.sandbox.judge import Judge
from onevoice.sandbox.pushed import address_of, group_id, phone_of, pushed
from onevoice.sandbox.square import put_attribute
from onevoice.sandbox.truth import FAMILIES, NOT_PROMOTIONAL, same_mailbox, same_number
from onevoice.sandbox.world import World, build_world

FOREVER = "9999-12-31"
Ref = tuple[str, str, str]
_STATUS = ("onevoice_profile_id", "onevoice_tier")
_ALL = tuple(f"onevoice_no_{family}_until" for family in FAMILIES)
FIELDS = {
    "salesforce": (*_STATUS, "onevoice_points", *_ALL),
    "hubspot": (*_STATUS, "onevoice_points", *_ALL),
    "shopify": (
        *_STATUS,
        "onevoice_points",
        "onevoice_no_discount_until",
        "onevoice_no_cart_reminder_until",
        "onevoice_no_welcome_until",
    ),
    "square": (*_STATUS, "onevoice_no_discount_until", "onevoice_no_join_until"),
    "klaviyo": (
        *_STATUS,
        "onevoice_points",
        "onevoice_points_next_expiry_on",
        *_ALL,
        "onevoice_no_discount_sms_until",
        "onevoice_no_cart_reminder_sms_until",
    ),
}


class Known:
    """What the vendors' records say today, by person."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.day = world.clock.now().date()
        self.refused: dict[str, set[str]] = {"email": set(), "sms": set()}
        self.silent: dict[str, set[int]] = {"email": set(), "sms": set()}
        self.dead: set[str] = set()
        self.members: set[int] = set()
        self.tiers: dict[int, str] = {}
        self.points: dict[int, int] = {}
        self.expiry: dict[int, str] = {}
        self.complaining: set[int] = set()
        self.orders: dict[int, list[tuple[datetime, str, bool]]] = defaultdict(list)
        self.carts: dict[int, list[tuple[datetime, str]]] = defaultdict(list)
        self.rewarded: dict[str, set[int]] = {"birthday": set(), "welcome": set()}
        for read in (self._contacts, self._portal, self._club, self._shop, self._tills, self._sender):
            read()

    def rows(self, system: str, table: str) -> Iterator[tuple[str, dict[str, Any]]]:
        yield from self.world.vendors[system].tables[table].rows.items()

    def person(self, system: str, key: str) -> int:
        return self.world.truth.person_of[system, STREAMS[system], key]

    def _sent(self, system: str, key: str, name: str) -> bool:
        """Whether the API wrote this: the hub's own word, and no customer's."""
        return name in self.world.vendors[system].api_writes.values.get((STREAMS[system], key), {})

    def _refuse(self, channel: str, address: str, person: int | None) -> None:
        self.refused[channel].add(same_mailbox(address) if channel == "email" else same_number(address))
        if person is not None:
            self.silent[channel].add(person)

    def _reward(self, person: int, kind: str, on: str | None) -> None:
        if on and (kind == "welcome" or (self.day - date.fromisoformat(on)).days < 300):
            self.rewarded[kind].add(person)

    def _contacts(self) -> None:
        for key, row in self.rows("salesforce", "Contact"):
            person = self.person("salesforce", key)
            if row["HasOptedOutOfEmail"] and not self._sent("salesforce", key, "HasOptedOutOfEmail"):
                self._refuse("email", row["Email"], person)
            if row["Last_Purchase_Date__c"]:
                day = date.fromisoformat(row["Last_Purchase_Date__c"])
                self.orders[person].append((datetime(day.year, day.month, day.day, tzinfo=UTC), "", False))
            self._reward(person, "birthday", row["Birthday_Reward_On__c"])
            self._reward(person, "welcome", row["Welcome_Reward_On__c"])
        for _, row in self.rows("salesforce", "Case"):
            closed = row["ClosedDate"] and date.fromisoformat(row["ClosedDate"][:10])
            if row["Type"] == "Complaint" and (not closed or self.day < closed + timedelta(days=7)):
                self.complaining.add(self.person("salesforce", row["ContactId"]))
        for order in self.world.receipts:
            person = self.world.truth.person_of["till", "cards", order.draft.card]
            self.orders[person].append((order.at, order.category, order.paid == order.listed))

    def _portal(self) -> None:
        sent = self.world.hubspot.api_writes.values
        subscriptions = self.world.hubspot.tables["subscriptions"].rows
        for key, row in self.rows("hubspot", "contacts"):
            person = self.person("hubspot", key)
            said = subscriptions.get(row["email"], {}).get("status") == "NOT_SUBSCRIBED"
            assert not row["email"] or said == (row["hs_email_optout_10001"] == "true")
            if said and ("subscriptions", row["email"]) not in sent:
                self._refuse("email", row["email"], person)
            if row["web_orders"] not in {"", "0"}:
                at = datetime.fromisoformat(row["web_last_order_at"])
                self.orders[person].append((at, row["web_last_order_category"], False))
            if row["cart_abandoned_at"]:
                self.carts[person].append((datetime.fromisoformat(row["cart_abandoned_at"]), row["cart_category"]))
            self._reward(person, "birthday", row["birthday_reward_on"])
            self._reward(person, "welcome", row["welcome_reward_on"])

    def _club(self) -> None:
        rank = ("Blue", "Silver", "Gold")
        members = self.world.salesforce.tables["LoyaltyProgramMember"].rows
        for row in members.values():
            if row["MemberStatus"] in {"Active", "Pending", "Suspended"}:
                self.members.add(self.person("salesforce", row["ContactId"]))
        for _, row in self.rows("salesforce", "LoyaltyMemberTier"):
            member, until = members[row["LoyaltyMemberId"]], row["TierExpirationDate"]
            if member["MemberStatus"] == "Active" and (until is None or until >= self.day.isoformat()):
                person = self.person("salesforce", member["ContactId"])
                self.tiers[person] = max(self.tiers.get(person, "Blue"), row["Name"], key=rank.index)

    def _shop(self) -> None:
        for key, row in self.rows("shopify", "customers"):
            person = self.person("shopify", key)
            if row["emailMarketing"]["state"] == "UNSUBSCRIBED" and not self._sent("shopify", key, "emailMarketing"):
                self._refuse("email", row["email"], person)
            if row["phoneMarketing"]["state"] == "UNSUBSCRIBED":
                self._refuse("sms", row["phone"], person)
        for _, row in self.rows("shopify", "orders"):
            person, line = self.person("shopify", row["customer"]), row["lines"][0]
            if not row["cancelledAt"]:
                full = line["original"] == line["discounted"]
                self.orders[person].append((datetime.fromisoformat(row["processedAt"]), line["productType"], full))
        for _, row in self.rows("shopify", "checkouts"):
            at = datetime.fromisoformat(row["createdAt"])
            self.carts[self.person("shopify", row["customer"])].append((at, row["lines"][0]["productType"]))

    def _tills(self) -> None:
        for key, row in self.rows("square", "customers"):
            if row["preferences"]["email_unsubscribed"]:
                self._refuse("email", row["email_address"], None)
            assert self.person("square", key) >= 0
        for _, row in self.rows("square", "orders"):
            person, line = self.person("square", row["customer_id"]), row["line_items"][0]
            if row["state"] != "CANCELED":
                full = line["gross_sales_money"]["amount"] == line["total_money"]["amount"]
                at = datetime.fromisoformat(row["created_at"])
                self.orders[person].append((at, line["metadata"]["category"], full))
        for _, row in self.rows("square", "loyalty_accounts"):
            person = self.person("square", row["customer_id"])
            self.members.add(person)
            self.points[person] = self.points.get(person, 0) + row["balance"]
            for deadline in row["expiring_point_deadlines"]:
                on = deadline["expires_at"][:10]
                if on >= self.day.isoformat() and deadline["points"] > 0:
                    self.expiry[person] = min(self.expiry.get(person, FOREVER), on)

    def _sender(self) -> None:
        for key, row in self.rows("klaviyo", "profiles"):
            person, held = self.person("klaviyo", key), row["properties"]
            mail, own = row["email_marketing"], not self._sent("klaviyo", key, "email_marketing")
            for entry in mail.get("suppression", ()) if own else ():
                if entry["reason"] == "UNSUBSCRIBE":
                    self._refuse("email", row["email"], person)
                elif entry["reason"] == "USER_SUPPRESSED":
                    self._refuse("email", row["email"], None)
                else:
                    self.dead.add(same_mailbox(row["email"]))
            if row["sms_marketing"].get("consent") == "UNSUBSCRIBED":
                self._refuse("sms", row["phone_number"], person)
            self._reward(person, "birthday", held.get("birthday_reward_on"))
            self._reward(person, "welcome", held.get("welcome_reward_on"))

    def denied(self, person: int) -> set[str]:
        """Families that no message may bring to the person, whatever the channel."""
        found: set[str] = set()
        tier, orders = self.tiers.get(person), self.orders[person]
        if person in self.complaining:
            found |= set(FAMILIES) - NOT_PROMOTIONAL
        found |= {"join"} if person in self.members else set()
        found |= {"tier_perk"} if tier not in {"Silver", "Gold"} else set()
        found |= {"tier_nudge"} if tier == "Gold" else set()
        found |= {"points_balance"} if person not in self.points else set()
        soon = (self.day + timedelta(days=30)).isoformat()
        found |= {"points_expiry"} if self.expiry.get(person, FOREVER) > soon else set()
        found |= {kind for kind, people in self.rewarded.items() if person in people}
        found |= {"first_order", "welcome"} if orders else set()
        if any(full and (self.day - at.date()).days < 14 for at, _, full in orders):
            found.add("discount")
        waiting = False
        for left, category in self.carts[person]:
            if (self.day - left.date()).days <= 7:
                bought = any(at > left and what == category for at, what, _ in orders)
                found |= {"cart_reminder"} if bought else set()
                waiting |= not bought
        if tier in {"Silver", "Gold"} or waiting or any((self.day - at.date()).days < 90 for at, _, _ in orders):
            found.add("win_back")
        return found


class Oracle:
    """Pushes what is desired of every record, from what is known and the true identities."""

    def __init__(self, world: World) -> None:
        self.world = world

    def push(self) -> int:
        """Write what differs, as a hub does through the API; gives the number of records written."""
        known = Known(self.world)
        self._group()
        differing = self.differing()
        for ref, changes in differing.items():
            self._write(ref, changes)
        self._opt_out_natively(known)
        return len(differing)

    def differing(self) -> dict[Ref, dict[str, Any]]:
        """Records that do not hold what they should, with what must change."""
        found = {}
        for ref, wanted in self._desired(Known(self.world)).items():
            held = {name: pushed(self.world, ref, name) for name in wanted}
            changes = {name: value for name, value in wanted.items() if _text(held[name]) != _text(value)}
            if changes:
                found[ref] = changes
        return found

    def _desired(self, known: Known) -> dict[Ref, dict[str, Any]]:
        wanted: dict[Ref, dict[str, Any]] = {}
        denied = {person: known.denied(person) for person in range(self.world.people)}
        congratulates = self._congratulating(known)
        for ref, person in self.world.truth.person_of.items():
            if ref[0] == "till":
                continue
            address, number = address_of(self.world, ref), phone_of(self.world, ref)
            mute = person in known.silent["email"] or same_mailbox(address) in known.refused["email"] | known.dead
            texts = person in known.silent["sms"] or same_number(number) in known.refused["sms"]
            no_mail = set(FAMILIES) if mute and ref[0] != "square" else denied[person]
            if ref in congratulates and congratulates[ref] != ref:
                no_mail = no_mail | {"birthday"}
            no_sms = set(FAMILIES) if texts else denied[person]
            values: dict[str, Any] = {
                "onevoice_profile_id": f"p{person}",
                "onevoice_tier": known.tiers.get(person),
                "onevoice_points": known.points.get(person),
                "onevoice_points_next_expiry_on": known.expiry.get(person),
                **{f"onevoice_no_{f}_until": FOREVER if f in no_mail else None for f in FAMILIES},
                **{f"onevoice_no_{f}_sms_until": FOREVER if f in no_sms else None for f in FAMILIES},
            }
            refused = bool(address) and same_mailbox(address) in known.refused["email"]
            wanted[ref] = {name: values[name] for name in FIELDS[ref[0]]}
            if ref[0] == "salesforce" and refused:
                wanted[ref]["HasOptedOutOfEmail"] = True
        return self._with_ticks(wanted)

    def _with_ticks(self, wanted: dict[Ref, dict[str, Any]]) -> dict[Ref, dict[str, Any]]:
        """Native ticks are no fields of the hub's: drop those that stand already."""
        for ref, values in wanted.items():
            if values.get("HasOptedOutOfEmail") and self._row(ref)["HasOptedOutOfEmail"]:
                del values["HasOptedOutOfEmail"]
        return wanted

    def _congratulating(self, known: Known) -> dict[Ref, Ref]:
        """Record with a birthday this week -> the one of its person's that may congratulate."""
        names = {"salesforce": "Birthdate", "hubspot": "date_of_birth"}
        week = {(known.day + timedelta(days=n)).strftime("%m-%d") for n in range(7)}
        first: dict[int, Ref] = {}
        found: dict[Ref, int] = {}
        for ref, person in sorted(self.world.truth.person_of.items()):
            if ref[0] not in {*names, "klaviyo"}:
                continue
            row, address = self._row(ref), address_of(self.world, ref)
            birth = row["properties"].get("birth_date") if ref[0] == "klaviyo" else row[names[ref[0]]]
            if birth and birth[5:10] in week:
                found[ref] = person
                box = same_mailbox(address)
                if address and box not in known.refused["email"] | known.dead:
                    first.setdefault(person, ref)
        return {ref: first[person] for ref, person in found.items() if person in first}

    def _row(self, ref: Ref) -> dict[str, Any]:
        row: dict[str, Any] = self.world.vendors[ref[0]].tables[ref[1]].rows[ref[2]]
        return row

    def _group(self) -> None:
        if group_id(self.world) is None:
            self.world.square.tables["groups"].insert({"name": "onevoice_no_join"})

    def _write(self, ref: Ref, changes: dict[str, Any]) -> None:
        row, table = self._row(ref), self.world.vendors[ref[0]].tables[ref[1]]
        if ref[0] == "salesforce":
            table.update(ref[2], {n if n == "HasOptedOutOfEmail" else f"{n}__c": v for n, v in changes.items()})
        elif ref[0] == "hubspot":
            table.update(ref[2], {name: _text(value) or "" for name, value in changes.items()})
        elif ref[0] == "shopify":
            self._write_shopify(ref[2], row, changes)
        elif ref[0] == "square":
            self._write_square(ref[2], row, changes)
        else:
            held = {**row["properties"], **changes}
            table.update(ref[2], {"properties": {n: v for n, v in held.items() if v is not None}})

    def _write_shopify(self, key: str, row: dict[str, Any], changes: dict[str, Any]) -> None:
        fields, tags = dict(row["metafields"]), [tag for tag in row["tags"] if tag != "onevoice-no-discount"]
        for name, value in changes.items():
            if name != "onevoice_no_discount_until":
                fields.pop("onevoice." + name.removeprefix("onevoice_"), None)
                if value is not None:
                    fields["onevoice." + name.removeprefix("onevoice_")] = {"type": "x", "value": str(value)}
        told = {"metafields": fields}
        if "onevoice_no_discount_until" in changes:
            told["tags"] = [*tags, "onevoice-no-discount"] if changes["onevoice_no_discount_until"] else tags
        self.world.shopify.tables["customers"].update(key, told)

    def _write_square(self, key: str, row: dict[str, Any], changes: dict[str, Any]) -> None:
        for name, value in changes.items():
            if name == "onevoice_no_join_until":
                kept = [held for held in row["group_ids"] if held != group_id(self.world)]
                groups = [*kept, group_id(self.world)] if value else kept
                self.world.square.tables["customers"].update(key, {"group_ids": groups})
            else:
                put_attribute(self.world.square, key, name, value, actor="api")

    def _opt_out_natively(self, known: Known) -> None:
        state = self.world.hubspot
        members = set()
        for key, row in state.tables["contacts"].rows.items():
            if row.get("onevoice_no_newsletter_until"):
                members.add(key)
            address = row["email"]
            if address and same_mailbox(address) in known.refused["email"] and row["hs_email_optout_10001"] != "true":
                table = state.tables["subscriptions"]
                if address not in table:
                    table.insert({"status": "", "source": "", "events": []}, key=address, actor="vendor")
                table.update(address, {"status": "NOT_SUBSCRIBED", "source": "API"})
                state.tables["contacts"].update(key, {"hs_email_optout_10001": "true"}, actor="vendor")
        lists = state.tables["lists"]
        if "1" not in lists:
            lists.insert({"name": "onevoice_no_newsletter", "listId": "1", "members": set()}, key="1")
        lists.update("1", {"members": members})
        for key, row in list(self.world.shopify.tables["customers"].rows.items()):
            said = row["emailMarketing"]
            if (
                row["email"]
                and same_mailbox(row["email"]) in known.refused["email"]
                and said["state"] != "UNSUBSCRIBED"
            ):
                changes = {"emailMarketing": {**said, "state": "UNSUBSCRIBED"}}
                self.world.shopify.tables["customers"].update(key, changes)
        for key, row in list(self.world.klaviyo.tables["profiles"].rows.items()):
            said, address = row["email_marketing"], row["email"]
            if address and same_mailbox(address) in known.refused["email"] and not said.get("suppression"):
                entry = {"reason": "USER_SUPPRESSED", "timestamp": "2026-11-22T09:00:00+00:00"}
                changes = {"email_marketing": {**said, "suppression": [entry]}}
                self.world.klaviyo.tables["profiles"].update(key, changes)


def _text(value: Any) -> str | None:
    return None if value is None or value is False else str(value)


@lru_cache(maxsize=6)
def _read_only(seed: int, people: int) -> World:
    return build_world(seed, people)


@pytest.fixture
def world_of() -> Callable[[int, int], World]:
    """(seed, people) -> a world that several tests share and none changes."""
    return _read_only


@lru_cache(maxsize=2)
def _messages(seed: int, people: int) -> dict[str, Any]:
    return Judge(_read_only(seed, people)).messages()


@pytest.fixture
def messages_of() -> Callable[[int, int], dict[str, Any]]:
    """(seed, people) -> what that world sends before any push, judged once."""
    return _messages


@pytest.fixture
def fresh() -> World:
    """A small world of the test's own."""
    return build_world(11, 1000)


@pytest.fixture
def oracle_for() -> Callable[[World], Oracle]:
    """World -> a hub that knows who is who."""
    return Oracle
