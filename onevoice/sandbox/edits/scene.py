"""What an edit by hand needs to know: whose records a profile has, where they are reached, what the hub put there."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import Any

from onevoice.sandbox.campaigns import STREAMS
from onevoice.sandbox.chance import stream
from onevoice.sandbox.pushed import PROFILE_ID, address_of, phone_of, pushed, row_of
from onevoice.sandbox.truth import Facts, Ref, same_mailbox, same_number
from onevoice.sandbox.world import World


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit. `ref` is the place of the edit; `expected` are customer records the hub must write."""

    kind: str
    ref: Ref
    field: str
    contradicts: bool
    expected: tuple[Ref, ...]


class Scene:
    """One world as it is when edits begin."""

    def __init__(self, world: World, day: date, seed: int) -> None:
        self.world = world
        self.truth = world.truth
        self.day = day
        self.rng: random.Random = stream(seed, "edits by hand")
        self.profiles: dict[str, list[Ref]] = defaultdict(list)
        """Profile id -> the records that carry it."""
        self._boxes: dict[str, set[str]] = defaultdict(set)
        self._numbers: dict[str, set[str]] = defaultdict(set)
        for system, table in STREAMS.items():
            for key in world.vendors[system].tables[table].rows:
                self._note((system, table, key))

    def _note(self, ref: Ref) -> None:
        profile = pushed(self.world, ref, PROFILE_ID)
        if profile:
            self.profiles[profile].append(ref)
        address, number = address_of(self.world, ref), phone_of(self.world, ref)
        if address:
            self._boxes[same_mailbox(address)].add(profile or "")
        if number:
            self._numbers[same_number(number)].add(profile or "")

    def of_one_person(self) -> list[str]:
        """The profiles whose records all belong to one person, James left alone; in a drawn order."""
        james = self.truth.person_of[self.truth.hard_cases["james"][0]]
        found = []
        for profile, refs in self.profiles.items():
            owners = {self.truth.person_of[ref] for ref in refs if ref in self.truth.person_of}
            if len(owners) == 1 and james not in owners:
                found.append(profile)
        self.rng.shuffle(found)
        return found

    def row(self, ref: Ref) -> dict[str, Any]:
        """The record as it is."""
        return row_of(self.world, ref)

    def change(self, ref: Ref, changes: dict[str, Any], actor: str = "hand") -> None:
        """Put changes on a record behind the hub's back."""
        self.world.vendors[ref[0]].tables[ref[1]].update(ref[2], changes, actor=actor)

    def facts(self, refs: list[Ref]) -> Facts:
        """What is true of the person behind a profile."""
        return self.truth.of(refs[0])

    def address(self, ref: Ref) -> str:
        """The mail address on a record."""
        return address_of(self.world, ref)

    def shown(self, ref: Ref, name: str) -> str:
        """A pushed value as text in small letters: how a hub spells a tier is its own affair."""
        value = pushed(self.world, ref, name)
        return "" if value is None else str(value).lower()

    def reachable(self, refs: list[Ref]) -> bool:
        """Every record has an address of its own profile that is neither refused nor dead, and nobody opted out."""
        if self.facts(refs).opt_outs:
            return False
        addresses = [self.address(ref) for ref in refs]
        return all(
            address
            and len(self._boxes[same_mailbox(address)]) == 1
            and not self.truth.opted_out(address)
            and not self.truth.is_dead(address)
            for address in addresses
        )

    def own_number(self, ref: Ref) -> str:
        """The number on a record when it stands on no other profile's; else empty text."""
        number = phone_of(self.world, ref)
        return number if number and len(self._numbers[same_number(number)]) == 1 else ""


def first_of(refs: list[Ref], system: str) -> Ref | None:
    """The first record of a system."""
    return next((ref for ref in refs if ref[0] == system), None)


def mailed(refs: list[Ref]) -> list[Ref]:
    """Records of the systems that send mail: on the others nothing changes when somebody opts out of it."""
    return [ref for ref in refs if ref[0] != "square"]
