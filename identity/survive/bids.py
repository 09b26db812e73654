"""What the records of a customer offer for the fields that are chosen together: one field, or those of a group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from identity.records import IdentityRecord
from identity.survive.readings import JUNK, Read

Row = tuple[IdentityRecord, list[Any]]
"""A record and what it holds, by field; None where it does not have a field of the group."""


class Bid(NamedTuple):
    """One choice that a record offers."""

    record: IdentityRecord
    values: Sequence[Any]
    """By field, as the record has them; None where it has none or junk."""
    spelling: Sequence[str | None]
    """What counts as the same values."""


def rows_of(fields: Sequence[str], records: Sequence[IdentityRecord]) -> list[Row]:
    """What each record holds, without the records that have none of the fields."""
    if len(fields) == 1:
        (name,) = fields
        return [(record, [record.data[name]]) for record in records if name in record.data]
    return [
        (record, [record.data.get(name) for name in fields])
        for record in records
        if not record.data.keys().isdisjoint(fields)
    ]


def bids_of(row: Row, reads: Sequence[Read], *, blanks_count: bool) -> list[Bid]:
    """What one record offers: its group, or each distinct value of a single field; an empty bid where blanks count."""
    record, held = row
    if len(held) == 1:
        return _bids_of_field(record, held, reads[0], blanks_count=blanks_count)
    if list in map(type, held):  # a field of a group may hold several values: the first counts
        held = [next(iter(several(value)), None) for value in held]
    said = [read(value, record.data) for read, value in zip(reads, held, strict=True)]
    if all(said):
        return [Bid(record, held, said)]
    if any(said):
        kept = [value if spelling else None for value, spelling in zip(held, said, strict=True)]
        return [Bid(record, kept, [spelling or JUNK for spelling in said])]
    return [_empty(record, said)] if blanks_count and JUNK not in said else []


def _bids_of_field(record: IdentityRecord, held: list[Any], read: Read, *, blanks_count: bool) -> list[Bid]:
    value = held[0]
    if not isinstance(value, list | tuple):
        said = read(value, record.data)
        if said:
            return [Bid(record, held, [said])]
        return [_empty(record, [said])] if blanks_count and said is None else []
    distinct: dict[str | None, Any] = {}
    for one in value:
        distinct.setdefault(read(one, record.data), one)
    bids = [Bid(record, [one], [said]) for said, one in distinct.items() if said]
    return bids or ([_empty(record, [None])] if blanks_count and JUNK not in distinct else [])


def _empty(record: IdentityRecord, said: Sequence[str | None]) -> Bid:
    return Bid(record, [None] * len(said), [JUNK] * len(said))


def several(held: Any) -> Sequence[Any]:
    """The values of a field that may hold one or a list."""
    return held if isinstance(held, list | tuple) else (held,)
