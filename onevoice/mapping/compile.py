"""A mapping file, compiled: vendor record in, canonical items out; hub values in, vendor fields out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain

from onevoice.configfile.mapping_file import EACH, UPDATED_AT, ItemSpec, MappingFile
from onevoice.configfile.transform_specs import Constant, PullField, PullOptOut, PullTable
from onevoice.mapping.pull import ItemReader
from onevoice.mapping.push import PushSpec, compile_push
from onevoice.mapping.transforms import Defaults
from onevoice.model import KINDS, Effect, FieldType, Item, Ref
from onevoice.protocols import Json

NO_DEFAULTS = Defaults()

TRANSFORMS_REVISION = 1
"""Part of every version: raise it when a transform changes its meaning, so that stored records are mapped again."""


@dataclass(frozen=True, slots=True)
class PullResult:
    """What one record gave."""

    items: tuple[Item, ...]
    faults: tuple[str, ...] = ()
    """Why an item that must be there could not be made: the record has to be set aside. Never holds a value."""
    notes: tuple[str, ...] = ()
    """Values that could not be read and were left out, or look odd and were kept. Never holds a value."""


@dataclass(frozen=True, slots=True)
class CompiledMapping:
    """One mapping, ready for any number of records. Safe to use from several threads."""

    stream: str
    version: str
    """Content hash of the mapping and of everything it leans on."""
    pull_fields: tuple[str, ...]
    """Vendor fields that pulling uses, sorted."""
    consent_fields: tuple[str, ...]
    """Those of them that statements of consent are made of."""
    refusals: Mapping[str, tuple[str, ...]]
    """Vendor fields that can state an opt-out -> the words by which they do; `true` for a flag."""
    push: PushSpec | None
    _items: tuple[ItemReader, ...] = field(repr=False)

    def pull(self, ref: Ref, data: Json, updated_at: datetime | None) -> PullResult:
        """The canonical items of a record; bad data never raises, it gives faults and notes."""
        faults: list[str] = []
        notes: list[str] = []
        items = [item for reader in self._items for item in reader.read(ref, data, updated_at, faults, notes)]
        return PullResult(tuple(items), tuple(faults), tuple(dict.fromkeys(notes)))


def compile_mapping(
    model: MappingFile, custom: Mapping[str, FieldType], defaults: Defaults = NO_DEFAULTS
) -> CompiledMapping:
    """Compile a checked mapping. `custom` are the attributes of config/profile.yaml, `defaults` come from hub.yaml."""
    fields = {**KINDS, "customer": {**KINDS["customer"], **custom}}
    pull = model.pull or {}
    readers = tuple(ItemReader(kind, spec, fields[kind], defaults) for kind, specs in pull.items() for spec in specs)
    return CompiledMapping(
        stream=model.stream,
        version=_version(model, custom, defaults),
        pull_fields=_vendor_fields(pull.values()),
        consent_fields=_vendor_fields([pull.get("consent", ())]),
        refusals=_refusals(pull.get("consent", ())),
        push=compile_push(model.stream, model.push) if model.push else None,
        _items=readers,
    )


def _vendor_fields(items: Iterable[Sequence[ItemSpec]]) -> tuple[str, ...]:
    names: set[str] = set()
    for spec in chain.from_iterable(items):
        used = {*(spec.owner.source if spec.owner else ()), *([spec.each] if spec.each else [])}
        for read in spec.fields.values():
            used.update(() if isinstance(read, Constant) else read.source)
        names.update(_in_the_record(name, spec.each) for name in used)
    return tuple(sorted(names - {UPDATED_AT}))


def _refusals(consents: Sequence[ItemSpec]) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, set[str]] = {}
    for spec in consents:
        effect = spec.fields.get("effect")
        if isinstance(effect, PullField):
            for name in effect.source:
                found.setdefault(_in_the_record(name, spec.each), set()).update(_denying(effect))
    return {name: tuple(sorted(words)) for name, words in sorted(found.items()) if words}


def _denying(effect: PullField) -> Iterable[str]:
    """The vendor's words that come out as a deny."""
    match effect:
        case PullOptOut():
            return ("true",)
        case PullTable():
            return (word for word, made in effect.table.items() if made == Effect.DENY)
        case _:
            return (Effect.DENY,)


def _in_the_record(name: str, each: str | None) -> str:
    """Where a field of a list's element stands in the whole record."""
    if each is None or name.partition(".")[0] != EACH:
        return name
    return each + name.removeprefix(EACH)


def _version(model: MappingFile, custom: Mapping[str, FieldType], defaults: Defaults) -> str:
    content = {
        "mapping": model.model_dump(mode="json", by_alias=True),
        "custom": {name: str(type_) for name, type_ in custom.items()},
        "defaults": [defaults.region, defaults.zone],
        "transforms": TRANSFORMS_REVISION,
    }
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
