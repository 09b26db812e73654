"""Records as columns: the canonical values of a base in the order of its refs, and what is distinct among them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from identity.records import IdentityRecord
from onevoice.errors import IdentityError

SEVERAL = frozenset({"phone", "card_number"})
"""Canonical fields that may hold a list."""
BETWEEN = "\x1f"
"""Stands between the values of a list while it travels as one text."""
_NOT_CANONICAL = frozenset({"ref", "cards", "updated_at"})
_PAGE = 50_000


@dataclass(frozen=True, slots=True)
class Canonical:
    """Canonical customer fields of all records, in the order of Ref."""

    refs: pa.StringArray
    columns: Mapping[str, pa.StringArray]


def canonical(records: pa.Table | Iterable[IdentityRecord]) -> Canonical:
    """Bring records into order; raise IdentityError for a ref that is none or occurs twice, and for odd columns."""
    table = records if isinstance(records, pa.Table) else _table(records)
    if "ref" not in table.column_names:
        raise IdentityError(f"resolve: the records have no column `ref` (they have {', '.join(table.column_names)})")
    refs = _one(table.column("ref")).cast(pa.string())
    # Refs sort by system, stream and key: as text in which nothing sorts before what stands between them.
    order = pc.sort_indices(pc.replace_substring(refs, "/", "\0", max_replacements=2))
    refs = refs.take(order)
    _check(refs)
    texts = {name: _text(name, table.column(name)) for name in table.column_names if name not in _NOT_CANONICAL}
    if "cards" in table.column_names:
        cards = _text("card_number", table.column("cards"))
        own = texts.get("card_number", pa.nulls(len(refs), pa.string()))
        texts["card_number"] = pc.binary_join_element_wise(cards, own, BETWEEN, null_handling="skip")
    return Canonical(refs, {name: column.take(order) for name, column in texts.items()})


def distinct(columns: Sequence[pa.StringArray]) -> tuple[pa.Int32Array, list[pa.StringArray]]:
    """(for each row the number of its combination of values, the combinations column by column)."""
    codes, kinds = _encoded(columns[0])
    found = [kinds]
    for column in columns[1:]:
        others, kinds = _encoded(column)
        count = pa.scalar(max(len(kinds), 1), pa.int64())
        codes, pairs = _encoded(pc.add(pc.multiply(codes.cast(pa.int64()), count), others.cast(pa.int64())))
        earlier = pc.divide(pairs, count)
        found = [
            *(values.take(earlier) for values in found),
            kinds.take(pc.subtract(pairs, pc.multiply(earlier, count))),
        ]
    return codes, found


def _encoded(column: pa.Array) -> tuple[pa.Int32Array, pa.Array]:
    encoded = column.dictionary_encode(null_encoding="encode")
    return encoded.indices, encoded.dictionary


def _check(refs: pa.StringArray) -> None:
    if refs.null_count or not pc.all(pc.greater_equal(pc.count_substring(refs, "/"), 2), min_count=0).as_py():
        raise IdentityError("resolve: a ref is not of the form system/stream/key")
    twice = refs.slice(1).filter(pc.equal(refs.slice(1), refs.slice(0, max(len(refs) - 1, 0))))
    if len(twice):
        raise IdentityError(f"resolve: {twice[0]} stands for two records (give each record once)")


def _text(name: str, column: pa.ChunkedArray) -> pa.StringArray:
    kind = column.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        if name not in SEVERAL:
            raise IdentityError(f"resolve: column {name} holds lists; only {', '.join(sorted(SEVERAL))} may")
        return pc.binary_join(_one(column).cast(pa.list_(pa.string())), BETWEEN)
    if pa.types.is_nested(kind):
        raise IdentityError(f"resolve: column {name} holds {kind}; it must be text")
    return _one(column).cast(pa.string())


def _one(column: pa.ChunkedArray) -> pa.Array:
    whole = column.combine_chunks()
    return pa.concat_arrays(whole.chunks) if isinstance(whole, pa.ChunkedArray) else whole


def _table(records: Iterable[IdentityRecord]) -> pa.Table:
    """Single records as a table of text, a page at a time."""
    pages = []
    waiting = iter(records)
    while page := list(islice(waiting, _PAGE)):
        names = sorted({name for record in page for name in record.data})
        columns = {name: pa.array([_joined(name, r.data.get(name)) for r in page], pa.string()) for name in names}
        pages.append(pa.table({"ref": pa.array([str(record.ref) for record in page], pa.string()), **columns}))
    if not pages:
        return pa.table({"ref": pa.array([], pa.string())})
    return pa.concat_tables(pages, promote_options="default")


def _joined(name: str, value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if name in SEVERAL:
        return BETWEEN.join(str(one) for one in value)
    return str(value)
