"""The blocking index by keys as identity writes them: how widely a key is used, and whose records stand under it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from identity import Degree, NormalisedRecord, blocking_keys, in_use, key_code
from onevoice.configfile.identity_file import Guards, IdentityFile
from onevoice.store import Connection, blocks, identities
from onevoice.store.blocks import Limits

WHOLE = Limits(2**31, 2**31)
"""Counting to the end: what a report tells, and no rule needs."""


def limits_of(guards: Guards) -> Limits:
    """How far keys have to be counted to know whether they are in use, and whether their value is shared."""
    return Limits(guards.max_block + 1, guards.max_surnames + 1)


def load_forms(connection: Connection, refs: Iterable[str]) -> dict[str, NormalisedRecord]:
    """Records in comparable form by ref."""
    found = identities.load_normalised(connection, refs)
    return {ref: NormalisedRecord.from_dict(form) for ref, form in found.items()}


def degrees(connection: Connection, keys: Iterable[str], limits: Limits) -> dict[str, Degree]:
    """How widely the whole base uses each key, up to the limits."""
    codes = {key: key_code(key) for key in keys}
    found = blocks.count_degrees(connection, codes.values(), limits)
    return {key: Degree(*found[code]) for key, code in codes.items()}


def degrees_of(connection: Connection, records: Iterable[NormalisedRecord], config: IdentityFile) -> dict[str, Degree]:
    """How widely the whole base uses each key of these records, counted to the end."""
    return degrees(connection, {key for record in records for key in blocking_keys(record, config)}, WHOLE)


class Standing:
    """How widely the whole base uses keys, each counted once, up to the limits."""

    def __init__(self, connection: Connection, limits: Limits, known: Mapping[str, Degree]) -> None:
        """`known`: degrees that were counted before."""
        self._connection = connection
        self._limits = limits
        self._known = dict(known)

    def of(self, keys: Collection[str]) -> dict[str, Degree]:
        """Degrees of keys; 0 of one that nobody has."""
        self._known.update(degrees(self._connection, set(keys) - self._known.keys(), self._limits))
        return {key: self._known[key] for key in keys}


def holders(connection: Connection, keys: Iterable[str]) -> Mapping[str, Sequence[str]]:
    """Refs of the records under each key; a key that nobody has is absent."""
    codes = {key: key_code(key) for key in keys}
    found = blocks.refs_under(connection, codes.values())
    return {key: found[code] for key, code in codes.items() if code in found}


def candidates_of(
    connection: Connection, keys: Mapping[str, Collection[str]], standing: Standing, guards: Guards
) -> dict[str, set[str]]:
    """Refs of the records that share a key in use with each of some (`keys`: by ref); two of these meet once."""
    degree = standing.of({key for own in keys.values() for key in own})
    under = holders(connection, {key for key in degree if in_use(key, degree[key], guards)})
    found = {}
    for ref, own in keys.items():
        beside = set[str]().union(*(under.get(key, ()) for key in own))
        found[ref] = {other for other in beside if other not in keys or ref < other}
    return found


def bearing(connection: Connection, keys: Iterable[str], surname: str) -> set[str]:
    """Those of the keys under which a record with this surname stands."""
    codes = {key: key_code(key) for key in keys}
    found = blocks.bearing(connection, codes.values(), surname)
    return {key for key, code in codes.items() if code in found}


def compared_with(connection: Connection, records: Iterable[NormalisedRecord], config: IdentityFile) -> set[str]:
    """Refs of every record that shares a key in use with one of these, themselves among them."""
    keys = {key for record in records for key in blocking_keys(record, config)}
    standing = degrees(connection, keys, limits_of(config.guards))
    found = holders(connection, {key for key in keys if in_use(key, standing[key], config.guards)})
    return {ref for refs in found.values() for ref in refs}
