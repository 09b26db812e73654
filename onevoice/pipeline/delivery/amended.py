"""What people said of refused values, at work: values to write and raw values to map are replaced where it holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from onevoice.pipeline.delivery.targets import PushTarget
from onevoice.policy import raw_value
from onevoice.store import Connection, amendments
from onevoice.store.amendments import Amendment
from onevoice.store.quarantines import DELIVERY


class AmendedWrites:
    """The amendments of some destination records, for one plan."""

    def __init__(self, connection: Connection, refs: Iterable[str]) -> None:
        self._connection = connection
        self._of = amendments.load(connection, DELIVERY, refs)
        self._void: set[tuple[str, str]] = set()

    def apply(
        self, target: PushTarget, ref: str, changes: Mapping[str, Any], sent: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The changes to write; one whose amended value stands there already (`sent`, comparable) is left out.

        An amendment is void once another value is wanted, or the wanted one stands there after all.
        """
        wanted = dict(changes)
        fields = {field.name: field for field in target.fields}
        for name, one in self._of.get(ref, {}).items():
            field = fields.get(name)
            if field is None or name not in wanted or field.decode_observed(wanted[name]) != one.instead_of:
                self._void.add((ref, name))
            elif one.dropped or field.decode_observed(one.value) == sent.get(name):
                del wanted[name]
            else:
                wanted[name] = one.value
        return wanted

    def forget_void(self) -> None:
        """Remove the amendments that were found void."""
        amendments.forget(self._connection, DELIVERY, self._void)


def amended_raw(data: Mapping[str, Any], amended: Mapping[str, Amendment]) -> Mapping[str, Any]:
    """A vendor's record with the values that people put in place of its own; names with dots reach into it."""
    for name, one in amended.items():
        if raw_value(data, name) == one.instead_of:
            data = _replaced(data, name, one.value)
    return data


def _replaced(data: Mapping[str, Any], name: str, value: Any) -> Mapping[str, Any]:
    head, _, rest = name.partition(".")
    if name in data or not rest:
        return {**data, name: value}
    inner = data.get(head)
    return {**data, head: _replaced(inner if isinstance(inner, Mapping) else {}, rest, value)}
