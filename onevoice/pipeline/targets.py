"""Push targets: for each record that the hub keeps in step, where its fields stand at the vendor and in which form."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from onevoice.mapping import PushField, PushSpec
from onevoice.model import Item, Ref
from onevoice.policy import raw_value

RECORD_KEY = "record"
"""In a mapping's push: the destination has the key of the customer record itself."""


@dataclass(frozen=True, slots=True)
class PushTarget:
    """One destination stream that describes one customer stream of the same system."""

    system: str
    spec: PushSpec

    @property
    def stream(self) -> str:
        """Stream that is written."""
        return self.spec.stream

    @property
    def per(self) -> str:
        """Customer stream whose records it describes."""
        return self.spec.per

    @property
    def fields(self) -> Sequence[PushField]:
        """Fields the hub pushes there."""
        return self.spec.fields

    def key(self, record_key: str, customer: Mapping[str, Any] | None) -> str | None:
        """Destination key of a customer record; None when it has none (no e-mail, say)."""
        if self.spec.key == RECORD_KEY:
            return record_key
        value = (customer or {}).get(self.spec.key)
        return str(value) if value else None

    def ref(self, record_key: str, customer: Mapping[str, Any] | None) -> Ref | None:
        """Destination ref of a customer record; None when it has none."""
        key = self.key(record_key, customer)
        return Ref(self.system, self.stream, key) if key else None

    def customers_behind(self, ref: Ref, holders: Callable[[str], Iterable[str]]) -> set[str]:
        """Customer records that a destination record describes; `holders` finds the refs that hold a contact point."""
        if self.spec.key == RECORD_KEY:
            return {str(Ref(self.system, self.per, ref.key))}
        found = {Ref.parse(text) for text in holders(ref.key)}
        return {str(customer) for customer in found if (customer.system, customer.stream) == (self.system, self.per)}

    def seen(self, source: Ref, raw: Mapping[str, Any]) -> dict[str, Any]:
        """Comparable values that a raw record of `source` shows of this target's fields."""
        if source.stream == self.stream:
            return {f.name: f.decode_observed(raw_value(raw, f.name)) for f in self.fields if not f.is_stamp}
        return {f.name: f.decode_seen(raw_value(raw, f.seen_in)) for f in self.fields if f.seen_in}

    def comparable(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Vendor values as they will compare once they come back."""
        return {f.name: f.decode_observed(fields[f.name]) for f in self.fields if f.name in fields}

    def beside(self, observed: Mapping[str, Any]) -> dict[str, Any]:
        """What this stream says of a customer record, under the names that gates use: `list:<name>`."""
        return {f"{self.stream.removesuffix('s')}:{name}": value for name, value in observed.items()}

    def shown_as(self, source: Ref, field: PushField) -> str:
        """The field of a raw record of `source` that shows what the hub wrote; "" when none does."""
        return field.name if source.stream == self.stream else field.seen_in


def customer_of(items: Iterable[Item]) -> Mapping[str, Any] | None:
    """The customer among the items of one record."""
    return next((item.data for item in items if item.kind == "customer"), None)
