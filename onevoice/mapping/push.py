"""What a mapping pushes: the fields of one destination stream, how values are written and how they compare."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from onevoice.configfile.mapping_file import Push
from onevoice.configfile.push_sources import DECIDED_AT
from onevoice.mapping.transforms import encode_decimal, pusher
from onevoice.mapping.values import Unusable
from onevoice.model import FieldType

_TYPES = {
    "date": FieldType.DATE,
    "datetime": FieldType.DATETIME,
    "integer": FieldType.INTEGER,
    "decimal": FieldType.DECIMAL,
    "boolean": FieldType.BOOLEAN,
    "flag": FieldType.BOOLEAN,
}


@dataclass(frozen=True, slots=True)
class PushField:
    """One vendor field that the hub fills."""

    name: str
    source: str
    """Dotted name of the hub's value (onevoice.configfile.push_sources)."""
    type: FieldType
    """What the vendor's field holds, for creating it."""
    irreversible: bool
    """Nobody can take the write back: it is planned only where `encode` gives a value, and never undone."""
    owner: Literal["hub", "vendor"]
    """Who wins when the vendor's value was edited there."""
    mode: Literal["push", "adopt", "compare"]
    """Whether the hub writes the field, lets the vendor's first value stand, or only compares."""
    blank: Literal["clear", "keep"]
    """What no value of the hub means."""
    seen_in: str
    """Field of the described record in which the vendor shows the same thing; "" when there is none."""
    _encode: Callable[[Any], Any] = field(repr=False, compare=False)
    _comparable: Callable[[Any], str | None] = field(repr=False, compare=False)

    @property
    def is_stamp(self) -> bool:
        """Whether it tells when the rest was last changed, so that it never causes a write by itself."""
        return self.source == DECIDED_AT

    def encode(self, value: Any) -> Any:
        """The vendor value for a hub value; None clears the field, also where the vendor has no word for the value.

        An irreversible field gives None for false: there is nothing to do.
        """
        return self.encode_or_say(value)[0]

    def encode_or_say(self, value: Any) -> tuple[Any, str]:
        """As `encode`, and why the vendor cannot be given the value; "" when it can."""
        if value is None or (self.irreversible and value is False):
            return None, ""
        try:
            return self._encode(value), ""
        except Unusable as exc:
            return None, str(exc)

    def restore(self, comparable: str | None) -> Any:
        """The vendor value for comparable text that was observed there earlier; None clears."""
        if comparable is None:
            return None
        match self.type:
            case FieldType.BOOLEAN:
                return comparable == "true"
            case FieldType.INTEGER | FieldType.DECIMAL:
                return encode_decimal(comparable)
            case _:
                return comparable

    def decode_observed(self, value: Any) -> str | None:
        """A vendor value, sent or read back, as comparable text: '' = null, '3' = 3 = 3.0; None when nothing is set."""
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        if isinstance(value, str) and value != value.strip():
            return value  # the hub never writes blanks around a value, and a vendor's filter may see them
        try:
            return self._comparable(value)
        except Unusable:
            return json.dumps(value, sort_keys=True, default=str)

    def decode_seen(self, value: Any) -> str | None:
        """What the described record's field `seen_in` says about this field, as comparable text."""
        return self.decode_observed(value)


@dataclass(frozen=True, slots=True)
class PushSpec:
    """Everything a mapping pushes into one stream."""

    stream: str
    per: str
    """Stream of the customer records it describes."""
    key: str
    """`record`: the described record itself; else the customer field that holds the destination's key."""
    fields: tuple[PushField, ...]


def compile_push(stream: str, push: Push) -> PushSpec:
    """The compiled form of a mapping's `push:`."""
    fields = []
    for name, spec in push.fields.items():
        pushed = pusher(spec)
        fields.append(
            PushField(
                name=name,
                source=spec.source,
                type=_TYPES.get(spec.transform, FieldType.TEXT),
                irreversible=spec.irreversible,
                owner=spec.owner,
                mode=spec.mode,
                blank=spec.blank,
                seen_in=spec.seen_in,
                _encode=pushed.encode,
                _comparable=pushed.comparable,
            )
        )
    return PushSpec(stream, push.per or stream, push.key, tuple(fields))
