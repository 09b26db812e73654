"""Records that left a profile: deleted ones, and those that turned out to be somebody else's. Their opt-outs stay."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, select

from onevoice.store.engine import delete_in, rows_in, upsert
from onevoice.store.schema import consent_event, former_link


@dataclass(frozen=True, slots=True)
class FormerLink:
    """A record that once belonged to a profile."""

    ref: str
    profile_id: str
    until: date | None
    """First day on which its opt-outs hold no longer; None: the record is gone, and they stay."""


def load_former(connection: Connection, profile_ids: Iterable[str]) -> dict[str, list[FormerLink]]:
    """Former records by profile id, sorted by ref."""
    found: dict[str, list[FormerLink]] = {}
    for row in rows_in(connection, select(former_link), former_link.c.profile_id, set(profile_ids)):
        found.setdefault(row.profile_id, []).append(FormerLink(row.ref, row.profile_id, row.until))
    return {profile_id: sorted(links, key=lambda link: link.ref) for profile_id, links in found.items()}


def profiles_of_gone(connection: Connection, refs: Iterable[str]) -> dict[str, str]:
    """Profile id by ref of records that were deleted."""
    statement = select(former_link.c.ref, former_link.c.profile_id).where(former_link.c.until.is_(None))
    found = rows_in(connection, statement.order_by(former_link.c.profile_id), former_link.c.ref, set(refs))
    return {row.ref: row.profile_id for row in found}


def save_former(connection: Connection, links: Iterable[FormerLink], emptied: Iterable[str]) -> None:
    """Store the links of records on which somebody opted out; drop those of profiles that others took over."""
    links = list(links)
    denies = select(consent_event.c.owner).where(consent_event.c.effect == "deny").distinct()
    matter = {row.owner for row in rows_in(connection, denies, consent_event.c.owner, {link.ref for link in links})}
    delete_in(connection, former_link, former_link.c.profile_id, set(emptied))
    rows: list[Mapping[str, object]] = [
        {"ref": link.ref, "profile_id": link.profile_id, "until": link.until}
        for link in sorted(links, key=lambda link: (link.ref, link.profile_id))
        if link.ref in matter
    ]
    upsert(connection, former_link, [dict(row) for row in rows])
