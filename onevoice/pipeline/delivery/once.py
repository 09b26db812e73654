"""Families that a customer gets once: which of the customer's records carries them.

The choice rests on what the records are, not on the day, so that it does not wander while nothing changes: a record
that its system sends to at all, in a system that sends the family, whose own value (a birth date) agrees with the
surviving one if any does; then the order of systems in config/offers.yaml; then the record's own name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from onevoice.configfile.offers_file import Once
from onevoice.model import Ref
from onevoice.pipeline.delivery.desired import HubView
from onevoice.policy import Policy, SystemGates

Customer = Mapping[str, Any]


def carried_elsewhere(
    policy: Policy, records: Mapping[str, tuple[HubView, Customer]], raw: Mapping[str, Mapping[str, Any]]
) -> dict[str, frozenset[str]]:
    """By record of ONE customer, the families that another record of the customer carries."""
    found: dict[str, set[str]] = {}
    for family, once in policy.once.items():
        able = [ref for ref in records if ref in raw and _could_send(policy, family, once, ref, records[ref], raw[ref])]
        for ref in sorted(able, key=lambda ref: _rank(once, ref, records[ref]))[1:]:
            found.setdefault(ref, set()).add(family)
    return {ref: frozenset(families) for ref, families in found.items()}


def _could_send(
    policy: Policy, family: str, once: Once, ref: str, record: tuple[HubView, Customer], raw: Mapping[str, Any]
) -> bool:
    """Whether the record's system sends the family, to this record, on some day of some year."""
    source, (view, customer) = Ref.parse(ref), record
    reader = policy.reader(source.system, source.stream)
    if reader is None or (once.right_in is not None and not customer.get(once.right_in)):
        return False
    return any(channel not in view.refused for channel in _reached(reader, family, raw, view))


def _reached(reader: SystemGates, family: str, raw: Mapping[str, Any], view: HubView) -> Iterable[str]:
    row = reader.typed(raw, view.today)
    return (channel for name, channel in reader.gates if name == family and reader.reached(row, channel))


def _rank(once: Once, ref: str, record: tuple[HubView, Customer]) -> tuple[bool, int, str]:
    view, customer = record
    system = Ref.parse(ref).system
    differs = once.right_in is not None and customer.get(once.right_in) != view.profile.golden.get(once.right_in)
    return differs, once.by.index(system) if system in once.by else len(once.by), ref
