"""Push targets: for each record that the hub keeps in step, where its fields stand at the vendor and in which form."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
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

    def known(self, observed: Collection[str]) -> Sequence[PushField]:
        """Fields that can be judged: one whose own value there counts, only once that value has been looked at."""
        if self.stream != self.per:  # of these records the vendor shows what is set, and nothing of what is not
            return self.fields
        return [field for field in self.fields if field.mode == "push" or field.name in observed]

    @property
    def by_record(self) -> bool:
        """Whether a destination record has the key of the customer record that it describes."""
        return self.spec.key == RECORD_KEY

    def key(self, record_key: str, customer: Mapping[str, Any] | None) -> str | None:
        """Destination key of a customer record; None when it has none (no e-mail, say)."""
        if self.by_record:
            return record_key
        value = (customer or {}).get(self.spec.key)
        return str(value) if value else None

    def ref(self, record_key: str, customer: Mapping[str, Any] | None) -> Ref | None:
        """Destination ref of a customer record; None when it has none."""
        key = self.key(record_key, customer)
        return Ref(self.system, self.stream, key) if key else None

    def customers_behind(self, ref: Ref, holders: Mapping[str, Collection[str]]) -> set[str]:
        """Customer records that a destination record may describe; `holders` are refs by their contact point."""
        if self.by_record:
            return {str(Ref(self.system, self.per, ref.key))}
        found = {Ref.parse(text) for text in holders[ref.key]}
        return {str(customer) for customer in found if (customer.system, customer.stream) == (self.system, self.per)}

    def foreign(self, name: str, adopted: Mapping[str, Any]) -> bool:
        """Whether a field holds the vendor's own value: then another one there is no drift from the hub's."""
        return any(
            field.owner == "vendor"
            or field.mode == "compare"
            or (field.mode == "adopt" and adopted.get(name) is not None)
            for field in self.fields
            if field.name == name
        )

    def seen(self, source: Ref, raw: Mapping[str, Any], asked: Collection[str] | None = None) -> dict[str, Any]:
        """Comparable values that a raw record of `source`, read with the fields `asked` for (None: all), shows of this
        target's fields."""
        if source.stream == self.stream:
            names = {f.name: f for f in self.fields if asked is None or f.name in asked}
            return {name: f.decode_observed(raw_value(raw, name)) for name, f in names.items()}
        shown = [f for f in self.fields if f.seen_in and (asked is None or f.seen_in in asked)]
        return {f.name: f.decode_seen(raw_value(raw, f.seen_in)) for f in shown}

    def comparable(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Vendor values as they will compare once they come back."""
        return {f.name: f.decode_observed(fields[f.name]) for f in self.fields if f.name in fields}

    def own(self, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """Fields that are the hub's, filled or not: a blank that it fills is the vendor's from then on."""
        theirs = {field.name for field in self.fields if field.owner == "vendor"}
        return {name: value for name, value in fields.items() if name not in theirs}

    def beside(self, observed: Mapping[str, Any]) -> dict[str, Any]:
        """What this stream says of a customer record, under the names that gates use: `list:<name>`."""
        return {f"{self.stream.removesuffix('s')}:{name}": value for name, value in observed.items()}

    def shown_as(self, source: Ref, field: PushField) -> str:
        """The field of a raw record of `source` that shows what the hub wrote; "" when none does."""
        return field.name if source.stream == self.stream else field.seen_in


def customer_of(items: Iterable[Item]) -> Mapping[str, Any] | None:
    """The customer among the items of one record."""
    return next((item.data for item in items if item.kind == "customer"), None)
