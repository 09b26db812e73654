"""Many customers at once: the same rules in one DuckDB query. Arrow in, columns out, equal to deciding one by one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, overload

import duckdb
import pyarrow as pa

from onevoice.model import FOREVER, Decision, Denial, FieldType
from onevoice.policy.facts import FACTS, fact_readers, typed_row
from onevoice.policy.language.duck import column_sql, date_sql, sql_of
from onevoice.policy.language.edges import first_edge_sql

if TYPE_CHECKING:
    from onevoice.policy.decide import Policy
    from onevoice.policy.rules import CompiledRule

_ARROW: Mapping[FieldType, pa.DataType] = {
    FieldType.TEXT: pa.string(),
    FieldType.INTEGER: pa.int64(),
    FieldType.DECIMAL: pa.decimal128(30, 4),
    FieldType.BOOLEAN: pa.bool_(),
    FieldType.DATE: pa.date32(),
    FieldType.DATETIME: pa.timestamp("us"),
}
_SQL: Mapping[FieldType, str] = {
    FieldType.TEXT: "VARCHAR",
    FieldType.INTEGER: "BIGINT",
    FieldType.DECIMAL: "DECIMAL(30, 4)",
    FieldType.BOOLEAN: "BOOLEAN",
    FieldType.DATE: "DATE",
    FieldType.DATETIME: "TIMESTAMP",
}
PER_MASK = 60
"""Rules in one mask: fits a signed 64-bit number."""


def facts_table(rows: Sequence[Mapping[str, Any]], names: Iterable[str]) -> pa.Table:
    """A table of typed facts, one column per name, from JSON or typed values; times become UTC without a zone."""
    names = sorted(names)
    readers = fact_readers(names)
    typed = [typed_row(row, FOREVER, readers) for row in rows]
    return pa.table(
        {
            name: pa.array(
                [_plain(row.get(name)) for row in typed]
                if FACTS[name] is FieldType.DATETIME
                else [r.get(name) for r in typed],
                type=_ARROW[FACTS[name]],
            )
            for name in names
        }
    )


def _plain(moment: Any) -> Any:
    return None if moment is None else moment.replace(tzinfo=None)


class Decisions(Sequence[Decision]):
    """Decisions in the order of the rows; each is made when it is asked for.

    `masks` (a bit per rule, in the policy's order), `until` by (family, channel) (None: allowed) and `valid_until` are
    plain columns for whoever needs no Decision values.
    """

    def __init__(self, policy: Policy, result: pa.Table) -> None:
        self._policy = policy
        masks = [result.column(name).to_pylist() for name in result.column_names if name.startswith("mask_")]
        self.masks: Sequence[int] = [
            sum(part << (PER_MASK * place) for place, part in enumerate(parts)) for parts in zip(*masks, strict=True)
        ]
        self.valid_until: Sequence[date | None] = result.column("valid_until").to_pylist()
        self.until: Mapping[tuple[str, str], Sequence[date | None]] = {
            place: result.column(f"until_{number}").to_pylist() for number, place in enumerate(places_of(policy.rules))
        }
        self._fired: dict[int, tuple[CompiledRule, ...]] = {}

    def __len__(self) -> int:
        return len(self.masks)

    @overload
    def __getitem__(self, index: int) -> Decision: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Decision]: ...
    def __getitem__(self, index: int | slice) -> Decision | Sequence[Decision]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        denials = tuple(
            Denial(
                family=place.family,
                channel=place.channel,
                rule=place.rules[0].id,
                layer=place.rules[0].layer,
                until=self.until[place.family, place.channel][index] or FOREVER,
                fired=tuple(sorted(rule.id for rule in place.rules)),
            )
            for place in self._policy.places(self._rules(self.masks[index]))
        )
        return Decision(denials=denials, valid_until=self.valid_until[index], policy=self._policy.version)

    def _rules(self, mask: int) -> tuple[CompiledRule, ...]:
        known = self._fired.get(mask)
        if known is None:
            known = tuple(rule for place, rule in enumerate(self._policy.rules) if mask >> place & 1)
            self._fired[mask] = known
        return known


def places_of(rules: Sequence[CompiledRule]) -> Sequence[tuple[str, str]]:
    """Every (family, channel) that some rule may deny, sorted."""
    return sorted(set[tuple[str, str]]().union(*(rule.scope for rule in rules)))


def decide_table(policy: Policy, facts: pa.Table, as_of: date) -> Decisions:
    """Decide every row. Columns that are missing are unknown; others are converted to the facts' types or refused."""
    columns = [name for name in sorted(policy.facts) if name in facts.column_names]
    table = pa.table(
        {name: facts.column(name).cast(_ARROW[FACTS[name]]) for name in columns} | _numbered(facts.num_rows)
    )
    connection = duckdb.connect(":memory:", config={"enable_external_access": "false"})
    try:
        connection.register("facts", table)
        connection.execute("SET lock_configuration = true")
        result = connection.sql(decision_sql(policy.rules, policy.facts, columns, as_of)).to_arrow_table()
    finally:
        connection.close()
    return Decisions(policy, result)


def _numbered(rows: int) -> dict[str, pa.Array]:
    return {"row_number": pa.array(range(rows), type=pa.int64())}


def decision_sql(rules: Sequence[CompiledRule], names: Iterable[str], present: Sequence[str], as_of: date) -> str:
    """The query: per row the masks of fired rules, the last day denied per place, and the first day of change."""
    absent = (name for name in sorted(names) if name not in present)
    nulls = [f"CAST(NULL AS {_SQL[FACTS[name]]}) AS {column_sql(name)}" for name in absent]
    judged = ["row_number"]
    for place, rule in enumerate(rules):
        unknown = "TRUE" if rule.unknown_denies else "FALSE"
        judged.append(f"COALESCE({sql_of(rule.when, as_of)}, {unknown}) AS fired_{place}")
        judged.append(f"{_last_day_sql(rule, as_of)} AS last_{place}")
    edges = dict.fromkeys(edge for rule in rules for edge in rule.edges)
    judged.append(f"{first_edge_sql(edges, as_of)} AS valid_until")
    shown = [*_masks_sql(len(rules)), *_untils_sql(rules), "valid_until"]
    source = f"SELECT {', '.join(['*', *nulls])} FROM facts"  # noqa: S608  (written from checked trees only)
    rows = f"SELECT {', '.join(judged)} FROM ({source})"  # noqa: S608
    return f"SELECT {', '.join(shown)} FROM ({rows}) ORDER BY row_number"  # noqa: S608


def _last_day_sql(rule: CompiledRule, as_of: date) -> str:
    forever = date_sql(FOREVER)
    if rule.until is None:
        return forever
    end = sql_of(rule.until, as_of)
    return f"CASE WHEN {end} >= {date_sql(as_of)} THEN {end} ELSE {forever} END"


def _masks_sql(count: int) -> Iterable[str]:
    for number, start in enumerate(range(0, count, PER_MASK)):
        bits = (
            f"CASE WHEN fired_{place} THEN {1 << (place - start)} ELSE 0 END"
            for place in range(start, min(start + PER_MASK, count))
        )
        yield f"CAST({' + '.join(bits)} AS BIGINT) AS mask_{number}"


def _untils_sql(rules: Sequence[CompiledRule]) -> Iterable[str]:
    for number, scope in enumerate(places_of(rules)):
        ends = (
            f"CASE WHEN fired_{place} THEN last_{place} END" for place, rule in enumerate(rules) if scope in rule.scope
        )
        yield f"greatest({', '.join(ends)}) AS until_{number}"
