"""A full run over a whole base: the partition that Resolver would find, made column by column.

What costs time in Resolver is a Python object for every record, key and pair. Here every step works on columns, and
Python sees a value once, however many records hold it. The rules themselves are the ones that Resolver uses:

    columns.py     records in, as columns in the order of their refs
    parts.py       canonical columns -> normalised columns: each part of normalise() once per distinct value
    keys.py        normalised columns -> blocking keys as numbers, their degrees, candidate pairs, in SQL
    faces.py       what vetoes look at, value by value: each two values are judged once
    scoring.py     pairs -> edges: Splink as in identity/score.py, and links
    components.py  edges -> components; those in which nothing can go wrong are customers as they stand
    merging.py     the others go edge by edge through identity.cluster
    workers.py     two processes for what Python itself has to do
    tables.py      Arrow into DuckDB and back
    run.py         the order of the steps
    result.py      what comes out

It relies on this of identity.vetoes.clash(): each of its checks reads one part of normalise() (names, birth date, a
person-unique value), and nothing besides identity.cluster.FACE. tests/identity/test_identity_batch.py compares every
table with what Resolver gives.
"""

from identity.batch.result import BatchResult
from identity.batch.run import resolve_all

__all__ = ["BatchResult", "resolve_all"]
