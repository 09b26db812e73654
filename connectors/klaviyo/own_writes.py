"""Remembering what was just written: lists of profiles show a change some seconds late, and whoever reads back what was
written must not take the version from before it for a lost write."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from connectors.klaviyo.profiles import PROPERTIES, SUPPRESSED
from onevoice.protocols import Record, Write

_STAMP_STEP = timedelta(seconds=1)
"""`updated` has whole seconds: what happened in one of them cannot be told apart by it."""


class OwnWrites:
    """What this process has written and has not seen in a list yet."""

    def __init__(self) -> None:
        self._imported: dict[str, tuple[datetime, Mapping[str, Any]]] = {}
        self._suppressed: set[str] = set()

    def imported(self, writes: Iterable[Write], since: datetime) -> None:
        """Properties that a job wrote; the job was made at `since`."""
        second = since.replace(microsecond=0)
        self._imported.update((write.key, (second, write.fields)) for write in writes)

    def suppressed(self, addresses: Iterable[str]) -> None:
        """Addresses that a job suppressed."""
        self._suppressed.update(address.casefold() for address in addresses)

    def is_behind(self, record: Record) -> bool:
        """Whether a record is the version from before a write of ours."""
        if record.key in self._imported and record.updated_at is not None:
            since, fields = self._imported[record.key]
            if record.updated_at < since:
                return True
            # A suppression that was sent just before may have stamped the version without these values.
            if record.updated_at < since + _STAMP_STEP and not _holds(record, fields):
                return True
        return record.data.get(SUPPRESSED) is False and _address(record) in self._suppressed

    def settled(self, record: Record) -> None:
        """The record as it is, or as it will be taken: nothing more is expected of it."""
        self._imported.pop(record.key, None)
        if SUPPRESSED in record.data:
            self._suppressed.discard(_address(record))


def _holds(record: Record, fields: Mapping[str, Any]) -> bool:
    held = record.data.get("properties") or {}
    return all(held.get(name.removeprefix(PROPERTIES)) == value for name, value in fields.items())


def _address(record: Record) -> str:
    return str(record.data.get("email") or "").casefold()
