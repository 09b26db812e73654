"""Compiled reading of one item from a vendor record: closures over field names, with a memory for repeated values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from onevoice.configfile.canonical import ESSENTIAL, WORDS
from onevoice.configfile.mapping_file import EACH, OWNER, UPDATED_AT, ItemSpec
from onevoice.configfile.transform_specs import Constant, PullField, PullJoined, PullTable
from onevoice.mapping.transforms import Defaults, Odd, Pull, puller
from onevoice.mapping.values import Unusable, decimal_text, to_decimal, to_text
from onevoice.model import FieldType, Item, Ref
from onevoice.protocols import Json

Get = Callable[[Json, datetime | None], Any]

REMEMBERED = 20_000
"""Distinct texts remembered per field; beyond it the memory starts afresh (about 3 MB a field)."""

_NEW = object()
_EMPTY: tuple[object, ...] = ([], {})


def getter(source: str) -> Get:
    """Reads one vendor field; a name with dots also reaches into nested objects and lists (`Account.Name`)."""
    if source == UPDATED_AT:
        return lambda _data, updated_at: updated_at.isoformat() if updated_at else None
    if "." not in source:
        return lambda data, _updated_at: data.get(source)
    steps = source.split(".")

    def nested(data: Json, _updated_at: datetime | None) -> Any:
        return data[source] if source in data else _walk(data, steps)

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


class FieldReader:
    """One canonical field of one item, read from one or several vendor fields."""

    __slots__ = ("_blanks", "_convert", "_memory", "_sources", "_what", "read", "target")

    read: Callable[[Json, datetime | None, list[str]], Any]
    """The canonical value of a record, or None; what could not be read is added to the list."""

    def __init__(self, kind: str, target: str, spec: PullField, convert: Pull) -> None:
        self.target = target
        self._convert = convert
        self._sources = tuple((source, getter(source)) for source in spec.source)
        self._blanks = frozenset(each.strip().casefold() for each in spec.blank)
        self._what = f"{kind}.{target}"
        self._memory: dict[str, Any] = {}
        only = spec.source[0]
        plain = len(spec.source) == 1 and "." not in only and only != UPDATED_AT
        several = self._joined if isinstance(spec, PullJoined) else self._first
        self.read = self._plain(only) if plain else several

    def _made(self, value: Any, source: str, notes: list[str]) -> Any:
        """The canonical value of one vendor value, remembered where it is a text; None when it says nothing."""
        text = isinstance(value, str)
        if text:
            if not value or value.isspace() or (self._blanks and value.strip().casefold() in self._blanks):
                return None
        elif value is None or value in _EMPTY:
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
            if len(self._memory) >= REMEMBERED:
                self._memory.clear()
            self._memory[value] = made
        return made

    def _plain(self, source: str) -> Callable[[Json, datetime | None, list[str]], Any]:
        """Reading one field that is one look-up away: nearly all fields, so this is the path that has to be short."""
        known, convert = self._memory.get, self._made

        def read(data: Json, _updated_at: datetime | None, notes: list[str]) -> Any:
            value = data.get(source)
            if value is None:
                return None
            if value.__class__ is str:
                found = known(value, _NEW)
                if found is not _NEW:
                    return found
            return convert(value, source, notes)

        return read

    def _each(self, data: Json, updated_at: datetime | None, notes: list[str]) -> Iterator[Any]:
        """What the vendor fields say, one after another, without those that say nothing."""
        for source, get in self._sources:
            value = get(data, updated_at)
            found = self._memory.get(value, _NEW) if isinstance(value, str) else _NEW
            made = self._made(value, source, notes) if found is _NEW else found
            if made is not None:
                yield made

    def _first(self, data: Json, updated_at: datetime | None, notes: list[str]) -> Any:
        """The first vendor field that says something."""
        return next(self._each(data, updated_at, notes), None)

    def _joined(self, data: Json, updated_at: datetime | None, notes: list[str]) -> Any:
        """All vendor fields that say something, as one text."""
        return " ".join(self._each(data, updated_at, notes)) or None


class ItemReader:
    """One item of a mapping, ready to be made from any number of records."""

    __slots__ = (
        "_conditions",
        "_constants",
        "_each",
        "_kind",
        "_only_with_owner",
        "_owner",
        "_readers",
        "_required",
        "_said_by",
    )

    def __init__(self, kind: str, spec: ItemSpec, types: Mapping[str, FieldType], defaults: Defaults) -> None:
        self._kind = kind
        self._each = getter(spec.each) if spec.each else None
        self._constants = {
            name: _constant(field.value, types[name])
            for name, field in spec.fields.items()
            if isinstance(field, Constant)
        }
        readers = {
            name: FieldReader(kind, name, field, _convert(kind, name, field, types[name], defaults))
            for name, field in spec.fields.items()
            if not isinstance(field, Constant)
        }
        self._conditions = tuple(reader for name, reader in readers.items() if name in spec.only_with)
        self._readers = tuple(reader for name, reader in readers.items() if name not in spec.only_with)
        self._only_with_owner = OWNER in spec.only_with
        self._owner = (spec.owner.stream, tuple(getter(each) for each in spec.owner.source)) if spec.owner else None
        needed = [*spec.required, *ESSENTIAL.get(kind, ()), *([OWNER] if spec.owner else [])]
        self._required = tuple(dict.fromkeys(name for name in needed if name not in spec.only_with))
        self._said_by = {
            name: ", ".join(each.source) for name, each in spec.fields.items() if isinstance(each, PullField)
        }
        if spec.owner:
            self._said_by[OWNER] = ", ".join(spec.owner.source)

    def read(
        self, ref: Ref, data: Json, updated_at: datetime | None, faults: list[str], notes: list[str]
    ) -> Iterator[Item]:
        """The items of a record: one, none, or one per element of its list; a fault where one is missing."""
        for part in self._parts(data, updated_at):
            item = self._one(ref, part, updated_at, faults, notes)
            if item is not None:
                yield item

    def _parts(self, data: Json, updated_at: datetime | None) -> Iterator[Json]:
        """The record, or the record once per element of its list with the element beside its own fields."""
        if self._each is None:
            yield data
            return
        elements = self._each(data, updated_at)
        if isinstance(elements, list):
            for element in elements:
                yield {**data, EACH: element}

    def _one(
        self, ref: Ref, data: Json, updated_at: datetime | None, faults: list[str], notes: list[str]
    ) -> Item | None:
        """The item of a record or of one element; None when it has none, with a fault when it must have one."""
        made = dict(self._constants)
        for reader in self._conditions:  # first, because most records end here
            found = reader.read(data, updated_at, notes)
            if found is None:
                return None
            made[reader.target] = found
        owner = self._owner_ref(ref, data, updated_at)
        if owner is None and self._only_with_owner:
            return None
        for reader in self._readers:
            found = reader.read(data, updated_at, notes)
            if found is not None:
                made[reader.target] = found
        missing = [name for name in self._required if name not in made and not (name == OWNER and owner)]
        for name in missing:
            said_by = self._said_by.get(name, name)
            faults.append(f"{said_by} is blank or unusable, but every {self._kind} needs its {name}")
        return Item(ref, self._kind, made, owner) if made and not missing else None

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
