"""The golden record: which of several records' values stands, and why. Nothing is destroyed; losers are kept aside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from identity import address, contact, names
from identity.normalise import PLACEHOLDER_DATES
from identity.records import IdentityRecord
from onevoice.configfile.identity_file import IdentityFile
from onevoice.model import Ref

_EARLIEST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where one golden value comes from."""

    value: Any
    ref: Ref
    rule: str
    """The rule that decided; `only` when there was nothing to decide."""
    at: datetime | None
    """The record's own stamp."""
    losing: tuple[tuple[Ref, Any], ...]
    """Other records' differing values, by record."""


@dataclass(frozen=True, slots=True)
class Golden:
    """Fields of the golden record and the provenance of each."""

    fields: Mapping[str, Any]
    provenance: Mapping[str, Provenance]


def survive(records: Sequence[IdentityRecord], config: IdentityFile) -> Golden:
    """Choose every field of one customer's golden record; the order of `records` does not matter."""
    ordered = sorted(records, key=lambda record: record.ref)
    rules = config.survivorship
    grouped = {name for group in rules.groups.values() for name in group.fields}
    single = sorted({name for record in ordered for name in record.data} - grouped)
    provenance: dict[str, Provenance] = {}
    for name in single:
        provenance.update(_choose(ordered, (name,), rules.fields.get(name, rules.default), config))
    for group in rules.groups.values():
        provenance.update(_choose(ordered, group.fields, group.rules, config))
    kept = dict(sorted(provenance.items()))
    return Golden({name: chosen.value for name, chosen in kept.items()}, kept)


@dataclass(frozen=True, slots=True)
class _Bid:
    """One record's values for the fields that are chosen together."""

    record: IdentityRecord
    values: Mapping[str, Any]
    spelling: tuple[str, ...]
    """What counts as the same value."""


def _choose(
    records: Sequence[IdentityRecord], fields: Sequence[str], rules: Sequence[str], config: IdentityFile
) -> dict[str, Provenance]:
    bids = []
    for record in records:
        values = {name: value for name in fields if _believed(name, value := _one(record.data.get(name)), config)}
        if values:
            bids.append(_Bid(record, values, tuple(_spelling(name, values.get(name), config) for name in fields)))
    if not bids:
        return {}
    left, decided = bids, "only"
    for rule in rules:
        if len({bid.spelling for bid in left}) == 1:
            break
        best = _best(left, rule, config)
        if len(best) < len(left):
            left, decided = best, rule
    # Among equal values the newest record is named; the reference breaks the last tie.
    newest = max(_stamp(bid.record) for bid in left)
    winner = next(bid for bid in left if _stamp(bid.record) == newest)
    return {
        name: Provenance(
            value,
            winner.record.ref,
            decided,
            winner.record.updated_at,
            tuple(
                (bid.record.ref, bid.values[name]) for bid in bids if name in bid.values and bid.values[name] != value
            ),
        )
        for name, value in winner.values.items()
    }


def _one(value: Any) -> Any:
    """The first of several values that one record holds."""
    return next(iter(value), None) if isinstance(value, list | tuple) else value


def _best(bids: Sequence[_Bid], rule: str, config: IdentityFile) -> list[_Bid]:
    if rule == "source_order":
        order = {system: at for at, system in enumerate(config.survivorship.sources)}
        ranks = [order.get(bid.record.ref.system, len(order)) for bid in bids]
        return [bid for bid, rank in zip(bids, ranks, strict=True) if rank == min(ranks)]
    if rule == "most_recent":
        newest = max(_stamp(bid.record) for bid in bids)
        return [bid for bid in bids if _stamp(bid.record) == newest]
    if rule == "most_frequent":
        counts = Counter(bid.spelling for bid in bids)
        most = max(counts.values())
        return [bid for bid in bids if counts[bid.spelling] == most]
    fullest = max(_fullness(bid) for bid in bids)
    return [bid for bid in bids if _fullness(bid) == fullest]


def _fullness(bid: _Bid) -> tuple[int, int]:
    """Fields filled, then those that are more than an initial."""
    return len(bid.values), sum(len(str(value).strip(" .")) > 1 for value in bid.values.values())


def _stamp(record: IdentityRecord) -> datetime:
    return record.updated_at or _EARLIEST


def _believed(name: str, value: Any, config: IdentityFile) -> bool:
    """Whether a value is there and not junk."""
    text = "" if value is None else str(value).strip()
    if not text:
        return False
    if name == "email":
        return "@" in text and bool(contact.email(text)[0])
    if name == "phone":
        return bool(contact.phone(text, config.default_region))
    if name == "birth_date":
        return text not in PLACEHOLDER_DATES and text >= config.earliest_birth.isoformat()
    if name in ("given_name", "family_name"):
        return bool(names.fold(text)) and "".join(names.fold(text)) not in names.JUNK
    return bool(address.plain(text)) and address.plain(text) not in ("n a", "na", "none", "null", "unknown")


def _spelling(name: str, value: Any, config: IdentityFile) -> str:
    text = "" if value is None else str(value)
    if name == "email":
        return contact.email(text)[0]
    if name == "phone":
        return contact.phone(text, config.default_region)
    if name == "street":
        return " ".join(address.street(text))
    if name == "postcode":
        return address.postcode(text)
    return " ".join(names.fold(text)) if name.endswith("_name") else address.plain(text)
