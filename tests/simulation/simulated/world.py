"""The world outside the hub: customers, the people and tools who work at the vendors, and the truth about all of it.

The truth is kept apart from the hub: what customers said is noted when they say it, and what people wrote when they
write it. The hub is never asked.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from onevoice.protocols import Stream
from simulated.clock import Clock
from simulated.moments import Moments
from simulated.vendors import CUSTOMER, HUB, PEOPLE, Crm, Mail, Shop, Vendor

SKEW = timedelta(seconds=300)
"""config/consent.yaml: a yes lifts a no only when it is later by more than this."""
FOREVER = "9999-12-31"
TIERS = ("Blue", "Silver", "Gold")
FIELDS = {
    "crm": {"tier": "OV_Tier", "points": "OV_Points", "news": "OV_No_News_Until", "join": "OV_No_Join_Until"},
    "shop": {"tier": "ov_tier", "points": "ov_points", "news": "ov_no_news_until"},
    "mail": {"tier": "ov_tier", "points": "ov_points", "news": "ov_no_news_until", "join": "ov_no_join_until"},
}
"""What the hub owns on customer records, by system: what it says -> the vendor's field."""
EMAIL = {"crm": "Email", "shop": "email", "mail": "email"}
MOST_RECORDS = 10


@dataclass(frozen=True, slots=True)
class Said:
    """A customer said yes or no to marketing e-mail, at an address."""

    person: str
    address: str
    no: bool
    at: datetime


