"""What a change does to the records as they are compared: their normalised forms and the blocking index."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from identity import Degree, NormalisedRecord, blocking_keys, crossed, key_code, normalise, surname_key
from onevoice.configfile.identity_file import Guards, IdentityFile
from onevoice.pipeline.hub import Hub
from onevoice.pipeline.resolution.candidates import degrees, holders, limits_of, load_forms
from onevoice.pipeline.unify import identity_record
from onevoice.store import Connection, blocks, identities
from onevoice.store.blocks import BlockRow
from onevoice.store.identities import NormalisedRow


@dataclass(frozen=True, slots=True)
class Changes:
    """Records that resolution looks at again."""

    changed: frozenset[str]
    """Those whose normalised form is new, whose shared values changed their standing, or on which somebody decided."""
    removed: frozenset[str]
    fresh: Mapping[str, NormalisedRecord]
    """The new forms."""
    keys: Mapping[str, Collection[str]] = field(default_factory=dict)
    """Blocking keys of the new forms."""
    standing: Mapping[str, Degree] = field(default_factory=dict)
    """Degrees of keys that came or went. Those that this brought near no limit are as they were before: no rule tells
    the difference, and counting them again would take as long as all else that is done to the index."""
    decided: frozenset[str] = frozenset()
    """Records on which a steward decided; they count as changed too."""

    @property
    def gone(self) -> frozenset[str]:
        """Records whose edges are void."""
        return self.changed | self.removed


def note_changes(hub: Hub, connection: Connection, touched: set[str], *, anew: bool) -> Changes:
    """Bring the comparable forms and the blocking index up to date; `anew`: every record counts as changed.

    A key that begins or ceases to be in use, or to be shared, makes every record that holds it count as changed.
    """
    config = hub.config.identity
    customers = identities.load_customers(connection, touched)
    hashes = identities.load_hashes(connection, touched)
    fresh: dict[str, NormalisedRecord] = {}
    rows = []
    for ref in sorted(customers):
        record = normalise(identity_record(customers[ref]), config)
        form = record.as_dict()
        _, digest = written(form)
        if anew or hashes.get(ref) != digest:
            fresh[ref] = record
            rows.append(NormalisedRow(ref, form, digest))
    removed = hashes.keys() - customers.keys()
    if anew:  # the index was made under another configuration, which nobody can read keys with any more
        blocks.clear_blocks(connection)
    former = {} if anew else load_forms(connection, removed | (fresh.keys() & hashes.keys()))
    index = IndexChange.between(former, fresh, config)
    limits = limits_of(config.guards)
    before = {} if anew else degrees(connection, index.touched, limits)
    identities.save_normalised(connection, rows, removed)
    blocks.change_blocks(connection, index.gone, index.come)
    near = {key: degree for key, degree in before.items() if index.may_cross(key, degree, config.guards)}
    after = degrees(connection, near, limits)
    flipped = crossed(near, after, config.guards)
    concerned = {ref for refs in holders(connection, flipped).values() for ref in refs}
    changed = frozenset(fresh.keys() | concerned)
    return Changes(changed, frozenset(removed), fresh, index.keys_of, {**before, **after})


def written(form: Mapping[str, Any]) -> tuple[str, str]:
    """A normalised form as JSON text, and the hash by which another form is known."""
    text = orjson.dumps(form, option=orjson.OPT_SORT_KEYS)
    return text.decode(), hashlib.blake2b(text, digest_size=16).hexdigest()


def with_decided(connection: Connection, changes: Changes, decided: Iterable[str]) -> Changes:
    """Records on which somebody decided count as changed: what they are joined with is clustered anew."""
    there = identities.load_hashes(connection, set(decided)).keys()
    return replace(changes, changed=changes.changed | there, decided=frozenset(decided))


@dataclass(slots=True)
class IndexChange:
    """Rows that leave the blocking index and rows that come, and the keys of both."""

    gone: list[tuple[int, str]] = field(default_factory=list)
    come: list[BlockRow] = field(default_factory=list)
    touched: Counter[str] = field(default_factory=Counter)
    """How many rows of each key come; 0 of one that only loses rows."""
    keys_of: dict[str, Collection[str]] = field(default_factory=dict)
    """All keys of each fresh record."""

    @classmethod
    def between(
        cls, former: Mapping[str, NormalisedRecord], fresh: Mapping[str, NormalisedRecord], config: IdentityFile
    ) -> IndexChange:
        """What makes the index of the former records that of the fresh ones; most keys of a record stay."""
        made = cls()
        for ref in former.keys() | fresh.keys():
            old, new = _under(former.get(ref), config), _under(fresh.get(ref), config)
            if ref in fresh:
                made.keys_of[ref] = [key for key, _ in new]
            made.gone += [(key_code(key), ref) for key, _ in old - new]
            made.come += [BlockRow(key_code(key), ref, surname) for key, surname in new - old]
            made.touched.update(key for key, _ in new - old)
            made.touched.update({key: 0 for key, _ in old - new})
        return made

    def may_cross(self, key: str, before: Degree, guards: Guards) -> bool:
        """Whether a key may cross a limit: it is above one, or what comes could lift it there."""
        come = self.touched[key]
        return before.records + come > guards.max_block or before.surnames + come > guards.max_surnames


def _under(record: NormalisedRecord | None, config: IdentityFile) -> set[tuple[str, str]]:
    """(key, surname) under which a record stands."""
    if record is None:
        return set()
    surname = surname_key(record)
    return {(key, surname) for key in blocking_keys(record, config)}
