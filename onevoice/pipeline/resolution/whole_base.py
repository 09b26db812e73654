"""A full run: everybody is resolved at once, column by column, and the tables of identity are written anew.

It ends where resolving the same records change by change would end. It pays from some thousand changed records on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from identity import NORMALISER_VERSION, Constraint, IdentityRecord
from identity.batch import BatchResult, resolve_all
from onevoice.model import Ref
from onevoice.pipeline.hub import Hub
from onevoice.pipeline.resolution.comparing import Changes, written
from onevoice.pipeline.resolution.neighbourhood import Neighbourhood
from onevoice.pipeline.unify import identity_record
from onevoice.store import Connection, identities
from onevoice.store.engine import chunks, fill
from onevoice.store.schema import block, card, edge
from onevoice.store.schema import identity_record as normalised

LEAST = 10_000
"""Changed records from which a full run may be quicker than one change after another."""
SHARE = 0.2
"""Of all records: so many must have changed."""
_PAGE = 50_000


def pays(connection: Connection, touched: int) -> bool:
    """Whether so many records have changed that everybody should be resolved at once."""
    return touched >= LEAST and not identities.more_than(connection, touched / SHARE)


def resolve_everybody(hub: Hub, connection: Connection) -> tuple[Changes, Neighbourhood]:
    """Normalise, compare and cluster every customer record; write forms, index and edges."""
    there = identities.all_customer_refs(connection)
    before = identities.all_hashes(connection)
    constraints = identities.load_constraints(connection)
    known = frozenset(there)
    result = resolve_all(
        _records(connection, there),
        hub.config.identity,
        hub.model,
        [
            Constraint(Ref.parse(left), Ref.parse(right), "must" if same else "cannot")
            for left, right, same in constraints
            if left in known and right in known
        ],
    )
    cards = _cards(result)
    _write(connection, result, cards)
    after = identities.all_hashes(connection)
    near = Neighbourhood(
        refs=known,
        cards=cards,
        clustering=result.clustering(),
        constraints=constraints,
        edges=result.edges.num_rows,
    )
    changed = {ref for ref, digest in after.items() if before.get(ref) != digest}
    return Changes(frozenset(changed), frozenset(before.keys() - after.keys()), {}), near


def _records(connection: Connection, refs: list[str]) -> Iterator[IdentityRecord]:
    for part in chunks(refs, _PAGE):
        yield from map(identity_record, identities.load_customers(connection, part).values())


def _write(connection: Connection, result: BatchResult, cards: Mapping[Ref, Sequence[str]]) -> None:
    fill(connection, normalised, ("ref", "normalised", "hash"), _forms(result))
    numbers = ((number, str(ref)) for ref, own in cards.items() for number in own if len(number) <= 200)
    fill(connection, card, ("number", "ref"), numbers)
    fill(connection, block, ("value", "ref", "surname"), _rows(result.keys.sort_by([("value", "ascending")])))
    names = ["left", "right", "kind", "weight", "probability"]
    fill(connection, edge, names, _rows(result.edges.select(names)))


def _forms(result: BatchResult) -> Iterator[tuple[str, str, str]]:
    """(ref, normalised form, its hash), as a change would store them."""
    names = result.forms.column_names
    for values in _rows(result.forms):
        held = dict(zip(names, values, strict=True))
        ref = Ref.parse(held["ref"])
        form = {**held, "ref": [ref.system, ref.stream, ref.key], "version": NORMALISER_VERSION}
        yield held["ref"], *written(form)


def _rows(table: pa.Table) -> Iterator[tuple[Any, ...]]:
    """Rows as Python values; what a dictionary holds becomes one only once, however many rows have it."""
    table = table.unify_dictionaries()
    kinds = [_kinds(column) for column in table.columns]
    for page in table.to_batches(_PAGE):
        columns = zip(page.columns, kinds, strict=True)
        yield from zip(*(_values(column, told) for column, told in columns), strict=True)


def _kinds(column: pa.ChunkedArray) -> list[Any] | None:
    """Distinct values of a column that is dictionary-encoded."""
    return column.chunk(0).dictionary.to_pylist() if pa.types.is_dictionary(column.type) and column.num_chunks else None


def _values(column: pa.Array, kinds: list[Any] | None) -> list[Any]:
    return column.to_pylist() if kinds is None else [kinds[code] for code in column.indices.to_pylist()]


def _cards(result: BatchResult) -> Mapping[Ref, tuple[str, ...]]:
    """Card numbers by record, of those that have any."""
    return {Ref.parse(ref): tuple(cards) for ref, cards in _rows(result.forms.select(["ref", "cards"])) if cards}
