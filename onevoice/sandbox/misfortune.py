"""Misfortunes that befall the records of every vendor alike: writes that fail once, and records refused for good."""

from __future__ import annotations

from zlib import crc32

from onevoice.sandbox.gate import Schedule
from onevoice.sandbox.state import VendorState

LOST_ENTRIES = 3
"""How many entries of a bulk write fail once; smaller writes are spared."""
REJECTED_SHARE = 50
"""With the fault `reject_some`, one record in so many is refused, always the same ones."""


class Losses:
    """Counts the bulk writes of a vendor and says which of their entries fail; sent again, these go through."""

    def __init__(self, state: VendorState) -> None:
        self._state = state
        self._writes = 0

    def places(self, entries: int, schedule: Schedule) -> frozenset[int]:
        """Count one bulk write; the positions of the entries that it loses."""
        self._writes += 1
        if not self._state.faults.limits_on or entries < LOST_ENTRIES or not schedule.due(self._writes):
            return frozenset()
        return frozenset({0, entries // 2, entries - 1})


def rejects(state: VendorState, key: str) -> bool:
    """Whether the vendor refuses every write to this record for now; a record that is yet to be made has no id."""
    return state.faults.reject_some and bool(key) and crc32(key.encode()) % REJECTED_SHARE == 0
