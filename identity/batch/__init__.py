"""A full run over a whole base: the partition that Resolver would find, made column by column.

What costs time in Resolver is a Python object for every record, key and pair. Here every step works on columns, and
Python sees a value once, however many records hold it. The rules themselves are the ones that Resolver uses:

    parts.py       canonical columns -> normalised columns: each part of normalise() once per distinct value
    keys.py        normalised columns -> blocking keys and their degrees, in SQL
    scoring.py     keys -> candidate pairs -> edges: SQL, and Splink as in identity/score.py
    components.py  edges -> components; those in which nothing can go wrong are customers as they stand
    merging.py     the others go record by record through identity.cluster
    run.py         the order of the steps
    result.py      what comes out
"""

from identity.batch.result import BatchResult
from identity.batch.run import resolve_all

__all__ = ["BatchResult", "resolve_all"]