class World:
    """Everything that is not the hub."""

    def __init__(self, rng: random.Random, clock: Clock, moments: Moments) -> None:
        self.rng = rng
        self.clock = clock
        self.moments = moments
        made = (clock, moments, rng)
        self.crm = Crm("crm", *made, {"Contact": Stream("Contact", "Id", writes=True, max_batch=3)})
        shop = (
            Stream("contacts", "id", writes=True, max_batch=2),
            Stream("subscriptions", "email", reads=False, writes=True),
            Stream("lists", "id", writes=True, snapshot=True, max_batch=4),
        )
        self.shop = Shop("shop", *made, {stream.name: stream for stream in shop})
        self.mail = Mail("mail", *made, {"profiles": Stream("profiles", "id", writes=True, max_batch=4)})
        self.vendors: Mapping[str, Vendor] = {vendor.system: vendor for vendor in (self.crm, self.shop, self.mail)}
        self.busy = 0.0
        """How often something happens in a moment."""
        self.said: list[Said] = []
        self.spoke: set[tuple[str, str]] = set()
        """(system, key) of records on which a customer said something: nobody moves or removes them."""
        self.unticked: set[str] = set()
        """CRM records whose box a tool cleared: a flag that is read now and then shows no history, so no customer ticks
        it again."""
        self.by_people: dict[tuple[str, str, str], Any] = {}
        """(system, key, field) -> what people last wrote, of fields that are theirs."""
        self.meddled: set[tuple[str, str, str]] = set()
        """(system, key, field) of fields of the hub's that somebody else wrote."""
        self.tiers: dict[str, set[Any]] = {}
        self.points: dict[str, set[Any]] = {}
        """By person, every value there ever was."""
        self.ends: dict[str, datetime] = {}
        """When each run of the hub was over."""
        self.number = 0
        self._people()

    # The beginning

    def _people(self) -> None:
        for number in range(self.rng.randint(1, 3)):
            person = f"p{number}"
            self.tiers[person], self.points[person] = {None}, {None}
            chosen = [system for system in self.vendors for _ in range(2) if self.rng.random() < 0.6]
            for system in chosen or ["crm"]:
                self._appear(person, system)

    def _appear(self, person: str, system: str) -> None:
        self.number += 1
        key = f"{person}-{system[0]}{self.number}"
        address = self._address(person, system)
        phone = f"+4477009000{int(person[1:]):02}"
        if system == "crm":
            member = self.member_record(person) is None and self.rng.random() < 0.8
            club = {"Member": "Active", "Tier": self.rng.choice(TIERS), "Points": self._some_points()} if member else {}
            fields = {"FirstName": person, "Email": address, "Phone": phone, **club}
        elif system == "shop":
            fields = {"firstname": person, "email": address, "phone": phone}
        else:
            fields = {"first_name": person, "email": address, "phone_number": phone}
        if self.rng.random() < 0.2:
            fields[FIELDS[system]["tier"]] = "left over"
        self.vendors[system].create(key, person, PEOPLE, fields)
        self._note_membership(person)

    def _address(self, person: str, system: str) -> str:
        """One of a customer's few addresses; in the mail system each stands once."""
        numbers = list(range(2))
        taken = {self.mail.held(key)["email"] for key in self.mail.living()} if system == "mail" else set()
        free = [n for n in numbers if f"{person}.{n}@example.org" not in taken]
        self.number += not free
        return f"{person}.{self.rng.choice(free) if free else self.number}@example.org"

    def _some_points(self) -> str:
        return str(self.rng.choice((0, 100, 100.4, 120.5, 99.6, 250.25)))

    # What is true

    def persons(self) -> list[str]:
        return sorted(self.tiers)

    def records_of(self, person: str, system: str) -> list[str]:
        vendor = self.vendors[system]
        return [key for key in vendor.living() if vendor.records[key].person == person]

    def member_record(self, person: str) -> str | None:
        """The CRM record that holds a customer's membership."""
        return next((key for key in self.records_of(person, "crm") if self.crm.held(key).get("Member")), None)

    def status(self, person: str) -> tuple[str | None, str | None, bool]:
        """Tier, points, and whether the customer is a member."""
        key = self.member_record(person)
        held = self.crm.held(key) if key else {}
        if held.get("Member") != "Active":
            return None, None, False
        return held["Tier"].lower(), held["Points"], True

    def stands(self, no: Said) -> bool:
        """Whether a no has not been lifted, by a later yes of the same customer to the same address."""
        return not any(
            not yes.no and (yes.person, yes.address) == (no.person, no.address) and yes.at - no.at > SKEW
            for yes in self.said
        )

    def objects(self, person: str) -> bool:
        return any(no.no and no.person == person and self.stands(no) for no in self.said)

    def objects_at(self, address: str) -> bool:
        return any(no.no and no.address == address and self.stands(no) for no in self.said)

    def _note_membership(self, person: str) -> None:
        tier, points, _ = self.status(person)
        self.tiers[person].add(tier)
        self.points[person].add(points)

    # What happens

    def move(self, free: bool) -> None:
        """Let happen what happens in one moment."""
        for vendor in self.vendors.values():
            if vendor.late:
                vendor.happen()
        if self.rng.random() < self.busy:
            self.something()

    def something(self) -> None:
        """One thing happens, if it can."""
        kinds = (
            (self._club_changes, 5),
            (self._meddle, 4),
            (self._write_note, 3),
            (self._own_tier, 2),
            (self._say_no, 4),
            (self._say_yes, 3),
            (self._new_address, 2),
            (self._clear_box, 2),
            (self._new_record, 1),
            (self._delete, 1),
            (self._merge, 1),
        )
        happening = self.rng.choices([kind for kind, _ in kinds], [weight for _, weight in kinds])[0]
        happening()

    def _some_record(self, systems: tuple[str, ...] = ("crm", "shop", "mail")) -> tuple[str, str] | None:
        there = [(system, key) for system in systems for key in self.vendors[system].living()]
        return self.rng.choice(there) if there else None

    def _edit(self, system: str, key: str, by: str, fields: Mapping[str, Any]) -> None:
        self.moments.tell(f"    {by} at {system}: {key} {dict(fields)}")
        self.vendors[system].change(key, by, fields)

    def _club_changes(self) -> None:
        person = self.rng.choice(self.persons())
        key = self.member_record(person)
        if key is None:
            return
        change = self.rng.choice(
            (
                {"Tier": self.rng.choice(TIERS)},
                {"Points": self._some_points()},
                {"Points": self._some_points()},
                {"Member": self.rng.choice(("Active", "Inactive"))},
            )
        )
        self._edit("crm", key, PEOPLE, change)
        self._note_membership(person)

    def _meddle(self) -> None:
        """Somebody writes into a field of the hub's."""
        found = self._some_record()
        if found is None:
            return
        system, key = found
        what = self.rng.choice(sorted(FIELDS[system]))
        value = {
            "tier": self.rng.choice(("gold", " Gold ", "platinum", "SILVER", None)),
            "points": self.rng.choice((7, 100, 101, None)),
            "news": self.rng.choice((None, "2026-03-01", FOREVER)),
            "join": self.rng.choice((None, FOREVER)),
        }[what]
        name = FIELDS[system][what]
        if system == "shop" and what == "news" and self.rng.random() < 0.4:
            self.moments.tell(f"    people at shop: list {key}")
            self.meddled.add((system, key, "ov_no_news"))
            self.shop.listed ^= {key}
            return
        self.meddled.add((system, key, name))
        self._edit(system, key, PEOPLE, {name: value})

    def _write_note(self) -> None:
        found = self._some_record()
        if found is None:
            return
        system, key = found
        value = self.rng.choice((f"note {self.rng.randint(1, 99)}", f"Note {self.rng.randint(1, 99)}", None))
        self._edit(system, key, PEOPLE, {"note": value})
        self.by_people[system, key, "note"] = value

    def _own_tier(self) -> None:
        """Somebody writes into a field that belongs to the vendor once it is filled."""
        found = self._some_record(("shop",))
        if found is None:
            return
        value = self.rng.choice(("founder", "friend", None))
        self._edit(*found, PEOPLE, {"first_tier": value})
        self.by_people["shop", found[1], "first_tier"] = value
        self.shop.raced.discard((found[1], "first_tier"))

    def _say_no(self) -> None:
        found = self._some_record()
        if found is None:
            return
        system, key = found
        vendor = self.vendors[system]
        held = vendor.held(key)
        address = held[EMAIL[system]]
        at = self.clock.now
        if system != "mail" and any(not said.no and said.address == address for said in self.said):
            return  # the hub may be ticking this very box for the older no: nothing tells who did (docs/simulation.md)
        if system == "crm" and any(said.no and said.address in self._former_addresses(key) for said in self.said):
            return  # so it may for a no to the address that the record held when the hub last read it
        if system == "crm":
            if held.get("OptOut") or key in self.unticked:
                return
            self._edit(system, key, CUSTOMER, {"OptOut": True})
            at = at.replace(microsecond=0)
        elif system == "shop":
            if address in self.shop.unsubscribed:
                return
            self.moments.tell(f"    customer at shop: {address} unsubscribes")
            self.shop.unsubscribe(address, CUSTOMER)
            self.spoke.update(("shop", other) for other in vendor.living() if vendor.held(other)["email"] == address)
        else:
            if held.get("consent") == "UNSUBSCRIBED":
                return
            self._edit(system, key, CUSTOMER, {"consent": "UNSUBSCRIBED", "consent_at": at.isoformat()})
        self.spoke.add((system, key))
        self.said.append(Said(vendor.records[key].person, address, True, at))

    def _former_addresses(self, key: str) -> set[Any]:
        """Addresses that a CRM record held and holds no longer."""
        held = {version.fields.get(EMAIL["crm"]) for version in self.crm.records[key].versions}
        return held - {self.crm.held(key)[EMAIL["crm"]]}

    def _say_yes(self) -> None:
        found = self._some_record(("mail",))
        if found is None:
            return
        _, key = found
        address, person = self.mail.held(key)["email"], self.mail.records[key].person
        noes = [no.at for no in self.said if no.no and no.address == address]
        if not noes or self.clock.now - max(noes) <= 2 * SKEW:
            return
        self.number += 1
        values = {"consent": "SUBSCRIBED", "consent_at": self.clock.now.isoformat(), "method": f"form {self.number}"}
        self._edit("mail", key, CUSTOMER, values)
        self.spoke.add(("mail", key))
        self.said.append(Said(person, address, False, self.clock.now))

    def _new_address(self) -> None:
        found = self._some_record()
        if found is None or found in self.spoke:
            return
        system, key = found
        vendor = self.vendors[system]
        if system == "shop" and self.shop.unsubscribed.get(vendor.held(key)["email"], ("", HUB))[1] != HUB:
            return
        self._edit(system, key, PEOPLE, {EMAIL[system]: self._address(vendor.records[key].person, system)})
        address = vendor.held(key)[EMAIL[system]]
        if system == "shop" and self.shop.unsubscribed.get(address, ("", HUB))[1] == CUSTOMER:
            self.spoke.add(found)

    def _clear_box(self) -> None:
        """A tool takes back an opt-out that the hub had set for what a customer said elsewhere."""
        ours = [key for key in self.crm.living() if self.crm.held(key).get("OptOutBy") == HUB]
        if ours:
            key = self.rng.choice(ours)
            self.unticked.add(key)
            self.meddled.add(("crm", key, "OptOut"))
            self._edit("crm", key, PEOPLE, {"OptOut": None})

    def _new_record(self) -> None:
        if sum(len(vendor.living()) for vendor in self.vendors.values()) < MOST_RECORDS:
            person, system = self.rng.choice(self.persons()), self.rng.choice(sorted(self.vendors))
            self.moments.tell(f"    people at {system}: a new record of {person}")
            self._appear(person, system)

    def _removable(self) -> tuple[str, str] | None:
        found = self._some_record(("crm", "shop"))
        if found is None or found in self.spoke or self.vendors[found[0]].held(found[1]).get("Member"):
            return None
        return found

    def _delete(self) -> None:
        found = self._removable()
        if found is not None:
            self.moments.tell(f"    people at {found[0]}: {found[1]} deleted")
            self.vendors[found[0]].remove(found[1])

    def _merge(self) -> None:
        found = self._removable()
        if found is None:
            return
        system, key = found
        others = [other for other in self.records_of(self.vendors[system].records[key].person, system) if other != key]
        if others:
            winner = self.rng.choice(others)
            self.moments.tell(f"    people at {system}: {key} merged into {winner}")
            self.vendors[system].remove(key, winner)

    def everything(self) -> Iterator[tuple[str, str, str, Mapping[str, Any]]]:
        """(system, key, person, fields) of every customer record there is."""
        for system, vendor in self.vendors.items():
            for key in sorted(vendor.living()):
                yield system, key, vendor.records[key].person, vendor.held(key)
