"""The steps of a full run, in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from time import perf_counter

import pyarrow as pa

from identity.batch.result import BatchResult
from identity.blocking import blocking_keys, surname_key
from identity.cluster import cluster
from identity.model import Model
from identity.normalise import normalise
from identity.records import Constraint, IdentityRecord
from identity.resolver import Resolver
from onevoice.configfile.identity_file import IdentityFile
from onevoice.model import Ref


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
    started = perf_counter()
    resolver = Resolver(config, model)
    forms = {form.ref: form for form in (normalise(record, config) for record in _single(records))}
    ordered = [forms[ref] for ref in sorted(forms)]
    refs = pa.array([str(form.ref) for form in ordered], pa.string())
    at = {form.ref: position for position, form in enumerate(ordered)}

    def named(found: Iterable[Ref]) -> pa.DictionaryArray:
        return pa.DictionaryArray.from_arrays(pa.array([at[ref] for ref in found], pa.int32()), refs)

    edges = resolver.score(ordered, None)
    clustering = cluster(forms, edges, constraints, config)
    keys = sorted((key, form.ref, surname_key(form)) for form in ordered for key in blocking_keys(form, config))
    number = {ref: n for n, one in enumerate(clustering.clusters) for ref in one.members}
    joined = [(n, one.edges[0]) for n, one in enumerate(clustering.clusters) if one.edges]
    columns = [name for name in ordered[0].as_dict() if name != "ref"] if ordered else []
    tables = {
        "forms": {
            "ref": named(at),
            **{
                name: [dict(v) if name == "text" else v for v in (getattr(f, name) for f in ordered)]
                for name in columns
            },
        },
        "keys": {
            "value": [value for value, _, _ in keys],
            "ref": named(ref for _, ref, _ in keys),
            "surname": [surname for _, _, surname in keys],
        },
        "edges": {
            "left": named(edge.left for edge in edges),
            "right": named(edge.right for edge in edges),
            "kind": [edge.kind for edge in edges],
            "weight": [edge.weight for edge in edges],
            "probability": [edge.probability for edge in edges],
            **{
                figures.comparison.name: [edge.per_field.get(figures.comparison.name) for edge in edges]
                for figures in model.comparisons
            },
        },
        "members": {"ref": named(at), "cluster": pa.array([number[ref] for ref in at], pa.int32())},
        "causes": {
            "cluster": pa.array([n for n, _ in joined], pa.int32()),
            "left": named(edge.left for _, edge in joined),
            "right": named(edge.right for _, edge in joined),
        },
        "review": {
            "kind": [item.kind for item in clustering.review],
            "left": named(item.left for item in clustering.review),
            "right": named(item.right for item in clustering.review),
            "weight": [item.weight for item in clustering.review],
            "reason": [item.reason for item in clustering.review],
        },
    }
    return BatchResult(
        refs=refs,
        **{name: pa.table(columns) for name, columns in tables.items()},
        seconds={"all": perf_counter() - started},
    )


def _single(records: pa.Table | Iterable[IdentityRecord]) -> Iterator[IdentityRecord]:
    if not isinstance(records, pa.Table):
        yield from records
        return
    for row in records.to_pylist():
        data = {name: value for name, value in row.items() if value is not None}
        ref = Ref.parse(data.pop("ref"))
        data.pop("updated_at", None)
        own = data.get("card_number") or []
        data["card_number"] = [*data.pop("cards", []), *([own] if isinstance(own, str) else own)]
        yield IdentityRecord(ref, data)
