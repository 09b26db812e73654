"""The steps of a full run, in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter

import pyarrow as pa

from identity.batch.columns import canonical
from identity.batch.components import find_components, find_difficult
from identity.batch.faces import Faces
from identity.batch.keys import Keys
from identity.batch.merging import merge_all
from identity.batch.parts import Base, normalise_all
from identity.batch.result import BatchResult
from identity.batch.scoring import edges_of, link_all, score_all
from identity.batch.tables import fetch, numbers
from identity.batch.workers import workers
from identity.model import Model, require_fit
from identity.records import Constraint, IdentityRecord
from identity.score import engine
from identity.uncollected import uncollected
from onevoice.configfile.identity_file import IdentityFile
from onevoice.errors import IdentityError


def resolve_all(
    records: pa.Table | Iterable[IdentityRecord],
    config: IdentityFile,
    model: Model,
    constraints: Sequence[Constraint] = (),
) -> BatchResult:
    """Resolve a whole base: exactly the edges, customers and review items that Resolver gives for the same records.

    `records`: a table with `ref` (text), canonical customer fields (text; `phone` and `card_number` text or lists of
    it), and optionally `cards` (a list, joined with `card_number`) and `updated_at` (not read); or single records.
    Raise IdentityError when a ref occurs twice, the model is for other comparisons, or a constraint names a record
    that is not there.
    """
    require_fit(model, config)
    clock = _Clock()
    with clock("read"):
        given = canonical(records)
    count = len(given.refs)
    with uncollected(), engine() as connection:
        with clock("normalise"), workers(count) as each:
            base = normalise_all(given, config, model, each)
            del given  # memory is dear: what was read is not needed any more
        with clock("keys"):
            keys = Keys(connection, base, config)
        with clock("score"):  # needs the most memory, so there are no other processes
            score_all(connection, base, keys, model, config)
        with workers(count) as each:
            with clock("links"):
                faces = Faces(connection, base, config, each)
                link_all(connection, base, keys, faces, config)
                edges_of(connection, model)
            with clock("components"):
                musts, said = _positions(base, constraints)
                find_components(connection, base, config, musts)
                find_difficult(connection, base, faces, config, said)
            with clock("merge"):
                customers = merge_all(connection, base, config, constraints, each)
        with clock("tables"):
            named = _Named(base.refs)
            return BatchResult(
                refs=base.refs,
                forms=_forms(base, named),
                keys=named(keys.index()),
                edges=named(fetch(connection, "select * from edges order by l, r")),
                members=pa.table({"ref": named.array(numbers(len(base.refs))), "cluster": customers.of}),
                joins=named(customers.joins),
                review=named(customers.review),
                seconds=clock.seconds,
            )


class _Clock:
    """Seconds per step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, step: str) -> Iterator[None]:
        started = perf_counter()
        yield
        self.seconds[step] = perf_counter() - started


_COLUMNS = {"id": "ref", "l": "left", "r": "right"}
"""Columns of positions in the tables of a run -> columns of refs in its result."""


class _Named:
    """Positions of records turned into their refs."""

    def __init__(self, refs: pa.StringArray) -> None:
        self._refs = refs

    def array(self, positions: pa.Int32Array) -> pa.DictionaryArray:
        return pa.DictionaryArray.from_arrays(positions, self._refs)

    def __call__(self, table: pa.Table) -> pa.Table:
        arrays = {}
        for name in table.column_names:
            column = table.column(name)
            if name in _COLUMNS:
                chunks = [self.array(chunk) for chunk in column.chunks]
                kind = pa.dictionary(pa.int32(), pa.string())
                arrays[_COLUMNS[name]] = pa.chunked_array(chunks, kind)
            else:
                arrays[name] = column
        return pa.table(arrays)


def _forms(base: Base, named: _Named) -> pa.Table:
    """The normalised form of every record; each column is a dictionary of its distinct values."""
    columns = {"ref": named.array(numbers(len(base.refs)))}
    for at, part in enumerate(base.parts):
        columns.update((name, part.spread(name)) for name in base.fields(at))
    return pa.table(columns)


def _positions(base: Base, constraints: Sequence[Constraint]) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Positions of the two records of every must-link, and of every constraint."""
    refs = pa.array([str(ref) for said in constraints for ref in (said.left, said.right)], pa.string())
    found = pa.compute.index_in(refs, base.refs).to_pylist()
    if None in found:
        raise IdentityError(f"resolve: a constraint names {refs[found.index(None)]}, which is not among the records")
    pairs = list(zip(found[::2], found[1::2], strict=True))
    return [pair for pair, said in zip(pairs, constraints, strict=True) if said.kind == "must"], pairs
