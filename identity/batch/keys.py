"""Blocking keys of a base as numbers, their degrees, and the pairs of records that share a key in use.

A key is the codes of its parts folded into one number, rule by rule: what blocking_keys() writes as text is a number
here, and becomes text only in the index that the run hands over.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from identity.batch.parts import KEY, Base
from identity.batch.tables import create, fetch, numbers
from identity.blocking import IDENTIFIERS, in_use, is_shared
from identity.records import Degree
from onevoice.configfile.identity_file import IdentityFile


@dataclass(frozen=True, slots=True)
class _Rule:
    """A line of `blocking`, and its tables."""

    number: int
    parts: tuple[str, ...]

    @property
    def prefix(self) -> str:
        return "+".join(self.parts) + "="

    @property
    def keys(self) -> str:
        """Table of (id, key)."""
        return f"keys_{self.number}"

    @property
    def live(self) -> str:
        """The rows of `keys` whose key is in use and held by another record too."""
        return f"live_{self.number}"


class Keys:
    """The blocking index of one base, in tables of a connection."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, base: Base, config: IdentityFile) -> None:
        self._connection = connection
        self._base = base
        self._guards = config.guards
        self._rules = [_Rule(at, parts) for at, parts in enumerate(config.blocking)]
        self._values: dict[str, pa.Array] = {}
        self.shared: set[str] = set()
        """Identifier values, written `field=value`, that belong to nobody."""
        self._load()
        for rule in self._rules:
            self._fill(rule)

    def pairs(self) -> int:
        """Write the table `candidates`: l below r, two records that share a key in use; return how many there are."""
        every = " union all ".join(_meeting(rule) for rule in self._rules)
        self._connection.execute(f"create table candidates as select distinct l, r from ({every})")
        return int(self._connection.execute("select count(*) from candidates").fetchall()[0][0])

    def used(self) -> pa.Table:
        """Every key in use that several records hold: `key` (text) and `id`."""
        rules = (f"select '{rule.number}:' || key as key, id from {rule.live}" for rule in self._rules)
        return fetch(self._connection, " union all ".join(rules))

    def sharing(self, field: str) -> str:
        """Query of the pairs (l, r) that share an own value of a field on which a link may rest."""
        rule = next(rule for rule in self._rules if rule.parts == (field,))
        return f"select distinct l, r from ({_meeting(rule)})"

    def _load(self) -> None:
        """Tables: `record` (id and the row of each part) and, for every part of a key, its (row, code)."""
        columns = {f"p{at}": part.codes for at, part in enumerate(self._base.parts)}
        record = pa.table({"id": pa.array(range(len(self._base.refs)), pa.int32()), **columns})
        create(self._connection, "record", record)
        names = self._base.parts[self._base.holding("surname")].rows.column("surname").combine_chunks()
        create(self._connection, "surname", pa.table({"row": numbers(len(names)), "surname": names}))
        for name in sorted({part for rule in self._rules for part in rule.parts}):
            lists = self._base.parts[self._base.holding(KEY + name)].rows.column(KEY + name).combine_chunks()
            encoded = lists.flatten().dictionary_encode()
            self._values[name] = encoded.dictionary
            held = pa.table({"row": pc.list_parent_indices(lists).cast(pa.int32()), "code": encoded.indices})
            create(self._connection, f"part_{name}", held)

    def _fill(self, rule: _Rule) -> None:
        size = prod(len(self._values[name]) for name in rule.parts)
        number = "bigint" if size < 2**62 else "hugeint"
        key = "0"
        for name in rule.parts:
            key = f"({key})::{number} * {len(self._values[name])} + part_{name}.code"
        self._connection.execute(f"create table {rule.keys} as select id, {key} as key from {self._joined(rule)}")
        surnames = "0"
        source = rule.keys
        if rule.prefix[:-1] in IDENTIFIERS:
            surnames = "count(distinct nullif(surname, ''))"
            at = self._base.holding("surname")
            source = f"{rule.keys} join record using (id) join surname on surname.row = record.p{at}"
        self._connection.execute(
            f"create table degree as select key, count(*) as records, {surnames} as surnames from {source} "
            "group by key having count(*) > 1"
        )
        used, shared = self._standing(rule)
        create(self._connection, "used", used)
        self._connection.execute(
            f"create table {rule.live} as select id, key from {rule.keys} join degree using (key) "
            "join used using (records, surnames)"
        )
        if len(shared):
            create(self._connection, "shared", shared)
            (name,) = rule.parts
            found = self._connection.execute("select key from degree join shared using (records, surnames)").fetchall()
            self.shared.update(rule.prefix + self._values[name][int(key)].as_py() for (key,) in found)
            self._connection.execute("drop table shared")
        self._connection.execute("drop table used")
        self._connection.execute("drop table degree")

    def _joined(self, rule: _Rule) -> str:
        tables = "record"
        for name in dict.fromkeys(rule.parts):
            at = self._base.holding(KEY + name)
            tables += f" join part_{name} on part_{name}.row = record.p{at}"
        return tables

    def _standing(self, rule: _Rule) -> tuple[pa.Table, pa.Table]:
        """(degrees at which a key of this rule is in use, degrees at which its value is shared)."""
        rows = self._connection.execute("select distinct records, surnames from degree order by all").fetchall()
        degrees = [Degree(records, surnames) for records, surnames in rows]
        used = [degree for degree in degrees if in_use(rule.prefix, degree, self._guards)]
        shared = [degree for degree in degrees if is_shared(rule.prefix, degree, self._guards)]
        return _degrees(used), _degrees(shared)

    def index(self) -> pa.Table:
        """The index as the store keeps it: `value` (key_code of the key), id, `surname`."""
        for name, values in self._values.items():
            create(self._connection, f"text_{name}", pa.table({"code": numbers(len(values)), "text": values}))
        at = self._base.holding("surname")
        rules = []
        for rule in self._rules:
            text = " || '|' || ".join(f"text_{name}.text" for name in rule.parts)
            texts = "".join(
                f" join text_{name} on text_{name}.code = part_{name}.code" for name in dict.fromkeys(rule.parts)
            )
            rules.append(
                f"select (md5_number_upper('{rule.prefix}' || {text}) >> 1)::bigint as value, id, surname "
                f"from {self._joined(rule)}{texts} "
                f"join surname on surname.row = record.p{at}"
            )
        return fetch(self._connection, " union all ".join(rules))


def _meeting(rule: _Rule) -> str:
    return f"select a.id as l, b.id as r from {rule.live} a join {rule.live} b on a.key = b.key and a.id < b.id"


def _degrees(degrees: list[Degree]) -> pa.Table:
    return pa.table(
        {
            "records": pa.array([degree.records for degree in degrees], pa.int64()),
            "surnames": pa.array([degree.surnames for degree in degrees], pa.int64()),
        }
    )
