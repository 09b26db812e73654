"""Which opt-outs stay with a profile when the record that stated them is deleted or turns out to be another person's.

A deleted record takes nothing back. After an un-merge a no holds on both sides until it is reviewed, thirty days at
most: nobody knows yet which of the two said it. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta

from onevoice.store.former_links import FormerLink

REVIEW = timedelta(days=30)


def former_links(
    previous: Mapping[str, str],
    now: Mapping[str, str],
    members: Mapping[str, Collection[str]],
    survivors: Mapping[str, str | None],
    known: Mapping[str, Sequence[FormerLink]],
    today: date,
) -> list[FormerLink]:
    """Former records of every profile that a change touched.

    `previous` and `now`: profile id by record; a record that is not in `now` is gone. `members`: records by profile
    id before the change. `survivors`: who took the place of each profile that holds no record any more.
    """
    kept = _Kept(link for links in known.values() for link in links if link.until is None or link.until > today)
    for ref in previous.keys() - now.keys():
        kept.add(ref, survivors.get(previous[ref]) or previous[ref], None)
    for profile_id, survivor in survivors.items():
        for link in known.get(profile_id, ()) if survivor else ():
            kept.add(link.ref, survivor or profile_id, link.until)
    review = today + REVIEW
    for profile_id in sorted(set(previous.values())):
        home = {ref: now[ref] for ref in members.get(profile_id, ()) if ref in now}
        for part in set(home.values()) if len(set(home.values())) > 1 else ():
            for ref, place in home.items():
                if place != part:
                    kept.add(ref, part, review)
            for link in known.get(profile_id, ()) if part != profile_id else ():
                kept.add(link.ref, part, min(link.until or review, review))
    return kept.links(survivors)


class _Kept:
    """Former links, each until the latest day that anybody asked for."""

    def __init__(self, links: Iterable[FormerLink]) -> None:
        self.until: dict[tuple[str, str], date | None] = {(link.ref, link.profile_id): link.until for link in links}

    def add(self, ref: str, profile_id: str, until: date | None) -> None:
        known = self.until.get((ref, profile_id), date.min)
        self.until[ref, profile_id] = None if known is None or until is None else max(known, until)

    def links(self, survivors: Mapping[str, str | None]) -> list[FormerLink]:
        """All of them but those of profiles that another one has taken over."""
        return [
            FormerLink(ref, profile_id, until)
            for (ref, profile_id), until in sorted(self.until.items(), key=lambda entry: entry[0])
            if not survivors.get(profile_id)
        ]
