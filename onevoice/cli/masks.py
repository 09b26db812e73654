"""Personal data in reports and on the screen: shown as initials, or whole when that was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onevoice.api import masking
from onevoice.configfile.mapping_file import MappingFile
from onevoice.configfile.transform_specs import Constant
from onevoice.pipeline.proofs.proof import CUSTOMER

_POINT, _NUMBER = "contact_point", "number"
"""Fields of items that name a person: where they are written to, and their card."""


class Masks:
    """What of a project's data is personal: everything that a mapping makes a customer's name, address or number of."""

    def __init__(self, mappings: Mapping[tuple[str, str], MappingFile], *, whole: bool) -> None:
        self.whole = whole
        self._personal = {place: _personal_fields(mapping) for place, mapping in mappings.items()}
        self._read = {place: _fields_read(mapping) for place, mapping in mappings.items()}

    def name(self, text: str) -> str:
        """Anna Kowalska -> A. K."""
        return text if self.whole else " ".join(map(masking.initial, text.split()))

    def text(self, text: str) -> str:
        """A key or a sentence, with what addresses stand in it."""
        return text if self.whole else masking.key(text)

    def item(self, kind: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values of an order, a case, a membership, a statement; of a customer all are personal."""
        if kind == CUSTOMER and not self.whole:
            return {name: masking.value(name, value) for name, value in sorted(values.items())}
        return {name: self._item_value(name, value) for name, value in sorted(values.items())}

    def facts(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Facts of a customer."""
        return dict(values) if self.whole else masking.facts(values)

    def raw(self, system: str, stream: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """Vendor fields of a customer record."""
        personal = self._personal.get((system, stream), {})
        return {name: self._raw_value(personal.get(name), value) for name, value in sorted(values.items())}

    def unmapped(self, system: str, stream: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """Vendor fields of a record that could not be mapped. What no mapping reads, and what is nested, is hidden:
        nobody knows whom it names."""
        read = self._read.get((system, stream), frozenset())
        clear = {name for name, value in values.items() if name in read and not isinstance(value, dict | list)}
        known = self.raw(system, stream, {name: value for name, value in values.items() if name in clear})
        others = {name: value if self.whole else masking.HIDDEN for name, value in values.items() if name not in clear}
        return {**known, **others}

    def pushed(self, source: str, value: Any) -> Any:
        """A value that the hub writes; `source` is its name in a mapping's `push:`, as in `golden.email`."""
        head, _, field = source.partition(".")
        if self.whole or value is None:
            return value
        if head == "golden":
            return masking.value(field, value)
        return masking.key(value) if isinstance(value, str) else value

    def _item_value(self, name: str, value: Any) -> Any:
        if self.whole or not isinstance(value, str):
            return value
        if name == _POINT:
            return masking.point(value)
        return masking.phone(value) if name == _NUMBER else masking.key(value)

    def _raw_value(self, field: str | None, value: Any) -> Any:
        if self.whole or value is None:
            return value
        if field is not None:
            return masking.value(field, value)
        return masking.key(value) if isinstance(value, str) else value


def _fields_read(mapping: MappingFile) -> frozenset[str]:
    """Vendor fields that a mapping reads, by the name under which they stand in the record."""
    specs = [spec for kind in (mapping.pull or {}).values() for spec in kind]
    reads = [read for spec in specs for read in spec.fields.values() if not isinstance(read, Constant)]
    owners = {name for spec in specs if spec.owner for name in spec.owner.source}
    return frozenset({name for read in reads for name in read.source} | owners)


def _personal_fields(mapping: MappingFile) -> dict[str, str]:
    """Vendor field -> the customer's field that is made of it."""
    found: dict[str, str] = {}
    for spec in (mapping.pull or {}).get("customer", ()):
        for name, read in spec.fields.items():
            if not isinstance(read, Constant):
                found.update(dict.fromkeys(read.source, name))
    return found
