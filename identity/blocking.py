"""Which records are compared at all: those that share a blocking key in use.

A key is a text `parts=values`. The store keeps an index of (code of the key, record, surname) and counts, per key,
records and distinct surnames. A key that too many surnames share belongs to nobody (a shop's phone) and a key with too
many records finds too much; both are left out. When a key crosses its limit, up or down, every record that holds it
counts as changed: so an incremental run ends where a full run would.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from identity.records import Degree, NormalisedRecord
from onevoice.configfile.identity_file import Guards, IdentityFile, Link


@dataclass(frozen=True, slots=True)
class KeyPart:
    """One part of a key: fields of the normalised record that it reads, and its values."""

    reads: tuple[str, ...]
    values: Callable[[NormalisedRecord], tuple[str, ...]]


_PARTS: Mapping[str, KeyPart] = {
    "given_name": KeyPart(("given",), lambda n: (n.given,) if len(n.given) > 1 else ()),
    "given_root": KeyPart(("roots",), lambda n: n.roots),
    "family_name": KeyPart(("family",), lambda n: (n.family,)),
    "family_start": KeyPart(("family",), lambda n: (n.family[:4],)),
    "given_start": KeyPart(("given",), lambda n: (n.given[:3],) if len(n.given) > 2 else ()),
    "initials": KeyPart(
        ("given", "family"),
        lambda n: ("".join(sorted((n.given[:1], n.family[:1]))),) if n.given and n.family else (),
    ),
    "names": KeyPart(
        ("given", "family"), lambda n: (" ".join(sorted((n.given, n.family))),) if n.given and n.family else ()
    ),
    "birth_date": KeyPart(("birth_date",), lambda n: (n.birth_date,)),
    "birth_year": KeyPart(("birth_date",), lambda n: (n.birth_date[:4],)),
    "email": KeyPart(("email_fixed",), lambda n: (n.email_fixed,)),
    "phone": KeyPart(("phones",), lambda n: n.phones),
    "card_number": KeyPart(("cards",), lambda n: n.cards),
    "house": KeyPart(("house",), lambda n: (n.house,)),
    "street": KeyPart(("street",), lambda n: (n.street,)),
    "city": KeyPart(("city",), lambda n: (n.city,)),
    "postcode": KeyPart(("postcode",), lambda n: (n.postcode,)),
}
IDENTIFIERS = frozenset({"email", "phone", "card_number"})
"""Single-part keys of these fields are contact points or cards: seen with many surnames they are nobody's own."""


def blocking_keys(record: NormalisedRecord, config: IdentityFile) -> tuple[str, ...]:
    """All keys of one record, sorted."""
    held: dict[str, tuple[str, ...]] = {}
    keys: set[str] = set()
    for prefix, parts in _rules(config.blocking):
        values = []
        for part in parts:
            if part not in held:
                held[part] = tuple(value for value in part_values(record, part) if value)
            values.append(held[part])
        if all(values):
            keys.update(prefix + "|".join(choice) for choice in product(*values))
    return tuple(sorted(keys))


@lru_cache(maxsize=50_000)
def key_code(key: str) -> int:
    """The number under which a store's index keeps a key: 63 bits of its MD5, as DuckDB's `md5_number_upper(key) >> 1`.

    Two keys with one number would find one another's records as candidates, and no score would care.
    """
    return int.from_bytes(hashlib.md5(key.encode(), usedforsecurity=False).digest()[:8], "little") >> 1


def single_keys(record: NormalisedRecord, config: IdentityFile) -> tuple[str, ...]:
    """Those keys of a record whose degree tells more than whether they make candidates: identifiers and links."""
    return tuple(
        prefix + value
        for prefix, part in _telling(config.blocking, config.links)
        for value in part.values(record)
        if value
    )


@lru_cache(maxsize=8)
def _telling(blocking: tuple[tuple[str, ...], ...], links: tuple[Link, ...]) -> tuple[tuple[str, KeyPart], ...]:
    telling = IDENTIFIERS | {link.field for link in links}
    return tuple((f"{line[0]}=", key_part(line[0])) for line in blocking if len(line) == 1 and line[0] in telling)


@lru_cache(maxsize=8)
def _rules(blocking: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple(("+".join(parts) + "=", parts) for parts in blocking)


def part_values(record: NormalisedRecord, part: str) -> tuple[str, ...]:
    """Values of one part of a key: a canonical field or one derived from names and dates."""
    return key_part(part).values(record)


def key_part(name: str) -> KeyPart:
    """A part by its name; one that is not derived is a canonical field of plain text."""
    return _PARTS.get(name) or KeyPart(("text",), lambda record: (dict(record.text).get(name, ""),))


def surname_key(record: NormalisedRecord) -> str:
    """What counts as one surname in a key's degree: its beginning, so that a slip later in it does not add one."""
    return record.family[:3]


def is_shared(key: str, degree: Degree, guards: Guards) -> bool:
    """Whether the value in this key belongs to too many different people to identify anybody."""
    return key.partition("=")[0] in IDENTIFIERS and degree.surnames > guards.max_surnames


def in_use(key: str, degree: Degree, guards: Guards) -> bool:
    """Whether this key makes candidates."""
    return degree.records <= guards.max_block and not is_shared(key, degree, guards)


def count_degrees(records: Iterable[NormalisedRecord], config: IdentityFile) -> dict[str, Degree]:
    """Degrees over a complete set of records; the store keeps the same figures up to date by itself."""
    counts: defaultdict[str, int] = defaultdict(int)
    surnames: defaultdict[str, set[str]] = defaultdict(set)
    for record in records:
        surname = surname_key(record)
        for key in blocking_keys(record, config):
            counts[key] += 1
            if surname:
                surnames[key].add(surname)
    return {key: Degree(count, len(surnames.get(key, ()))) for key, count in counts.items()}


def crossed(before: Mapping[str, Degree], after: Mapping[str, Degree], guards: Guards) -> frozenset[str]:
    """Keys that came into use, went out of use, or whose value became or ceased to be shared."""
    none = Degree(0, 0)
    return frozenset(
        key
        for key in before.keys() | after.keys()
        if _standing(key, before.get(key, none), guards) != _standing(key, after.get(key, none), guards)
    )


def _standing(key: str, degree: Degree, guards: Guards) -> tuple[bool, bool]:
    return in_use(key, degree, guards), is_shared(key, degree, guards)


def keys_of(records: Sequence[NormalisedRecord], config: IdentityFile) -> list[tuple[int, str]]:
    """(position of the record, key) of every key."""
    return [(at, key) for at, record in enumerate(records) for key in blocking_keys(record, config)]
