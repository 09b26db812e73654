"""A pilot: only some customers are written to, always the same ones. The rest stays planned."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from onevoice.errors import ConfigError
from onevoice.model import Ref
from onevoice.pipeline.delivery.targets import customer_of
from onevoice.store import Connection, identities, pages, profiles

if TYPE_CHECKING:
    from onevoice.pipeline.hub import Hub

PARTS = 10_000
"""Customers are dealt into so many parts; a share takes the first ones."""


@dataclass(frozen=True, slots=True)
class Pilot:
    """Who is written to: a share of the customers, or the ones that are named."""

    share: float | None = None
    """Between 0 and 1."""
    names: frozenset[str] = frozenset()
    """Profile ids, records as system/stream/key, or e-mail addresses and phone numbers in canonical form."""

    def destinations(self, hub: Hub, system: str) -> frozenset[str]:
        """Destination records of a system that describe customers of the pilot."""
        with hub.store.read() as connection:
            chosen = self._profiles(connection)
            members = identities.load_members(connection, chosen)
            own = [ref for refs in members.values() for ref in refs if Ref.parse(ref).system == system]
            items = pages.load_items(connection, own)
        found = set[str]()
        for text in own:
            source, customer = Ref.parse(text), customer_of(items.get(text, ()))
            targets = hub.targets_per(source.system, source.stream)
            found.update(str(ref) for target in targets if (ref := target.ref(source.key, customer)) is not None)
        return frozenset(found)

    def _profiles(self, connection: Connection) -> set[str]:
        if self.share is not None:
            everybody = {profile_id for _, profile_id in identities.all_links(connection)}
            return {profile_id for profile_id in everybody if part_of(profile_id) < self.share * PARTS}
        records = {name for name in self.names if _is_record(name)}
        records |= pages.refs_at(connection, self.names - records)
        linked = set(identities.load_links(connection, records).values())
        known = (profiles.current_id(connection, name) for name in sorted(self.names - records))
        return linked | {profile_id for profile_id in known if profile_id is not None}


def part_of(profile_id: str) -> int:
    """The part a customer is dealt into, from 0: of the id alone, so that a pilot that grows keeps whom it had."""
    digest = hashlib.blake2b(profile_id.encode(), digest_size=8, person=b"pilot").digest()
    return int.from_bytes(digest) % PARTS


def pilot_of_share(text: str) -> Pilot:
    """A pilot from a share such as `5%`; ConfigError when it is none."""
    try:
        share = float(text.removesuffix("%")) / 100
    except ValueError:
        share = 0.0
    if not text.endswith("%") or not 0 < share <= 1:
        raise ConfigError(f"--pilot: {text} is no share (write 5%, or the path of a file with one customer a line)")
    return Pilot(share=share)


def pilot_of_names(lines: Iterable[str]) -> Pilot:
    """A pilot from one customer a line; blank lines and those that begin with # say nothing."""
    names = frozenset(line.strip() for line in lines if line.strip() and not line.strip().startswith("#"))
    if not names:
        raise ConfigError("--pilot: the file names nobody (write one profile id, system/stream/key or e-mail a line)")
    return Pilot(names=frozenset(name if _is_record(name) or "@" not in name else name.lower() for name in names))


def _is_record(name: str) -> bool:
    return name.count("/") >= 2
