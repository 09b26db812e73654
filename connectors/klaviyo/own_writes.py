"""Remembering what was just written: lists of profiles show a change some seconds late, and whoever reads back what was
written must not take the version from before it for a lost write."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from connectors.klaviyo.profiles import SUPPRESSED
from onevoice.protocols import Record


class OwnWrites:
    """What this process has written and has not seen in a list yet."""

    def __init__(self) -> None:
        self._imported: dict[str, datetime] = {}
        self._suppressed: set[str] = set()

    def imported(self, keys: Iterable[str], since: datetime) -> None:
        """Profiles that a job wrote; the job was made at `since`."""
        self._imported.update(dict.fromkeys(keys, since.replace(microsecond=0)))  # `updated` may have whole seconds

    def suppressed(self, addresses: Iterable[str]) -> None:
        """Addresses that a job suppressed."""
        self._suppressed.update(address.casefold() for address in addresses)

    def is_behind(self, record: Record) -> bool:
        """Whether a record is the version from before a write of ours."""
        since = self._imported.get(record.key)
        if since is not None and record.updated_at is not None and record.updated_at < since:
            return True
        return record.data.get(SUPPRESSED) is False and _address(record) in self._suppressed

    def settled(self, record: Record) -> None:
        """The record as it is, or as it will be taken: nothing more is expected of it."""
        self._imported.pop(record.key, None)
        if SUPPRESSED in record.data:
            self._suppressed.discard(_address(record))


def _address(record: Record) -> str:
    return str(record.data.get("email") or "").casefold()
