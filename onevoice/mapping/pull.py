"""Compiled reading of one item from a vendor record: closures over field names, with a memory for repeated values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from onevoice.configfile.canonical import ESSENTIAL, WORDS
from onevoice.configfile.mapping_file import OWNER, UPDATED_AT, ItemSpec
from onevoice.configfile.transform_specs import Constant, PullField, PullTable
from onevoice.mapping.transforms import Defaults, Odd, Pull, puller
from onevoice.mapping.values import Unusable, decimal_text, to_decimal, to_text
from onevoice.model import FieldType, Item, Ref
from onevoice.protocols import Json

Get = Callable[[Json, datetime | None], Any]

REMEMBERED = 20_000
"""Distinct texts remembered per field; beyond it the memory starts afresh (about 3 MB a field)."""

_NEW = object()


def getter(source: str) -> Get:
    """Reads one vendor field; a name with dots also reaches into nested objects and lists (`Account.Name`)."""
    if source == UPDATED_AT:
        return lambda _data, updated_at: updated_at.isoformat() if updated_at else None
    if "." not in source:
        return lambda data, _updated_at: data.get(source)
    steps = source.split(".")

    def nested(data: Json, _updated_at: datetime | None) -> Any:
        found: Any = data.get(source)
        return _walk(data, steps) if found is None else found

    return nested


def _walk(found: Any, steps: Sequence[str]) -> Any:
    for step in steps:
        if isinstance(found, Mapping):
            found = found.get(step)
        elif isinstance(found, list) and step.isascii() and step.isdigit() and int(step[:9]) < len(found):
            found = found[int(step[:9])]
        else:
            return None
    return found


def is_blank(value: Any) -> bool:
    """Nothing, empty text, blanks only, an empty list or object."""
    return value is None or (isinstance(value, str | list | Mapping) and not (value.strip() if isinstance(value, str) else value))


class FieldReader:
    """One canonical field of one item, read from one or several vendor fields."""

    __slots__ = ("_blanks", "_convert", "_sources", "_what", "memory", "single", "target")

    def __init__(self, kind: str, target: str, spec: PullField, convert: Pull) -> None:
        self.target = target
        self._convert = convert
        self._sources = tuple((source, getter(source)) for source in spec.source)
        self._blanks = frozenset(each.strip().casefold() for each in spec.blank)
        self._what = f"{kind}.{target}"
        self.memory: dict[str, Any] = {}
        only = spec.source[0]
        plain = len(spec.source) == 1 and "." not in only and only != UPDATED_AT
        self.single = only if plain else None
        """The vendor field, where a value is one plain look-up away."""

    def convert(self, value: Any, source: str, notes: list[str]) -> Any:
        """The canonical value of one vendor value, remembered where it is a text; None when it says nothing."""
        text = isinstance(value, str)
        if is_blank(value) or (self._blanks and text and value.strip().casefold() in self._blanks):
            return None
        try:
            made = self._convert(value)
        except Odd as odd:
            notes.append(f"{source} ({self._what}): {odd}")
            return odd.kept
        except Unusable as unusable:
            notes.append(f"{source} ({self._what}): {unusable}")
            return None
        if made == "":
            made = None
        if text:
            if len(self.memory) >= REMEMBERED:
                self.memory.clear()
            self.memory[value] = made
        return made

    def read(self, data: Json, updated_at: datetime | None, notes: list[str]) -> Any:
        """The first vendor value that says something."""
        for source, get in self._sources:
            value = get(data, updated_at)
            if isinstance(value, str):
                made = self.memory.get(value, _NEW)
                if made is _NEW:
                    made = self.convert(value, source, notes)
            else:
                made = self.convert(value, source, notes)
            if made is not None:
                return made
        return None


class ItemReader:
    """One item of a mapping, ready to be made from any number of records."""

    __slots__ = ("_constants", "_kind", "_only_with", "_owner", "_required", "_single", "_slow", "_sources")

    def __init__(self, kind: str, spec: ItemSpec, types: Mapping[str, FieldType], defaults: Defaults) -> None:
        self._kind = kind
        self._constants = {
            name: _constant(field.value, types[name]) for name, field in spec.fields.items() if isinstance(field, Constant)
        }
        readers = [
            FieldReader(kind, name, field, _convert(kind, name, field, types[name], defaults))
            for name, field in spec.fields.items()
            if not isinstance(field, Constant)
        ]
        self._single = tuple((each.single, each.memory, each.target, each) for each in readers if each.single is not None)
        self._slow = tuple(each for each in readers if each.single is None)
        self._owner = (spec.owner.stream, tuple(getter(each) for each in spec.owner.source)) if spec.owner else None
        self._only_with = tuple(spec.only_with)
        self._sources = {name: _said_by(field) for name, field in spec.fields.items()}
        if spec.owner:
            self._sources[OWNER] = ", ".join(spec.owner.source)
        needed = [*spec.required, *ESSENTIAL.get(kind, ()), *([OWNER] if spec.owner else [])]
        self._required = tuple(dict.fromkeys(name for name in needed if name not in spec.only_with))

    def read(
        self, ref: Ref, data: Json, updated_at: datetime | None, faults: list[str], notes: list[str]
    ) -> Item | None:
        """The item of a record; None when the record has none, with a fault when it must have one."""
        made: dict[str, Any] = dict(self._constants)
        for source, memory, target, reader in self._single:
            value = data.get(source)
            if value is None:
                continue
            if value.__class__ is str:
                found = memory.get(value, _NEW)
                if found is _NEW:
                    found = reader.convert(value, source, notes)
            else:
                found = reader.convert(value, source, notes)
            if found is not None:
                made[target] = found
        for reader in self._slow:
            found = reader.read(data, updated_at, notes)
            if found is not None:
                made[reader.target] = found
        owner = self._owner_ref(ref, data, updated_at)
        for name in self._only_with:
            if name not in made and not (name == OWNER and owner):
                return None
        missing = [name for name in self._required if name not in made and not (name == OWNER and owner)]
        for name in missing:
            faults.append(f"{self._sources.get(name, name)} is blank or unusable, but every {self._kind} needs its {name}")
        if missing or not made:
            return None
        return Item(ref, self._kind, made, owner)

    def _owner_ref(self, ref: Ref, data: Json, updated_at: datetime | None) -> Ref | None:
        if self._owner is None:
            return None if self._kind == "customer" else ref
        stream, getters = self._owner
        for get in getters:
            try:
                key = to_text(get(data, updated_at) or "")
            except Unusable:
                continue
            if key:
                return Ref(ref.system, stream, key)
        return None


def _said_by(field: Constant | PullField) -> str:
    return "a constant" if isinstance(field, Constant) else ", ".join(field.source)


def _constant(value: Any, type_: FieldType) -> Any:
    return decimal_text(to_decimal(value)) if type_ is FieldType.DECIMAL else value


def _convert(kind: str, name: str, field: PullField, type_: FieldType, defaults: Defaults) -> Pull:
    """The transform of a field, checked against the closed list of the canonical field where it has one."""
    if isinstance(field, PullTable) and type_ is FieldType.DECIMAL:
        exact = {key: "" if value == "" else decimal_text(to_decimal(value)) for key, value in field.table.items()}
        field = field.model_copy(update={"table": exact})
    convert = puller(field, defaults)
    allowed = WORDS.get((kind, name))
    if allowed is None:
        return convert
    message = f"allowed is {', '.join(sorted(allowed))}"

    def checked(value: Any) -> Any:
        made = convert(value)
        if made and made not in allowed:
            raise Unusable(message)
        return made

    return checked
