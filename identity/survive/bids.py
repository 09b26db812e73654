"""What the records of a customer offer for the fields that are chosen together: one field, or those of a group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from identity.records import IdentityRecord
from identity.survive.readings import JUNK, Read

Records = Sequence[IdentityRecord]
Held = Sequence[list[Any]]
"""For each record what it holds, by field; None where it does not have a field of the group."""


class Bid(NamedTuple):
    """One choice that a record offers."""

    record: IdentityRecord
    values: Sequence[Any]
    """By field, as the record has them; None where it has none or junk."""
    spelling: Sequence[str | None]
    """What counts as the same values."""


def held_by(records: Records, fields: Sequence[str]) -> tuple[Records, Held]:
    """The records that have one of the fields, and what each of them holds."""
    if len(fields) == 1:
        (name,) = fields
        holding = [record for record in records if name in record.data]
        return holding, [[record.data[name]] for record in holding]
    holding = [record for record in records if not record.data.keys().isdisjoint(fields)]
    return holding, [[record.data.get(name) for name in fields] for record in holding]


def bids_of(holding: Records, held: Held, reads: Sequence[Read], *, blanks_count: bool) -> list[Bid]:
    """What the records offer, in their order: the group, or each distinct value of a single field.

    Junk is no offer, and an empty row is one only where blanks count.
    """
    bids: list[Bid] = []
    for record, values in zip(holding, held, strict=True):
        if list in map(type, values):
            bids += _bids_of_lists(record, values, reads, blanks_count=blanks_count)
            continue
        data = record.data
        said = [read(value, data) for read, value in zip(reads, values, strict=True)]
        if all(said):
            bids.append(Bid(record, values, said))
        elif any(said):
            kept = [value if spelling else None for value, spelling in zip(values, said, strict=True)]
            bids.append(Bid(record, kept, [spelling or JUNK for spelling in said]))
        elif blanks_count and JUNK not in said:
            bids.append(Bid(record, [None] * len(said), [JUNK] * len(said)))
    return bids


def _bids_of_lists(
    record: IdentityRecord, values: Sequence[Any], reads: Sequence[Read], *, blanks_count: bool
) -> list[Bid]:
    """Of a single field every distinct value bids; of a field in a group the first, so that the rest fits it."""
    several = [value if isinstance(value, list) else [value] for value in values]
    if len(several) == 1:
        choices = [[value] for value in several[0] if value is not None and str(value).strip()] or [[None]]
    else:
        choices = [[next(iter(each), None) for each in several]]
    bids = bids_of([record] * len(choices), choices, reads, blanks_count=blanks_count)
    distinct = {tuple(bid.spelling): bid for bid in reversed(bids)}
    return [bid for bid in bids if distinct[tuple(bid.spelling)] is bid]
